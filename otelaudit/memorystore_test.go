// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/otelaudit/go/otelaudit"
	"github.com/otelaudit/go/otelaudit/audittest"
)

func TestMemoryStore(t *testing.T) {
	audittest.StoreConformance(t, func(*testing.T) otelaudit.Store { return otelaudit.NewMemoryStore(0) })
}

// TestMemoryStoreBound: a flood of tokens forgets uses, never revocations, and grows nothing.
func TestMemoryStoreBound(t *testing.T) {
	ctx := context.Background()
	later := time.Now().Add(time.Hour)
	s := otelaudit.NewMemoryStore(100)
	for i := range 50 {
		if err := s.Revoke(ctx, fmt.Sprint("revoked-", i), later); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 10_000 {
		if _, err := s.Use(ctx, fmt.Sprint("flood-", i), otelaudit.Sighting{}, later); err != nil {
			t.Fatal(err)
		}
	}
	if n := s.Len(); n != 100 {
		t.Errorf("Len() = %d, want 100", n)
	}
	if m, _ := s.Use(ctx, "flood-9999", otelaudit.Sighting{}, later); !m.Used {
		t.Error("the latest use is forgotten")
	}
	for i := range 50 {
		if m, err := s.Use(ctx, fmt.Sprint("revoked-", i), otelaudit.Sighting{}, later); err != nil || !m.Revoked {
			t.Errorf("Use(revoked-%d) = %+v, %v, want it revoked", i, m, err)
		}
	}
	for i := range 50 {
		if err := s.Revoke(ctx, fmt.Sprint("more-", i), later); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Revoke(ctx, "one too many", later); !errors.Is(err, otelaudit.ErrStoreFull) {
		t.Errorf("Revoke() = %v, want ErrStoreFull", err)
	}
	if _, err := s.Use(ctx, "one too many", otelaudit.Sighting{}, later); !errors.Is(err, otelaudit.ErrStoreFull) {
		t.Errorf("Use() = %v, want ErrStoreFull", err)
	}
}

// TestMemoryStoreReclaims: expired revocations make room.
func TestMemoryStoreReclaims(t *testing.T) {
	ctx := context.Background()
	s := otelaudit.NewMemoryStore(2)
	soon := time.Now().Add(50 * time.Millisecond)
	for _, key := range []string{"a", "b"} {
		if err := s.Revoke(ctx, key, soon); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(time.Until(soon) + 50*time.Millisecond)
	if err := s.Revoke(ctx, "c", time.Now().Add(time.Hour)); err != nil {
		t.Errorf("Revoke() = %v, want nil", err)
	}
}

func BenchmarkMemoryStore(b *testing.B) {
	ctx := context.Background()
	later := time.Now().Add(time.Hour)
	for _, name := range []string{"known", "full"} {
		b.Run(name, func(b *testing.B) {
			s := otelaudit.NewMemoryStore(10_000)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				key := "k"
				if name == "full" {
					key = strconv.Itoa(i)
				}
				if _, err := s.Use(ctx, key, otelaudit.Sighting{}, later); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
