// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// Receipt lets a synchronous log processor answer [Auditor.Emit]: the OpenTelemetry
// Logs API has no return value, so the answer goes by the context that reaches
// the processor's OnEmit.
//
// A processor that made the record durable calls [Receipt.Acknowledge]; one that
// could not calls [Receipt.Refuse]. A refusal outweighs any acknowledgement. Answers
// after OnEmit returned are ignored. All methods are safe for concurrent use and
// on a nil Receipt.
type Receipt struct {
	acknowledged atomic.Bool
	refusal      atomic.Pointer[error]
}

type receiptKey struct{}

// ReceiptFromContext returns the receipt of the event that is being emitted, nil
// if ctx is not that of an [Auditor.Emit].
func ReceiptFromContext(ctx context.Context) *Receipt {
	r, _ := ctx.Value(receiptKey{}).(*Receipt)
	return r
}

// Acknowledge says that the record is as durable as the processor promises.
func (r *Receipt) Acknowledge() {
	if r != nil {
		r.acknowledged.Store(true)
	}
}

// Refuse says that the record is not durable, and why. The error must hold no secret.
func (r *Receipt) Refuse(err error) {
	if r == nil {
		return
	}
	if err == nil {
		err = ErrNotDurable
	}
	r.refusal.CompareAndSwap(nil, &err)
}

// err is the verdict once the pipeline returned.
func (r *Receipt) err(failClosed bool) error {
	if p := r.refusal.Load(); p != nil {
		return fmt.Errorf("%w: %w", ErrNotDurable, *p)
	}
	if failClosed && !r.acknowledged.Load() {
		return errUnacknowledged
	}
	return nil
}

// emission is the context in which a record is emitted: the caller's values,
// without its cancellation, and the receipt. One allocation holds all of it.
type emission struct {
	caller  context.Context
	receipt Receipt
}

func (*emission) Deadline() (time.Time, bool) { return time.Time{}, false }
func (*emission) Done() <-chan struct{}       { return nil }
func (*emission) Err() error                  { return nil }

func (e *emission) Value(key any) any {
	if key == (receiptKey{}) {
		return &e.receipt
	}
	return e.caller.Value(key)
}
