// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzClean: what is recorded is bounded, printable, and holds no token.
func FuzzClean(f *testing.F) {
	const token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJlLWNhbmFyeQ"
	f.Add(token, 256)
	f.Add("\x1b[31mred\r\n", 64)
	f.Add("a\u202eb\xff", 3)
	f.Add("Bearer abcdefgh12345", 64)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		if limit < 16 || limit > 4096 {
			limit = 64
		}
		for _, in := range []string{s, s + " " + token + " " + s} {
			out, _ := clean(in, limit)
			if len(out) > limit {
				t.Errorf("clean(%q, %d) has %d bytes", in, limit, len(out))
			}
			if !utf8.ValidString(out) || strings.ContainsFunc(out, isHidden) {
				t.Errorf("clean(%q, %d) = %q, want printable UTF-8", in, limit, out)
			}
			if strings.Contains(out, "c2lnbmF0dXJlLWNhbmFyeQ") && !strings.Contains(s, "c2lnbmF0dXJlLWNhbmFyeQ") {
				t.Errorf("clean(%q, %d) = %q, want the token masked", in, limit, out)
			}
		}
	})
}

// FuzzMembers: the scanner sees the members that encoding/json sees.
func FuzzMembers(f *testing.F) {
	f.Add([]byte(`{"a":1,"b":[{"c":"}"}],"a":"\"x"}`))
	f.Add([]byte(` { } `))
	f.Fuzz(func(t *testing.T, text []byte) {
		got := map[string]string{}
		for name, value := range members(text) {
			if len(value) == 0 {
				t.Fatalf("members(%q) yields an empty value", text)
			}
			got[name] = string(value)
		}
		var want map[string]json.RawMessage
		if json.Unmarshal(text, &want) != nil || want == nil || strings.ContainsAny(string(text), "\\") || !utf8.Valid(text) {
			return
		}
		if len(got) != len(want) {
			t.Fatalf("members(%q) = %q, want %q", text, got, want)
		}
		for name, value := range want {
			if got[name] != string(value) {
				t.Errorf("members(%q)[%q] = %q, want %q", text, name, got[name], value)
			}
		}
	})
}
