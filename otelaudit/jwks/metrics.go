// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package jwks

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/otelaudit/go/otelaudit"
)

// The metrics of this package. otelaudit/registry declares each.
const (
	metricFetch = "otelaudit.jwks.fetch.duration"
	metricKeys  = "otelaudit.jwks.keys"
	metricAge   = "otelaudit.jwks.age"
)

type metrics struct {
	fetch        metric.Float64Histogram
	registration metric.Registration
}

func newMetrics(p metric.MeterProvider, sources []*source) (*metrics, error) {
	m := p.Meter(otelaudit.ScopeName,
		metric.WithInstrumentationVersion(otelaudit.Version), metric.WithSchemaURL(otelaudit.SchemaURL))
	fetch, err := m.Float64Histogram(metricFetch, metric.WithUnit("s"),
		metric.WithDescription("Duration of fetching a key set."),
		metric.WithExplicitBucketBoundaries(.005, .01, .025, .05, .075, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10))
	errs := []error{err}
	keys, err := m.Int64ObservableGauge(metricKeys, metric.WithUnit("{key}"),
		metric.WithDescription("Keys in the key set."))
	errs = append(errs, err)
	age, err := m.Float64ObservableGauge(metricAge, metric.WithUnit("s"),
		metric.WithDescription("Time since the key set was last fetched with success."))
	errs = append(errs, err)
	registration, err := m.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		for host, st := range statesOf(sources) {
			server := metric.WithAttributes(semconv.ServerAddress(host))
			o.ObserveInt64(keys, int64(st.keys), server)
			if !st.fetched.IsZero() {
				o.ObserveFloat64(age, time.Since(st.fetched).Seconds(), server)
			}
		}
		return nil
	}, keys, age)
	if err := errors.Join(append(errs, err)...); err != nil {
		return nil, fmt.Errorf("jwks: cannot make the metrics: %w", err)
	}
	return &metrics{fetch: fetch, registration: registration}, nil
}

// hostState is that of all sources with one host, since the host is the only attribute:
// the sum of their keys, and the oldest of their fetches.
type hostState struct {
	keys    int
	fetched time.Time
}

func statesOf(sources []*source) map[string]hostState {
	out := make(map[string]hostState, len(sources))
	for _, s := range sources {
		keys, fetched := s.state()
		st, seen := out[s.host]
		st.keys += keys
		if !seen || fetched.Before(st.fetched) {
			st.fetched = fetched
		}
		out[s.host] = st
	}
	return out
}

// fetched records one fetch.
func (m *metrics) fetched(ctx context.Context, host string, elapsed time.Duration, failed bool) {
	if failed {
		m.fetch.Record(ctx, elapsed.Seconds(), metric.WithAttributes(
			semconv.ServerAddress(host), semconv.ErrorTypeKey.String(string(otelaudit.ReasonJWKSUnavailable))))
		return
	}
	m.fetch.Record(ctx, elapsed.Seconds(), metric.WithAttributes(semconv.ServerAddress(host)))
}

// unregister ends the observation of the sources.
func (m *metrics) unregister() { _ = m.registration.Unregister() }
