// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package jwks_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"testing"

	"github.com/MicahParks/jwkset"
	"github.com/golang-jwt/jwt/v5"

	"github.com/otelaudit/go/otelaudit"
	"github.com/otelaudit/go/otelaudit/audittest"
)

func with(k jwkset.JWKMarshal, change func(*jwkset.JWKMarshal)) jwkset.JWKMarshal {
	change(&k)
	return k
}

func TestWhichKey(t *testing.T) {
	ec := newKey(t, "k").JWKMarshal
	ec2 := newKey(t, "k").JWKMarshal
	rs := marshal(t, &rsaKey().PublicKey, "k")
	oct := marshal(t, []byte("a key of thirty-two bytes, or so"), "k")
	public, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ed := marshal(t, public, "k")
	alg := func(k jwkset.JWKMarshal, a jwkset.ALG) jwkset.JWKMarshal {
		return with(k, func(k *jwkset.JWKMarshal) { k.ALG = a })
	}
	use := func(k jwkset.JWKMarshal, u jwkset.USE) jwkset.JWKMarshal {
		return with(k, func(k *jwkset.JWKMarshal) { k.USE = u })
	}
	ops := func(k jwkset.JWKMarshal, o ...jwkset.KEYOPS) jwkset.JWKMarshal {
		return with(k, func(k *jwkset.JWKMarshal) { k.KEYOPS = o })
	}
	type keys = []jwkset.JWKMarshal
	const no = 0
	for _, tt := range []struct {
		name   string
		keys   keys
		alg    any
		kid    any
		found  int // how many keys, in a VerificationKeySet if not by a key id alone
		reason otelaudit.Reason
	}{
		{"one", keys{ec}, "ES256", "k", 1, ""},
		{"no alg in the JWK, type is golang-jwt's matter", keys{rs}, "HS256", "k", 1, ""},
		{"alg", keys{alg(rs, "RS256")}, "RS256", "k", 1, ""},
		{"other alg", keys{alg(rs, "RS256")}, "PS256", "k", no, otelaudit.ReasonAlgJWKMismatch},
		{"key confusion", keys{alg(rs, "RS256")}, "HS256", "k", no, otelaudit.ReasonAlgJWKMismatch},
		{"use sig", keys{use(ec, "sig")}, "ES256", "k", 1, ""},
		{"use enc", keys{use(ec, "enc")}, "ES256", "k", no, otelaudit.ReasonKeyUseInvalid},
		{"use enc and another alg", keys{alg(use(rs, "enc"), "RSA-OAEP")}, "RS256", "k", no, otelaudit.ReasonKeyUseInvalid},
		{"use of its own", keys{use(ec, "tls")}, "ES256", "k", no, otelaudit.ReasonKeyUseInvalid},
		{"key_ops verify", keys{ops(ec, "sign", "verify")}, "ES256", "k", 1, ""},
		{"key_ops without verify", keys{ops(ec, "sign")}, "ES256", "k", no, otelaudit.ReasonKeyUseInvalid},
		{"kid not a string", keys{ec}, "ES256", 7.0, no, otelaudit.ReasonKidNotString},
		{"alg not a string", keys{ec}, 7.0, "k", no, otelaudit.ReasonAlgMissing},
		{"unsupported key beside", keys{ec, {KTY: "AKP", KID: "new"}}, "ES256", "k", 1, ""},

		{"same id, other types", keys{rs, ec, oct}, "ES256", "k", 1, ""},
		{"same id, one for encryption", keys{use(ec, "enc"), ec2}, "ES256", "k", 1, ""},
		{"same id, same type", keys{ec, ec2}, "ES256", "k", 2, ""},
		{"same id, none fits", keys{ec, ec2}, "RS256", "k", no, otelaudit.ReasonAlgJWKMismatch},
		{"same id, none verifies", keys{use(ec, "enc"), ops(ec2, "sign")}, "ES256", "k", no, otelaudit.ReasonKeyUseInvalid},

		{"no id, ES256", keys{rs, ec, oct, ed}, "ES256", nil, 1, ""},
		{"no id, PS256", keys{rs, ec, oct, ed}, "PS256", nil, 1, ""},
		{"no id, EdDSA", keys{rs, ec, oct, ed}, "EdDSA", nil, 1, ""},
		{"no id, HS256", keys{rs, ec, oct, ed}, "HS256", nil, 1, ""},
		{"no id, algorithm of the host", keys{rs, ec}, "ES256K", nil, 2, ""},
		{"no id, other alg", keys{alg(rs, "RS256")}, "PS256", nil, no, otelaudit.ReasonAlgJWKMismatch},
		{"no id, key confusion", keys{rs, ec}, "HS256", nil, no, otelaudit.ReasonAlgJWKMismatch},
		{"no id, other curve", keys{ec}, "ES384", nil, no, otelaudit.ReasonAlgJWKMismatch},
		{"no id, largest curve", keys{ec}, "ES512", nil, no, otelaudit.ReasonAlgJWKMismatch},
		{"no id, use enc", keys{use(ec, "enc")}, "ES256", nil, no, otelaudit.ReasonKeyUseInvalid},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRecorder(t)
			k := open(t, r, []*server{newServer(t, tt.keys...)})
			token := header("", tt.kid)
			token.Header["alg"] = tt.alg
			key, err := k.KeyfuncCtx(t.Context())(token)
			if tt.reason != "" {
				if key != nil {
					t.Errorf("key = %T, want none", key)
				}
				checkReason(t, err, tt.reason)
				return
			}
			if err != nil {
				t.Fatalf("Keyfunc() = %v, want nil", err)
			}
			set, many := key.(jwt.VerificationKeySet)
			if want := tt.found > 1 || tt.kid == nil; many != want {
				t.Errorf("key set = %v, want %v", many, want)
			}
			if many && len(set.Keys) != tt.found {
				t.Errorf("keys = %d, want %d", len(set.Keys), tt.found)
			}
		})
	}
}

