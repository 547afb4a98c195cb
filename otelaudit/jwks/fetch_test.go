// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package jwks_test

import (
	"context"
	"errors"
	"io"
	stdlog "log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/trace"

	"github.com/otelaudit/go/otelaudit"
	"github.com/otelaudit/go/otelaudit/audittest"
	"github.com/otelaudit/go/otelaudit/jwks"
)

func checkEvent(t *testing.T, rec sdklog.Record, outcome otelaudit.Outcome, added, removed []string) {
	t.Helper()
	attrs := audittest.Attrs(rec)
	list := func(key attribute.Key) []string { return attrs[key].AsStringSlice() }
	if got := attrs["otelaudit.outcome"].AsString(); got != string(outcome) {
		t.Errorf("outcome = %q, want %q", got, outcome)
	}
	if got := attrs["server.address"].AsString(); got != "127.0.0.1" {
		t.Errorf("server.address = %q, want the host", got)
	}
	want, severity := "", log.SeverityInfo
	if outcome == otelaudit.OutcomeError {
		want, severity = string(otelaudit.ReasonJWKSUnavailable), log.SeverityError
	}
	if got := attrs["error.type"].AsString(); got != want {
		t.Errorf("error.type = %q, want %q", got, want)
	}
	if got := rec.Severity(); got != severity {
		t.Errorf("severity = %v, want %v", got, severity)
	}
	if diff := cmp.Diff([][]string{added, removed}, [][]string{
		list("otelaudit.jwks.keys_added"), list("otelaudit.jwks.keys_removed"),
	}); diff != "" {
		t.Errorf("keys added, removed (-want +got):\n%s", diff)
	}
}

func TestFirstFetch(t *testing.T) {
	r := newRecorder(t)
	a, b := newKey(t, "a"), newKey(t, "b")
	s := newServer(t, b.JWKMarshal, a.JWKMarshal)
	ctx, span := r.Tracers.Tracer("test").Start(t.Context(), "startup")
	k, err := jwks.New(ctx, r.Auditor(), []string{s.url(), s.url()},
		jwks.WithClient(s.Client()), jwks.WithMeterProvider(r.Meters))
	span.End()
	if err != nil {
		t.Fatal(err)
	}
	rec := event(t, r, 1)
	checkEvent(t, rec, otelaudit.OutcomeSuccess, []string{"a", "b"}, nil)
	if rec.TraceID() != span.SpanContext().TraceID() {
		t.Error("the event is not in the trace of New's context")
	}
	if got := len(r.Spans()[0].Events()); got != 1 {
		t.Errorf("span events = %d, want 1", got)
	}
	if got := s.hits.Load(); got != 1 {
		t.Errorf("requests = %d, want 1 for a URL given twice", got)
	}
	parser := r.Auditor().NewParser()
	for _, raw := range []string{a.sign(t), b.sign(t)} {
		if _, err := parser.Parse(t.Context(), raw, k.KeyfuncCtx(t.Context())); err != nil {
			t.Errorf("KeyfuncCtx: Parse() = %v, want nil", err)
		}
		if _, err := parser.Parse(t.Context(), raw, k.Keyfunc); err != nil {
			t.Errorf("Keyfunc: Parse() = %v, want nil", err)
		}
		noSecrets(t, r, raw)
	}
}

