// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

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
// An error that names its reason itself, as those of [New] do, keeps it. Of the others,
// a key id that no key has is otelaudit.ReasonKidUnknown, even if a deadline is in
// the chain too: that is how a refresh for its sake ended. An ended context alone is
// otelaudit.ReasonJWKSUnavailable, since the keys were not consulted to the end.
//
// To jwkset a key id that no key has and a key set that could never be fetched look the
// same; both are otelaudit.ReasonKidUnknown. [New] tells them apart.
func Reason(err error) (otelaudit.Reason, bool) {
	if r, ok := otelaudit.ReasonOf(err); ok {
		return r, true
	}
	switch {
	case errors.Is(err, jwkset.ErrKeyNotFound):
		return otelaudit.ReasonKidUnknown, true
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return otelaudit.ReasonJWKSUnavailable, true
	default:
		return "", false
	}
}
