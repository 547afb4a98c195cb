// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otlp

import (
	"math"
	"reflect"

	"go.opentelemetry.io/otel/attribute"
)

// The fields of AnyValue, of the lists in it, and of KeyValue.
const (
	tagString = 1<<3 | lengthed
	tagBool   = 2<<3 | varintType
	tagInt    = 3<<3 | varintType
	tagDouble = 4<<3 | fixed64Type
	tagArray  = 5<<3 | lengthed
	tagMap    = 6<<3 | lengthed
	tagBytes  = 7<<3 | lengthed

	tagElement = 1<<3 | lengthed // ArrayValue.values, KeyValueList.values

	tagKey   = 1<<3 | lengthed
	tagValue = 2<<3 | lengthed
)

// maxDepth is how deep values nest, the default of the SDK. What lies deeper is sent as empty.
const maxDepth = 64

// appendKeyValue writes a KeyValue. A value without type is there, and empty.
func appendKeyValue(b []byte, tag byte, kv *attribute.KeyValue) []byte {
	b = open(b, tag)
	start := len(b)
	b = appendOptional(b, tagKey, string(kv.Key))
	b = appendValue(b, tagValue, &kv.Value)
	return seal(b, start)
}

// appendValue writes an AnyValue.
func appendValue(b []byte, tag byte, v *attribute.Value) []byte {
	b = open(b, tag)
	start := len(b)
	switch v.Type() {
	case attribute.EMPTY:
	case attribute.BOOL:
		b = appendBool(b, v.AsBool())
	case attribute.INT64:
		b = appendVarint(append(b, tagInt), uint64(v.AsInt64()))
	case attribute.FLOAT64:
		b = appendFixed64(b, tagDouble, math.Float64bits(v.AsFloat64()))
	case attribute.STRING:
		b = appendText(b, tagString, v.AsString())
	default:
		b = appendDeep(b, v)
	}
	return seal(b, start)
}

func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, tagBool, 1)
	}
	return append(b, tagBool, 0)
}

func appendDeep(b []byte, v *attribute.Value) []byte {
	if !layoutKnown {
		return appendTree(b, copied(*v), maxDepth)
	}
	return appendTree(b, peek(reflect.ValueOf(v).Elem()), maxDepth)
}

// appendTree writes the contents of an AnyValue. left is how many levels of lists it may have.
func appendTree(b []byte, t tree, left int) []byte {
	switch t.kind {
	case attribute.EMPTY:
		return b
	case attribute.BOOL:
		return appendBool(b, t.number != 0)
	case attribute.INT64:
		return appendVarint(append(b, tagInt), t.number)
	case attribute.FLOAT64:
		return appendFixed64(b, tagDouble, t.number)
	case attribute.STRING:
		return appendText(b, tagString, t.text)
	}
	if left == 0 {
		return b
	}
	switch t.kind {
	case attribute.BYTESLICE:
		return append(appendVarint(append(b, tagBytes), uint64(len(t.text))), t.text...)
	case attribute.MAP:
		b = open(b, tagMap)
		start := len(b)
		return seal(appendEntries(b, t.list, left-1), start)
	case attribute.BOOLSLICE, attribute.INT64SLICE, attribute.FLOAT64SLICE, attribute.STRINGSLICE, attribute.SLICE:
		b = open(b, tagArray)
		start := len(b)
		return seal(appendElements(b, t.kind, t.list, left-1), start)
	}
	return appendText(b, tagString, "INVALID") // as the stock exporter
}

func appendElements(b []byte, kind attribute.Type, list reflect.Value, left int) []byte {
	for i := range list.Len() {
		b = open(b, tagElement)
		start, v := len(b), list.Index(i)
		switch kind {
		case attribute.BOOLSLICE:
			b = appendBool(b, v.Bool())
		case attribute.INT64SLICE:
			b = appendVarint(append(b, tagInt), uint64(v.Int()))
		case attribute.FLOAT64SLICE:
			b = appendFixed64(b, tagDouble, math.Float64bits(v.Float()))
		case attribute.STRINGSLICE:
			b = appendText(b, tagString, v.String())
		default:
			b = appendTree(b, element(v), left)
		}
		b = seal(b, start)
	}
	return b
}

// appendEntries writes the entries of a map. They are sorted by key in the order they were given, so of equal keys
// the last is the one that the SDK keeps.
func appendEntries(b []byte, list reflect.Value, left int) []byte {
	n := list.Len()
	for i := range n {
		v := list.Index(i)
		key := v.Field(0).String()
		if i+1 < n && list.Index(i+1).Field(0).String() == key {
			continue
		}
		b = open(b, tagElement)
		start := len(b)
		b = appendOptional(b, tagKey, key)
		b = open(b, tagValue)
		inner := len(b)
		b = seal(appendTree(b, element(v.Field(1)), left), inner)
		b = seal(b, start)
	}
	return b
}
