// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

// Command after is the small service of before: net/http, golang-jwt, keyfunc and
// OpenTelemetry logs, instrumented with otelaudit.
package main

import (
	"context"
	"encoding/json"
	"log"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"
	"github.com/otelaudit/go/otelaudit"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	sdklog "go.opentelemetry.io/otel/sdk/log"
)

type server struct {
	keys   keyfunc.Keyfunc
	parser *otelaudit.Parser
}

// bearer lets requests with a valid token pass.
func (s *server) bearer(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		var claims jwt.RegisteredClaims
		token, err := s.parser.ParseWithClaims(r.Context(), raw, &claims, s.keys.Keyfunc)
		if err != nil || !token.Valid {
			http.Error(w, "unauthorized", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func orders(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode([]string{"1001", "1002"})
}

func run(ctx context.Context) error {
	exporter, err := otlploghttp.New(ctx)
	if err != nil {
		return err
	}
	provider := sdklog.NewLoggerProvider(sdklog.WithProcessor(sdklog.NewBatchProcessor(exporter)))
	defer func() { _ = provider.Shutdown(context.WithoutCancel(ctx)) }()
	otel.SetLoggerProvider(provider)

	keys, err := keyfunc.NewDefaultCtx(ctx, []string{os.Getenv("JWKS_URL")})
	if err != nil {
		return err
	}
	s := &server{
		keys:   keys,
		parser: otelaudit.Default().NewParser(jwt.WithIssuer(os.Getenv("ISSUER")), jwt.WithAudience("orders")),
	}
	mux := http.NewServeMux()
	mux.Handle("GET /orders", s.bearer(http.HandlerFunc(orders)))
	srv := &http.Server{
		Addr:              "127.0.0.1:8080",
		Handler:           otelaudit.Middleware(mux),
		ReadHeaderTimeout: 5 * time.Second,
	}
	return srv.ListenAndServe()
}

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}
