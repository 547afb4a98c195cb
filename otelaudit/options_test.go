// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"go.opentelemetry.io/otel/trace"

	"github.com/otelaudit/go/otelaudit"
	"github.com/otelaudit/go/otelaudit/audittest"
)

func TestSetRoute(t *testing.T) {
	r := audittest.NewRecorder(t)
	handler := r.Auditor().Middleware(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		otelaudit.SetRoute(req.Context(), "/orders/{id}")
		otelaudit.SetRoute(req.Context(), "") // no route is no news
	}))
	handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/orders/7", nil))
	if got := audittest.Attrs(r.Records(otelaudit.EventAccess)[0])["http.route"].AsString(); got != "/orders/{id}" {
		t.Errorf("http.route = %q, want /orders/{id}", got)
	}
	otelaudit.SetRoute(context.Background(), "/outside") // does nothing
}

// TestClaimedIdentity: what a forged token claims is recorded only on demand, bounded, and
// never as identity.
func TestClaimedIdentity(t *testing.T) {
	raw := signed(t, jwt.SigningMethodHS256, []byte("not the service's key, but as long"), jwt.MapClaims{"sub": "root\n" + strings.Repeat("x", 1000), "iss": "https://evil.example"})
	for _, on := range []bool{false, true} {
		r := audittest.NewRecorder(t)
		var opts []otelaudit.Option
		if on {
			opts = append(opts, otelaudit.WithClaimedIdentity())
		}
		_, _ = r.Auditor(opts...).NewParser().Parse(context.Background(), raw, ownKey)
		attrs := audittest.Attrs(r.Records("")[0])
		if _, ok := attrs["user.id"]; ok {
			t.Error("user.id comes from a forged token")
		}
		sub, ok := attrs["otelaudit.token.claimed.subject"]
		if ok != on {
			t.Errorf("claimed subject recorded = %v, want %v", ok, on)
		}
		if s := sub.AsString(); on && (len(s) > 256 || !strings.HasPrefix(s, `root\u000a`)) {
			t.Errorf("claimed subject = %q, want it bounded and escaped", s)
		}
		if iss := attrs["otelaudit.token.claimed.issuer"].AsString(); on && iss != "https://evil.example" {
			t.Errorf("claimed issuer = %q", iss)
		}
		audittest.NoSecrets(t, r, raw)
	}
}

func TestSpanEventsOff(t *testing.T) {
	r := audittest.NewRecorder(t)
	ctx, span := r.Tracers.Tracer("test").Start(context.Background(), "request")
	if err := r.Auditor(otelaudit.WithSpanEvents(false)).Login(ctx, login); err != nil {
		t.Fatal(err)
	}
	span.End()
	for _, s := range r.Spans() {
		if n := len(s.Events()); n != 0 {
			t.Errorf("span events = %d, want none", n)
		}
	}
	if got := r.Records("")[0].TraceID(); got != span.SpanContext().TraceID() {
		t.Errorf("trace id of the record = %s, want the span's", got)
	}
}

// TestServerSpan: a request without a span gets one, and its events share the trace; one that has
// a span keeps it.
func TestServerSpan(t *testing.T) {
	r := audittest.NewRecorder(t)
	a := r.Auditor()
	handler := a.Middleware(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		_ = a.Login(req.Context(), login)
		w.WriteHeader(http.StatusInternalServerError)
	}))
	handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/login", nil))
	spans := r.Spans()
	if len(spans) != 1 || spans[0].SpanKind() != trace.SpanKindServer || len(spans[0].Events()) != 2 {
		t.Fatalf("spans = %v, want one server span with two events", spans)
	}
	for _, rec := range r.Records("") {
		if rec.TraceID() != spans[0].SpanContext().TraceID() {
			t.Errorf("%s has another trace id than the span", rec.EventName())
		}
	}
	ctx, outer := r.Tracers.Tracer("test").Start(context.Background(), "outer")
	handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, http.MethodPost, "/login", nil))
	outer.End()
	if got := len(r.Spans()); got != 2 {
		t.Errorf("spans = %d, want the outer one only", got-1)
	}
}

func TestContextWithRequest(t *testing.T) {
	r := audittest.NewRecorder(t)
	ctx := otelaudit.ContextWithRequest(context.Background(), otelaudit.RequestInfo{ClientAddress: "192.0.2.9"})
	if err := r.Auditor().Login(ctx, login); err != nil {
		t.Fatal(err)
	}
	if got := audittest.Attrs(r.Records("")[0])["client.address"].AsString(); got != "192.0.2.9" {
		t.Errorf("client.address = %q, want 192.0.2.9", got)
	}
}
