// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
)

// Login is one attempt to authenticate.
type Login struct {
	// Method is how: "password", "passkey", "client_credentials", ….
	Method string
	// UserID is the account's stable identifier in the host's user store. Leave it
	// empty if no account matched: what was typed into a form may be a password.
	UserID string
	// Service tells that a client authenticated, not a person.
	Service bool
	// SessionID is the session that began. Only its fingerprint is recorded.
	SessionID string
	// Err is nil for success; a [Reason], or an error that names one (see
	// [ReasonOf]), for a refusal; any other error is a fault. Its text is not recorded.
	Err error
	// Attributes are the host's own: see [Event].
	Attributes []attribute.KeyValue
}

// Login emits an otelaudit.login event. After a failure UserID is the account that
// was tried, and the actor is anonymous. See [Auditor.Emit] for the error.
func (a *Auditor) Login(ctx context.Context, l Login) error {
	s := Subject{ID: l.UserID, SessionID: l.SessionID}
	switch {
	case l.Err != nil || l.UserID == "":
		s.Type = ActorAnonymous
	case l.Service:
		s.Type = ActorService
	default:
		s.Type = ActorUser
	}
	if l.Err == nil && l.UserID != "" {
		exchangeFrom(ctx).setSubject(s)
	}
	return a.emit(ctx, &Event{
		Name: EventLogin, Reasons: reasonsOf(l.Err), Subject: s,
		LoginMethod: l.Method, Attributes: l.Attributes,
	}, 0)
}

// Logout is the end of a session.
type Logout struct {
	// UserID and SessionID say whose and which; empty means the subject of the context.
	UserID, SessionID string
	// Err is as in [Login].
	Err error
	// Attributes are the host's own: see [Event].
	Attributes []attribute.KeyValue
}

// Logout emits an otelaudit.logout event. See [Auditor.Emit] for the error.
func (a *Auditor) Logout(ctx context.Context, l Logout) error {
	return a.emit(ctx, &Event{
		Name: EventLogout, Reasons: reasonsOf(l.Err),
		Subject: Subject{ID: l.UserID, SessionID: l.SessionID}, Attributes: l.Attributes,
	}, 0)
}

// reasonsOf maps the Err field of a source to reasons.
func reasonsOf(err error) []Reason {
	if err == nil {
		return nil
	}
	if r, ok := ReasonOf(err); ok {
		return []Reason{r}
	}
	return []Reason{ReasonOther}
}
