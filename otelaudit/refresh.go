// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit

import "context"

// KeyRefresh is one fetch of a set of signing keys (RFC 7517).
type KeyRefresh struct {
	KeyChange
	// Err is nil if the keys were fetched; otherwise as in [Login], with
	// [ReasonJWKSUnavailable] where it names no reason.
	Err error
}

// KeyRefresh emits an otelaudit.jwks.refresh event. See [Auditor.Emit] for the error.
func (a *Auditor) KeyRefresh(ctx context.Context, k KeyRefresh) error {
	e := Event{Name: EventJWKSRefresh, Keys: &k.KeyChange, Subject: Subject{Type: ActorService}}
	if e.Reasons = reasonsOf(k.Err); len(e.Reasons) > 0 && e.Reasons[0] == ReasonOther {
		e.Reasons[0] = ReasonJWKSUnavailable
	}
	return a.emit(ctx, &e, 0)
}
