// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
)

// Revocation is the revocation of a token or a session (RFC 7009).
type Revocation struct {
	// UserID is whose token it was.
	UserID string
	// Fingerprint names the token: [Auditor.Fingerprint] makes it.
	Fingerprint string
	// Issuer and TokenID are the iss and jti claims.
	Issuer, TokenID string
	// ExpiresAt is the exp claim; zero if there is none.
	ExpiresAt time.Time
	// Store, if not nil, is told: from then on a parser with [WithStore] refuses the token. A token
	// that has a jti is known there by Issuer and TokenID, another by its Fingerprint.
	Store Store
	// SessionID is set if the whole session was revoked. Only its fingerprint is recorded.
	SessionID string
	// Err is as in [Login].
	Err error
	// Attributes are the host's own: see [Event].
	Attributes []attribute.KeyValue
}

// Revocation tells r.Store of the revocation, if there is one and Err is nil, and emits an
// otelaudit.token.revocation event. The error is that of the store, joined with that of
// [Auditor.Emit]: after an error the token may still be accepted.
func (a *Auditor) Revocation(ctx context.Context, r Revocation) error {
	// The host looked the token up: its id is not an unverified claim.
	token := &TokenInfo{Fingerprint: r.Fingerprint, Issuer: r.Issuer, ID: r.TokenID, ExpiresAt: r.ExpiresAt, SignatureVerified: true}
	var stored error
	if r.Store != nil && r.Err == nil {
		if token.ID == "" && token.Fingerprint == "" {
			stored = errNoToken
		} else {
			stored = askStore(ctx, func(ctx context.Context) error {
				return r.Store.Revoke(ctx, a.TokenKey(*token), remembered(token.ExpiresAt))
			})
		}
		r.Err = stored
	}
	return errors.Join(stored, a.emit(ctx, &Event{
		Name: EventTokenRevocation, Reasons: reasonsOf(r.Err),
		Subject:    Subject{ID: r.UserID, SessionID: r.SessionID},
		Token:      token,
		Attributes: r.Attributes,
	}, 0))
}
