// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

// Package audittest helps to test code that is instrumented with otelaudit: an
// in-memory recorder on the real OpenTelemetry SDK, a search for leaked secrets, and a
// conformance kit for integrations.
package audittest

import (
	"context"
	"sync"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/otelaudit/go/otelaudit"
)

// Recorder keeps what is emitted. It is safe for concurrent use.
type Recorder struct {
	t testing.TB
	// Loggers, Tracers and Meters are the SDK's providers.
	Loggers *sdklog.LoggerProvider
	Tracers *sdktrace.TracerProvider
	Meters  *metric.MeterProvider

	spans  *tracetest.SpanRecorder
	reader *metric.ManualReader

	mu      sync.Mutex
	records []sdklog.Record
	refusal error
}

// NewRecorder returns an empty recorder whose providers are shut down with t.
func NewRecorder(t testing.TB) *Recorder {
	t.Helper()
	r := &Recorder{t: t, spans: tracetest.NewSpanRecorder(), reader: metric.NewManualReader()}
	r.Loggers = sdklog.NewLoggerProvider(sdklog.WithProcessor(processor{r}))
	r.Tracers = sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(r.spans))
	r.Meters = metric.NewMeterProvider(metric.WithReader(r.reader))
	t.Cleanup(func() {
		ctx := context.Background()
		_ = r.Loggers.Shutdown(ctx)
		_ = r.Tracers.Shutdown(ctx)
		_ = r.Meters.Shutdown(ctx)
	})
	return r
}

// Auditor returns an auditor on the recorder's providers, with opts after them.
func (r *Recorder) Auditor(opts ...otelaudit.Option) *otelaudit.Auditor {
	r.t.Helper()
	a, err := otelaudit.New(append([]otelaudit.Option{
		otelaudit.WithLoggerProvider(r.Loggers),
		otelaudit.WithTracerProvider(r.Tracers),
		otelaudit.WithMeterProvider(r.Meters),
	}, opts...)...)
	if err != nil {
		r.t.Fatal(err)
	}
	return a
}

// RefuseWith makes the recorder refuse records as not durable; nil accepts again.
func (r *Recorder) RefuseWith(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refusal = err
}

// Records returns the records so far, of one event or, with "", of all. The caller owns the slice.
func (r *Recorder) Records(name otelaudit.EventName) []sdklog.Record {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []sdklog.Record
	for _, rec := range r.records {
		if name == "" || rec.EventName() == string(name) {
			out = append(out, rec)
		}
	}
	return out
}

// Spans returns the spans that ended.
func (r *Recorder) Spans() []sdktrace.ReadOnlySpan { return r.spans.Ended() }

// Metrics collects the metrics.
func (r *Recorder) Metrics() metricdata.ResourceMetrics {
	r.t.Helper()
	var out metricdata.ResourceMetrics
	if err := r.reader.Collect(context.Background(), &out); err != nil {
		r.t.Errorf("Collect() = %v, want nil", err)
	}
	return out
}

// Attrs returns the attributes of rec.
func Attrs(rec sdklog.Record) map[attribute.Key]attribute.Value {
	out := make(map[attribute.Key]attribute.Value)
	rec.WalkAttributes(func(kv attribute.KeyValue) bool {
		out[kv.Key] = kv.Value
		return true
	})
	return out
}

// processor is a log processor that answers at once.
type processor struct{ r *Recorder }

func (processor) Enabled(context.Context, sdklog.EnabledParameters) bool { return true }
func (processor) Shutdown(context.Context) error                         { return nil }
func (processor) ForceFlush(context.Context) error                       { return nil }

func (p processor) OnEmit(ctx context.Context, rec *sdklog.Record) error {
	p.r.mu.Lock()
	defer p.r.mu.Unlock()
	if p.r.refusal != nil {
		otelaudit.ReceiptFromContext(ctx).Refuse(p.r.refusal)
		return nil
	}
	p.r.records = append(p.r.records, rec.Clone())
	otelaudit.ReceiptFromContext(ctx).Acknowledge()
	return nil
}
