// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit

import (
	"context"
	"errors"

	"github.com/golang-jwt/jwt/v5"
)

// SignedString is [jwt.Token.SignedString], audited: it emits one
// otelaudit.token.issuance event and returns what that returned. The new token's subject is the event's. With
// [WithFailClosed] a token whose event is not durable is not handed out.
func (a *Auditor) SignedString(ctx context.Context, token *jwt.Token, key any) (string, error) {
	returned := false
	defer func() {
		if !returned {
			e := Event{Name: EventTokenIssuance, Reasons: []Reason{ReasonPanic}, Token: &TokenInfo{}}
			_ = a.emit(ctx, &e, 0)
		}
	}()
	raw, err := token.SignedString(key)
	returned = true
	if lost := a.mustFail(a.issued(ctx, token, raw, err)); lost != nil && err == nil {
		return "", lost
	}
	return raw, err
}

// SignedString is [Auditor.SignedString] of the default auditor.
func SignedString(ctx context.Context, token *jwt.Token, key any) (string, error) {
	return Default().SignedString(ctx, token, key)
}

func (a *Auditor) issued(ctx context.Context, token *jwt.Token, raw string, err error) error {
	e := Event{Name: EventTokenIssuance, Time: a.clock()}
	if err != nil {
		e.Reasons = []Reason{ReasonSigningError}
		if errors.Is(err, jwt.ErrInvalidKeyType) || errors.Is(err, jwt.ErrInvalidKey) || errors.Is(err, jwt.ErrHashUnavailable) {
			e.Reasons[0] = ReasonConfigError
		}
	}
	at := attempt{raw: raw, token: token, verified: true}
	func() {
		defer func() { _ = recover() }() // a getter of the host's claims
		e.Token = &TokenInfo{SignatureVerified: true}
		e.Token.Algorithm, _ = token.Header["alg"].(string)
		e.Token.KeyID, _ = token.Header["kid"].(string)
		e.Token.Type, _ = token.Header["typ"].(string)
		if raw != "" {
			e.Token.Fingerprint = a.hasher.token(raw, func(_, claims []byte) { at.readClaims(claims) })
		}
		if token.Claims != nil {
			at.describeClaims(e.Token, token.Claims)
		}
	}()
	e.Subject = at.subject(e.Token)
	return a.emit(ctx, &e, 0)
}
