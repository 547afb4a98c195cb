// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/golang-jwt/jwt/v5"
	"github.com/otelaudit/go/otelaudit"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/log/embedded"
)

// printer is a log provider that prints the name, outcome and reason of events.
type printer struct{ embedded.LoggerProvider }

func (p printer) Logger(string, ...log.LoggerOption) log.Logger { return printLogger{} }

type printLogger struct{ embedded.Logger }

func (printLogger) Enabled(context.Context, log.EnabledParameters) bool { return true }

func (printLogger) Emit(_ context.Context, r log.Record) {
	line := r.EventName()
	r.WalkAttributes(func(kv attribute.KeyValue) bool {
		if kv.Key == "otelaudit.outcome" || kv.Key == "error.type" {
			line += " " + kv.Value.AsString()
		}
		return true
	})
	fmt.Println(line)
}

func newAuditor() *otelaudit.Auditor {
	audit, err := otelaudit.New(otelaudit.WithLoggerProvider(printer{}))
	if err != nil {
		panic(err)
	}
	return audit
}

func ExampleParser() {
	parser := newAuditor().NewParser(jwt.WithValidMethods([]string{"HS256"}))
	keyfunc := func(*jwt.Token) (any, error) { return []byte("an example key of thirty-two byte"), nil }
	_, err := parser.Parse(context.Background(), "not-a-token", keyfunc)
	fmt.Println(err != nil)
	// Output:
	// otelaudit.token.validation failure malformed_segments
	// true
}

func ExampleAuditor_Middleware() {
	handler := newAuditor().Middleware(http.NotFoundHandler())
	handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/orders", nil))
	// Output: otelaudit.access failure route_unknown
}

func ExampleAuditor_Login() {
	audit := newAuditor()
	_ = audit.Login(context.Background(), otelaudit.Login{Method: "password", UserID: "u-17"})
	_ = audit.Login(context.Background(), otelaudit.Login{
		Method: "password", UserID: "u-17", Err: otelaudit.ReasonCredentialsInvalid,
	})
	// Output:
	// otelaudit.login success
	// otelaudit.login failure credentials_invalid
}

func ExampleParser_With() {
	parser, err := newAuditor().NewParser(jwt.WithValidMethods([]string{"HS256"})).With(
		otelaudit.WithTokenType("at+jwt"),
		otelaudit.WithEnforcedFindings(otelaudit.FindingExpMissing),
	)
	if err != nil {
		panic(err)
	}
	key := []byte("an example key of thirty-two byte")
	raw, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"sub": "alice"}).SignedString(key)
	if err != nil {
		panic(err)
	}
	_, err = parser.Parse(context.Background(), raw, func(*jwt.Token) (any, error) { return key, nil })
	fmt.Println(err)
	fmt.Println(errors.Is(err, jwt.ErrTokenInvalidClaims), errors.Is(err, otelaudit.ReasonTypeMismatch))
	// Output:
	// otelaudit.token.validation failure type_mismatch
	// otelaudit: token refused: type_mismatch, exp_missing
	// true true
}

func ExampleNewMemoryStore() {
	audit, store := newAuditor(), otelaudit.NewMemoryStore(0)
	parser, err := audit.NewParser().With(otelaudit.WithStore(store))
	if err != nil {
		panic(err)
	}
	key := []byte("an example key of thirty-two byte")
	raw, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"iss": "https://id.example", "jti": "t-1"}).SignedString(key)
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	if err := audit.Revocation(ctx, otelaudit.Revocation{Store: store, Issuer: "https://id.example", TokenID: "t-1"}); err != nil {
		panic(err)
	}
	_, err = parser.Parse(ctx, raw, func(*jwt.Token) (any, error) { return key, nil })
	fmt.Println(errors.Is(err, otelaudit.ReasonTokenRevoked))
	// Output:
	// otelaudit.token.revocation success
	// otelaudit.token.validation failure token_revoked
	// true
}
