// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package audittest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/otelaudit/go/otelaudit"
)

// StoreConformance checks a store against the contract of [otelaudit.Store]. newStore returns an
// empty one.
func StoreConformance(t *testing.T, newStore func(t *testing.T) otelaudit.Store) {
	later := time.Now().Add(time.Hour)
	home := otelaudit.Sighting{Address: "address-1", Agent: "agent-1"}
	use := func(t *testing.T, s otelaudit.Store, key string, by otelaudit.Sighting, expires time.Time) otelaudit.Memory {
		t.Helper()
		m, err := s.Use(t.Context(), key, by, expires)
		if err != nil {
			t.Fatalf("Use(%q) = %v, want nil", key, err)
		}
		return m
	}
	revoke := func(t *testing.T, s otelaudit.Store, key string, expires time.Time) {
		t.Helper()
		if err := s.Revoke(t.Context(), key, expires); err != nil {
			t.Fatalf("Revoke(%q) = %v, want nil", key, err)
		}
	}
	want := func(t *testing.T, got, want otelaudit.Memory) {
		t.Helper()
		if got != want {
			t.Errorf("Use() = %+v, want %+v", got, want)
		}
	}
	t.Run("uses", func(t *testing.T) {
		s := newStore(t)
		want(t, use(t, s, "k", home, later), otelaudit.Memory{})
		want(t, use(t, s, "k", otelaudit.Sighting{Address: "address-2"}, later), otelaudit.Memory{Used: true, First: home})
		want(t, use(t, s, "k", home, later), otelaudit.Memory{Used: true, First: home})
		want(t, use(t, s, "other", home, later), otelaudit.Memory{})
	})
	t.Run("revoked before use", func(t *testing.T) {
		s := newStore(t)
		revoke(t, s, "k", later)
		want(t, use(t, s, "k", home, later), otelaudit.Memory{Revoked: true})
		want(t, use(t, s, "k", home, later), otelaudit.Memory{Revoked: true, Used: true, First: home})
	})
	t.Run("revoked after use, twice", func(t *testing.T) {
		s := newStore(t)
		use(t, s, "k", home, later)
		revoke(t, s, "k", later)
		revoke(t, s, "k", time.Now().Add(time.Minute)) // shortens nothing
		want(t, use(t, s, "k", home, later), otelaudit.Memory{Revoked: true, Used: true, First: home})
	})
	t.Run("expiry", func(t *testing.T) {
		s := newStore(t)
		soon := time.Now().Add(150 * time.Millisecond)
		use(t, s, "used", home, soon)
		revoke(t, s, "revoked", soon)
		revoke(t, s, "long", soon)
		revoke(t, s, "long", later)
		time.Sleep(time.Until(soon) + 150*time.Millisecond)
		want(t, use(t, s, "used", home, later), otelaudit.Memory{})
		want(t, use(t, s, "revoked", home, later), otelaudit.Memory{})
		want(t, use(t, s, "long", home, later), otelaudit.Memory{Revoked: true})
	})
	t.Run("past and no expiry", func(t *testing.T) {
		s := newStore(t)
		use(t, s, "past", home, time.Now().Add(-time.Hour))
		want(t, use(t, s, "past", home, later), otelaudit.Memory{})
		revoke(t, s, "never", time.Time{})
		use(t, s, "never", home, time.Time{})
		want(t, use(t, s, "never", home, time.Time{}), otelaudit.Memory{Revoked: true, Used: true, First: home})
	})
	t.Run("odd keys", func(t *testing.T) {
		s := newStore(t)
		for _, key := range []string{"", " ", "a b", "a\nb", "a\x00b", "a", "A", "\xff\xfe", "ключ", "{a}", "*", strings.Repeat("k", 1024)} {
			want(t, use(t, s, key, home, later), otelaudit.Memory{})
			want(t, use(t, s, key, home, later), otelaudit.Memory{Used: true, First: home})
		}
	})
	t.Run("odd sightings", func(t *testing.T) {
		s := newStore(t)
		odd := otelaudit.Sighting{Address: "", Agent: "a\x00\n\xff|:"}
		use(t, s, "k", odd, later)
		want(t, use(t, s, "k", home, later), otelaudit.Memory{Used: true, First: odd})
	})
	t.Run("one first use", func(t *testing.T) {
		s := newStore(t)
		var first atomic.Int32
		var wg sync.WaitGroup
		for i := range 64 {
			wg.Go(func() {
				m, err := s.Use(t.Context(), "k", otelaudit.Sighting{Address: fmt.Sprint(i)}, later)
				if err != nil {
					t.Errorf("Use() = %v, want nil", err)
				}
				if !m.Used {
					first.Add(1)
				}
			})
		}
		wg.Wait()
		if n := first.Load(); n != 1 {
			t.Errorf("first uses = %d, want 1", n)
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		s := newStore(t)
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if _, err := s.Use(ctx, "k", home, later); !errors.Is(err, context.Canceled) {
			t.Errorf("Use() = %v, want context.Canceled", err)
		}
		if err := s.Revoke(ctx, "k", later); !errors.Is(err, context.Canceled) {
			t.Errorf("Revoke() = %v, want context.Canceled", err)
		}
	})
}
