// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
)

// Revocation is the revocation of a token or a session (RFC 7009).
type Revocation struct {
	// UserID is whose token it was.
	UserID string
	// Fingerprint names the token: [Auditor.Fingerprint] makes it.
	Fingerprint string
	// TokenID is the jti claim.
	TokenID string
	// SessionID is set if the whole session was revoked. Only its fingerprint is recorded.
	SessionID string
	// Err is as in [Login].
	Err error
	// Attributes are the host's own: see [Event].
	Attributes []attribute.KeyValue
}

// Revocation emits an otelaudit.token.revocation event. See [Auditor.Emit] for the error.
func (a *Auditor) Revocation(ctx context.Context, r Revocation) error {
	return a.emit(ctx, &Event{
		Name: EventTokenRevocation, Reasons: reasonsOf(r.Err),
		Subject: Subject{ID: r.UserID, SessionID: r.SessionID},
		// The host looked the token up: its id is not an unverified claim.
		Token:      &TokenInfo{Fingerprint: r.Fingerprint, ID: r.TokenID, SignatureVerified: true},
		Attributes: r.Attributes,
	}, 0)
}
