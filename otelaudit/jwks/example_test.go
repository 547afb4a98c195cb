// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package jwks_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/golang-jwt/jwt/v5"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/log/embedded"

	"github.com/otelaudit/go/otelaudit"
	"github.com/otelaudit/go/otelaudit/jwks"
)

// printer is a log provider that prints the name, outcome, reason and keys of events.
type printer struct{ embedded.LoggerProvider }

func (printer) Logger(string, ...log.LoggerOption) log.Logger { return printLogger{} }

type printLogger struct{ embedded.Logger }

func (printLogger) Enabled(context.Context, log.EnabledParameters) bool { return true }

func (printLogger) Emit(_ context.Context, r log.Record) {
	line := r.EventName()
	r.WalkAttributes(func(kv attribute.KeyValue) bool {
		switch kv.Key {
		case "otelaudit.outcome", "error.type", "otelaudit.jwks.keys_added", "server.address":
			line += " " + kv.Value.String()
		}
		return true
	})
	fmt.Println(line)
}

func ExampleNew() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, `{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"2026-07","use":"sig",
			"x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`)
	}))
	defer server.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	audit, err := otelaudit.New(otelaudit.WithLoggerProvider(printer{}))
	if err != nil {
		panic(err)
	}

	keys, err := jwks.New(ctx, audit, []string{server.URL + "/jwks.json"}, jwks.WithRequireFirstFetch())
	if err != nil {
		panic(err)
	}
	token := "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl" // by another key
	_, err = audit.NewParser(jwt.WithValidMethods([]string{"EdDSA"})).Parse(ctx, token, keys.KeyfuncCtx(ctx))
	fmt.Println(err != nil)
	// Output:
	// otelaudit.jwks.refresh success ["2026-07"] 127.0.0.1
	// otelaudit.token.validation failure signature_invalid
	// true
}
