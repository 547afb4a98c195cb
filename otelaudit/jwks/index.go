// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package jwks

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"slices"

	"github.com/MicahParks/jwkset"
	"github.com/golang-jwt/jwt/v5"
)

// index is a snapshot of all keys. It does not change once it is published.
type index struct {
	entries []*entry // the host's first, then in the order of the URLs
	byID    map[string][]*entry
	// replaced is closed when there is a newer index.
	replaced chan struct{}
}

// entry is one key.
type entry struct {
	jwk      jwkset.JWK
	key      jwt.VerificationKey // public, unless symmetric
	alg      string              // empty if the JWK names none (RFC 7517, section 4.4)
	verifies bool
}

func newIndex() *index {
	return &index{byID: map[string][]*entry{}, replaced: make(chan struct{})}
}

// add takes in the keys of m, which cannot fail.
func (x *index) add(ctx context.Context, m *jwkset.MemoryJWKSet) {
	keys, _ := m.KeyReadAll(ctx)
	for _, jwk := range keys {
		fields := jwk.Marshal()
		e := &entry{jwk: jwk, key: jwk.Key(), alg: string(fields.ALG), verifies: verifies(fields)}
		if pair, ok := e.key.(interface{ Public() crypto.PublicKey }); ok {
			e.key = pair.Public()
		}
		x.entries = append(x.entries, e)
		x.byID[fields.KID] = append(x.byID[fields.KID], e)
	}
}

// verifies tells whether a key is for verifying signatures: RFC 7517, sections 4.2
// and 4.3. A use that is not registered is not for this.
func verifies(fields jwkset.JWKMarshal) bool {
	if fields.USE != "" && fields.USE != jwkset.UseSig {
		return false
	}
	return len(fields.KEYOPS) == 0 || slices.Contains(fields.KEYOPS, jwkset.KeyOpsVerify)
}

// choose returns the key among those with the token's key id. There is more than one if
// a server repeats an id, which is allowed for keys of different types (RFC 7517,
// section 4.5), or if two servers have the same.
//
// Of a single key only the alg is compared, not the type: that the algorithm cannot use
// it is for golang-jwt to refuse, and for the auditor to see as key confusion.
func choose(entries []*entry, alg string) (any, error) {
	if len(entries) == 1 {
		switch e := entries[0]; {
		case !e.verifies:
			return nil, errKeyUse
		case e.alg != "" && e.alg != alg:
			return nil, errAlgMismatch
		default:
			return e.key, nil
		}
	}
	keys, err := fitting(entries, alg)
	switch {
	case err != nil:
		return nil, err
	case len(keys) == 1:
		return keys[0], nil
	default:
		return jwt.VerificationKeySet{Keys: keys}, nil
	}
}

// fitting returns the keys that may verify a token of alg, at least one.
func fitting(entries []*entry, alg string) ([]jwt.VerificationKey, error) {
	keys := make([]jwt.VerificationKey, 0, len(entries))
	verifying := false
	for _, e := range entries {
		verifying = verifying || e.verifies
		if e.verifies && (e.alg == "" || e.alg == alg) && usable(e.key, alg) {
			keys = append(keys, e.key)
		}
	}
	switch {
	case len(keys) > 0:
		return keys, nil
	case verifying:
		return nil, errAlgMismatch
	default:
		return nil, errKeyUse
	}
}

// usable tells whether alg takes keys of this type and curve (RFC 7518, section 3.1;
// RFC 8037, section 3.1). Of other algorithms it cannot know.
func usable(key any, alg string) bool {
	ok := true
	switch alg {
	case "HS256", "HS384", "HS512":
		_, ok = key.([]byte)
	case "RS256", "RS384", "RS512", "PS256", "PS384", "PS512":
		_, ok = key.(*rsa.PublicKey)
	case "ES256":
		ok = onCurve(key, "P-256")
	case "ES384":
		ok = onCurve(key, "P-384")
	case "ES512":
		ok = onCurve(key, "P-521")
	case "EdDSA":
		_, ok = key.(ed25519.PublicKey)
	}
	return ok
}

func onCurve(key any, curve string) bool {
	k, ok := key.(*ecdsa.PublicKey)
	return ok && k.Curve.Params().Name == curve
}
