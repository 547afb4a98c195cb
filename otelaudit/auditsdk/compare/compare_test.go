// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"
	"time"
)

// TestLossless: auditsdk loses nothing in any of the faults, on a smaller scale.
func TestLossless(t *testing.T) {
	for _, f := range faults(false) {
		f.events, f.rate = f.events/20, f.rate/4
		f.down /= 25
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			start := time.Now()
			r, err := play(t.Context(), f, pipelines[1])
			if err != nil {
				t.Fatal(err)
			}
			if r.lost != 0 || r.refused != 0 || r.emitted != f.events {
				t.Errorf("result = %+v after %v, want nothing lost or refused", r, time.Since(start))
			}
		})
	}
}
