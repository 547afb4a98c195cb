// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit_test

import (
	"context"
	"errors"
	"testing"

	"github.com/otelaudit/go/otelaudit"
	"github.com/otelaudit/go/otelaudit/audittest"
)

func TestSources(t *testing.T) {
	const session = "session-cookie-value"
	ctx := context.Background()
	for _, tt := range []struct {
		name            string
		emit            func(*otelaudit.Auditor) error
		event           otelaudit.EventName
		outcome, reason string
	}{
		{"login", func(a *otelaudit.Auditor) error {
			return a.Login(ctx, otelaudit.Login{UserID: "alice", SessionID: session})
		}, otelaudit.EventLogin, "success", ""},
		{"login refused", func(a *otelaudit.Auditor) error {
			return a.Login(ctx, otelaudit.Login{Err: otelaudit.ReasonCredentialsInvalid})
		}, otelaudit.EventLogin, "failure", "credentials_invalid"},
		{"login fault", func(a *otelaudit.Auditor) error { return a.Login(ctx, otelaudit.Login{Err: errors.New(session)}) },
			otelaudit.EventLogin, "error", "_OTHER"},
		{"logout", func(a *otelaudit.Auditor) error {
			return a.Logout(ctx, otelaudit.Logout{UserID: "alice", SessionID: session})
		}, otelaudit.EventLogout, "success", ""},
		{"revocation", func(a *otelaudit.Auditor) error {
			return a.Revocation(ctx, otelaudit.Revocation{UserID: "alice", TokenID: "t-1", SessionID: session})
		}, otelaudit.EventTokenRevocation, "success", ""},
		{"revocation fault", func(a *otelaudit.Auditor) error {
			return a.Revocation(ctx, otelaudit.Revocation{Err: otelaudit.ReasonStoreUnavailable})
		}, otelaudit.EventTokenRevocation, "error", "store_unavailable"},
		{"keys fetched", func(a *otelaudit.Auditor) error {
			return a.KeyRefresh(ctx, otelaudit.KeyRefresh{KeyChange: otelaudit.KeyChange{Added: []string{"k2"}}})
		}, otelaudit.EventJWKSRefresh, "success", ""},
		{"keys not fetched", func(a *otelaudit.Auditor) error {
			return a.KeyRefresh(ctx, otelaudit.KeyRefresh{Err: errors.New("timeout")})
		}, otelaudit.EventJWKSRefresh, "error", "jwks_unavailable"},
		{"allowed", func(a *otelaudit.Auditor) error { return a.Authorize(ctx, otelaudit.Decision{Allowed: true}) },
			otelaudit.EventAuthorization, "success", ""},
		{"denied", func(a *otelaudit.Auditor) error { return a.Authorize(ctx, otelaudit.Decision{Action: "refund"}) },
			otelaudit.EventAuthorization, "failure", "policy_denied"},
		{"undecided", func(a *otelaudit.Auditor) error {
			return a.Authorize(ctx, otelaudit.Decision{Allowed: true, Err: errors.New("policy engine is down")})
		}, otelaudit.EventAuthorization, "error", "_OTHER"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := audittest.NewRecorder(t)
			if err := tt.emit(r.Auditor()); err != nil {
				t.Errorf("emit = %v, want nil", err)
			}
			records := r.Records(tt.event)
			if len(records) != 1 {
				t.Fatalf("events = %d, want 1", len(records))
			}
			attrs := audittest.Attrs(records[0])
			if got := attrs["otelaudit.outcome"].AsString(); got != tt.outcome {
				t.Errorf("outcome = %q, want %q", got, tt.outcome)
			}
			if got := attrs["error.type"].AsString(); got != tt.reason {
				t.Errorf("error.type = %q, want %q", got, tt.reason)
			}
			audittest.NoSecrets(t, r, session)
		})
	}
}

func TestFilter(t *testing.T) {
	r := audittest.NewRecorder(t)
	a := r.Auditor(otelaudit.WithFilter(func(e otelaudit.Event) bool { return e.Outcome != otelaudit.OutcomeSuccess }))
	_ = a.Login(context.Background(), login)
	_ = a.Login(context.Background(), otelaudit.Login{Err: otelaudit.ReasonMFAFailed})
	if got := len(r.Records("")); got != 1 {
		t.Errorf("events = %d, want 1", got)
	}
}
