// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit

import (
	"context"
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