func TestScheduledRefresh(t *testing.T) {
	r := newRecorder(t)
	a, b := newKey(t, "a"), newKey(t, "b")
	s := newServer(t, a.JWKMarshal)
	_, span := r.Tracers.Tracer("test").Start(t.Context(), "startup")
	k, err := jwks.New(trace.ContextWithSpan(t.Context(), span), r.Auditor(), []string{s.url()},
		jwks.WithClient(s.Client()), jwks.WithMeterProvider(r.Meters), jwks.WithRefreshInterval(2*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "refreshes", func() bool { return fetches(r, "") >= 5 })
	event(t, r, 1) // the others changed nothing

	s.serve(b.JWKMarshal)
	rec := event(t, r, 2)
	checkEvent(t, rec, otelaudit.OutcomeSuccess, []string{"b"}, []string{"a"})
	if rec.TraceID().IsValid() {
		t.Error("a scheduled refresh is in the trace of New's context")
	}
	if _, err := k.Keyfunc(header("ES256", "b")); err != nil {
		t.Errorf("Keyfunc(b) = %v, want nil", err)
	}

	// Another key under the same id is a change.
	s.serve(newKey(t, "b").JWKMarshal)
	checkEvent(t, event(t, r, 3), otelaudit.OutcomeSuccess, []string{"b"}, []string{"b"})

	s.handle(text(http.StatusInternalServerError, ""))
	eventually(t, "failures", func() bool { return len(refreshes(r)) >= 6 })
	checkEvent(t, refreshes(r)[5], otelaudit.OutcomeError, nil, nil)
	if _, err := k.Keyfunc(header("ES256", "b")); err != nil {
		t.Errorf("Keyfunc(b) during an outage = %v, want nil", err)
	}
}

func TestKeysWithoutID(t *testing.T) {
	r := newRecorder(t)
	a := newKey(t, "")
	open(t, r, []*server{newServer(t, a.JWKMarshal, marshal(t, []byte("a key of thirty-two bytes, or so"), ""))})
	rec := event(t, r, 1)
	if got := len(audittest.Attrs(rec)["otelaudit.jwks.keys_added"].AsStringSlice()); got != 1 {
		t.Errorf("keys added = %d, want the thumbprint of the public key only", got)
	}
	noSecrets(t, r, "a key of thirty-two bytes, or so")
}

func TestFetchFails(t *testing.T) {
	other := newServer(t)
	for _, tt := range []struct {
		name   string
		answer func(s *server) http.HandlerFunc
		text   string
		cause  error
	}{
		{"status", func(*server) http.HandlerFunc { return text(500, `{"keys":[]}`) }, "status 500", jwkset.ErrInvalidHTTPStatusCode},
		{"hang", func(*server) http.HandlerFunc { return hang }, "no complete response in time", context.DeadlineExceeded},
		{"hang in body", func(*server) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				_, _ = w.Write([]byte(`{"keys":[`))
				_ = http.NewResponseController(w).Flush()
				hang(w, r)
			}
		}, "no complete response in time", context.DeadlineExceeded},
		{"no JSON", func(*server) http.HandlerFunc { return text(200, "<html>"+secretPath) }, "the response is not a key set", nil},
		{"another object", func(*server) http.HandlerFunc { return text(200, `{"error":"down"}`) }, "the response is not a key set", nil},
		{"null", func(*server) http.HandlerFunc { return text(200, `{"keys":null}`) }, "the response is not a key set", nil},
		{"bad key", func(*server) http.HandlerFunc { return text(200, `{"keys":[{"kty":"EC","crv":"P-256"}]}`) }, "the response is not a key set", nil},
		{"ends early", func(*server) http.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", "100")
				_, _ = w.Write([]byte(`{"keys":[`))
			}
		}, "the response ended early", nil},
		{"50 MB", func(*server) http.HandlerFunc { return large(false) }, "the response has more than 1048576 bytes", nil},
		{"50 MB announced", func(*server) http.HandlerFunc { return large(true) }, "the response has more than 1048576 bytes", nil},
		{"redirect to another port", func(*server) http.HandlerFunc { return redirect(other.url()) }, "redirect refused", jwks.ErrRedirect},
		{"redirect to another host", func(*server) http.HandlerFunc {
			return redirect(strings.Replace(other.url(), "127.0.0.1", "localhost", 1))
		}, "redirect refused", jwks.ErrRedirect},
		{"redirect to https of another port", func(s *server) http.HandlerFunc {
			return redirect(strings.Replace(s.url(), "http:", "https:", 1))
		}, "redirect refused", jwks.ErrRedirect},
		{"redirect for ever", func(s *server) http.HandlerFunc { return redirect(s.url()) }, "status 302", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRecorder(t)
			s := newServer(t)
			s.handle(tt.answer(s))
			timeout := jwks.WithTimeout(10 * time.Second)
			if tt.cause == context.DeadlineExceeded { //nolint:errorlint // the table's value
				timeout = jwks.WithTimeout(50 * time.Millisecond)
			}
			k, err := jwks.New(t.Context(), r.Auditor(), []string{s.url()}, jwks.WithClient(s.Client()),
				jwks.WithMeterProvider(r.Meters), jwks.WithRequireFirstFetch(), timeout)
			var fault *jwks.FetchError
			if k != nil || !errors.As(err, &fault) {
				t.Fatalf("New() = %v, %v, want a *FetchError", k, err)
			}
			if want := "jwks: the keys of 127.0.0.1 could not be fetched: " + tt.text; fault.Error() != want {
				t.Errorf("error = %q, want %q", fault, want)
			}
			if tt.cause != nil && !errors.Is(err, tt.cause) {
				t.Errorf("errors.Is(err, %v) = false, want true", tt.cause)
			}
			if got, _ := otelaudit.ReasonOf(err); got != otelaudit.ReasonJWKSUnavailable || fault.ErrorType() != string(got) {
				t.Errorf("reason = %s, want jwks_unavailable", string(got))
			}
			noSecretsIn(t, err)
			checkEvent(t, event(t, r, 1), otelaudit.OutcomeError, nil, nil)
			if got := fetches(r, string(otelaudit.ReasonJWKSUnavailable)); got != 1 {
				t.Errorf("failed fetches = %d, want 1", got)
			}
		})
	}
	if got := other.hits.Load(); got != 0 {
		t.Errorf("requests to the target of a redirect = %d, want 0", got)
	}
}

