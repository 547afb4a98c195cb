// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"go.opentelemetry.io/otel/attribute"
)

// Decision is whether a subject may do something.
type Decision struct {
	// Subject is who asked; the zero value is the subject of the context.
	Subject Subject
	// Action and Resource are what was asked for: "orders:refund", "order/1234".
	Action, Resource string
	// Policy names the rule that decided.
	Policy string
	// MissingScopes are the scopes that the subject lacks. Some mean denial.
	MissingScopes []string
	// Allowed is the effect.
	Allowed bool
	// Err, if not nil, says why: a [Reason], or an error that names one, for a
	// denial; any other error if it could not be decided. Its text is not recorded.
	Err error
	// Attributes are the host's own: see [Event].
	Attributes []attribute.KeyValue
}

func (d *Decision) allowed() bool { return d.Allowed && d.Err == nil && len(d.MissingScopes) == 0 }

func (d *Decision) effect() string {
	if d.allowed() {
		return "allow"
	}
	return "deny"
}

// Authorize emits an otelaudit.authorization event for d. It records a decision and takes
// none: the error is that of [Auditor.Emit], and with [WithFailClosed] the caller
// must then deny.
func (a *Auditor) Authorize(ctx context.Context, d Decision) error {
	reasons := reasonsOf(d.Err)
	switch {
	case len(reasons) > 0 || d.allowed():
	case len(d.MissingScopes) > 0:
		reasons = []Reason{ReasonInsufficientScope}
	default:
		reasons = []Reason{ReasonPolicyDenied}
	}
	return a.emit(ctx, &Event{
		Name: EventAuthorization, Reasons: reasons, Subject: d.Subject,
		Decision: &d, Attributes: d.Attributes,
	}, 0)
}

// RequireScope returns middleware that lets a request pass if the subject of its
// context has all of scopes, and emits an otelaudit.authorization event either way. It answers 403 with
// insufficient_scope, or 401 if there is no subject (RFC 6750, section 3.1). It belongs
// inside of what validates the token.
func (a *Auditor) RequireScope(scopes ...string) func(http.Handler) http.Handler {
	scopes = slices.Clone(scopes)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			exchangeFrom(r.Context()).setRoute(route(r))
			subject, known := SubjectFromContext(r.Context())
			d := Decision{Subject: subject, Action: r.Method + " " + route(r), Policy: "scope", Allowed: known}
			for _, s := range scopes {
				if !slices.Contains(subject.Scopes, s) {
					d.MissingScopes = append(d.MissingScopes, s)
				}
			}
			if !known {
				d.MissingScopes, d.Err = nil, ReasonTokenMissing
			}
			if lost := a.mustFail(a.Authorize(r.Context(), d)); lost != nil {
				refuse(w, http.StatusServiceUnavailable, "")
				return
			}
			switch {
			case !known:
				refuse(w, http.StatusUnauthorized, "Bearer")
			case !d.allowed():
				refuse(w, http.StatusForbidden,
					"Bearer error=\"insufficient_scope\", scope=\""+strings.Join(scopes, " ")+"\"")
			default:
				next.ServeHTTP(w, r)
			}
		})
	}
}
