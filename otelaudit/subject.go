// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/golang-jwt/jwt/v5"
)

// Subject is who acts. Its identity comes from a verified signature or from the
// host, never from an unverified token.
type Subject struct {
	// Type is what kind of subject it is; the zero value is user if ID is set,
	// anonymous if not.
	Type ActorType
	// ID is the sub claim (RFC 7519, section 4.1.2) or the host's stable
	// identifier of the account.
	ID string
	// SessionID is the sid claim or the host's session. Only its fingerprint is recorded.
	SessionID string
	// TokenFingerprint is [TokenInfo.Fingerprint] of the token that says so.
	TokenFingerprint string
	// Scopes are what the token grants (RFC 6749, section 3.3).
	Scopes []string
}

func (s Subject) isZero() bool {
	return s.Type == "" && s.ID == "" && s.SessionID == "" && s.TokenFingerprint == "" && s.Scopes == nil
}

func (s Subject) actorType() ActorType {
	switch {
	case s.Type != "":
		return s.Type
	case s.ID != "":
		return ActorUser
	default:
		return ActorAnonymous
	}
}

type (
	subjectKey  struct{}
	tokenKey    struct{}
	exchangeKey struct{}
)

// ContextWithSubject returns a context whose subject is s: for hosts and adapters
// that authenticate by other means than the [Parser].
func ContextWithSubject(ctx context.Context, s Subject) context.Context {
	exchangeFrom(ctx).setSubject(s)
	return context.WithValue(ctx, subjectKey{}, s)
}

// ContextWithRequest returns a context in which events tell that they belong to the call q: for
// adapters of protocols other than net/http, and for tests. [Auditor.Middleware] does the same.
func ContextWithRequest(ctx context.Context, q RequestInfo) context.Context {
	return context.WithValue(ctx, exchangeKey{}, &exchange{request: q})
}

// SubjectFromContext returns the subject that was authenticated for ctx: set by
// [ContextWithSubject] or [Auditor.RequireToken], or validated by a [Parser] within the same request of
// [Auditor.Middleware].
func SubjectFromContext(ctx context.Context) (Subject, bool) {
	if ctx == nil {
		return Subject{}, false
	}
	if s, ok := ctx.Value(subjectKey{}).(Subject); ok {
		return s, true
	}
	if x := exchangeFrom(ctx); x != nil {
		if s := x.subject.Load(); s != nil {
			return *s, true
		}
	}
	return Subject{}, false
}

// TokenFromContext returns the token that [Auditor.RequireToken] accepted.
func TokenFromContext(ctx context.Context) (*jwt.Token, bool) {
	t, ok := ctx.Value(tokenKey{}).(*jwt.Token)
	return t, ok
}

// SetRoute tells the access event of the request in ctx its route template, for
// routers that do not set http.Request.Pattern. It does nothing outside
// [Auditor.Middleware].
func SetRoute(ctx context.Context, template string) {
	exchangeFrom(ctx).setRoute(template)
}

// exchange is what the inner code of one request tells its Middleware. A nil
// exchange takes no notes.
type exchange struct {
	request RequestInfo
	subject atomic.Pointer[Subject]

	mu      sync.Mutex
	route   string
	refusal Reason
	// token is the fingerprint of the last refused token.
	token string
}

func exchangeFrom(ctx context.Context) *exchange {
	if ctx == nil {
		return nil
	}
	x, _ := ctx.Value(exchangeKey{}).(*exchange)
	return x
}

func (x *exchange) setSubject(s Subject) {
	if x != nil {
		x.subject.Store(&s)
	}
}

func (x *exchange) setRoute(template string) {
	if x != nil && template != "" {
		x.mu.Lock()
		x.route = template
		x.mu.Unlock()
	}
}

// note remembers why e was refused, as the access event's likely reason.
func (x *exchange) note(e *Event) {
	if x == nil || e.Outcome == OutcomeSuccess || e.Name == EventAccess {
		return
	}
	x.mu.Lock()
	x.refusal = e.reason()
	if e.Token != nil {
		x.token = e.Token.Fingerprint
	}
	x.mu.Unlock()
}

func (x *exchange) refused() Reason {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.refusal
}
