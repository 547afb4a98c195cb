// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otlp

import (
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log"
)

// maxQuick is how many attributes a record may have to be encoded in one pass.
const maxQuick = 32

// keys finds a key that comes twice. Twice as many slots as keys keep the chains short.
type keys struct {
	slots [2 * maxQuick]uint8 // index+1 into seen
	seen  [maxQuick]string
	n     int
}

// add returns false if key was added before.
func (k *keys) add(key string) bool {
	slot := slotOf(key)
	for k.slots[slot] != 0 {
		if k.seen[k.slots[slot]-1] == key {
			return false
		}
		slot = (slot + 1) % len(k.slots)
	}
	k.seen[k.n] = key
	k.n++
	k.slots[slot] = uint8(k.n)
	return true
}

// slotOf looks at the length and the last eight bytes: keys differ at the end.
func slotOf(key string) int {
	h := uint64(len(key))
	if n := len(key); n >= 8 {
		s := key[n-8:]
		h = h<<56 ^ (uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
			uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56)
	} else {
		for i := range n {
			h = h<<8 | uint64(key[i])
		}
	}
	const golden = 0x9e3779b97f4a7c15
	return int(h * golden >> 58 % (2 * maxQuick))
}

// appendAttributes writes the attributes of rec as the SDK would keep them: none without a key, and of those with
// the same key the last, in the place of the first.
func appendAttributes(b []byte, tag byte, rec *log.Record) []byte {
	if rec.AttributesLen() > maxQuick {
		return appendUnique(b, tag, rec)
	}
	var k keys
	start, unique := len(b), true
	rec.WalkAttributes(func(kv attribute.KeyValue) bool {
		if kv.Key == "" {
			return true
		}
		if unique = k.add(string(kv.Key)); unique {
			b = appendKeyValue(b, tag, &kv)
		}
		return unique
	})
	if unique {
		return b
	}
	return appendUnique(b[:start], tag, rec)
}

// table collects attributes that may have the same key.
type table struct {
	attrs []attribute.KeyValue
	index map[attribute.Key]int
}

var tables = sync.Pool{New: func() any { return &table{index: map[attribute.Key]int{}} }}

// maxKept bounds what a table that is reused holds on to.
const maxKept = 1024

func appendUnique(b []byte, tag byte, rec *log.Record) []byte {
	t := tables.Get().(*table)
	rec.WalkAttributes(func(kv attribute.KeyValue) bool {
		if kv.Key == "" {
			return true
		}
		if i, ok := t.index[kv.Key]; ok {
			t.attrs[i] = kv
			return true
		}
		t.index[kv.Key] = len(t.attrs)
		t.attrs = append(t.attrs, kv)
		return true
	})
	for i := range t.attrs {
		b = appendKeyValue(b, tag, &t.attrs[i])
	}
	if len(t.attrs) <= maxKept {
		clear(t.attrs)
		clear(t.index)
		t.attrs = t.attrs[:0]
		tables.Put(t)
	}
	return b
}
