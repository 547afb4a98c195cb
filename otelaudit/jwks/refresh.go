// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package jwks

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/trace"
)

// flight is one refresh of all sources, shared by whoever waits for it.
type flight struct {
	done  chan struct{}
	fault *FetchError // may be read once done is closed
}

// schedule refreshes at an interval until the context of New ends.
func (s *keyset) schedule(every time.Duration) {
	defer s.metrics.unregister()
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	// What is fetched hours later is no part of the trace in which New was called.
	ctx := trace.ContextWithSpanContext(s.ctx, trace.SpanContext{})
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-ticker.C:
			s.refresh(ctx, false)
		}
	}
}

// refresh returns the flight that is going on, or starts one. It returns nil if the
// limiter or the end of New's context forbids that.
func (s *keyset) refresh(ctx context.Context, limited bool) *flight {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.flight != nil {
		return s.flight
	}
	if s.ctx.Err() != nil || limited && !s.limiter.Allow() {
		return nil
	}
	f := &flight{done: make(chan struct{})}
	s.flight = f
	go s.fly(ctx, f)
	return f
}

func (s *keyset) fly(ctx context.Context, f *flight) {
	if faults := s.fetch(ctx); len(faults) > 0 {
		f.fault, _ = faults[0].(*FetchError) //nolint:errorlint // fetch returns nothing else
	}
	s.mu.Lock()
	s.flight = nil
	s.mu.Unlock()
	close(f.done)
}

// await returns an index that has what is looked for, after a refresh if need be. The
// refresh is shared, limited, and outlives ctx: it belongs to the trace of who caused it,
// but not to their request.
func (s *keyset) await(ctx context.Context, has func(*index) bool) (*index, error) {
	if ctx.Err() != nil {
		return nil, s.abandoned(ctx)
	}
	f := s.refresh(trace.ContextWithSpan(s.ctx, trace.SpanFromContext(ctx)), true)
	if f == nil {
		// The flight that ended meanwhile may have brought it.
		if idx := s.current.Load(); has(idx) {
			return idx, nil
		}
		if s.ctx.Err() != nil {
			return nil, errEnded
		}
		return nil, s.refused(errLimited)
	}
	timer := time.NewTimer(s.wait)
	defer timer.Stop()
	for {
		idx := s.current.Load()
		if has(idx) {
			return idx, nil
		}
		select {
		case <-idx.replaced:
		case <-f.done:
			if idx := s.current.Load(); has(idx) {
				return idx, nil
			}
			if f.fault != nil {
				return nil, unavailable(f.fault)
			}
			return nil, errKidUnknown
		case <-timer.C:
			return nil, s.refused(errLate)
		case <-ctx.Done():
			return nil, s.abandoned(ctx)
		}
	}
}

// refused is limited, unless the keys that are known are stale because the last
// refresh failed: then it cannot be told that the key id is unknown.
func (s *keyset) refused(limited error) error {
	if fault := s.fault(); fault != nil {
		return unavailable(fault)
	}
	return limited
}

// abandoned is what a request gets whose context ended. It is no fault of ours: whoever
// sends a token with an unknown key id can also hang up.
func (s *keyset) abandoned(ctx context.Context) error {
	return s.refused(errLate.with(ctx.Err()))
}
