// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit

import (
	"context"
	"slices"
	"strings"

	"github.com/golang-jwt/jwt/v5"
)

// RefusalError says why a [Parser] refused a token that golang-jwt accepts. Its chain holds
// each [Reason], and [jwt.ErrTokenInvalidClaims] or, if the check could not be made,
// [jwt.ErrTokenUnverifiable].
type RefusalError struct {
	// Reasons are the failed checks, the decisive one first.
	Reasons []Reason
	cause   error
}

// Error implements error. It tells the reasons and nothing of the token.
func (e *RefusalError) Error() string {
	return "otelaudit: token refused: " + strings.Join(codes(e.Reasons), ", ")
}

// ErrorType returns the decisive reason, where semconv.ErrorType looks for it.
func (e *RefusalError) ErrorType() string { return string(e.Reasons[0]) }

// Unwrap returns the chain.
func (e *RefusalError) Unwrap() []error {
	out := []error{jwt.ErrTokenInvalidClaims}
	if e.Reasons[0].Outcome() == OutcomeError {
		out[0] = jwt.ErrTokenUnverifiable
	}
	for _, r := range e.Reasons {
		out = append(out, r)
	}
	if e.cause != nil {
		out = append(out, e.cause)
	}
	return out
}

// check judges a token that golang-jwt accepted, and moves from the findings of e
// those that are enforced to the reasons. A token that could not be judged passes only if nothing
// is demanded of it.
func (p *policy) check(ctx context.Context, a *Auditor, at *attempt, e *Event, unjudged Reason) *RefusalError {
	if unjudged != "" {
		if p.demands() {
			return refusal([]Reason{unjudged}, nil)
		}
		return nil
	}
	var reasons []Reason
	if p.types != nil && !slices.Contains(p.types, tokenType(e.Token.Type)) {
		reasons = append(reasons, ReasonTypeMismatch)
	}
	if p.accessToken && !isAccessToken(e.Token, &at.extra) {
		reasons = append(reasons, ReasonClaimMissing)
	}
	reasons = p.enforce(reasons, e)
	if reasons != nil || p.store == nil {
		return refusal(reasons, nil)
	}
	err := p.remember(ctx, a, e)
	if err != nil && !p.failOpen {
		return refusal([]Reason{ReasonStoreUnavailable}, err)
	}
	return refusal(p.enforce(e.Reasons, e), nil)
}

// enforce appends to reasons the findings of e that are enforced.
func (p *policy) enforce(reasons []Reason, e *Event) []Reason {
	e.Findings = slices.DeleteFunc(e.Findings, func(f Finding) bool {
		if !p.enforces(f) {
			return false
		}
		reasons = append(reasons, f.Reason())
		return true
	})
	return reasons
}

func refusal(reasons []Reason, cause error) *RefusalError {
	if len(reasons) == 0 {
		return nil
	}
	return &RefusalError{Reasons: reasons, cause: cause}
}

// isAccessToken checks the claims that RFC 9068, section 2.2, requires.
func isAccessToken(t *TokenInfo, x *claimsExtra) bool {
	return t.Issuer != "" && !t.ExpiresAt.IsZero() && len(t.Audience) > 0 && t.Subject != "" &&
		x.clientID != "" && !t.IssuedAt.IsZero() && t.ID != ""
}
