// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package audittest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/otelaudit/go/otelaudit"
)

// Integration serves tokens with audit and keyfunc: what it returns presents one
// token and tells whether it was accepted.
type Integration func(audit *otelaudit.Auditor, keyfunc jwt.Keyfunc) func(ctx context.Context, token string) (accepted bool)

// Conformance runs an integration through acceptance, refusals and a fault, and checks
// that each is one validation event, one span event and one measurement, without secrets.
func Conformance(t *testing.T, integration Integration) {
	key := []byte("conformance-key-of-32-bytes-long")
	sign := func(method jwt.SigningMethod, key any, exp time.Duration) string {
		raw, err := jwt.NewWithClaims(method, jwt.RegisteredClaims{
			Subject: "alice", ExpiresAt: jwt.NewNumericDate(time.Now().Add(exp)),
		}).SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	good := sign(jwt.SigningMethodHS256, key, time.Hour)
	fault := errors.New("key store is down")
	for _, tt := range []struct {
		name     string
		token    string
		keyErr   error
		outcome  otelaudit.Outcome
		reason   otelaudit.Reason
		severity log.Severity
	}{
		{"accept", good, nil, otelaudit.OutcomeSuccess, "", log.SeverityInfo},
		{"refuse expired", sign(jwt.SigningMethodHS256, key, -time.Hour), nil, otelaudit.OutcomeFailure, otelaudit.ReasonExpired, log.SeverityInfo},
		{"refuse tampered", sign(jwt.SigningMethodHS256, []byte("another"), time.Hour), nil, otelaudit.OutcomeFailure, otelaudit.ReasonSignatureInvalid, log.SeverityWarn},
		{"refuse alg none", sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, time.Hour), nil, otelaudit.OutcomeFailure, otelaudit.ReasonAlgNone, log.SeverityError},
		{"fault", good, fault, otelaudit.OutcomeError, otelaudit.ReasonKeyfuncError, log.SeverityError},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := NewRecorder(t)
			serve := integration(r.Auditor(), func(*jwt.Token) (any, error) { return key, tt.keyErr })
			ctx, span := r.Tracers.Tracer("conformance").Start(t.Context(), "request")
			accepted := serve(ctx, tt.token)
			span.End()
			if want := tt.outcome == otelaudit.OutcomeSuccess; accepted != want {
				t.Errorf("accepted = %v, want %v", accepted, want)
			}
			checkEvent(t, r, tt.outcome, tt.reason, tt.severity)
			if got := mirrored(r); got != 1 {
				t.Errorf("span events = %d, want 1", got)
			}
			if got := measured(r); got != 1 {
				t.Errorf("measurements = %d, want 1", got)
			}
			NoSecrets(t, r, tt.token, string(key))
		})
	}
}

func checkEvent(t *testing.T, r *Recorder, outcome otelaudit.Outcome, reason otelaudit.Reason, severity log.Severity) {
	t.Helper()
	records := r.Records(otelaudit.EventTokenValidation)
	if len(records) != 1 {
		t.Fatalf("validation events = %d, want 1", len(records))
	}
	attrs := Attrs(records[0])
	if got := attrs["otelaudit.outcome"].AsString(); got != string(outcome) {
		t.Errorf("outcome = %q, want %q", got, outcome)
	}
	if got := attrs["error.type"].AsString(); got != string(reason) {
		t.Errorf("error.type = %q, want %q", got, reason)
	}
	if got := records[0].Severity(); got != severity {
		t.Errorf("severity = %v, want %v", got, severity)
	}
	if body := records[0].Body().AsString(); body == "" || strings.ContainsAny(body, "\n\r") {
		t.Errorf("body = %q, want one line", body)
	}
}

func mirrored(r *Recorder) (n int) {
	for _, s := range r.Spans() {
		for _, e := range s.Events() {
			if e.Name == string(otelaudit.EventTokenValidation) {
				n++
			}
		}
	}
	return n
}

func measured(r *Recorder) (n uint64) {
	for _, scope := range r.Metrics().ScopeMetrics {
		for _, m := range scope.Metrics {
			if h, ok := m.Data.(metricdata.Histogram[float64]); ok && m.Name == "otelaudit.token.validation.duration" {
				for _, p := range h.DataPoints {
					n += p.Count
				}
			}
		}
	}
	return n
}
