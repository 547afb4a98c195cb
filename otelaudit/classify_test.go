// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"github.com/otelaudit/go/otelaudit"
	"github.com/otelaudit/go/otelaudit/audittest"
)

var hmacKey = []byte("classify-key-of-32-bytes-length!")

func ownKey(*jwt.Token) (any, error) { return hmacKey, nil }

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

func signed(t testing.TB, method jwt.SigningMethod, key any, claims jwt.Claims) string {
	t.Helper()
	raw, err := jwt.NewWithClaims(method, claims).SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

type refusing struct{ jwt.RegisteredClaims }

func (refusing) Validate() error { return errors.New("tenant is closed") }

type panicking struct{ jwt.RegisteredClaims }

func (panicking) Validate() error { panic("claims panicked") }

type classifyCase struct {
	name    string
	raw     string
	claims  func() jwt.Claims
	keyfunc jwt.Keyfunc
	opts    []jwt.ParserOption
	want    []string // reasons, or findings if accepted
	outcome string
	panics  any
}

func classifyCases(t testing.TB) []classifyCase {
	hs := func(claims jwt.MapClaims) string { return signed(t, jwt.SigningMethodHS256, hmacKey, claims) }
	sub := jwt.MapClaims{"sub": "alice", "exp": time.Now().Add(time.Hour).Unix()}
	good := hs(sub)
	segments := strings.Split(good, ".")
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&rsaKey.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	keyed := func(key any) jwt.Keyfunc { return func(*jwt.Token) (any, error) { return key, nil } }
	failing := func(err error) jwt.Keyfunc { return func(*jwt.Token) (any, error) { return nil, err } }
	own := keyed(hmacKey)
	past, future := time.Now().Add(-time.Hour).Unix(), time.Now().Add(time.Hour).Unix()
	typed := func() jwt.Claims { return &refusing{} }
	return []classifyCase{
		{name: "accepted", raw: good, keyfunc: own, outcome: "success"},
		{name: "empty", raw: "", keyfunc: own, want: []string{"token_empty"}},
		{name: "segments", raw: "junk", keyfunc: own, want: []string{"malformed_segments"}},
		{name: "jwe", raw: "a.b.c.d.e", keyfunc: own, want: []string{"jwe_unexpected"}},
		{name: "invalid UTF-8", raw: "\xff\xfe.\x00.", keyfunc: own, want: []string{"malformed_header"}},
		{name: "header", raw: "!." + segments[1] + ".x", keyfunc: own, want: []string{"malformed_header"}},
		{name: "claims", raw: segments[0] + "." + b64("[]") + ".x", keyfunc: own, want: []string{"malformed_claims"}},
		{name: "signature", raw: segments[0] + "." + segments[1] + ".!", keyfunc: own, want: []string{"malformed_signature"}},
		{name: "none", raw: signed(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, sub), keyfunc: own, want: []string{"alg_none"}},
		{name: "nOnE", raw: b64(`{"alg":"nOnE"}`) + "." + segments[1] + ".", keyfunc: own, want: []string{"alg_none"}},
		{name: "none accepted", raw: signed(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, sub),
			keyfunc: keyed(jwt.UnsafeAllowNoneSignatureType), outcome: "success", want: []string{"alg_none"}},
		{name: "alg missing", raw: b64(`{}`) + "." + segments[1] + ".x", keyfunc: own, want: []string{"alg_missing"}},
		{name: "alg unknown", raw: b64(`{"alg":"XX1"}`) + "." + segments[1] + ".x", keyfunc: own, want: []string{"alg_unknown"}},
		{name: "alg not allowed", raw: good, keyfunc: own, opts: []jwt.ParserOption{jwt.WithValidMethods([]string{"ES256"})}, want: []string{"alg_not_allowed"}},
		{name: "confusion", raw: good, keyfunc: keyed(&rsaKey.PublicKey), want: []string{"alg_key_confusion"}},
		{name: "confusion accepted", raw: signed(t, jwt.SigningMethodHS256, public, sub), keyfunc: keyed(public), outcome: "success", want: []string{"alg_key_confusion"}},
		{name: "key of another type", raw: signed(t, jwt.SigningMethodRS256, rsaKey, sub), keyfunc: own, want: []string{"alg_jwk_mismatch"}},
		{name: "tampered", raw: segments[0] + "." + b64(`{"sub":"root"}`) + "." + segments[2], keyfunc: own, want: []string{"signature_invalid"}},
		{name: "stripped", raw: segments[0] + "." + segments[1] + ".", keyfunc: own, want: []string{"signature_stripped"}},
		{name: "key set", raw: good, keyfunc: keyed(jwt.VerificationKeySet{Keys: []jwt.VerificationKey{[]byte("other"), &rsaKey.PublicKey, hmacKey}}), outcome: "success", want: []string{"alg_key_confusion"}},
		{name: "empty key set", raw: good, keyfunc: keyed(jwt.VerificationKeySet{}), want: []string{"keyfunc_error"}, outcome: "error"},
		{name: "kid unknown", raw: good, keyfunc: failing(fmt.Errorf("no key: %w", otelaudit.ReasonKidUnknown)), want: []string{"kid_unknown"}},
		{name: "keyfunc fails", raw: good, keyfunc: failing(errors.New("disk on fire")), want: []string{"keyfunc_error"}, outcome: "error"},
		{name: "nil keyfunc", raw: good, want: []string{"config_error"}, outcome: "error"},
		{name: "nil claims", raw: good, keyfunc: own, claims: func() jwt.Claims { return nil }, want: []string{"config_error"}, outcome: "error"},
		{name: "expired", raw: hs(jwt.MapClaims{"exp": past}), keyfunc: own, want: []string{"expired"}},
		{name: "not yet valid", raw: hs(jwt.MapClaims{"nbf": future}), keyfunc: own, want: []string{"not_yet_valid"}},
		{name: "issued in future", raw: hs(jwt.MapClaims{"iat": future}), keyfunc: own, opts: []jwt.ParserOption{jwt.WithIssuedAt()}, want: []string{"issued_in_future"}},
		{name: "several", raw: hs(jwt.MapClaims{"exp": past, "aud": "a", "iss": "i", "sub": "s"}), keyfunc: own,
			opts: []jwt.ParserOption{jwt.WithAudience("b"), jwt.WithIssuer("j"), jwt.WithSubject("t")},
			want: []string{"expired", "audience_mismatch", "issuer_mismatch", "subject_mismatch"}},
		{name: "claim missing", raw: good, keyfunc: own, opts: []jwt.ParserOption{jwt.WithIssuer("i")}, want: []string{"claim_missing"}},
		{name: "exp missing", raw: hs(jwt.MapClaims{"sub": "alice"}), keyfunc: own, opts: []jwt.ParserOption{jwt.WithExpirationRequired()}, want: []string{"exp_missing"}},
		{name: "claim type", raw: hs(jwt.MapClaims{"exp": "soon"}), keyfunc: own, want: []string{"claim_type"}},
		{name: "aud is an object", raw: hs(jwt.MapClaims{"aud": jwt.MapClaims{}}), keyfunc: own, opts: []jwt.ParserOption{jwt.WithAudience("b")}, want: []string{"claim_type"}},
		{name: "custom", raw: good, keyfunc: own, claims: typed, want: []string{"claims_custom"}},
		{name: "oversize", raw: strings.Repeat("a", 1<<20), keyfunc: own, want: []string{"token_oversize", "malformed_segments"}},
		{name: "keyfunc panics", raw: good, keyfunc: func(*jwt.Token) (any, error) { panic("keyfunc panicked") }, want: []string{"panic"}, outcome: "error", panics: "keyfunc panicked"},
		{name: "claims panic", raw: good, keyfunc: own, claims: func() jwt.Claims { return &panicking{} }, want: []string{"panic"}, outcome: "error", panics: "claims panicked"},
	}
}

func (c *classifyCase) newClaims() jwt.Claims {
	if c.claims == nil {
		return jwt.MapClaims{}
	}
	return c.claims()
}

// TestClassify checks the reasons, that the host sees what the bare parser gives
// it, that nothing leaks, and that identity needs a verified signature.
func TestClassify(t *testing.T) {
	for _, tt := range classifyCases(t) {
		t.Run(tt.name, func(t *testing.T) {
			r := audittest.NewRecorder(t)
			parser := r.Auditor().NewParser(tt.opts...)
			bare, barePanic, bareErr := call(func() (*jwt.Token, error) {
				return jwt.NewParser(tt.opts...).ParseWithClaims(tt.raw, tt.newClaims(), tt.keyfunc)
			})
			tok, panicked, err := call(func() (*jwt.Token, error) {
				return parser.ParseWithClaims(context.Background(), tt.raw, tt.newClaims(), tt.keyfunc)
			})
			if diff := cmp.Diff(bare, tok, cmp.Comparer(func(a, b jwt.SigningMethod) bool { return a == b })); diff != "" {
				t.Errorf("token differs from the bare parser's (-bare +audited):\n%s", diff)
			}
			if diff := cmp.Diff(chain(bareErr), chain(err)); diff != "" {
				t.Errorf("error chain differs from the bare parser's (-bare +audited):\n%s", diff)
			}
			if panicked != barePanic || panicked != tt.panics {
				t.Errorf("panic = %v, want %v", panicked, tt.panics)
			}
			records := r.Records("")
			if len(records) != 1 {
				t.Fatalf("events = %d, want 1", len(records))
			}
			attrs := audittest.Attrs(records[0])
			outcome := tt.outcome
			if outcome == "" {
				outcome = "failure"
			}
			if got := attrs["otelaudit.outcome"].AsString(); got != outcome {
				t.Errorf("outcome = %q, want %q", got, outcome)
			}
			var got []string
			switch {
			case outcome == "success":
				got = attrs["otelaudit.findings"].AsStringSlice()
			case len(tt.want) > 1:
				got = attrs["otelaudit.reasons"].AsStringSlice()
			default:
				got = []string{attrs["error.type"].AsString()}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" && len(tt.want)+len(got) > 0 {
				t.Errorf("reasons (-want +got):\n%s", diff)
			}
			if verified, ok := attrs["otelaudit.token.signature_verified"]; ok && !verified.AsBool() {
				if _, ok := attrs["user.id"]; ok {
					t.Error("user.id is set by an unverified token")
				}
			}
			if len(attrs) > 14 || outcome == "success" && len(attrs) > 12 {
				t.Errorf("attributes = %d, want at most 12 if accepted, 14 if refused", len(attrs))
			}
			if len(tt.raw) > 16 {
				audittest.NoSecrets(t, r, tt.raw, string(hmacKey))
			}
		})
	}
}

func call(f func() (*jwt.Token, error)) (tok *jwt.Token, panicked any, err error) {
	defer func() { panicked = recover() }()
	tok, err = f()
	return tok, nil, err
}

// chain lists the type and text of err and of all it wraps.
func chain(err error) []string {
	if err == nil {
		return nil
	}
	out := []string{fmt.Sprintf("%T %v", err, err)}
	switch w := err.(type) { //nolint:errorlint // the chain is walked link by link
	case interface{ Unwrap() error }:
		out = append(out, chain(w.Unwrap())...)
	case interface{ Unwrap() []error }:
		for _, e := range w.Unwrap() {
			out = append(out, chain(e)...)
		}
	}
	return out
}
