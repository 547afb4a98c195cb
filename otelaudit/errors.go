// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit

import (
	"errors"
	"fmt"
)

// ErrNotDurable is in the chain of every error that says an event was not
// recorded, or that nobody vouched for it when fail-closed is on.
var ErrNotDurable = errors.New("otelaudit: event is not durable")

var (
	errDisabled       = fmt.Errorf("%w: no log pipeline accepts it", ErrNotDurable)
	errUnacknowledged = fmt.Errorf("%w: no log processor acknowledged it", ErrNotDurable)
	errPipelinePanic  = fmt.Errorf("%w: the log pipeline panicked", ErrNotDurable)
	errStorePanic     = errors.New("otelaudit: the store panicked")
	errNoToken        = fmt.Errorf("otelaudit: a revocation in a store needs a jti or a fingerprint: %w", ReasonConfigError)
	errUnknownEvent   = errors.New("otelaudit: unknown event name")
)

// AttributeError reports an attribute of the host that was left out of a record.
// The record itself was emitted.
type AttributeError struct {
	// Key is the key, bounded and escaped.
	Key string
	// Problem says what is wrong with it.
	Problem string
}

// Error implements error.
func (e *AttributeError) Error() string {
	return fmt.Sprintf("otelaudit: attribute key %q %s", e.Key, e.Problem)
}
