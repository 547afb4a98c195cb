// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package jwks

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/time/rate"

	"github.com/otelaudit/go/otelaudit"
)

// keyset is the keys of all servers, and what keeps them up to date. It is the
// keyfunc.Keyfunc that New returns.
type keyset struct {
	ctx     context.Context // ends the refreshes
	auditor *otelaudit.Auditor
	sources []*source
	given   *jwkset.MemoryJWKSet // what the host wrote
	all     jwkset.Storage       // given and all sources, without refreshes
	limiter *rate.Limiter
	wait    time.Duration
	metrics *metrics

	// current is never nil. Known keys are read here, without a lock.
	current  atomic.Pointer[index]
	indexing sync.Mutex

	mu     sync.Mutex
	flight *flight // the refresh that is going on, if any
}

// Keyfunc is KeyfuncCtx with the context of New.
func (s *keyset) Keyfunc(token *jwt.Token) (any, error) { return s.key(s.ctx, token) }

// KeyfuncCtx returns the function that finds the key or, if several may fit, the
// jwt.VerificationKeySet for a token. It waits only if the key id is unknown, and
// not longer than ctx lives.
func (s *keyset) KeyfuncCtx(ctx context.Context) jwt.Keyfunc {
	if ctx == nil {
		ctx = context.Background()
	}
	return func(token *jwt.Token) (any, error) { return s.key(ctx, token) }
}

// Storage returns all keys. Its KeyRead refreshes them for an unknown key id.
func (s *keyset) Storage() jwkset.Storage { return storage{s.all, s} }

// VerificationKeySet returns all keys that may verify signatures.
func (s *keyset) VerificationKeySet(ctx context.Context) (jwt.VerificationKeySet, error) {
	idx, err := s.anyKeys(ctx)
	if err != nil {
		return jwt.VerificationKeySet{}, err
	}
	var out jwt.VerificationKeySet
	for _, e := range idx.entries {
		if e.verifies {
			out.Keys = append(out.Keys, e.key)
		}
	}
	return out, nil
}

func (s *keyset) key(ctx context.Context, token *jwt.Token) (any, error) {
	if token == nil {
		return nil, errNoToken
	}
	alg, ok := token.Header["alg"].(string)
	if !ok {
		return nil, errAlgMissing
	}
	header, ok := token.Header[jwkset.HeaderKID]
	if !ok {
		return s.keyWithoutID(ctx, alg)
	}
	kid, ok := header.(string)
	if !ok {
		return nil, errKidNotString
	}
	idx := s.current.Load()
	if len(idx.byID[kid]) == 0 {
		var err error
		if idx, err = s.await(ctx, func(idx *index) bool { return len(idx.byID[kid]) > 0 }); err != nil {
			return nil, err
		}
	}
	return choose(idx.byID[kid], alg)
}

func (s *keyset) keyWithoutID(ctx context.Context, alg string) (any, error) {
	idx, err := s.anyKeys(ctx)
	if err != nil {
		return nil, err
	}
	keys, err := fitting(idx.entries, alg)
	if err != nil {
		return nil, err
	}
	return jwt.VerificationKeySet{Keys: keys}, nil
}

// anyKeys returns an index that is not empty. There is no key id to be unknown.
func (s *keyset) anyKeys(ctx context.Context) (*index, error) {
	if idx := s.current.Load(); len(idx.entries) > 0 {
		return idx, nil
	}
	idx, err := s.await(ctx, func(idx *index) bool { return len(idx.entries) > 0 })
	if err == nil {
		return idx, nil
	}
	if fault := s.fault(); fault != nil {
		return nil, unavailable(fault)
	}
	if ctx.Err() != nil {
		return nil, errNoKeys.with(ctx.Err())
	}
	return nil, errNoKeys
}

// reindex publishes what the storages hold, and wakes those who wait for it.
func (s *keyset) reindex(ctx context.Context) {
	s.indexing.Lock()
	defer s.indexing.Unlock()
	next := newIndex()
	next.add(ctx, s.given)
	for _, src := range s.sources {
		next.add(ctx, src.memory)
	}
	close(s.current.Swap(next).replaced)
}

// fault is why the last fetch of a source failed, nil if none did.
func (s *keyset) fault() *FetchError {
	for _, src := range s.sources {
		if fault := src.lastFault(); fault != nil {
			return fault
		}
	}
	return nil
}
