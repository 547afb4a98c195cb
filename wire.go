// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otlp

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// The wire types of https://protobuf.dev/programming-guides/encoding/#structure.
const (
	varintType  = 0
	fixed64Type = 1
	lengthed    = 2
	fixed32Type = 5
)

// A tag is one byte: no field of the messages here has a number above 15.

func appendVarint(b []byte, v uint64) []byte {
	if v < 0x80 {
		return append(b, byte(v))
	}
	return binary.AppendUvarint(b, v)
}

func sizeVarint(v uint64) int { return (bits.Len64(v|1) + 6) / 7 }

func appendFixed64(b []byte, tag byte, v uint64) []byte {
	return binary.LittleEndian.AppendUint64(append(b, tag), v)
}

// open starts a field whose length is not known yet. Its contents start at the length of what is returned.
func open(b []byte, tag byte) []byte { return append(b, tag, 0) }

// seal writes the length of the field whose contents start at start, and moves them if it needs more than one byte.
func seal(b []byte, start int) []byte {
	n := len(b) - start
	if n < 0x80 {
		b[start-1] = byte(n)
		return b
	}
	var wide [binary.MaxVarintLen64]byte
	more := binary.PutUvarint(wide[:], uint64(n)) - 1
	b = append(b, wide[:more]...)
	copy(b[start+more:], b[start:start+n])
	copy(b[start-1:], wide[:more+1])
	return b
}

// appendText writes s as a proto3 string: each byte that is no UTF-8 becomes U+FFFD.
func appendText(b []byte, tag byte, s string) []byte {
	if utf8.ValidString(s) {
		return append(appendVarint(append(b, tag), uint64(len(s))), s...)
	}
	b = open(b, tag)
	start := len(b)
	for _, r := range s {
		b = utf8.AppendRune(b, r)
	}
	return seal(b, start)
}

// appendOptional is appendText for a field without presence: empty is the same as absent.
func appendOptional(b []byte, tag byte, s string) []byte {
	if s == "" {
		return b
	}
	return appendText(b, tag, s)
}
