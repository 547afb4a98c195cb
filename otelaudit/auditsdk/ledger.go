// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package auditsdk

import (
	"sync"
	"time"
)

// Stats are the books of a pipeline. At all times Emitted is the sum of Acknowledged, Queued,
// DeadLettered, Rejected and Lost.
type Stats struct {
	// Emitted counts records that were offered to the pipeline.
	Emitted uint64
	// Acknowledged counts records that the receiver took.
	Acknowledged uint64
	// Queued are records that wait.
	Queued uint64
	// DeadLettered counts records that the receiver will never take and that were put aside.
	DeadLettered uint64
	// Rejected counts records that the receiver will never take and that are gone.
	Rejected uint64
	// Lost counts records that were not queued, or were still queued in memory when the pipeline was closed.
	Lost uint64
	// QueuedBytes is the size of what waits, OldestAge how long the oldest has.
	QueuedBytes int64
	OldestAge   time.Duration
}

// ledger keeps the books.
type ledger struct {
	mu    sync.Mutex
	stats Stats
	gap   gap
}

// gap is a range of lost records that no event has told of yet.
type gap struct {
	lost     int64
	from, to time.Time
}

// admit books a record before it is queued.
func (l *ledger) admit() {
	l.mu.Lock()
	l.stats.Emitted++
	l.stats.Queued++
	l.mu.Unlock()
}

// retract undoes admit, as if the record had never been.
func (l *ledger) retract() {
	l.mu.Lock()
	l.stats.Emitted--
	l.stats.Queued--
	l.mu.Unlock()
}

// lose books n admitted records as lost.
func (l *ledger) lose(n int, at time.Time) {
	if n == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stats.Queued -= uint64(n)
	l.stats.Lost += uint64(n)
	if l.gap.lost == 0 {
		l.gap.from = at
	}
	l.gap.lost += int64(n)
	l.gap.to = at
}

// settle books n queued records by the verdict on their request. aside tells that what was refused was
// put aside.
func (l *ledger) settle(n int, v verdict, aside bool) {
	refused := uint64(min(v.rejected, int64(n)))
	if v.judgement == poison {
		refused = uint64(n)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stats.Queued -= uint64(n)
	l.stats.Acknowledged += uint64(n) - refused
	if aside {
		l.stats.DeadLettered += refused
	} else {
		l.stats.Rejected += refused
	}
}

func (l *ledger) pendingGap() gap {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.gap
}

// told takes g off the pending gap, once an event has told of it.
func (l *ledger) told(g gap) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gap.lost -= g.lost; l.gap.lost > 0 {
		l.gap.from = g.to
	}
}

func (l *ledger) snapshot() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.stats
}
