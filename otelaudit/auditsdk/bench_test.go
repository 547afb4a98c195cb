// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package auditsdk_test

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/log"
	sdklog "go.opentelemetry.io/otel/sdk/log"

	"github.com/otelaudit/go/otelaudit"
	"github.com/otelaudit/go/otelaudit/auditsdk"
	"github.com/otelaudit/go/otelaudit/auditsdk/internal/receiver"
)

// BenchmarkEmit is one event from the caller's side, with a receiver that takes all: through auditsdk, through the
// stock batch pipeline, which may drop, and as a line of slog in a file.
func BenchmarkEmit(b *testing.B) {
	login := otelaudit.Login{Method: "password", UserID: "alice", SessionID: "session"}
	emit := func(b *testing.B, p log.LoggerProvider) {
		a, err := otelaudit.New(otelaudit.WithLoggerProvider(p))
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			_ = a.Login(b.Context(), login)
		}
		b.StopTimer()
	}
	r := receiver.New()
	if err := r.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(r.Stop)
	b.Run("auditsdk", func(b *testing.B) {
		p, err := auditsdk.Start(b.Context(), auditsdk.WithEndpoint(r.URL()), auditsdk.WithoutGlobal(), auditsdk.WithTransport(&http.Transport{}))
		if err != nil {
			b.Fatal(err)
		}
		emit(b, p.LoggerProvider())
		_ = p.Close()
		if s := p.Stats(); s.Lost > 0 {
			b.Fatalf("stats = %+v, want nothing lost", s)
		}
	})
	b.Run("stock", func(b *testing.B) {
		exporter, err := otlploghttp.New(b.Context(), otlploghttp.WithEndpointURL(r.URL()+"/v1/logs"), otlploghttp.WithCompression(otlploghttp.GzipCompression))
		if err != nil {
			b.Fatal(err)
		}
		p := sdklog.NewLoggerProvider(sdklog.WithProcessor(sdklog.NewBatchProcessor(exporter)))
		emit(b, p)
		_ = p.Shutdown(context.Background())
	})
	b.Run("slog", func(b *testing.B) {
		f, err := os.Create(filepath.Join(b.TempDir(), "log"))
		if err != nil {
			b.Fatal(err)
		}
		l := slog.New(slog.NewJSONHandler(f, nil))
		b.ReportAllocs()
		for b.Loop() {
			l.LogAttrs(b.Context(), slog.LevelInfo, "otelaudit.login", slog.String("log.record.uid", "019b0000-0000-7000-8000-000000000000"),
				slog.String("otelaudit.outcome", "success"), slog.String("otelaudit.actor.type", "user"), slog.String("user.id", "alice"),
				slog.String("session.id", "0123456789abcdef0123456789abcdef"), slog.String("otelaudit.login.method", "password"))
		}
		_ = f.Close()
	})
}
