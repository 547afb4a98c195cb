// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/golang-jwt/jwt/v5"
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

// collector keeps the last value of each member.
type collector map[string]string

func (c collector) member(name, value []byte) {
	_ = value[0] // a value is never empty
	c[string(name)] = string(value)
}

// FuzzScan: the scanner sees the members that encoding/json sees, and finds duplicates exactly
// where its token stream has some.
func FuzzScan(f *testing.F) {
	for _, s := range []string{
		`{"a":1,"b":[{"c":"}"}],"a":"\"x"}`, ` { } `, `{"a":{"b":1,"\u0062":2}}`, `{"a":"\ud800"}`, `{"a":[{"x":1},{"x":2}]} x`, `null`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var found findings
		got := collector{}
		members(text, &found, got)
		if !json.Valid(text) || !utf8.Valid(text) {
			return
		}
		if slices.Contains(found, FindingJSONTrailingData) {
			t.Errorf("members(%q) finds trailing data in one value", text)
		}
		duplicate, deep := duplicateMembers(text)
		if !deep && duplicate != slices.Contains(found, FindingJSONDuplicateMember) {
			t.Errorf("members(%q) finds %q, want a duplicate: %v", text, found, duplicate)
		}
		var want map[string]json.RawMessage
		if json.Unmarshal(text, &want) != nil || want == nil {
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

// duplicateMembers asks encoding/json's token stream. deep tells that text nests
// deeper than the scanner looks.
func duplicateMembers(text []byte) (duplicate, deep bool) {
	d := json.NewDecoder(bytes.NewReader(text))
	type level struct {
		names map[string]bool // nil in an array
		key   bool
	}
	var open []level
	for {
		tok, err := d.Token()
		if err != nil {
			return duplicate, deep
		}
		if n := len(open); n > 0 && open[n-1].names != nil {
			top := &open[n-1]
			if name, ok := tok.(string); ok && top.key {
				duplicate = duplicate || top.names[name]
				top.names[name] = true
				top.key = false
				continue
			}
			top.key = true
		}
		switch tok {
		case json.Delim('{'):
			open = append(open, level{names: map[string]bool{}, key: true})
		case json.Delim('['):
			open = append(open, level{})
		case json.Delim('}'), json.Delim(']'):
			open = open[:len(open)-1]
		}
		deep = deep || len(open) > maxNesting
	}
}

// FuzzCanonical: a segment is canonical if it is what encoding its bytes gives.
func FuzzCanonical(f *testing.F) {
	for _, s := range []string{"QQ", "QR", "QUE", "QUF", "QUFB", "QQ==", "Q\nQ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, seg string) {
		raw, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(seg, "="))
		if err != nil {
			return
		}
		if want := base64.RawURLEncoding.EncodeToString(raw) == seg; isCanonicalSegment(seg) != want {
			t.Errorf("isCanonicalSegment(%q) = %v, want %v", seg, !want, want)
		}
	})
}

// FuzzKid: words, digests and UUIDs are honest; a hidden character never is.
func FuzzKid(f *testing.F) {
	f.Add("2026-01")
	f.Add("../../dev/null")
	f.Fuzz(func(t *testing.T, kid string) {
		got := isKidInjection(kid)
		if isPlain(kid) && !strings.Contains(kid, "..") && !strings.Contains(kid, "./") && got {
			t.Errorf("isKidInjection(%q) = true", kid)
		}
		if strings.ContainsFunc(kid, isHidden) && !got {
			t.Errorf("isKidInjection(%q) = false", kid)
		}
	})
}

// FuzzDecode: what golang-jwt decodes, this library decodes to the same bytes.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{"QQ", "QQ==", "QQ=\n=", "Q\nQ", "QQ\r\n==", "QUI=", "QUI", "Q=Q=", "=QQ=", "\n="} {
		f.Add(s)
	}
	parsers := []*jwt.Parser{jwt.NewParser(), jwt.NewParser(jwt.WithPaddingAllowed()), jwt.NewParser(jwt.WithStrictDecoding())}
	f.Fuzz(func(t *testing.T, seg string) {
		for i, p := range parsers {
			want, err := p.DecodeSegment(seg)
			if err != nil {
				continue
			}
			got, err := base64.RawURLEncoding.DecodeString(string(trimPadding(seg)))
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("parser %d: decoded %q as %q, %v, want %q", i, seg, got, err, want)
			}
		}
	})
}
