// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"

	"github.com/otelaudit/go/otelaudit"
	"github.com/otelaudit/go/otelaudit/jwks"
)

// orders is the API that tokens are for.
type orders struct {
	audit  *otelaudit.Auditor
	keys   keyfunc.Keyfunc
	parser *otelaudit.Parser
	url    string
}

// newOrders fetches the provider's keys, and again when a token names one that it does not know, until
// ctx ends. An honest service keeps the default of at most one such fetch in 30 s; the story cannot wait.
func newOrders(ctx context.Context, audit *otelaudit.Auditor, provider string, revoked otelaudit.Store) (*orders, error) {
	keys, err := jwks.New(ctx, audit, []string{provider + "/jwks.json"}, jwks.WithUnknownKeyRefresh(time.Millisecond))
	if err != nil {
		return nil, err
	}
	// The keys carry no alg, so the type of the key is what stops an HMAC. A
	// service that adds jwt.WithValidMethods refuses it before a key is looked
	// up, and records alg_not_allowed.
	parser, err := audit.NewParser(jwt.WithIssuer(issuer), jwt.WithAudience(audience),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt()).With(otelaudit.WithStore(revoked))
	return &orders{audit: audit, keys: keys, parser: parser}, err
}

func (o *orders) handler() http.Handler {
	authenticate := o.audit.RequireToken(o.parser, o.keys.Keyfunc)
	guard := func(scope string, h http.HandlerFunc) http.Handler {
		return authenticate(o.audit.RequireScope(scope)(h))
	}
	mux := http.NewServeMux()
	mux.Handle("GET /orders", guard("orders:read", func(w http.ResponseWriter, r *http.Request) {
		who, _ := otelaudit.SubjectFromContext(r.Context())
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"customer": who.ID, "orders": []int{1001, 1002}})
	}))
	mux.Handle("POST /orders/{id}/refund", guard("orders:refund", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusAccepted)
	}))
	return o.audit.Middleware(mux)
}
