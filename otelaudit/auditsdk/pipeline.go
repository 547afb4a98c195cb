// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package auditsdk

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/log"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/otelaudit/go/otelaudit"
)

// Pipeline delivers log records to an OTLP/HTTP receiver. Its methods are safe for concurrent use.
type Pipeline struct {
	provider *sdklog.LoggerProvider
	memory   *memory
	books    *ledger
	audit    *otelaudit.Auditor
	meters   *meters
	closing  time.Duration
	stop     context.CancelFunc
	beats    sync.WaitGroup

	once     sync.Once
	closeErr error
}

// Start builds the pipeline from the OTEL_* and OTELAUDIT_* variables (see env.go) and opts, makes its
// provider the global LoggerProvider, and emits that it started. The error lists all that is wrong with the
// configuration; a receiver that is down is no error. The values of ctx are used, its cancellation is
// not: the pipeline works until [Pipeline.Close].
func Start(ctx context.Context, opts ...Option) (*Pipeline, error) {
	ctx = context.WithoutCancel(ctx)
	c, err := newConfig(ctx, opts)
	if err != nil {
		return nil, err
	}
	exporter, err := newExporter(ctx, c)
	if err != nil {
		return nil, err
	}
	books := new(ledger)
	m := &memory{
		queue: newQueue[sdklog.Record](c.maxRecords, c.maxBytes, c.block), books: books, exporter: exporter,
		batch: c.batch, delay: c.delay, timeout: c.timeout, once: &reporter{handle: c.onError},
		wake: make(chan struct{}, 1), rush: make(chan struct{}), done: make(chan struct{}),
	}
	p := &Pipeline{memory: m, books: books, closing: c.closing}
	m.afterwards = p.tellGap
	// Events of otelaudit have no key twice, and looking for one costs most of an emit.
	p.provider = sdklog.NewLoggerProvider(sdklog.WithProcessor(m), sdklog.WithResource(c.resource), sdklog.WithAllowKeyDuplication())
	p.audit, err = otelaudit.New(otelaudit.WithLoggerProvider(p.provider), otelaudit.WithMeterProvider(c.meters),
		otelaudit.WithTracerProvider(tracenoop.NewTracerProvider()), otelaudit.WithSpanEvents(false))
	if err != nil {
		return nil, err
	}
	if p.meters, err = newMeters(c.meters, p.Stats); err != nil {
		return nil, err
	}
	ctx, p.stop = context.WithCancel(ctx)
	go m.run(ctx)
	p.tell(otelaudit.PipelineState{State: "start"})
	if c.heartbeat > 0 {
		p.beats.Go(func() { p.beat(ctx, c.heartbeat) })
	}
	if !c.local {
		otel.SetLoggerProvider(p.provider)
	}
	return p, nil
}

// newExporter is otlploghttp with one attempt for each Export: the courier decides on the next.
func newExporter(ctx context.Context, c *config) (sdklog.Exporter, error) {
	compression := otlploghttp.NoCompression
	if c.gzip {
		compression = otlploghttp.GzipCompression
	}
	return otlploghttp.New(ctx,
		otlploghttp.WithEndpointURL(c.endpoint.String()),
		otlploghttp.WithHeaders(c.headers),
		otlploghttp.WithCompression(compression),
		otlploghttp.WithTimeout(c.timeout),
		otlploghttp.WithRetry(otlploghttp.RetryConfig{Enabled: false}),
		otlploghttp.WithHTTPClient(newClient(c)))
}

// newClient follows no redirect: it would send the headers, with their passwords, elsewhere.
func newClient(c *config) *http.Client {
	return &http.Client{
		Transport:     transport{c.transport},
		Timeout:       c.timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// LoggerProvider is where records go in.
func (p *Pipeline) LoggerProvider() log.LoggerProvider { return p.provider }

// Stats returns the books as they stand.
func (p *Pipeline) Stats() Stats {
	s := p.books.snapshot()
	_, bytes, oldest := p.memory.queue.state()
	s.QueuedBytes = int64(bytes)
	if !oldest.IsZero() {
		s.OldestAge = time.Since(oldest)
	}
	return s
}

// ForceFlush waits until all that was emitted before is acknowledged or rejected, or ctx is done.
func (p *Pipeline) ForceFlush(ctx context.Context) error { return p.memory.ForceFlush(ctx) }

// UndeliveredError says that a pipeline was closed with records that it could not deliver.
type UndeliveredError struct {
	// Records is how many are lost.
	Records uint64
}

// Error implements error.
func (e *UndeliveredError) Error() string {
	return fmt.Sprintf("auditsdk: %d records could not be delivered", e.Records)
}

// Close emits that the pipeline stops, tries to deliver what is left for as long as [WithCloseTimeout] allows, and
// releases all it holds. An [*UndeliveredError] tells what was left. Later calls return the same. Emits
// after Close are refused and counted as lost.
func (p *Pipeline) Close() error {
	p.once.Do(func() { p.closeErr = p.close() })
	return p.closeErr
}

func (p *Pipeline) close() error {
	p.tellGap()
	p.tell(otelaudit.PipelineState{State: "stop"})
	p.memory.queue.close()
	close(p.memory.rush)
	ctx, cancel := context.WithTimeout(context.Background(), p.closing)
	defer cancel()
	_ = p.memory.ForceFlush(ctx)
	p.stop()
	<-p.memory.done
	p.beats.Wait()
	left, _, _ := p.memory.queue.state()
	p.memory.queue.drop(left)
	p.books.lose(left, time.Now())
	p.meters.close()
	if left > 0 {
		return &UndeliveredError{Records: uint64(left)}
	}
	return nil
}

type ownKey struct{}

// isOwn tells the pipeline's own events: they never wait for room.
func isOwn(ctx context.Context) bool { return ctx.Value(ownKey{}) != nil }

func (p *Pipeline) tell(s otelaudit.PipelineState) bool {
	e := otelaudit.Event{Name: otelaudit.EventPipeline, Pipeline: &s}
	if s.State == "gap" {
		e.Outcome = otelaudit.OutcomeError
	}
	return p.audit.Emit(context.WithValue(context.Background(), ownKey{}, true), e) == nil
}

// tellGap emits what was lost since it was last told. If there is no room for that either, it is tried again.
func (p *Pipeline) tellGap() {
	g := p.books.pendingGap()
	if g.lost > 0 && p.tell(otelaudit.PipelineState{State: "gap", Lost: g.lost, LostFrom: g.from, LostTo: g.to}) {
		p.books.told(g)
	}
}

func (p *Pipeline) beat(ctx context.Context, every time.Duration) {
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			p.tellGap()
			p.tell(otelaudit.PipelineState{State: "heartbeat"})
		}
	}
}
