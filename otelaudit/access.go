// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit

import (
	"context"
	"net/http"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// Middleware emits one otelaudit.access event when a request ends, also one that
// was answered 404, 405 or 400, or that panicked. It carries the subject that
// inner code validated in the request's context, by a [Parser] or [ContextWithSubject]. Put it outside of the
// router; with otelhttp, put it inside of otelhttp's handler.
//
// A request without a span gets a server span, so that its events share a trace.
// Streaming, Flush and Hijack work as before. A panic is recorded and goes on.
func (a *Auditor) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := &exchange{request: a.NewRequestInfo(r)}
		ctx := r.Context()
		var span trace.Span
		if !trace.SpanContextFromContext(ctx).IsValid() {
			ctx = otel.GetTextMapPropagator().Extract(ctx, propagation.HeaderCarrier(r.Header))
			ctx, span = a.tracer.Start(ctx, knownMethod(r.Method), trace.WithSpanKind(trace.SpanKindServer),
				trace.WithAttributes(semconv.HTTPRequestMethodKey.String(knownMethod(r.Method))))
		}
		ctx = context.WithValue(ctx, exchangeKey{}, x)
		inner := r.WithContext(ctx)
		rw := &responseWriter{ResponseWriter: w}
		returned := false
		defer func() {
			r.Pattern = inner.Pattern
			e := a.accessEvent(x, rw, inner, !returned)
			if s := x.subject.Load(); s != nil {
				e.Subject = *s
			}
			_ = a.emit(ctx, &e, 0)
			if span != nil {
				endSpan(span, &e)
			}
		}()
		next.ServeHTTP(rw.wrap(), inner)
		returned = true
	})
}

// Middleware is [Auditor.Middleware] of the default auditor.
func Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		Default().Middleware(next).ServeHTTP(w, r)
	})
}

func (a *Auditor) accessEvent(x *exchange, rw *responseWriter, r *http.Request, panicked bool) Event {
	info := x.request
	info.StatusCode = rw.statusCode(panicked)
	info.Route = route(r)
	x.mu.Lock()
	if x.route != "" {
		info.Route = x.route
	}
	refusal, token := x.refusal, x.token
	x.mu.Unlock()
	e := Event{Name: EventAccess, Request: &info, Subject: Subject{Type: ActorAnonymous}}
	if reason := accessReason(info.StatusCode, info.Route, refusal); reason != "" {
		e.Reasons = []Reason{reason}
		e.Subject.TokenFingerprint = token
	}
	if panicked {
		e.Reasons = []Reason{ReasonPanic}
	}
	return e
}

// accessReason is why status refuses. What inner code was refused for is told
// only if the status says the same.
func accessReason(status int, route string, inner Reason) Reason {
	authentic := inner != "" && (status == http.StatusUnauthorized || status == http.StatusForbidden ||
		status == http.StatusBadRequest && inner.Info().RFC6750 == invalidRequest)
	switch {
	case status < 400:
		return ""
	case authentic && inner.Outcome() == OutcomeFailure:
		return inner
	case status == http.StatusUnauthorized:
		return ReasonUnauthorized
	case status == http.StatusForbidden:
		return ReasonForbidden
	case status == http.StatusNotFound && route == "":
		return ReasonRouteUnknown
	case status == http.StatusNotFound:
		return ReasonNotFound
	case status == http.StatusMethodNotAllowed:
		return ReasonMethodNotAllowed
	case status == http.StatusTooManyRequests:
		return ReasonRateLimited
	case status < 500:
		return ReasonRequestInvalid
	case inner.Class() == ClassFault && inner != "":
		return inner
	default:
		return ReasonServerError
	}
}

// endSpan completes the server span by the HTTP conventions.
func endSpan(span trace.Span, e *Event) {
	method := knownMethod(e.Request.Method)
	if route, _ := clean(e.Request.Route, maxText); route != "" {
		span.SetName(method + " " + route)
		span.SetAttributes(semconv.HTTPRoute(route))
	}
	span.SetAttributes(semconv.HTTPResponseStatusCode(e.Request.StatusCode))
	if e.Outcome == OutcomeError {
		span.SetAttributes(semconv.ErrorTypeKey.String(string(e.reason())))
	}
	span.End()
}

func knownMethod(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
		http.MethodDelete, http.MethodConnect, http.MethodOptions, http.MethodTrace:
		return m
	default:
		return string(ReasonOther)
	}
}
