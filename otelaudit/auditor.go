// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/trace"
)

// Auditor emits audit events. Its methods are safe for concurrent use. It holds no
// resources of its own and needs no closing: shut the providers down.
type Auditor struct {
	logger      log.Logger
	tracer      trace.Tracer
	metrics     *metrics
	hasher      *hasher
	failClosed  bool
	spanEvents  bool
	claimed     bool
	filter      func(Event) bool
	classifiers []func(error) (Reason, bool)
	proxies     []netip.Prefix
	clock       func() time.Time
}

// New returns an auditor on the global OpenTelemetry providers unless opts say
// otherwise. The error lists every option that is not valid.
func New(opts ...Option) (*Auditor, error) {
	c, err := newConfig(opts)
	if err != nil {
		return nil, err
	}
	m, err := newMetrics(c.meters)
	if err != nil {
		return nil, err
	}
	return &Auditor{
		logger: c.loggers.Logger(ScopeName,
			log.WithInstrumentationVersion(Version), log.WithSchemaURL(SchemaURL)),
		tracer: c.tracers.Tracer(ScopeName,
			trace.WithInstrumentationVersion(Version), trace.WithSchemaURL(SchemaURL)),
		metrics:     m,
		hasher:      newHasher(c.pseudonymKeyID, c.pseudonymKey),
		failClosed:  c.failClosed,
		spanEvents:  c.spanEvents,
		claimed:     c.claimed,
		filter:      c.filter,
		classifiers: c.classifiers,
		proxies:     c.proxies,
		clock:       c.clock,
	}, nil
}

var defaultAuditor atomic.Pointer[Auditor]

// newDefault cannot fail: it has no options, and the API's providers take these names.
var newDefault = sync.OnceValue(func() *Auditor {
	a, err := New()
	if err != nil {
		panic(err)
	}
	return a
})

// Default returns the auditor of the package-level functions: the one that
// [SetDefault] was given, else one on the global providers.
func Default() *Auditor {
	if a := defaultAuditor.Load(); a != nil {
		return a
	}
	return newDefault()
}

// SetDefault makes a the auditor of the package-level functions. Nil restores
// the one on the global providers.
func SetDefault(a *Auditor) { defaultAuditor.Store(a) }

// Emit emits e by the default auditor. See [Auditor.Emit].
func Emit(ctx context.Context, e Event) error { return Default().Emit(ctx, e) }

// Emit emits e as a log record, mirrors it on the span of ctx, and counts it. The
// cancellation of ctx has no effect on it; a nil ctx is the background.
//
// A nil error means that the pipeline took the record. With a pipeline that
// answers (see [Receipt]) it means what that pipeline promises; with [WithFailClosed] an event
// that no processor acknowledged is an error. Errors have [ErrNotDurable] in their
// chain, or are an [*AttributeError] if the record was emitted without an
// attribute of the host. Emit does not retry and does not panic.
func (a *Auditor) Emit(ctx context.Context, e Event) error {
	return a.emit(ctx, &e, 0)
}

func (a *Auditor) emit(ctx context.Context, e *Event, elapsed time.Duration) (err error) {
	if ctx == nil {
		ctx = context.Background()
	}
	out := &emission{caller: ctx}
	defer func() {
		if recover() != nil {
			err = errPipelinePanic
			a.lost(out, e)
		}
	}()
	return a.deliver(out, e, elapsed)
}

// deliver is the one way that events take.
func (a *Auditor) deliver(out *emission, e *Event, elapsed time.Duration) error {
	if !e.Name.known() {
		return errUnknownEvent
	}
	for i, r := range e.Reasons {
		if c := r.closed(); c != r {
			e.Reasons = append([]Reason(nil), e.Reasons...)
			e.Reasons[i] = c
		}
	}
	e.resolve()
	if e.Time.IsZero() {
		e.Time = a.clock()
	}
	if e.Subject.isZero() {
		e.Subject, _ = SubjectFromContext(out.caller)
	}
	exchangeFrom(out.caller).note(e)
	if a.filter != nil && !a.filter(*e) {
		return nil
	}
	a.metrics.count(out, e, elapsed)

	r, _ := records.Get().(*record)
	defer r.release()
	problems := a.build(out.caller, e, r)
	if a.spanEvents {
		r.mirror(out.caller, e)
	}
	if !a.logger.Enabled(out, log.EnabledParameters{Severity: e.Severity(), EventName: string(e.Name)}) {
		a.lost(out, e)
		return errDisabled
	}
	a.logger.Emit(out, r.log(e))
	if err := out.receipt.err(a.failClosed); err != nil {
		a.lost(out, e)
		return err
	}
	a.metrics.emitted.Add(out, 1, a.metrics.set(series{outcome: e.Outcome}))
	return errors.Join(problems...)
}

func (a *Auditor) lost(ctx context.Context, e *Event) {
	defer func() { _ = recover() }() // the meter may be what panicked
	a.metrics.notRecorded.Add(ctx, 1, a.metrics.set(series{outcome: e.Outcome}))
}

// mustFail returns err if the host chose that an operation whose event is not
// durable fails.
func (a *Auditor) mustFail(err error) error {
	if a.failClosed && errors.Is(err, ErrNotDurable) {
		return err
	}
	return nil
}
