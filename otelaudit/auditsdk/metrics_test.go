// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package auditsdk_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"

	"github.com/otelaudit/go/otelaudit/auditsdk"
	"github.com/otelaudit/go/otelaudit/auditsdk/internal/receiver"
)

// TestMetrics: the metrics are the books, and the pipeline's own are the only ones without attributes.
func TestMetrics(t *testing.T) {
	reader := sdkmetric.NewManualReader()
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
	t.Cleanup(func() { _ = provider.Shutdown(context.Background()) })
	s := newStage(t, func(i int, _ []*logspb.LogRecord) receiver.Answer {
		if i == 0 {
			return receiver.Answer{Rejected: 3}
		}
		return receiver.Answer{Status: 503}
	}, auditsdk.WithMeterProvider(provider), auditsdk.WithCloseTimeout(100*time.Millisecond))
	s.emit(t, 10)
	eventually(t, "first batch", func() bool { return s.pipeline.Stats().Acknowledged > 0 })
	s.emit(t, 5)
	got := map[string]float64{}
	var rm metricdata.ResourceMetrics
	if err := reader.Collect(context.Background(), &rm); err != nil {
		t.Fatal(err)
	}
	for _, sm := range rm.ScopeMetrics {
		for _, m := range sm.Metrics {
			switch d := m.Data.(type) {
			case metricdata.Sum[int64]:
				got[m.Name] = float64(d.DataPoints[0].Value)
			case metricdata.Gauge[int64]:
				got[m.Name] = float64(d.DataPoints[0].Value)
			case metricdata.Gauge[float64]:
				got[m.Name] = d.DataPoints[0].Value
			}
		}
	}
	stats := s.pipeline.Stats()
	for name, want := range map[string]uint64{
		"emitted": stats.Emitted, "acknowledged": stats.Acknowledged, "dead_lettered": stats.DeadLettered,
		"rejected": stats.Rejected, "lost": stats.Lost, "queued": stats.Queued,
	} {
		if v, ok := got["otelaudit.pipeline."+name]; !ok || v != float64(want) {
			t.Errorf("otelaudit.pipeline.%s = %v, want %d", name, v, want)
		}
	}
	if stats.Rejected != 3 || stats.Queued != 5 || got["otelaudit.pipeline.queued.size"] <= 0 || got["otelaudit.pipeline.queued.age"] <= 0 {
		t.Errorf("stats = %+v, metrics %v, want 3 rejected and 5 queued", stats, got)
	}
}

// TestNoSecretInErrors: whatever fails, the headers of the requests are in no report.
func TestNoSecretInErrors(t *testing.T) {
	const secret = "authorization-secret-0815"
	s := newStage(t, func(i int, _ []*logspb.LogRecord) receiver.Answer {
		return [...]receiver.Answer{{Status: 401}, {Reset: true}, {Status: 400}, {Status: 307}, {}}[min(i, 4)]
	}, auditsdk.WithHeaders(map[string]string{"Authorization": "Bearer " + secret}))
	s.emit(t, 1)
	if _, err := s.closed(t); err != nil {
		t.Error(err)
	}
	if text := fmt.Sprint(errors.Join(s.errors()...)); strings.Contains(text, secret) || text == "" {
		t.Errorf("reported %q", text)
	}
}
