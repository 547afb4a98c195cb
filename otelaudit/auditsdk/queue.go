// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package auditsdk

import (
	"errors"
	"sync"
	"time"
)

// The errors of a record that was not queued. They reach [otelaudit.Auditor.Emit] as
// otelaudit.ErrNotDurable.
var (
	// ErrQueueFull says that the queue had no room within the limit.
	ErrQueueFull = errors.New("auditsdk: the queue is full")
	// ErrClosed says that the pipeline was closed.
	ErrClosed = errors.New("auditsdk: the pipeline is closed")
	// ErrTooLarge says that the record alone exceeds the bound of the queue.
	ErrTooLarge = errors.New("auditsdk: the record is too large")
)

// queue is a bounded first-in, first-out queue. It never overwrites. Records leave
// it when they are settled, not when they are sent.
type queue[T any] struct {
	maxRecords, maxBytes int
	block                time.Duration // how long put waits for room

	mu     sync.Mutex
	items  []entry[T] // from head on
	head   int
	bytes  int
	in     uint64 // items that ever came
	out    uint64 // and left
	closed bool
	// stalled is set when a wait was in vain and cleared when room is made, so that an outage
	// costs one caller the wait and not each.
	stalled bool
	room    chan struct{} // closed when room is made
	filled  chan struct{} // holds a token if there may be items
}

type entry[T any] struct {
	value T
	size  int
	at    time.Time
}

func newQueue[T any](maxRecords, maxBytes int, block time.Duration) *queue[T] {
	return &queue[T]{
		maxRecords: maxRecords, maxBytes: maxBytes, block: block,
		room: make(chan struct{}), filled: make(chan struct{}, 1),
	}
}

// put appends v, waiting for room within the limit.
func (q *queue[T]) put(v T, size int, at time.Time) error {
	var timer *time.Timer
	for {
		room, err := q.offer(entry[T]{v, size, at}, timer != nil)
		if room == nil {
			return err
		}
		if timer == nil {
			timer = time.NewTimer(q.block)
			defer timer.Stop()
		}
		select {
		case <-room:
		case <-timer.C:
			q.mu.Lock()
			q.stalled = true
			q.mu.Unlock()
			return ErrQueueFull
		}
	}
}

// tryPut appends v if there is room.
func (q *queue[T]) tryPut(v T, size int, at time.Time) error {
	if room, err := q.offer(entry[T]{v, size, at}, false); room == nil {
		return err
	}
	return ErrQueueFull
}

// offer appends e, or returns a channel to wait on for room.
func (q *queue[T]) offer(e entry[T], waiting bool) (room <-chan struct{}, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := len(q.items) - q.head
	switch {
	case q.closed:
		return nil, ErrClosed
	case e.size > q.maxBytes:
		return nil, ErrTooLarge
	case n < q.maxRecords && q.bytes+e.size <= q.maxBytes:
	case q.stalled && !waiting:
		return nil, ErrQueueFull
	default:
		return q.room, nil
	}
	q.items = append(q.items, e)
	q.bytes += e.size
	q.in++
	select {
	case q.filled <- struct{}{}:
	default:
	}
	return nil, nil
}

// peek appends to dst the oldest items, at most n and, but for the first, maxBytes.
func (q *queue[T]) peek(dst []entry[T], n, maxBytes int) []entry[T] {
	q.mu.Lock()
	defer q.mu.Unlock()
	bytes := 0
	for i, e := range q.items[q.head:] {
		if bytes += e.size; i == n || i > 0 && bytes > maxBytes {
			break
		}
		dst = append(dst, e)
	}
	return dst
}

// drop removes the n oldest items.
func (q *queue[T]) drop(n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, e := range q.items[q.head : q.head+n] {
		q.bytes -= e.size
	}
	clear(q.items[q.head : q.head+n])
	q.head += n
	if 2*q.head >= len(q.items) {
		rest := copy(q.items, q.items[q.head:])
		clear(q.items[rest:])
		q.items, q.head = q.items[:rest], 0
		if cap(q.items) > 4096 && rest < cap(q.items)/8 { // after an outage
			q.items = append(make([]entry[T], 0, cap(q.items)/4), q.items...)
		}
	}
	q.out += uint64(n)
	q.stalled = false
	close(q.room)
	q.room = make(chan struct{})
}

// state tells how many items there are, their bytes, and when the oldest came.
func (q *queue[T]) state() (records, bytes int, oldest time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if records = len(q.items) - q.head; records > 0 {
		oldest = q.items[q.head].at
	}
	return records, q.bytes, oldest
}

// progress counts the items that came and left, with what to wait on for more to leave.
func (q *queue[T]) progress() (in, out uint64, room <-chan struct{}) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.in, q.out, q.room
}

// close makes every later put fail, and those that wait.
func (q *queue[T]) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.closed {
		q.closed = true
		close(q.room)
		q.room = make(chan struct{})
	}
}
