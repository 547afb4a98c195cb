// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit_test

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"gopkg.in/yaml.v3"

	"github.com/otelaudit/go/otelaudit"
	"github.com/otelaudit/go/otelaudit/audittest"
)

type declaredRef struct {
	Ref   string
	Level any `yaml:"requirement_level"` // a word, or a map with the condition
}

type declared struct {
	Name, Unit string
	Attributes []declaredRef
}

func (d declared) has(key string) bool {
	return slices.ContainsFunc(d.Attributes, func(a declaredRef) bool { return a.Ref == key })
}

func declarations(t *testing.T, file string) map[string]declared {
	t.Helper()
	text, err := os.ReadFile("registry/" + file)
	if err != nil {
		t.Fatal(err)
	}
	var f struct{ Events, Metrics []declared }
	if err := yaml.Unmarshal(text, &f); err != nil {
		t.Fatal(err)
	}
	out := map[string]declared{}
	for _, d := range append(f.Events, f.Metrics...) {
		out[d.Name] = d
	}
	return out
}

// everything emits each event in several ways, with all that it can hold.
func everything(t *testing.T, a *otelaudit.Auditor) {
	t.Helper()
	ctx := context.Background()
	now := time.Now()
	raw := func(claims jwt.MapClaims) string {
		token := jwt.NewWithClaims(jwt.SigningMethodHS256, claims)
		token.Header["kid"], token.Header["typ"], token.Header["jku"] = "key-1", "at+jwt", "https://id.example/keys"
		out, err := a.SignedString(ctx, token, hmacKey)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	full := jwt.MapClaims{"iss": "https://id.example", "sub": "alice", "aud": []string{"orders"}, "jti": rand.Text(), "sid": rand.Text(),
		"iat": now.Unix(), "exp": now.Add(time.Hour).Unix(), "scope": "orders:read", "note": "Bearer abcdefgh12345678"}
	late := jwt.MapClaims{"iss": "https://id.example", "sub": "alice", "aud": "mail", "iat": now.Add(time.Hour).Unix(), "exp": now.Add(-time.Hour).Unix()}
	parser := a.NewParser(jwt.WithAudience("orders"), jwt.WithIssuedAt())
	mux := http.NewServeMux()
	mux.Handle("GET /orders/{id}", a.RequireToken(parser, ownKey)(a.RequireScope("orders:refund")(http.NotFoundHandler())))
	for _, token := range []string{raw(full), raw(late), raw(full) + "x", strings.Repeat("x", 20000), ""} {
		req := httptest.NewRequest(http.MethodGet, "/orders/7?access_token=1", nil)
		req.Header.Set("User-Agent", "curl/8 Bearer abcdefgh12345678")
		if token != "" {
			req.Header.Set("Authorization", "Bearer "+token)
		}
		a.Middleware(mux).ServeHTTP(httptest.NewRecorder(), req)
	}
	rpc := otelaudit.RequestInfo{ClientAddress: "192.0.2.1", RPCSystem: "grpc", RPCMethod: "orders.Orders/List"}
	for _, err := range []error{
		a.Login(ctx, otelaudit.Login{Method: "password", UserID: "alice", SessionID: rand.Text()}),
		a.Login(ctx, otelaudit.Login{Method: "password", UserID: "alice", Err: otelaudit.ReasonAccountLocked}),
		a.Logout(ctx, otelaudit.Logout{UserID: "alice", SessionID: rand.Text()}),
		a.Revocation(ctx, otelaudit.Revocation{UserID: "alice", Issuer: "https://id.example", TokenID: "t-1", ExpiresAt: now, Fingerprint: a.Fingerprint(raw(full))}),
		a.Authorize(ctx, otelaudit.Decision{Action: "refund", Resource: "orders/7", Policy: "p", MissingScopes: []string{"a"}}),
		a.KeyRefresh(ctx, otelaudit.KeyRefresh{KeyChange: otelaudit.KeyChange{Added: []string{"k2"}, Removed: []string{"k1"}, Server: "id.example"}}),
		a.KeyRefresh(ctx, otelaudit.KeyRefresh{KeyChange: otelaudit.KeyChange{Server: "id.example"}, Err: otelaudit.ReasonJWKSUnavailable}),
		a.Emit(ctx, otelaudit.Event{Name: otelaudit.EventPipeline, Pipeline: &otelaudit.PipelineState{State: "gap", Lost: 3}}),
		a.Emit(ctx, otelaudit.Event{Name: otelaudit.EventAccess, Request: &rpc}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestRegistryDeclaresWhatIsEmitted: a record has only the attributes that its event declares, with
// all that are required, and a metric only its dimensions and its unit.
func TestRegistryDeclaresWhatIsEmitted(t *testing.T) {
	r := audittest.NewRecorder(t)
	for _, opts := range [][]otelaudit.Option{
		nil,
		{otelaudit.WithPseudonymKey("k1", otelaudit.Secret("0123456789abcdef")), otelaudit.WithClaimedIdentity()},
	} {
		everything(t, r.Auditor(opts...))
	}
	events := declarations(t, "events.yaml")
	seen := map[string]map[string]bool{}
	for _, rec := range r.Records("") {
		name := rec.EventName()
		d, ok := events[name]
		if !ok {
			t.Fatalf("%s is not declared", name)
		}
		if seen[name] == nil {
			seen[name] = map[string]bool{}
		}
		attrs := audittest.Attrs(rec)
		for key := range attrs {
			seen[name][string(key)] = true
			if !d.has(string(key)) {
				t.Errorf("%s does not declare %s", name, key)
			}
		}
		for _, a := range d.Attributes {
			if _, ok := attrs[attribute.Key(a.Ref)]; a.Level == "required" && !ok {
				t.Errorf("%s lacks %s", name, a.Ref)
			}
		}
	}
	for name := range events {
		if seen[name] == nil {
			t.Errorf("%s was not emitted", name)
		}
	}
	metrics := declarations(t, "metrics.yaml")
	found := map[string]bool{}
	for _, scope := range r.Metrics().ScopeMetrics {
		for _, m := range scope.Metrics {
			found[m.Name] = true
			d, ok := metrics[m.Name]
			if !ok || d.Unit != m.Unit {
				t.Errorf("%s with unit %q is not declared so", m.Name, m.Unit)
			}
			for _, key := range dimensions(m) {
				if !d.has(key) {
					t.Errorf("%s does not declare %s", m.Name, key)
				}
			}
		}
	}
	for name := range metrics {
		if !found[name] && name != "otelaudit.events.not_recorded" && !strings.HasPrefix(name, "otelaudit.jwks.") && !strings.HasPrefix(name, "otelaudit.pipeline.") {
			t.Errorf("%s was not measured", name)
		}
	}
}

func dimensions(m metricdata.Metrics) (keys []string) {
	switch data := m.Data.(type) {
	case metricdata.Sum[int64]:
		for _, p := range data.DataPoints {
			for _, kv := range p.Attributes.ToSlice() {
				keys = append(keys, string(kv.Key))
			}
		}
	case metricdata.Histogram[float64]:
		for _, p := range data.DataPoints {
			for _, kv := range p.Attributes.ToSlice() {
				keys = append(keys, string(kv.Key))
			}
		}
	}
	return keys
}
