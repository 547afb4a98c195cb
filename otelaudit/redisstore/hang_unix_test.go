// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package redisstore_test

import (
	"context"
	"syscall"
	"testing"
	"time"

	"github.com/otelaudit/go/otelaudit"
)

// TestHang: a server that is stopped answers nothing; the deadline holds.
func TestHang(t *testing.T) {
	srv := newServer(t)
	s := newStore(t, srv.client())
	later := time.Now().Add(time.Hour)
	if _, err := s.Use(t.Context(), "k", otelaudit.Sighting{}, later); err != nil {
		t.Fatal(err)
	}
	if err := srv.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = srv.cmd.Process.Signal(syscall.SIGCONT) }()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, err := s.Use(ctx, "k", otelaudit.Sighting{}, later)
	if err == nil || time.Since(start) > 5*time.Second {
		t.Errorf("Use() = %v after %v, want an error within the deadline", err, time.Since(start))
	}
}
