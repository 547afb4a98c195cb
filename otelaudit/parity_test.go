// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit_test

import (
	"context"
	"crypto/rsa"
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

// parityCase is one row of golang-jwt's own table of parser tests, made anew.
type parityCase struct {
	name    string
	raw     string // or signed from method and claims
	method  jwt.SigningMethod
	claims  jwt.Claims
	keyfunc jwt.Keyfunc
	opts    []jwt.ParserOption
	into    func() jwt.Claims
	errs    []error
}

func parityCases(t *testing.T) []parityCase {
	rs, ok := scenarioKeys()["rsa"].(*rsa.PrivateKey)
	if !ok {
		t.Fatal("no RSA key")
	}
	pub, ec := &rs.PublicKey, public(t, "ec256")
	answer := func(key any, err error) jwt.Keyfunc { return func(*jwt.Token) (any, error) { return key, err } }
	set := func(keys ...jwt.VerificationKey) jwt.Keyfunc { return answer(jwt.VerificationKeySet{Keys: keys}, nil) }
	own := answer(pub, nil)
	foo := jwt.MapClaims{"foo": "bar"}
	good := signed(t, jwt.SigningMethodRS256, rs, foo)
	now := time.Now()
	past, future := float64(now.Unix()-100), float64(now.Unix()+100)
	at := func(d time.Duration) *jwt.NumericDate { return jwt.NewNumericDate(now.Add(d)) }
	opts := func(o ...jwt.ParserOption) []jwt.ParserOption { return o }
	number := opts(jwt.WithJSONNumber())
	typed := func() jwt.Claims { return &jwt.RegisteredClaims{} }
	malformed, unverifiable := []error{jwt.ErrTokenMalformed}, []error{jwt.ErrTokenUnverifiable}
	signature, expired := []error{jwt.ErrTokenSignatureInvalid}, []error{jwt.ErrTokenExpired, jwt.ErrTokenInvalidClaims}
	early := []error{jwt.ErrTokenNotValidYet, jwt.ErrTokenInvalidClaims}
	both := append(append([]error{}, expired...), early...)
	swapped := strings.Replace(good, ".", ".e30.", 1)
	dirty := good[:len(good)-1] + string("BCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_A"[strings.IndexByte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", good[len(good)-1])])
	return []parityCase{
		{name: "invalid JWT", raw: "thisisnotreallyajwt", keyfunc: own, errs: malformed},
		{name: "invalid JSON claim", raw: b64(`{"alg":"RS256","zip":"DEF"}`) + ".eNqqVkqtKFCyMjQ1.AAAA", keyfunc: own, errs: malformed},
		{name: "bearer in JWT", raw: "bearer " + good, keyfunc: own, errs: malformed},
		{name: "too many segments", raw: swapped, keyfunc: own, errs: malformed},
		{name: "basic", raw: good, keyfunc: own},
		{name: "multiple keys, last matches", raw: good, keyfunc: set(ec, pub)},
		{name: "multiple keys, first matches", raw: good, keyfunc: set(pub, ec)},
		{name: "multiple keys, all match", raw: good, keyfunc: set(pub, pub)},
		{name: "multiple keys, none matches", raw: good, keyfunc: set(ec, ec), errs: signature},
		{name: "public keys slice, not allowed", raw: good, keyfunc: answer([]jwt.VerificationKey{pub, ec}, nil), errs: signature},
		{name: "basic expired", method: jwt.SigningMethodRS256, claims: jwt.MapClaims{"exp": past}, keyfunc: own, errs: expired},
		{name: "basic nbf", method: jwt.SigningMethodRS256, claims: jwt.MapClaims{"nbf": future}, keyfunc: own, errs: early},
		{name: "expired and nbf", method: jwt.SigningMethodRS256, claims: jwt.MapClaims{"nbf": future, "exp": past}, keyfunc: own, errs: both},
		{name: "basic invalid", raw: signed(t, jwt.SigningMethodRS256, scenarioKeys()["rsa1024"], foo), keyfunc: own, errs: append(signature, rsa.ErrVerification)},
		{name: "basic nokeyfunc", raw: good, errs: unverifiable},
		{name: "basic nokey", raw: good, keyfunc: answer(nil, nil), errs: signature},
		{name: "multiple nokey", raw: good, keyfunc: set(nil, nil), errs: signature},
		{name: "empty verification key set", raw: good, keyfunc: set(), errs: unverifiable},
		{name: "zero length key list", raw: good, keyfunc: answer([]any{}, nil), errs: signature},
		{name: "basic errorkey", raw: good, keyfunc: answer(nil, errors.New("error loading key")), errs: unverifiable},
		{name: "invalid signing method", method: jwt.SigningMethodRS256, claims: foo, keyfunc: own, opts: opts(jwt.WithValidMethods([]string{"HS256"})), errs: signature},
		{name: "valid RSA signing method", method: jwt.SigningMethodRS256, claims: foo, keyfunc: own, opts: opts(jwt.WithValidMethods([]string{"RS256", "HS256"}))},
		{name: "ECDSA signing method not accepted", method: jwt.SigningMethodES256, claims: foo, keyfunc: answer(ec, nil), opts: opts(jwt.WithValidMethods([]string{"RS256", "HS256"})), errs: signature},
		{name: "valid ECDSA signing method", method: jwt.SigningMethodES256, claims: foo, keyfunc: answer(ec, nil), opts: opts(jwt.WithValidMethods([]string{"HS256", "RS256", "ES256"}))},
		{name: "JSON Number", method: jwt.SigningMethodRS256, claims: jwt.MapClaims{"foo": 123.4}, keyfunc: own, opts: number},
		{name: "JSON Number - basic expired", method: jwt.SigningMethodRS256, claims: jwt.MapClaims{"exp": past}, keyfunc: own, opts: number, errs: expired},
		{name: "JSON Number - basic nbf", method: jwt.SigningMethodRS256, claims: jwt.MapClaims{"nbf": future}, keyfunc: own, opts: number, errs: early},
		{name: "JSON Number - expired and nbf", method: jwt.SigningMethodRS256, claims: jwt.MapClaims{"nbf": future, "exp": past}, keyfunc: own, opts: number, errs: both},
		{name: "claims validation skipped", method: jwt.SigningMethodRS256, claims: jwt.MapClaims{"nbf": future, "exp": past}, keyfunc: own, opts: opts(jwt.WithJSONNumber(), jwt.WithoutClaimsValidation())},
		{name: "registered claims", method: jwt.SigningMethodRS256, claims: &jwt.RegisteredClaims{ExpiresAt: at(time.Minute)}, into: typed, keyfunc: own, opts: number},
		{name: "single aud", method: jwt.SigningMethodRS256, claims: &jwt.RegisteredClaims{Audience: jwt.ClaimStrings{"test"}}, into: typed, keyfunc: own, opts: number},
		{name: "multiple aud", method: jwt.SigningMethodRS256, claims: &jwt.RegisteredClaims{Audience: jwt.ClaimStrings{"test", "test"}}, into: typed, keyfunc: own, opts: number},
		{name: "single aud with wrong type", method: jwt.SigningMethodRS256, claims: jwt.MapClaims{"aud": 1}, into: typed, keyfunc: own, opts: number, errs: malformed},
		{name: "multiple aud with wrong types", method: jwt.SigningMethodRS256, claims: jwt.MapClaims{"aud": []any{"test", 1}}, into: typed, keyfunc: own, opts: number, errs: malformed},
		{name: "nbf with 60s skew", method: jwt.SigningMethodRS256, claims: &jwt.RegisteredClaims{NotBefore: at(100 * time.Second)}, into: typed, keyfunc: own, opts: opts(jwt.WithLeeway(time.Minute)), errs: early},
		{name: "nbf with 120s skew", method: jwt.SigningMethodRS256, claims: &jwt.RegisteredClaims{NotBefore: at(100 * time.Second)}, into: typed, keyfunc: own, opts: opts(jwt.WithLeeway(2 * time.Minute))},
		{name: "exp is required but missing", method: jwt.SigningMethodRS256, claims: &jwt.RegisteredClaims{}, into: typed, keyfunc: own, opts: opts(jwt.WithExpirationRequired()), errs: []error{jwt.ErrTokenInvalidClaims, jwt.ErrTokenRequiredClaimMissing}},
		{name: "none without permission", method: jwt.SigningMethodNone, claims: foo, keyfunc: own, errs: []error{jwt.ErrTokenUnverifiable, jwt.ErrTokenSignatureInvalid}},
		{name: "none with permission", method: jwt.SigningMethodNone, claims: foo, keyfunc: answer(jwt.UnsafeAllowNoneSignatureType, nil)},
		{name: "claims validation by the host fails", method: jwt.SigningMethodRS256, claims: foo, into: func() jwt.Claims { return &refusing{} }, keyfunc: own, errs: []error{jwt.ErrTokenInvalidClaims}},
		{name: "padding not allowed", raw: good + "=", keyfunc: own, errs: malformed},
		{name: "padding allowed", raw: good + "==", keyfunc: own, opts: opts(jwt.WithPaddingAllowed())},
		{name: "unused bits", raw: dirty, keyfunc: own},
		{name: "unused bits, strictly", raw: dirty, keyfunc: own, opts: opts(jwt.WithStrictDecoding()), errs: malformed},
		{name: "audience of several, one matches", method: jwt.SigningMethodRS256, claims: jwt.MapClaims{"aud": "a"}, keyfunc: own, opts: opts(jwt.WithAudience("a", "b"))},
		{name: "audience, all needed", method: jwt.SigningMethodRS256, claims: jwt.MapClaims{"aud": "a"}, keyfunc: own, opts: opts(jwt.WithAllAudiences("a", "b")), errs: []error{jwt.ErrTokenInvalidAudience}},
	}
}

// TestParity runs the cases of golang-jwt's own tests through both parsers.
func TestParity(t *testing.T) {
	for _, tt := range parityCases(t) {
		t.Run(tt.name, func(t *testing.T) {
			raw := tt.raw
			if raw == "" {
				key := signingKey(t, "rsa")
				switch tt.method {
				case jwt.SigningMethodES256:
					key = signingKey(t, "ec256")
				case jwt.SigningMethodNone:
					key = jwt.UnsafeAllowNoneSignatureType
				}
				raw = signed(t, tt.method, key, tt.claims)
			}
			into := tt.into
			if into == nil {
				into = func() jwt.Claims { return jwt.MapClaims{} }
			}
			r := audittest.NewRecorder(t)
			bare, bareErr := jwt.NewParser(tt.opts...).ParseWithClaims(raw, into(), tt.keyfunc)
			claims := into()
			tok, err := r.Auditor().NewParser(tt.opts...).ParseWithClaims(context.Background(), raw, claims, tt.keyfunc)
			for _, want := range tt.errs {
				if !errors.Is(err, want) {
					t.Errorf("error = %v, want %v in its chain", err, want)
				}
			}
			if (err == nil) != (tt.errs == nil) {
				t.Errorf("error = %v, want %v", err, tt.errs)
			}
			if diff := cmp.Diff(chain(bareErr), chain(err)); diff != "" {
				t.Errorf("error chain differs from the bare parser's (-bare +audited):\n%s", diff)
			}
			if diff := cmp.Diff(bare, tok, cmp.Comparer(func(a, b jwt.SigningMethod) bool { return a == b })); diff != "" {
				t.Errorf("token differs from the bare parser's (-bare +audited):\n%s", diff)
			}
			if p, ok := claims.(*jwt.RegisteredClaims); ok && tok != nil && tok.Claims != jwt.Claims(p) {
				t.Error("the token has other claims than those that were passed")
			}
			if n := len(r.Records("")); n != 1 {
				t.Errorf("events = %d, want 1", n)
			}
			if got := audittest.Attrs(r.Records("")[0])["error.type"].AsString(); got == string(otelaudit.ReasonOther) {
				t.Errorf("error.type = %q for %v", got, fmt.Sprint(err))
			}
			if len(raw) > 16 {
				audittest.NoSecrets(t, r, raw)
			}
		})
	}
}
