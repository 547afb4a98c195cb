// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package auditsdk_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	logspb "go.opentelemetry.io/proto/otlp/logs/v1"

	"github.com/otelaudit/go/otelaudit"
	"github.com/otelaudit/go/otelaudit/auditsdk"
	"github.com/otelaudit/go/otelaudit/auditsdk/internal/receiver"
)

// TestDelivery: whatever the receiver does, each acknowledged event arrives, and the books balance.
func TestDelivery(t *testing.T) {
	first := func(n int, a receiver.Answer) func(int, []*logspb.LogRecord) receiver.Answer {
		return func(i int, _ []*logspb.LogRecord) receiver.Answer {
			if i < n {
				return a
			}
			return receiver.Answer{}
		}
	}
	poisoned := func(_ int, records []*logspb.LogRecord) receiver.Answer {
		for _, r := range records {
			if attr(r, "user.id") == "user-7" {
				return receiver.Answer{Status: 400}
			}
		}
		return receiver.Answer{}
	}
	large := func(_ int, records []*logspb.LogRecord) receiver.Answer {
		if len(records) > 3 {
			return receiver.Answer{Status: 413}
		}
		return receiver.Answer{}
	}
	const n = 20
	for _, tt := range []struct {
		name     string
		answer   func(int, []*logspb.LogRecord) receiver.Answer
		arrive   int // logins; -1 if chance decides
		rejected uint64
		twice    bool
		reports  string
	}{
		{name: "taken", arrive: n},
		{name: "500 three times", answer: first(3, receiver.Answer{Status: 500}), arrive: n, reports: "answered 500"},
		{name: "501", answer: first(2, receiver.Answer{Status: 501}), arrive: n, reports: "answered 501"},
		{name: "503", answer: first(2, receiver.Answer{Status: 503}), arrive: n, reports: "answered 503"},
		{name: "429 with Retry-After", answer: first(1, receiver.Answer{Status: 429, RetryAfter: "1"}), arrive: n, reports: "answered 429"},
		{name: "wrong credentials, mended", answer: first(2, receiver.Answer{Status: 401}), arrive: n, reports: "answered 401"},
		{name: "wrong path, mended", answer: first(2, receiver.Answer{Status: 404}), arrive: n, reports: "answered 404"},
		{name: "redirect is not followed", answer: first(1, receiver.Answer{Status: 307}), arrive: n, reports: "answered 307"},
		{name: "reset", answer: first(3, receiver.Answer{Reset: true}), arrive: n, reports: "reset"},
		{name: "hangs", answer: first(1, receiver.Answer{Hang: true}), arrive: n},
		{name: "takes but does not tell", answer: first(1, receiver.Answer{Forget: true}), arrive: n, twice: true, reports: ""},
		{name: "answers text", answer: first(1, receiver.Answer{Garbage: true}), arrive: n},
		{name: "poisoned record", answer: poisoned, arrive: n - 1, rejected: 1, reports: "answered 400"},
		{name: "too large", answer: large, arrive: n, reports: ""},
		{name: "partial success", answer: first(1, receiver.Answer{Rejected: 2}), arrive: -1, rejected: 2, reports: "too old"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, tt.answer)
			if taken := s.emit(t, n); taken != n {
				t.Errorf("acknowledged emits = %d, want %d", taken, n)
			}
			stats, err := s.closed(t)
			if err != nil {
				t.Errorf("Close() = %v, want nil", err)
			}
			got, twice := s.logins()
			if tt.arrive >= 0 && got != tt.arrive || (twice > 0) != tt.twice {
				t.Errorf("arrived = %d, %d of them twice, want %d", got, twice, tt.arrive)
			}
			// With the events of start and stop.
			if all := len(s.Seen()); all != n+2-int(tt.rejected) {
				t.Errorf("arrived = %d, want all but %d of %d", all, tt.rejected, n+2)
			}
			if stats.Rejected != tt.rejected || stats.Lost != 0 {
				t.Errorf("stats = %+v, want %d rejected and none lost", stats, tt.rejected)
			}
			if tt.reports != "" && !strings.Contains(errors.Join(s.errors()...).Error(), tt.reports) {
				t.Errorf("reported %v, want %q", s.errors(), tt.reports)
			}
			if n := len(s.errors()); n > 2 {
				t.Errorf("reported %d errors, want each kind once: %v", n, s.errors())
			}
		})
	}
}

