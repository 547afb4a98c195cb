// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package jwks

import (
	"context"

	"github.com/MicahParks/jwkset"
)

// storage is what Keyfunc.Storage returns: all keys, with refreshes. What the host
// writes is indexed too.
type storage struct {
	jwkset.Storage
	set *keyset
}

// KeyRead returns the first key with the id, after a refresh if there is none. The error
// has jwkset.ErrKeyNotFound in its chain.
func (s storage) KeyRead(ctx context.Context, keyID string) (jwkset.JWK, error) {
	has := func(idx *index) bool { return len(idx.byID[keyID]) > 0 }
	idx := s.set.current.Load()
	if !has(idx) {
		var err error
		if idx, err = s.set.await(ctx, has); err != nil {
			return jwkset.JWK{}, err
		}
	}
	return idx.byID[keyID][0].jwk, nil
}

// KeyReadAll returns the host's keys, then those of the servers in the order of the URLs.
func (s storage) KeyReadAll(context.Context) ([]jwkset.JWK, error) {
	entries := s.set.current.Load().entries
	out := make([]jwkset.JWK, len(entries))
	for i, e := range entries {
		out[i] = e.jwk
	}
	return out, nil
}

// KeyWrite adds a key of the host's own.
func (s storage) KeyWrite(ctx context.Context, jwk jwkset.JWK) error {
	defer s.set.reindex(ctx)
	return s.Storage.KeyWrite(ctx, jwk)
}

// KeyDelete deletes a key; one of a server comes back with the next refresh.
func (s storage) KeyDelete(ctx context.Context, keyID string) (bool, error) {
	defer s.set.reindex(ctx)
	return s.Storage.KeyDelete(ctx, keyID)
}

// KeyReplaceAll replaces the host's keys, and drops those of the servers until the next
// refresh.
func (s storage) KeyReplaceAll(ctx context.Context, given []jwkset.JWK) error {
	defer s.set.reindex(ctx)
	return s.Storage.KeyReplaceAll(ctx, given)
}
