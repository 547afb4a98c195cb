// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package auditsdk_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel"

	"github.com/otelaudit/go/otelaudit"
	"github.com/otelaudit/go/otelaudit/auditsdk"
	"github.com/otelaudit/go/otelaudit/auditsdk/internal/receiver"
)

func TestStartErrors(t *testing.T) {
	const secret = "hunter2hunter2"
	if _, err := auditsdk.Start(context.Background(), auditsdk.WithoutGlobal()); !errors.Is(err, auditsdk.ErrNoEndpoint) {
		t.Errorf("Start() = %v, want ErrNoEndpoint", err)
	}
	for name, value := range map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT":           "ftp://user:" + secret + "@host",
		"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT":      "://" + secret,
		"OTEL_EXPORTER_OTLP_HEADERS":            "authorization " + secret,
		"OTEL_EXPORTER_OTLP_LOGS_HEADERS":       "a=%zz" + secret,
		"OTEL_EXPORTER_OTLP_COMPRESSION":        "zstd",
		"OTEL_EXPORTER_OTLP_TIMEOUT":            "soon",
		"OTEL_EXPORTER_OTLP_CERTIFICATE":        "/does/not/exist",
		"OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": "/does/not/exist",
		"OTEL_BLRP_MAX_QUEUE_SIZE":              "-1",
		"OTEL_BLRP_SCHEDULE_DELAY":              "0",
		"OTEL_BLRP_MAX_EXPORT_BATCH_SIZE":       "many",
		"OTELAUDIT_QUEUE_BYTES":                 "0",
		"OTELAUDIT_BLOCK_TIMEOUT":               "0",
		"OTELAUDIT_CLOSE_TIMEOUT":               "999999999999",
		"OTELAUDIT_HEARTBEAT":                   "-5",
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, value)
			_, err := auditsdk.Start(context.Background(), auditsdk.WithoutGlobal())
			if err == nil || !strings.Contains(err.Error(), name) {
				t.Fatalf("Start() = %v, want an error that names %s", err, name)
			}
			if strings.Contains(err.Error(), secret) {
				t.Errorf("error %q holds the secret", err)
			}
		})
	}
	for name, o := range map[string]auditsdk.Option{
		"endpoint": auditsdk.WithEndpoint("http://"), "queue": auditsdk.WithQueue(0, 1), "block": auditsdk.WithBlockTimeout(0),
		"close": auditsdk.WithCloseTimeout(-1), "heartbeat": auditsdk.WithHeartbeat(-1),
	} {
		if _, err := auditsdk.Start(context.Background(), auditsdk.WithoutGlobal(), o); err == nil {
			t.Errorf("%s: Start() = nil, want an error", name)
		}
	}
}

// TestEnvironment starts by variables alone, as a service would, with the global provider.
func TestEnvironment(t *testing.T) {
	r := receiver.New()
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	defer r.Stop()
	before := otel.GetLoggerProvider()
	defer otel.SetLoggerProvider(before)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", r.URL())
	t.Setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=a%20b")
	t.Setenv("OTEL_SERVICE_NAME", "orders")
	t.Setenv("OTELAUDIT_HEARTBEAT", "0")
	ctx, cancel := context.WithCancel(context.Background())
	p, err := auditsdk.Start(ctx)
	if err != nil {
		t.Fatal(err)
	}
	cancel() // that of Start is not the pipeline's
	audit, err := otelaudit.New()
	if err != nil {
		t.Fatal(err)
	}
	if err := audit.Login(context.Background(), otelaudit.Login{UserID: "alice"}); err != nil {
		t.Fatal(err)
	}
	flush, stop := context.WithTimeout(context.Background(), 10*time.Second)
	defer stop()
	if err := p.ForceFlush(flush); err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	for _, rec := range r.Records() {
		if rec.Resource != "orders" {
			t.Errorf("service.name = %q, want orders", rec.Resource)
		}
	}
	if n := len(r.Records()); n != 3 {
		t.Errorf("records = %d, want start, login and stop", n)
	}
}
