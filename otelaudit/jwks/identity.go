// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package jwks

import (
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"slices"

	"github.com/MicahParks/jwkset"
)

// keyIDs are the keys of a set: what tells each from all others, and the id that
// events name it by. A key that was replaced under its id is another.
type keyIDs map[[sha256.Size]byte]string

func identify(keys []jwkset.JWK) keyIDs {
	out := make(keyIDs, len(keys))
	for _, jwk := range keys {
		f := jwk.Marshal()
		h := sha256.New()
		for _, part := range append([]string{
			f.KID, string(f.KTY), string(f.ALG), string(f.USE), string(f.CRV), f.X, f.Y, f.N, f.E, f.K,
		}, ops(f)...) {
			h.Write([]byte(part))
			h.Write([]byte{0}) // in none of them but the kid, which comes first
		}
		id := f.KID
		if id == "" {
			id = thumbprint(f)
		}
		out[[sha256.Size]byte(h.Sum(nil))] = id
	}
	return out
}

func ops(f jwkset.JWKMarshal) []string {
	out := make([]string, len(f.KEYOPS))
	for i, op := range f.KEYOPS {
		out[i] = string(op)
	}
	return out
}

// since lists the ids of the keys that are not in old, sorted.
func (k keyIDs) since(old keyIDs) []string {
	var out []string
	for identity, id := range k {
		if _, ok := old[identity]; !ok && id != "" {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (k keyIDs) equal(other keyIDs) bool { return maps.Equal(k, other) }

// thumbprint names a public key without id, by SHA-256 in base64url (RFC 7638). It is
// empty for a symmetric key, whose thumbprint would help to guess it.
func thumbprint(f jwkset.JWKMarshal) string {
	var members string
	switch f.KTY {
	case jwkset.KtyRSA:
		members = `{"e":"` + f.E + `","kty":"RSA","n":"` + f.N + `"}`
	case jwkset.KtyEC:
		members = `{"crv":"` + string(f.CRV) + `","kty":"EC","x":"` + f.X + `","y":"` + f.Y + `"}`
	case jwkset.KtyOKP:
		members = `{"crv":"` + string(f.CRV) + `","kty":"OKP","x":"` + f.X + `"}`
	default:
		return ""
	}
	sum := sha256.Sum256([]byte(members))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
