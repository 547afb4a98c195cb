// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otlp

import (
	"math"
	"reflect"
	"slices"

	"go.opentelemetry.io/otel/attribute"
)

// tree is an attribute.Value taken apart. Its accessors copy lists and bytes; reading its fields does not, and is safe:
// a layout that is not the known one is read by the accessors.
type tree struct {
	kind   attribute.Type
	number uint64        // the bits of a bool, an int64 or a float64
	text   string        // a string or bytes
	list   reflect.Value // an array or slice of what kind says
}

// layoutKnown tells whether the fields of attribute.Value are what peek takes them for.
var layoutKnown = probe()

// probe reads one value of each kind both ways.
func probe() bool {
	t := reflect.TypeFor[attribute.Value]()
	kinds := []reflect.Kind{reflect.Int, reflect.Uint64, reflect.String, reflect.Interface}
	if t.NumField() != len(kinds) {
		return false
	}
	for i, kind := range kinds {
		if t.Field(i).Type.Kind() != kind {
			return false
		}
	}
	for _, v := range []attribute.Value{
		{}, attribute.BoolValue(true), attribute.Int64Value(-2), attribute.Float64Value(0.5), attribute.StringValue("s"),
		attribute.ByteSliceValue([]byte("b")), attribute.BoolSliceValue([]bool{true, false}),
		attribute.Int64SliceValue([]int64{-1, 2, 3, 4}), attribute.Float64SliceValue([]float64{0.5}),
		attribute.StringSliceValue([]string{"a", "b"}), attribute.SliceValue(attribute.Int64Value(1), attribute.StringValue("x")),
		attribute.MapValue(attribute.String("k", "v")),
	} {
		p, c := peek(reflect.ValueOf(&v).Elem()), copied(v)
		if p.kind != c.kind || p.number != c.number || p.text != c.text || p.list.IsValid() != c.list.IsValid() {
			return false
		}
		if c.list.IsValid() && !sameList(p.list, c.list) {
			return false
		}
	}
	return true
}

func sameList(a, b reflect.Value) bool {
	if !slices.Contains([]reflect.Kind{reflect.Array, reflect.Slice}, a.Kind()) || a.Type().Elem() != b.Type().Elem() || a.Len() != b.Len() {
		return false
	}
	for i := range a.Len() {
		if !a.Index(i).Equal(b.Index(i)) {
			return false
		}
	}
	return true
}

// peek reads v, an attribute.Value, in place.
func peek(v reflect.Value) tree {
	return tree{
		kind:   attribute.Type(v.Field(0).Int()),
		number: v.Field(1).Uint(),
		text:   v.Field(2).String(),
		list:   v.Field(3).Elem(),
	}
}

// copied reads v by its accessors.
func copied(v attribute.Value) tree {
	t := tree{kind: v.Type()}
	switch t.kind {
	case attribute.BOOL:
		if v.AsBool() {
			t.number = 1
		}
	case attribute.INT64:
		t.number = uint64(v.AsInt64())
	case attribute.FLOAT64:
		t.number = math.Float64bits(v.AsFloat64())
	case attribute.STRING:
		t.text = v.AsString()
	case attribute.BYTESLICE:
		t.text = string(v.AsByteSlice())
	case attribute.BOOLSLICE:
		t.list = reflect.ValueOf(v.AsBoolSlice())
	case attribute.INT64SLICE:
		t.list = reflect.ValueOf(v.AsInt64Slice())
	case attribute.FLOAT64SLICE:
		t.list = reflect.ValueOf(v.AsFloat64Slice())
	case attribute.STRINGSLICE:
		t.list = reflect.ValueOf(v.AsStringSlice())
	case attribute.SLICE:
		t.list = reflect.ValueOf(v.AsSlice())
	case attribute.MAP:
		t.list = reflect.ValueOf(v.AsMap())
	}
	return t
}

// element reads v, a reflected attribute.Value out of a list.
func element(v reflect.Value) tree {
	if layoutKnown {
		return peek(v)
	}
	return copied(v.Interface().(attribute.Value))
}
