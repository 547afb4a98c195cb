// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/otelaudit/go/otelaudit"
	"github.com/otelaudit/go/otelaudit/audittest"
)

// FuzzParse: the audited parser panics and answers as the bare one does, emits one
// event, and leaks nothing.
func FuzzParse(f *testing.F) {
	for _, c := range classifyCases(f) {
		if len(c.raw) < 4096 {
			f.Add(c.raw)
		}
	}
	keyfunc := func(*jwt.Token) (any, error) { return hmacKey, nil }
	f.Fuzz(func(t *testing.T, raw string) {
		r := audittest.NewRecorder(t)
		parser := r.Auditor(otelaudit.WithClaimedIdentity()).NewParser(jwt.WithAudience("orders"))
		bare, barePanic, bareErr := call(func() (*jwt.Token, error) {
			return jwt.NewParser(jwt.WithAudience("orders")).Parse(raw, keyfunc)
		})
		tok, panicked, err := call(func() (*jwt.Token, error) {
			return parser.Parse(context.Background(), raw, keyfunc)
		})
		if fmt.Sprint(err, panicked) != fmt.Sprint(bareErr, barePanic) {
			t.Errorf("Parse(%q) = %v, panic %v, want %v, panic %v", raw, err, panicked, bareErr, barePanic)
		}
		if (tok == nil) != (bare == nil) || tok != nil && (tok.Valid != bare.Valid || tok.Method != bare.Method) {
			t.Errorf("Parse(%q) = %v, want %v", raw, tok, bare)
		}
		if n := len(r.Records("")); n != 1 {
			t.Errorf("events = %d, want 1", n)
		}
		rec := r.Records("")[0]
		record := fmt.Sprint(rec.Body(), audittest.Attrs(rec))
		if len(raw) > 32 {
			audittest.NoSecretsIn(t, record, raw)
		}
		// A valid token with the input for its claims, and a secret beside them.
		const canary = "canary-of-a-private-claim"
		text := b64(`{"alg":"HS256"}`) + "." + b64(`{"password":"`+canary+`","x":"`+raw+`"}`)
		sig, err := jwt.SigningMethodHS256.Sign(text, hmacKey)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = parser.Parse(context.Background(), text+"."+b64(string(sig)), keyfunc)
		rec = r.Records("")[1]
		audittest.NoSecretsIn(t, fmt.Sprint(rec.Body(), audittest.Attrs(rec)), canary)
	})
}
