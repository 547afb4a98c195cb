// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package auditsdk

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/metric"

	"github.com/otelaudit/go/otelaudit"
)

// The metrics of the pipeline. The registry of otelaudit declares each.
const (
	metricEmitted      = "otelaudit.pipeline.emitted"
	metricAcknowledged = "otelaudit.pipeline.acknowledged"
	metricDeadLettered = "otelaudit.pipeline.dead_lettered"
	metricRejected     = "otelaudit.pipeline.rejected"
	metricLost         = "otelaudit.pipeline.lost"
	metricQueued       = "otelaudit.pipeline.queued"
	metricQueuedBytes  = "otelaudit.pipeline.queued.size"
	metricOldest       = "otelaudit.pipeline.queued.age"
)

// meters observe the books when they are collected.
type meters struct{ registration metric.Registration }

func newMeters(provider metric.MeterProvider, stats func() Stats) (*meters, error) {
	m := provider.Meter(ScopeName, metric.WithInstrumentationVersion(otelaudit.Version), metric.WithSchemaURL(otelaudit.SchemaURL))
	var errs []error
	var all []metric.Observable
	counter := func(name, brief string) metric.Int64ObservableCounter {
		c, err := m.Int64ObservableCounter(name, metric.WithUnit("{event}"), metric.WithDescription(brief))
		errs = append(errs, err)
		all = append(all, c)
		return c
	}
	emitted := counter(metricEmitted, "Events offered to the pipeline.")
	acknowledged := counter(metricAcknowledged, "Events that the receiver took.")
	dead := counter(metricDeadLettered, "Events that the receiver will never take and that were put aside.")
	rejected := counter(metricRejected, "Events that the receiver will never take and that are gone.")
	lost := counter(metricLost, "Events that were not queued, or not delivered before the end.")
	queued, err := m.Int64ObservableGauge(metricQueued, metric.WithUnit("{event}"), metric.WithDescription("Events that wait for delivery."))
	errs = append(errs, err)
	size, err := m.Int64ObservableGauge(metricQueuedBytes, metric.WithUnit("By"), metric.WithDescription("Size of the events that wait."))
	errs = append(errs, err)
	age, err := m.Float64ObservableGauge(metricOldest, metric.WithUnit("s"), metric.WithDescription("How long the oldest event has waited."))
	errs = append(errs, err)
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	r, err := m.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		s := stats()
		o.ObserveInt64(emitted, int64(s.Emitted))
		o.ObserveInt64(acknowledged, int64(s.Acknowledged))
		o.ObserveInt64(dead, int64(s.DeadLettered))
		o.ObserveInt64(rejected, int64(s.Rejected))
		o.ObserveInt64(lost, int64(s.Lost))
		o.ObserveInt64(queued, int64(s.Queued))
		o.ObserveInt64(size, s.QueuedBytes)
		o.ObserveFloat64(age, s.OldestAge.Seconds())
		return nil
	}, append(all, queued, size, age)...)
	return &meters{r}, err
}

func (m *meters) close() { _ = m.registration.Unregister() }
