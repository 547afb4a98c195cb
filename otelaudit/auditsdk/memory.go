// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package auditsdk

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdklog "go.opentelemetry.io/otel/sdk/log"

	"github.com/otelaudit/go/otelaudit"
)

// maxRequest bounds the size of one request in bytes, as receivers do.
const maxRequest = 4 << 20

// memory is the queue in memory as a log processor, and what ships it.
type memory struct {
	queue      *queue[sdklog.Record]
	books      *ledger
	exporter   sdklog.Exporter
	batch      int
	delay      time.Duration
	timeout    time.Duration
	once       *reporter
	afterwards func() // runs after each batch that was settled

	wake chan struct{} // do not wait for a full batch
	rush chan struct{} // closed when the pipeline is being closed
	done chan struct{} // closed when run returned
}

var _ sdklog.Processor = (*memory)(nil)

// Enabled implements sdklog.Processor.
func (*memory) Enabled(context.Context, sdklog.EnabledParameters) bool { return true }

// OnEmit queues a copy of rec and answers the emitter's receipt. It returns no
// error, since the SDK would log one for each record.
func (m *memory) OnEmit(ctx context.Context, rec *sdklog.Record) error {
	now := time.Now()
	own := isOwn(ctx)
	put := m.queue.put
	if own {
		put = m.queue.tryPut
	}
	m.books.admit()
	err := put(rec.Clone(), recordSize(rec), now)
	receipt := otelaudit.ReceiptFromContext(ctx)
	switch {
	case err == nil:
		receipt.Acknowledge()
		return nil
	case own:
		m.books.retract()
	default:
		m.books.lose(1, now)
		m.once.report(err)
	}
	receipt.Refuse(err)
	return nil
}

// ForceFlush waits until all that is queued now is settled.
func (m *memory) ForceFlush(ctx context.Context) error {
	target, _, _ := m.queue.progress()
	for {
		_, settled, moved := m.queue.progress()
		if settled >= target {
			return nil
		}
		m.hurry()
		select {
		case <-moved:
		case <-m.done:
			return ErrClosed
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Shutdown implements sdklog.Processor. [Pipeline.Close] does what it would.
func (*memory) Shutdown(context.Context) error { return nil }

func (m *memory) hurry() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// run ships until ctx is done.
func (m *memory) run(ctx context.Context) {
	defer close(m.done)
	var batch []entry[sdklog.Record]
	c := courier{report: m.once.report, rush: m.rush}
	c.send = func(ctx context.Context, from, to int) verdict { return m.send(ctx, batch[from:to]) }
	c.settle = func(from, to int, v verdict) {
		m.books.settle(to-from, v, false)
		m.queue.drop(to - from)
		if v.err != nil {
			m.once.report(v.err)
		} else {
			m.once.recovered()
		}
	}
	for m.await(ctx) {
		batch = m.queue.peek(batch[:0], m.batch, maxRequest)
		if c.deliver(ctx, len(batch)) != nil {
			return
		}
		clear(batch)
		m.afterwards()
	}
}

// await waits for a full batch, or for the oldest record to have waited long enough. It returns false
// if ctx is done.
func (m *memory) await(ctx context.Context) bool {
	for {
		n, _, oldest := m.queue.state()
		var full <-chan time.Time
		var timer *time.Timer
		if n > 0 {
			left := m.delay - time.Since(oldest)
			if n >= m.batch || left <= 0 {
				return ctx.Err() == nil
			}
			timer = time.NewTimer(left)
			full = timer.C
		}
		hurry := false
		select {
		case <-ctx.Done():
			return false
		case <-full:
		case <-m.queue.filled:
		case <-m.wake:
			hurry = n > 0
		}
		if timer != nil {
			timer.Stop()
		}
		if hurry {
			return true
		}
	}
}

var errUnencodable = errors.New("auditsdk: a record could not be encoded")

// send makes one attempt.
func (m *memory) send(ctx context.Context, batch []entry[sdklog.Record]) verdict {
	ctx, cancel := context.WithTimeout(ctx, m.timeout)
	defer cancel()
	ctx, v := withVerdict(ctx)
	records := make([]sdklog.Record, len(batch))
	for i := range batch {
		records[i] = batch[i].value
	}
	if err := m.exporter.Export(ctx, records); err != nil && !v.attempted && ctx.Err() == nil {
		return verdict{judgement: poison, err: errUnencodable}
	}
	return *v
}

// recordSize estimates the memory that rec takes, in bytes.
func recordSize(rec *sdklog.Record) int {
	size := 256 + valueSize(rec.Body())
	rec.WalkAttributes(func(kv attribute.KeyValue) bool {
		size += 64 + len(kv.Key) + valueSize(kv.Value)
		return true
	})
	return size
}

func valueSize(v attribute.Value) int {
	switch v.Type() {
	case attribute.STRING:
		return len(v.AsString())
	case attribute.STRINGSLICE:
		n := 0
		for _, s := range v.AsStringSlice() {
			n += 16 + len(s)
		}
		return n
	case attribute.BOOL, attribute.INT64, attribute.FLOAT64, attribute.EMPTY:
		return 8
	default:
		return len(v.String())
	}
}