// large answers 50 MB of JSON.
func large(announce bool) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if announce {
			w.Header().Set("Content-Length", "50000012")
		}
		_, _ = w.Write([]byte(`{"keys":["`))
		chunk := []byte(strings.Repeat("x", 1000))
		for range 50_000 {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
		_, _ = w.Write([]byte(`"]`))
	}
}

func redirect(to string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, http.StatusFound) }
}

func TestNewRefuses(t *testing.T) {
	r := newRecorder(t)
	audit := r.Auditor()
	urls := []string{"http://127.0.0.1/"}
	for _, tt := range []struct {
		name  string
		audit *otelaudit.Auditor
		urls  []string
		opt   jwks.Option
	}{
		{"no auditor", nil, urls, nil},
		{"no URL", audit, nil, nil},
		{"unparsable URL", audit, []string{"http://" + secretUser + ":" + secretPass + "@[::1"}, nil},
		{"scheme", audit, []string{"file:///" + secretPath}, nil},
		{"relative URL", audit, []string{"/" + secretPath}, nil},
		{"no host", audit, []string{"http://" + secretUser + ":" + secretPass + "@/" + secretPath}, nil},
		{"client", audit, urls, jwks.WithClient(nil)},
		{"interval", audit, urls, jwks.WithRefreshInterval(0)},
		{"unknown key refresh", audit, urls, jwks.WithUnknownKeyRefresh(0)},
		{"unknown key wait", audit, urls, jwks.WithUnknownKeyWait(-1)},
		{"timeout", audit, urls, jwks.WithTimeout(0)},
		{"size", audit, urls, jwks.WithMaxBytes(0)},
		{"meters", audit, urls, jwks.WithMeterProvider(nil)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k, err := jwks.New(t.Context(), tt.audit, tt.urls, nil, tt.opt)
			if k != nil || err == nil || !strings.HasPrefix(err.Error(), "jwks: ") {
				t.Fatalf("New() = %v, %v, want an error of this package", k, err)
			}
			noSecretsIn(t, err)
		})
	}
}

