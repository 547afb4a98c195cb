// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit_test

import (
	"context"
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
