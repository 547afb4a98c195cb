// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
)

// The metrics of this package. registry/ declares each.
const (
	metricValidation    = "otelaudit.token.validation.duration"
	metricIssuance      = "otelaudit.token.issuances"
	metricLogin         = "otelaudit.logins"
	metricAuthorization = "otelaudit.authorizations"
	metricAccess        = "otelaudit.accesses"
	metricEmitted       = "otelaudit.events.emitted"
	metricNotRecorded   = "otelaudit.events.not_recorded"
)

// maxSeries bounds the cache of attribute sets; beyond it sets are built each time.
const maxSeries = 2000

type metrics struct {
	validation                     metric.Float64Histogram
	issuance, login, authorization metric.Int64Counter
	access, emitted, notRecorded   metric.Int64Counter

	mu   sync.RWMutex
	sets map[series]metric.MeasurementOption
}

// series are the dimensions of every metric: few, and none of a person's.
type series struct {
	outcome   Outcome
	reason    Reason
	algorithm string
	route     string
}

func newMetrics(p metric.MeterProvider) (*metrics, error) {
	m := p.Meter(ScopeName, metric.WithInstrumentationVersion(Version), metric.WithSchemaURL(SchemaURL))
	out := &metrics{sets: make(map[series]metric.MeasurementOption)}
	var errs []error
	counter := func(name, unit, brief string) metric.Int64Counter {
		c, err := m.Int64Counter(name, metric.WithUnit(unit), metric.WithDescription(brief))
		errs = append(errs, err)
		return c
	}
	var err error
	out.validation, err = m.Float64Histogram(metricValidation, metric.WithUnit("s"),
		metric.WithDescription("Duration of validating a token."),
		metric.WithExplicitBucketBoundaries(.00001, .000025, .00005, .0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10))
	errs = append(errs, err)
	out.issuance = counter(metricIssuance, "{token}", "Tokens signed, and attempts to.")
	out.login = counter(metricLogin, "{attempt}", "Attempts to log in.")
	out.authorization = counter(metricAuthorization, "{decision}", "Authorization decisions.")
	out.access = counter(metricAccess, "{request}", "API calls that ended.")
	out.emitted = counter(metricEmitted, "{event}", "Events handed to the log pipeline.")
	out.notRecorded = counter(metricNotRecorded, "{event}", "Events that the log pipeline did not take.")
	return out, errors.Join(errs...)
}

func (m *metrics) set(s series) metric.MeasurementOption {
	m.mu.RLock()
	o, ok := m.sets[s]
	m.mu.RUnlock()
	if ok {
		return o
	}
	kvs := make([]attribute.KeyValue, 0, 4)
	kvs = append(kvs, keyOutcome.String(string(s.outcome)))
	if s.reason != "" {
		kvs = append(kvs, semconv.ErrorTypeKey.String(string(s.reason)))
	}
	if s.algorithm != "" {
		kvs = append(kvs, keyAlgorithm.String(s.algorithm))
	}
	if s.route != "" {
		kvs = append(kvs, semconv.HTTPRoute(s.route))
	}
	o = metric.WithAttributeSet(attribute.NewSet(kvs...))
	m.mu.Lock()
	if len(m.sets) < maxSeries {
		m.sets[s] = o
	}
	m.mu.Unlock()
	return o
}

// count adds e to the metric of its kind. elapsed is how long a validation took.
func (m *metrics) count(ctx context.Context, e *Event, elapsed time.Duration) {
	s := series{outcome: e.Outcome, reason: e.reason()}
	switch e.Name {
	case EventTokenValidation, EventTokenIssuance:
		if e.Token != nil {
			s.algorithm = knownAlgorithm(e.Token.Algorithm)
		}
		if e.Name == EventTokenIssuance {
			m.issuance.Add(ctx, 1, m.set(s))
		} else {
			m.validation.Record(ctx, elapsed.Seconds(), m.set(s))
		}
	case EventLogin:
		m.login.Add(ctx, 1, m.set(s))
	case EventAuthorization:
		m.authorization.Add(ctx, 1, m.set(s))
	case EventAccess:
		if e.Request != nil {
			s.route, _ = clean(e.Request.Route, maxText)
		}
		m.access.Add(ctx, 1, m.set(s))
	}
}
