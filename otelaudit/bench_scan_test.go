// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit

import "testing"

// BenchmarkScan is what looking at the header and claims of an accepted ES256 token of usual
// size costs, beyond decoding it for the fingerprint.
func BenchmarkScan(b *testing.B) {
	header := []byte(`{"alg":"ES256","kid":"2026-01-key-1","typ":"at+jwt"}`)
	claims := []byte(`{"iss":"https://id.example","sub":"alice","aud":["orders"],"exp":1800003600,"nbf":1800000000,"iat":1800000000,` +
		`"jti":"0192f3a4-77aa-7bbb-8ccc-0123456789ab","client_id":"web","scope":"orders:read orders:refund"}`)
	raw := string(make([]byte, 40)) + "." + string(make([]byte, 300)) + "." + string(make([]byte, 86))
	b.ReportAllocs()
	for b.Loop() {
		at := attempt{raw: raw}
		at.read(header, claims)
	}
}
