// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit

import (
	"strings"
	"testing"
)

// BenchmarkScan is what looking at the header and claims of an accepted ES256 token of usual
// size costs, beyond decoding it for the fingerprint. Its allocations are the jti, client_id and scope that
// the record needs.
func BenchmarkScan(b *testing.B) {
	header := []byte(`{"alg":"ES256","kid":"2026-01-key-1","typ":"at+jwt"}`)
	claims := []byte(`{"iss":"https://id.example","sub":"alice","aud":["orders"],"exp":1800003600,"nbf":1800000000,"iat":1800000000,` +
		`"jti":"0192f3a4-77aa-7bbb-8ccc-0123456789ab","client_id":"web","scope":"orders:read orders:refund"}`)
	raw := strings.Repeat("A", 68) + "." + strings.Repeat("A", 320) + "." + strings.Repeat("A", 86)
	var at attempt
	b.ReportAllocs()
	for b.Loop() {
		at = attempt{raw: raw}
		at.read(header, claims)
	}
	if at.found != nil {
		b.Fatalf("findings = %q, want none", at.found)
	}
}
