// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit

import (
	"crypto/rand"
	"encoding/hex"
	"time"
)

// newUID returns a UUIDv7 (RFC 9562, section 5.7) whose rand_a holds the fraction
// of the millisecond (section 6.2, method 3), so that ids of one process sort by time.
func newUID(t time.Time) string {
	var b [16]byte
	_, _ = rand.Read(b[8:]) // never fails (crypto/rand)
	ms := t.UnixMilli()
	for i := range 6 {
		b[i] = byte(ms >> (40 - 8*i))
	}
	frac := uint64(t.Nanosecond()%1e6) << 12 / 1e6
	b[6] = 0x70 | byte(frac>>8)
	b[7] = byte(frac)
	b[8] = 0x80 | b[8]&0x3f
	var s [36]byte
	hex.Encode(s[0:8], b[0:4])
	hex.Encode(s[9:13], b[4:6])
	hex.Encode(s[14:18], b[6:8])
	hex.Encode(s[19:23], b[8:10])
	hex.Encode(s[24:36], b[10:16])
	s[8], s[13], s[18], s[23] = '-', '-', '-', '-'
	return string(s[:])
}
