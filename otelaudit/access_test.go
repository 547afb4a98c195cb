// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"go.opentelemetry.io/otel/attribute"

	"github.com/otelaudit/go/otelaudit"
	"github.com/otelaudit/go/otelaudit/audittest"
)

// api is a service with every way to end a request.
func api(a *otelaudit.Auditor) http.Handler {
	guard := a.RequireToken(a.NewParser(), func(*jwt.Token) (any, error) { return hmacKey, nil })
	ok := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") })
	mux := http.NewServeMux()
	mux.Handle("GET /orders/{id}", guard(ok))
	mux.Handle("GET /refunds", guard(a.RequireScope("refund")(ok)))
	mux.HandleFunc("GET /bad", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusBadRequest) })
	mux.HandleFunc("GET /fail", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	mux.HandleFunc("GET /panic", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	mux.HandleFunc("GET /stream", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "a")
		w.(http.Flusher).Flush()
		if err := http.NewResponseController(w).Flush(); err != nil {
			panic(err)
		}
	})
	mux.HandleFunc("GET /hijack", func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\n\r\n")
		_ = conn.Close()
	})
	return a.Middleware(mux)
}

func TestAccess(t *testing.T) {
	good := signed(t, jwt.SigningMethodHS256, hmacKey, jwt.MapClaims{"sub": "alice"})
	refund := signed(t, jwt.SigningMethodHS256, hmacKey, jwt.MapClaims{"sub": "alice", "scope": "read refund"})
	for _, tt := range []struct {
		name, method, path, auth string
		status                   int
		challenge                string
		outcome, reason, route   string
		user                     string
	}{
		{"ok", "GET", "/orders/7", "Bearer " + good, 200, "", "success", "", "/orders/{id}", "alice"},
		{"scheme in another case", "GET", "/orders/7", "bearer " + good, 200, "", "success", "", "/orders/{id}", "alice"},
		{"no token", "GET", "/orders/7", "", 401, "Bearer", "failure", "token_missing", "/orders/{id}", ""},
		{"other scheme", "GET", "/orders/7", "Basic YWxpY2U6c2VjcmV0", 401, "Bearer", "failure", "scheme_unsupported", "/orders/{id}", ""},
		{"empty token", "GET", "/orders/7", "Bearer ", 400, `Bearer error="invalid_request"`, "failure", "token_empty", "/orders/{id}", ""},
		{"bad token", "GET", "/orders/7", "Bearer " + good + "!", 401, `Bearer error="invalid_token"`, "failure", "malformed_signature", "/orders/{id}", ""},
		{"scope", "GET", "/refunds", "Bearer " + refund, 200, "", "success", "", "/refunds", "alice"},
		{"no scope", "GET", "/refunds", "Bearer " + good, 403, `Bearer error="insufficient_scope", scope="refund"`, "failure", "insufficient_scope", "/refunds", "alice"},
		{"unknown route", "GET", "/nowhere", "", 404, "", "failure", "route_unknown", "", ""},
		{"wrong method", "PUT", "/bad", "", 405, "", "failure", "method_not_allowed", "", ""},
		{"bad request", "GET", "/bad", "", 400, "", "failure", "request_invalid", "/bad", ""},
		{"fault", "GET", "/fail", "", 502, "", "error", "server_error", "/fail", ""},
		{"panic", "GET", "/panic", "", 0, "", "error", "panic", "/panic", ""},
		{"stream", "GET", "/stream", "", 200, "", "success", "", "/stream", ""},
		{"hijack", "GET", "/hijack", "", 101, "", "success", "", "/hijack", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := audittest.NewRecorder(t)
			server := httptest.NewUnstartedServer(api(r.Auditor()))
			server.Config.ErrorLog = nil
			server.Start()
			req, _ := http.NewRequestWithContext(t.Context(), tt.method, server.URL+tt.path+"?access_token=query-secret-value", nil)
			if tt.auth != "" {
				req.Header.Set("Authorization", tt.auth)
			}
			transport := &http.Transport{DisableKeepAlives: true}
			resp, err := transport.RoundTrip(req)
			if err == nil {
				_ = resp.Body.Close()
				if resp.StatusCode != tt.status {
					t.Errorf("status = %d, want %d", resp.StatusCode, tt.status)
				}
				if got := resp.Header.Get("WWW-Authenticate"); got != tt.challenge {
					t.Errorf("WWW-Authenticate = %q, want %q", got, tt.challenge)
				}
			} else if tt.status != 0 {
				t.Fatal(err)
			}
			server.Close()
			transport.CloseIdleConnections()
			// A server does not wait for the handler of a hijacked connection.
			events := r.Records(otelaudit.EventAccess)
			for deadline := time.Now().Add(10 * time.Second); len(events) == 0 && time.Now().Before(deadline); {
				time.Sleep(time.Millisecond)
				events = r.Records(otelaudit.EventAccess)
			}
			if len(events) != 1 {
				t.Fatalf("access events = %d, want 1", len(events))
			}
			attrs := audittest.Attrs(events[0])
			for key, want := range map[string]string{
				"otelaudit.outcome": tt.outcome, "error.type": tt.reason, "http.route": tt.route,
				"user.id": tt.user, "client.address": "127.0.0.1", "url.path": tt.path,
			} {
				if got := attrs[attribute.Key(key)].AsString(); got != want {
					t.Errorf("%s = %q, want %q", key, got, want)
				}
			}
			secrets := []string{"query-secret-value"}
			if _, token, ok := strings.Cut(tt.auth, " "); ok && token != "" {
				secrets = append(secrets, token)
			}
			audittest.NoSecrets(t, r, secrets...)
		})
	}
}

func TestClientAddress(t *testing.T) {
	for _, tt := range []struct{ name, peer, forwarded, want string }{
		{"direct", "198.51.100.7:1", "203.0.113.9", "198.51.100.7"},
		{"proxy", "10.0.0.1:1", "203.0.113.9", "203.0.113.9"},
		{"spoofed left", "10.0.0.1:1", "1.1.1.1, 203.0.113.9, 10.0.0.2", "203.0.113.9"},
		{"junk", "10.0.0.1:1", "1.1.1.1, \x1b[31m", "10.0.0.1"},
		{"all proxies", "10.0.0.1:1", "10.0.0.3", "10.0.0.3"},
		{"with port", "10.0.0.1:1", "[2001:db8::1]:443", "2001:db8::1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := audittest.NewRecorder(t)
			a := r.Auditor(otelaudit.WithTrustedProxies(netip.MustParsePrefix("10.0.0.0/8")))
			req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
			req.RemoteAddr = tt.peer
			req.Header.Set("X-Forwarded-For", tt.forwarded)
			a.Middleware(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), req)
			if got := audittest.Attrs(r.Records("")[0])["client.address"].AsString(); got != tt.want {
				t.Errorf("client.address = %q, want %q", got, tt.want)
			}
		})
	}
}
