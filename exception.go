// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otlp

import (
	"errors"
	"fmt"
	"reflect"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
)

// appendException writes what the SDK derives from the error of rec. Attributes of the caller's own win.
func appendException(b []byte, tag byte, rec *log.Record) []byte {
	err := rec.Err()
	if err == nil {
		return b
	}
	var message, kind bool
	rec.WalkAttributes(func(kv attribute.KeyValue) bool {
		message = message || kv.Key == semconv.ExceptionMessageKey
		kind = kind || kv.Key == semconv.ExceptionTypeKey
		return true
	})
	if !message {
		if text := err.Error(); text != "" {
			kv := semconv.ExceptionMessageKey.String(text)
			b = appendKeyValue(b, tag, &kv)
		}
	}
	if !kind {
		if text := typeOf(err); text != "" {
			kv := semconv.ExceptionTypeKey.String(text)
			b = appendKeyValue(b, tag, &kv)
		}
	}
	return b
}

var wrapType = reflect.TypeOf(fmt.Errorf("%w", errors.New("")))

// typeOf names the type of err as the SDK does: its own ErrorType, or the Go type under the wrappers of fmt.
func typeOf(err error) string {
	//nolint:errorlint // The type of err itself is asked for.
	if named, ok := err.(interface{ ErrorType() string }); ok {
		if name := named.ErrorType(); name != "" {
			return name
		}
	}
	for reflect.TypeOf(err) == wrapType {
		inner := errors.Unwrap(err)
		if inner == nil {
			break
		}
		err = inner
	}
	t := reflect.TypeOf(err)
	if t.PkgPath() != "" && t.Name() != "" {
		return t.PkgPath() + "." + t.Name()
	}
	return t.String()
}
