// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"

	"github.com/otelaudit/go/otelaudit"
)

// orders is the API that tokens are for.
type orders struct {
	audit *otelaudit.Auditor
	idp   *idp
	url   string

	// set is refreshed by hand: keyfunc's own HTTP storage would refresh for an
	// unknown kid while the request waits.
	set *jwkset.MemoryJWKSet
	kf  keyfunc.Keyfunc
	mu  sync.Mutex // one refresh at a time
}

func newOrders(audit *otelaudit.Auditor, idp *idp) (*orders, error) {
	set := jwkset.NewMemoryStorage()
	kf, err := keyfunc.New(keyfunc.Options{Storage: set})
	return &orders{audit: audit, idp: idp, set: set, kf: kf}, err
}

func (o *orders) handler() http.Handler {
	// The keys carry no alg, so the type of the key is what stops an HMAC. A
	// service that adds jwt.WithValidMethods refuses it before a key is looked
	// up, and records alg_not_allowed.
	parser := o.audit.NewParser(jwt.WithIssuer(issuer), jwt.WithAudience(audience),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt())
	authenticate := o.audit.RequireToken(parser, o.kf.Keyfunc)
	guard := func(scope string, h http.HandlerFunc) http.Handler {
		return authenticate(o.notRevoked(o.audit.RequireScope(scope)(h)))
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

// notRevoked refuses tokens that were revoked, and says so.
func (o *orders) notRevoked(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, _ := otelaudit.SubjectFromContext(r.Context())
		if !o.idp.isRevoked(who.TokenFingerprint) {
			next.ServeHTTP(w, r)
			return
		}
		_ = o.audit.Emit(r.Context(), otelaudit.Event{
			Name:    otelaudit.EventTokenValidation,
			Reasons: []otelaudit.Reason{otelaudit.ReasonTokenRevoked},
			Subject: who,
			Token:   &otelaudit.TokenInfo{Fingerprint: who.TokenFingerprint, SignatureVerified: true},
		})
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		w.WriteHeader(http.StatusUnauthorized)
	})
}

// refresh fetches the provider's keys and reports how they changed.
func (o *orders) refresh(ctx context.Context) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	change := otelaudit.KeyChange{}
	if u, err := url.Parse(o.idp.url); err == nil {
		change.Server = u.Hostname()
	}
	before, _ := o.set.KeyReadAll(ctx)
	after, err := fetchKeys(ctx, o.idp.url+"/jwks.json")
	if err == nil {
		err = o.set.KeyReplaceAll(ctx, after)
	}
	if err == nil {
		change.Added, change.Removed = missing(after, before), missing(before, after)
	}
	return errors.Join(err, o.audit.KeyRefresh(ctx, otelaudit.KeyRefresh{KeyChange: change, Err: err}))
}

func (o *orders) refreshEvery(ctx context.Context, d time.Duration) {
	t := time.NewTicker(d)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			_ = o.refresh(ctx) // the event tells, and the old keys stay
		}
	}
}

func fetchKeys(ctx context.Context, from string) ([]jwkset.JWK, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the key set answered %d", resp.StatusCode)
	}
	var set jwkset.JWKSMarshal
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&set); err != nil {
		return nil, err
	}
	return set.JWKSlice()
}

// missing returns the key ids of a that b has not.
func missing(a, b []jwkset.JWK) (kids []string) {
	for _, k := range a {
		kid := k.Marshal().KID
		if !slices.ContainsFunc(b, func(x jwkset.JWK) bool { return x.Marshal().KID == kid }) {
			kids = append(kids, kid)
		}
	}
	slices.Sort(kids)
	return kids
}