func TestPublicHalf(t *testing.T) {
	r := newRecorder(t)
	private := marshal(t, rsaKey(), "k")
	k := open(t, r, []*server{newServer(t, private)})
	key, err := k.Keyfunc(header("RS256", "k"))
	if err != nil {
		t.Fatal(err)
	}
	if !rsaKey().PublicKey.Equal(key) {
		t.Errorf("key = %T, want the public half", key)
	}
	noSecrets(t, r, private.D)
}

func TestNilToken(t *testing.T) {
	r := newRecorder(t)
	k := open(t, r, []*server{newServer(t)})
	_, err := k.KeyfuncCtx(nil)(nil) //nolint:staticcheck // a nil context must not panic
	checkReason(t, err, otelaudit.ReasonConfigError)
}

func TestTwoServersWithOneKeyID(t *testing.T) {
	r := newRecorder(t)
	a, b := newKey(t, "k"), newKey(t, "k")
	k := open(t, r, []*server{newServer(t, a.JWKMarshal), newServer(t, b.JWKMarshal)})
	parser := r.Auditor().NewParser()
	for _, raw := range []string{a.sign(t), b.sign(t)} {
		if _, err := parser.Parse(t.Context(), raw, k.KeyfuncCtx(t.Context())); err != nil {
			t.Errorf("Parse() = %v, want nil", err)
		}
		noSecrets(t, r, raw)
	}
}

func TestStorage(t *testing.T) {
	r := newRecorder(t)
	enc := with(newKey(t, "e").JWKMarshal, func(k *jwkset.JWKMarshal) { k.USE = jwkset.UseEnc })
	k := open(t, r, []*server{newServer(t, newKey(t, "a").JWKMarshal, enc)})
	ctx, store := t.Context(), k.Storage()
	ids := func() (out string) {
		all, err := store.KeyReadAll(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, jwk := range all {
			out += jwk.Marshal().KID
		}
		return out
	}
	own, err := jwkset.NewJWKFromMarshal(newKey(t, "o").JWKMarshal, jwkset.JWKMarshalOptions{}, jwkset.JWKValidateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.KeyWrite(ctx, own); err != nil {
		t.Fatal(err)
	}
	if got := ids(); got != "oae" {
		t.Errorf("keys = %q, want o, a, e", got)
	}
	if _, err := k.Keyfunc(header("ES256", "o")); err != nil {
		t.Errorf("Keyfunc(o) = %v, want nil", err)
	}
	set, err := k.VerificationKeySet(ctx)
	if err != nil || len(set.Keys) != 2 {
		t.Errorf("VerificationKeySet() = %d keys, %v, want 2", len(set.Keys), err)
	}
	raw, err := store.JSONPublic(ctx)
	if err != nil || !bytes.Contains(raw, []byte(`"kid":"a"`)) {
		t.Errorf("JSONPublic() = %s, %v, want the keys", raw, err)
	}
	if jwk, err := store.KeyRead(ctx, "a"); err != nil || jwk.Marshal().KID != "a" {
		t.Errorf("KeyRead(a) = %v, want the key", err)
	}
	_, err = store.KeyRead(ctx, unknownID)
	checkUnknown(t, err, otelaudit.ReasonKidUnknown)
	if ok, err := store.KeyDelete(ctx, "a"); !ok || err != nil || ids() != "oe" {
		t.Errorf("KeyDelete(a) = %v, %v, leaving %q, want oe", ok, err, ids())
	}
	if err := store.KeyReplaceAll(ctx, []jwkset.JWK{own}); err != nil || ids() != "o" {
		t.Errorf("KeyReplaceAll(o) = %v, leaving %q, want o", err, ids())
	}
	event(t, r, 1) // the host's changes are no refresh
	audittest.NoSecrets(t, r, unknownID)
}
