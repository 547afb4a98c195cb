// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

// Package jwks names the errors of MicahParks/keyfunc and jwkset in the terms of
// otelaudit.
package jwks

import (
	"context"
	"errors"

	"github.com/MicahParks/jwkset"

	"github.com/otelaudit/go/otelaudit"
)

// Reason finds the reason of an error of a keyfunc.Keyfunc, for
// [otelaudit.WithErrorReason]. It is safe for concurrent use.
//
// To jwkset a key id that no key has and a key set that could never be fetched look the
// same; both are otelaudit.ReasonKidUnknown. A fetch that ended by its deadline is
// otelaudit.ReasonJWKSUnavailable.
func Reason(err error) (otelaudit.Reason, bool) {
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return otelaudit.ReasonJWKSUnavailable, true
	case errors.Is(err, jwkset.ErrKeyNotFound):
		return otelaudit.ReasonKidUnknown, true
	default:
		return "", false
	}
}
