// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otlp

import (
	"encoding/binary"
	"math"
	"time"

	"go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/trace"
)

// The fields of LogRecord. Nothing is dropped, so dropped_attributes_count (7) is not sent.
const (
	tagTime         = 1<<3 | fixed64Type
	tagSeverity     = 2<<3 | varintType
	tagSeverityText = 3<<3 | lengthed
	tagBody         = 5<<3 | lengthed
	tagAttributes   = 6<<3 | lengthed
	tagFlags        = 8<<3 | fixed32Type
	tagTraceID      = 9<<3 | lengthed
	tagSpanID       = 10<<3 | lengthed
	tagObserved     = 11<<3 | fixed64Type
	tagEventName    = 12<<3 | lengthed
)

// AppendRecord appends rec, emitted in the span sc, as a LogRecord. A record that was not told when it was
// observed was at observed.
func AppendRecord(dst []byte, rec *log.Record, sc trace.SpanContext, observed time.Time) []byte {
	b := dst
	if t := unixNano(rec.Timestamp()); t != 0 {
		b = appendFixed64(b, tagTime, t)
	}
	if s := rec.Severity(); s >= log.SeverityTrace1 && s <= log.SeverityFatal4 {
		b = append(b, tagSeverity, byte(s)) // 1 to 24 in the API and in SeverityNumber
	}
	b = appendOptional(b, tagSeverityText, rec.SeverityText())
	body := rec.Body()
	b = appendValue(b, tagBody, &body)
	b = appendAttributes(b, tagAttributes, rec)
	b = appendException(b, tagAttributes, rec)
	if flags := sc.TraceFlags(); flags != 0 {
		b = binary.LittleEndian.AppendUint32(append(b, tagFlags), uint32(flags))
	}
	if id := sc.TraceID(); id.IsValid() {
		b = append(append(b, tagTraceID, byte(len(id))), id[:]...)
	}
	if id := sc.SpanID(); id.IsValid() {
		b = append(append(b, tagSpanID, byte(len(id))), id[:]...)
	}
	if t := rec.ObservedTimestamp(); !t.IsZero() {
		observed = t
	}
	if t := unixNano(observed); t != 0 {
		b = appendFixed64(b, tagObserved, t)
	}
	return appendOptional(b, tagEventName, rec.EventName())
}

// unixNano is 0, unknown, for times before 1970 and after 2262.
func unixNano(t time.Time) uint64 {
	if s := t.Unix(); s < 0 || s >= math.MaxInt64/int64(time.Second) {
		return 0
	}
	return uint64(t.UnixNano())
}