// TestOutage: the receiver is not there at first, goes, and comes back.
func TestOutage(t *testing.T) {
	s := newStage(t, nil)
	s.Stop()
	taken := s.emit(t, 50)
	time.Sleep(300 * time.Millisecond)
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	if err := s.pipeline.ForceFlush(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.Stop()
	taken += s.emit(t, 50)
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	if stats, err := s.closed(t); err != nil || stats.Lost != 0 {
		t.Errorf("Close() = %v, stats %+v, want nothing lost", err, stats)
	}
	if got, _ := s.logins(); got != taken || taken != 100 {
		t.Errorf("arrived = %d of %d, want 100", got, taken)
	}
	if got := s.states(); !slices.Equal(got, []string{"start", "stop"}) {
		t.Errorf("pipeline events = %q, want start and stop", got)
	}
}

// TestFull: a full queue refuses, the caller knows, and a gap event tells how many and when.
func TestFull(t *testing.T) {
	var open atomic.Bool
	s := newStage(t, func(int, []*logspb.LogRecord) receiver.Answer {
		if open.Load() {
			return receiver.Answer{}
		}
		return receiver.Answer{Status: 503}
	}, auditsdk.WithQueue(10, 1<<20), auditsdk.WithBlockTimeout(50*time.Millisecond))
	before := time.Now()
	taken := s.emit(t, 30)
	if taken != 9 { // and the start event
		t.Errorf("acknowledged emits = %d, want 9", taken)
	}
	if d := time.Since(before); d > 5*time.Second {
		t.Errorf("30 emits took %v: each waits, not the first only", d)
	}
	stats := s.pipeline.Stats()
	balanced(t, stats)
	if stats.Lost != 21 || stats.Queued != 10 || stats.OldestAge <= 0 || stats.QueuedBytes <= 0 {
		t.Errorf("stats = %+v, want 21 lost and 10 queued", stats)
	}
	open.Store(true)
	eventually(t, "gap event", func() bool { return slices.Contains(s.states(), "gap") })
	for _, rec := range s.Records() {
		if attr(rec.Log, "otelaudit.pipeline.state") == "gap" {
			if got := attr(rec.Log, "otelaudit.pipeline.lost"); got != "21" || attr(rec.Log, "otelaudit.pipeline.lost_from") == "" {
				t.Errorf("gap event tells of %s lost, want 21 and since when", got)
			}
		}
	}
	if _, err := s.closed(t); err != nil {
		t.Errorf("Close() = %v, want nil", err)
	}
	if got, _ := s.logins(); got != taken {
		t.Errorf("arrived = %d, want %d", got, taken)
	}
	if got := s.states(); !slices.Equal(got, []string{"start", "gap", "stop"}) {
		t.Errorf("pipeline events = %q, want start, gap and stop", got)
	}
}

// TestRoom: an emit that waits goes on when there is room.
func TestRoom(t *testing.T) {
	release := make(chan struct{})
	s := newStage(t, func(int, []*logspb.LogRecord) receiver.Answer { <-release; return receiver.Answer{} },
		auditsdk.WithQueue(2, 1<<20), auditsdk.WithBlockTimeout(10*time.Second))
	go func() { time.Sleep(50 * time.Millisecond); close(release) }()
	if taken := s.emit(t, 20); taken != 20 {
		t.Errorf("acknowledged emits = %d, want 20", taken)
	}
	if stats, err := s.closed(t); err != nil || stats.Lost != 0 {
		t.Errorf("Close() = %v, stats %+v", err, stats)
	}
}

func TestCloseUndelivered(t *testing.T) {
	s := newStage(t, func(int, []*logspb.LogRecord) receiver.Answer { return receiver.Answer{Status: 503} },
		auditsdk.WithCloseTimeout(100*time.Millisecond))
	s.emit(t, 5)
	stats, err := s.closed(t)
	var left *auditsdk.UndeliveredError
	if !errors.As(err, &left) || left.Records != 7 || stats.Lost != 7 { // with start and stop
		t.Errorf("Close() = %v, stats %+v, want 7 undelivered", err, stats)
	}
	if again := s.pipeline.Close(); !errors.Is(again, err) {
		t.Errorf("second Close() = %v, want %v", again, err)
	}
	if taken := s.emit(t, 1); taken != 0 {
		t.Error("an emit after Close was acknowledged")
	}
	balanced(t, s.pipeline.Stats())
}

func TestHeartbeat(t *testing.T) {
	s := newStage(t, nil, auditsdk.WithHeartbeat(10*time.Millisecond))
	eventually(t, "heartbeat", func() bool { return slices.Contains(s.states(), "heartbeat") })
	if _, err := s.closed(t); err != nil {
		t.Error(err)
	}
}

// TestConcurrentEmits: the books balance at every moment, and nothing is lost or doubled.
func TestConcurrentEmits(t *testing.T) {
	s := newStage(t, func(i int, _ []*logspb.LogRecord) receiver.Answer {
		return receiver.Answer{Reset: i%5 == 4}
	})
	var wg sync.WaitGroup
	var taken atomic.Int64
	for range 16 {
		wg.Go(func() {
			for range 100 {
				if s.audit.Login(context.Background(), otelaudit.Login{UserID: "alice"}) == nil {
					taken.Add(1)
				}
				balanced(t, s.pipeline.Stats())
			}
		})
	}
	wg.Wait()
	if _, err := s.closed(t); err != nil {
		t.Error(err)
	}
	if got, twice := s.logins(); got != 1600 || taken.Load() != 1600 || twice != 0 {
		t.Errorf("arrived = %d, %d twice, want 1600 once", got, twice)
	}
}
