// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit

import (
	"context"
	"fmt"
	"time"
)

// Store remembers tokens between requests: which were revoked, and who used each
// first. [NewMemoryStore] serves one process; the module otelaudit/redisstore serves many. Keys come from
// [Auditor.TokenKey]; no store ever sees a token. Methods must be safe for concurrent
// use and return when ctx is done. Expired entries may be forgotten. A zero expires stands for a token that
// never expires: it is kept as long as the store is willing to.
type Store interface {
	// Use notes a use of the token and returns what was known before it. It is
	// atomic: of several first uses at once, exactly one finds Used false.
	Use(ctx context.Context, key string, by Sighting, expires time.Time) (Memory, error)
	// Revoke makes every later Use find Revoked true, until expires. Revoking twice
	// is no error.
	Revoke(ctx context.Context, key string, expires time.Time) error
}

// Sighting is where a token was used from, as digests.
type Sighting struct {
	// Address and Agent are digests of the client address and the user agent;
	// empty if unknown.
	Address, Agent string
}

// Memory is what a [Store] knew of a token before a use.
type Memory struct {
	// Revoked tells that the token was revoked, Used that it was used before.
	Revoked, Used bool
	// First is the first use.
	First Sighting
}

// remember notes the use of the token in the store. What the store knew is added to the
// reasons and findings of e.
func (p *policy) remember(ctx context.Context, a *Auditor, e *Event) error {
	by := a.sighting(ctx)
	var before Memory
	err := askStore(ctx, func(ctx context.Context) (err error) {
		before, err = p.store.Use(ctx, a.TokenKey(*e.Token), by, remembered(e.Token.ExpiresAt))
		return err
	})
	if err != nil {
		if p.failOpen {
			e.Findings = append(e.Findings, FindingStoreUnavailable)
		}
		return err
	}
	if before.Revoked {
		e.Reasons = append(e.Reasons, ReasonTokenRevoked)
	}
	if before.Used && p.singleUse {
		e.Reasons = append(e.Reasons, ReasonTokenReplayed)
	}
	if before.Used && before.First.differs(by) {
		e.Findings = append(e.Findings, FindingContextChanged)
	}
	return nil
}

// storeTimeout bounds one call of a store, and with it how long a token can wait for it.
const storeTimeout = time.Second

// storeMargin is how much longer than its exp a token is remembered, since a parser may
// have a leeway.
const storeMargin = 10 * time.Minute

func remembered(expires time.Time) time.Time {
	if expires.IsZero() {
		return expires
	}
	return expires.Add(storeMargin)
}

// askStore bounds a call of the host's store and keeps its panics from the host. The
// error names the reason.
func askStore(ctx context.Context, call func(context.Context) error) (err error) {
	if ctx == nil {
		ctx = context.Background()
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	defer func() {
		if recover() != nil {
			err = errStorePanic
		}
		if err != nil {
			err = fmt.Errorf("%w: %w", ReasonStoreUnavailable, err)
		}
	}()
	return call(ctx)
}

// sighting is where the request of ctx comes from.
func (a *Auditor) sighting(ctx context.Context) (s Sighting) {
	x := exchangeFrom(ctx)
	if x == nil {
		return s
	}
	if v := x.request.ClientAddress; v != "" {
		s.Address = a.hasher.text(domainAddress, v)
	}
	if v := x.request.UserAgent; v != "" {
		s.Agent = a.hasher.text(domainAgent, v)
	}
	return s
}

// differs compares what both sightings know.
func (s Sighting) differs(other Sighting) bool {
	return s.Address != "" && other.Address != "" && s.Address != other.Address ||
		s.Agent != "" && other.Agent != "" && s.Agent != other.Agent
}
