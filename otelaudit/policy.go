// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// DefaultMaxLifetime is the lifetime above which a token gets the finding
// lifetime_excessive, unless [WithMaxLifetime] says otherwise.
const DefaultMaxLifetime = 30 * 24 * time.Hour

// ParserOption adds a check to a [Parser]: see [Parser.With].
type ParserOption interface{ applyParser(policy) (policy, error) }

type parserOptionFunc func(policy) (policy, error)

func (f parserOptionFunc) applyParser(p policy) (policy, error) { return f(p) }

// policy is what a Parser checks beyond golang-jwt.
type policy struct {
	types       []string
	accessToken bool
	enforced    []Finding
	maxLifetime time.Duration
	store       Store
	singleUse   bool
	failOpen    bool
}

// With returns a copy of p that also makes the checks of opts. A token that golang-jwt
// accepts and a check refuses comes back with a [*RefusalError]. The error lists
// every option that is not valid.
func (p *Parser) With(opts ...ParserOption) (*Parser, error) {
	out := *p
	var errs []error
	for _, o := range opts {
		if o == nil {
			continue
		}
		next, err := o.applyParser(out.policy)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		out.policy = next
	}
	if (out.policy.singleUse || out.policy.failOpen) && out.policy.store == nil {
		errs = append(errs, errors.New("otelaudit: WithSingleUse and WithStoreFailOpen need WithStore"))
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return &out, nil
}

// WithEnforcedFindings turns these findings into refusals. Enforcing
// [FindingTokenOversize] refuses a token longer than [MaxTokenSize] before it is parsed.
func WithEnforcedFindings(codes ...Finding) ParserOption {
	return parserOptionFunc(func(p policy) (policy, error) {
		for _, c := range codes {
			if _, ok := findingByCode[c]; !ok {
				text, _ := clean(string(c), maxID)
				return p, fmt.Errorf("otelaudit: unknown finding %q", text)
			}
		}
		p.enforced = append(slices.Clone(p.enforced), codes...)
		return p, nil
	})
}

// WithMaxLifetime sets the lifetime, exp less iat, above which a token gets the finding
// lifetime_excessive. A token without an iat is taken to be issued when it is used.
func WithMaxLifetime(d time.Duration) ParserOption {
	return parserOptionFunc(func(p policy) (policy, error) {
		if d <= 0 {
			return p, errors.New("otelaudit: the maximum lifetime must be positive")
		}
		p.maxLifetime = d
		return p, nil
	})
}

// WithTokenType takes only tokens whose typ header parameter is one of types, by
// the rules of RFC 7515, section 4.1.9: whatever the case, with or without "application/". It
// keeps ID tokens, logout tokens and access tokens apart (RFC 8725, section 3.11).
func WithTokenType(types ...string) ParserOption {
	return parserOptionFunc(func(p policy) (policy, error) {
		if len(types) == 0 || slices.Contains(types, "") {
			return p, errors.New("otelaudit: empty token type")
		}
		p.types = nil
		for _, t := range types {
			p.types = append(p.types, tokenType(t))
		}
		return p, nil
	})
}

// WithAccessTokenProfile takes only access tokens as RFC 9068, section 2, has them: typ at+jwt, and
// the claims iss, exp, aud, sub, client_id, iat and jti.
func WithAccessTokenProfile() ParserOption {
	return parserOptionFunc(func(p policy) (policy, error) {
		p.types, p.accessToken = []string{"at+jwt"}, true
		return p, nil
	})
}

// WithStore refuses tokens that s knows to be revoked, and gives one that comes from another address or
// agent than at first the finding context_changed. Each token that passed all else is one
// call of s, which gets at most a second. If s cannot answer, the token is refused with outcome
// error and reason store_unavailable.
func WithStore(s Store) ParserOption {
	return parserOptionFunc(func(p policy) (policy, error) {
		if s == nil {
			return p, errors.New("otelaudit: nil store")
		}
		p.store = s
		return p, nil
	})
}

// WithSingleUse refuses the second use of a token, for tokens that are meant for one: logout
// tokens, DPoP proofs (RFC 9449, section 11.1), client assertions (RFC 7523, section 3).
func WithSingleUse() ParserOption {
	return parserOptionFunc(func(p policy) (policy, error) { p.singleUse = true; return p, nil })
}

// WithStoreFailOpen accepts tokens while the store cannot answer, with the finding
// store_unavailable. A revoked token is then accepted too.
func WithStoreFailOpen() ParserOption {
	return parserOptionFunc(func(p policy) (policy, error) { p.failOpen = true; return p, nil })
}

func (p *policy) enforces(f Finding) bool { return slices.Contains(p.enforced, f) }

// demands tells that p refuses tokens that golang-jwt accepts.
func (p *policy) demands() bool {
	return p.types != nil || p.accessToken || p.enforced != nil || p.store != nil
}