// panicking is a transport of a host that is broken.
type panicking struct{}

func (panicking) RoundTrip(*http.Request) (*http.Response, error) { panic(secretPass) }

func TestTransportPanics(t *testing.T) {
	r := newRecorder(t)
	_, err := jwks.New(t.Context(), r.Auditor(), []string{"http://127.0.0.1"},
		jwks.WithClient(&http.Client{Transport: panicking{}}), jwks.WithRequireFirstFetch())
	if err == nil {
		t.Fatal("New() = nil, want an error")
	}
	noSecretsIn(t, err)
	checkEvent(t, event(t, r, 1), otelaudit.OutcomeError, nil, nil)
}

// failing is a transport that does not get as far as a response.
type failing struct{ err error }

func (f failing) RoundTrip(*http.Request) (*http.Response, error) { return nil, f.err }

func TestNoResponse(t *testing.T) {
	closed := newServer(t)
	closed.Close()
	untrusted := httptest.NewUnstartedServer(http.NotFoundHandler())
	untrusted.Config.ErrorLog = stdlog.New(io.Discard, "", 0)
	untrusted.StartTLS()
	defer untrusted.Close()
	for _, tt := range []struct {
		url       string
		transport http.RoundTripper
		want      string
	}{
		{closed.url(), nil, "no connection"},
		{untrusted.URL, nil, "the certificate is not trusted"},
		{closed.url(), failing{&net.DNSError{Name: secretPath}}, "the host is not found"},
		{closed.url(), failing{errors.New(secretPass)}, "no response"},
	} {
		t.Run(tt.want, func(t *testing.T) {
			r := newRecorder(t)
			_, err := jwks.New(t.Context(), r.Auditor(), []string{tt.url},
				jwks.WithClient(&http.Client{Transport: tt.transport}), jwks.WithRequireFirstFetch())
			if want := "jwks: the keys of 127.0.0.1 could not be fetched: " + tt.want; err == nil || err.Error() != want {
				t.Errorf("New() = %v, want %q", err, want)
			}
			checkEvent(t, event(t, r, 1), otelaudit.OutcomeError, nil, nil)
		})
	}
}

func TestEndIsNoFailure(t *testing.T) {
	r := newRecorder(t)
	s := newServer(t, newKey(t, "a").JWKMarshal)
	ctx, cancel := context.WithCancel(t.Context())
	k, err := jwks.New(ctx, r.Auditor(), []string{s.url()}, jwks.WithClient(s.Client()), jwks.WithMeterProvider(r.Meters))
	if err != nil {
		t.Fatal(err)
	}
	s.handle(func(w http.ResponseWriter, r *http.Request) { cancel(); hang(w, r) })
	_, err = k.Keyfunc(header("ES256", "b"))
	if err == nil {
		t.Fatal("Keyfunc(b) = nil, want an error")
	}
	eventually(t, "the callbacks are unregistered", func() bool { return len(points(r, "otelaudit.jwks.keys")) == 0 })
	eventually(t, "the refresh ends", func() bool {
		_, err := k.KeyfuncCtx(context.Background())(header("ES256", "b"))
		return err.Error() == "jwks: the refreshes have ended"
	})
	_, err = k.KeyfuncCtx(context.Background())(header("ES256", "b"))
	checkReason(t, err, otelaudit.ReasonJWKSUnavailable)
	if _, err := k.Keyfunc(header("ES256", "a")); err != nil {
		t.Errorf("Keyfunc(a) after the end = %v, want nil", err)
	}
	event(t, r, 1)
	if got := fetches(r, string(otelaudit.ReasonJWKSUnavailable)); got != 0 {
		t.Errorf("failed fetches = %d, want 0", got)
	}
}
