// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"sync/atomic"
	"time"

	logspb "go.opentelemetry.io/proto/otlp/logs/v1"

	"github.com/otelaudit/go/otelaudit/auditsdk/internal/receiver"
)

// fault is what goes wrong while events are emitted.
type fault struct {
	name string
	// events are emitted at rate events a second.
	events, rate int
	// answer decides on each request; nil takes all.
	answer func() func(int, []*logspb.LogRecord) receiver.Answer
	// down is how long the receiver is gone, from the moment that a quarter of the events is emitted.
	down time.Duration
}

func faults(full bool) []fault {
	first := func(n int, a receiver.Answer) func() func(int, []*logspb.LogRecord) receiver.Answer {
		return func() func(int, []*logspb.LogRecord) receiver.Answer {
			var seen atomic.Int64
			return func(int, []*logspb.LogRecord) receiver.Answer {
				if seen.Add(1) <= int64(n) {
					return a
				}
				return receiver.Answer{}
			}
		}
	}
	out := []fault{
		{name: "none", events: 5000, rate: 2500},
		{name: "restart, 5 s", events: 8000, rate: 1000, down: 5 * time.Second},
		{name: "HTTP 500, 10 times", events: 5000, rate: 1000, answer: first(10, receiver.Answer{Status: 500})},
		{name: "429, Retry-After 1", events: 3000, rate: 1000, answer: first(2, receiver.Answer{Status: 429, RetryAfter: "1"})},
		{name: "reset, 3 times", events: 3000, rate: 1000, answer: first(3, receiver.Answer{Reset: true})},
		{name: "answer lost, once", events: 3000, rate: 1000, answer: first(1, receiver.Answer{Forget: true})},
		{name: "partial success", events: 3000, rate: 1000, answer: first(1, receiver.Answer{Rejected: 7})},
	}
	if full {
		out = append(out, fault{name: "outage, 60 s", events: 140_000, rate: 2000, down: time.Minute})
	}
	return out
}
