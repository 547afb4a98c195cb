// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
)

// mirror adds e to the recording span of ctx, with the attributes that identify
// no person. The log record stays the source of truth (OTEP 4430).
func (r *record) mirror(ctx context.Context, e *Event) {
	span := trace.SpanFromContext(ctx)
	if !span.IsRecording() || !span.SpanContext().IsValid() {
		return
	}
	attrs := make([]attribute.KeyValue, 0, len(r.public))
	for _, i := range r.public {
		attrs = append(attrs, r.attrs[i])
	}
	span.AddEvent(string(e.Name), trace.WithTimestamp(e.Time), trace.WithAttributes(attrs...))
}
