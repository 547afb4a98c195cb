// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

const (
	// maxNames is how many open member names are kept without a map.
	maxNames = 32
	// maxNesting is how deep objects are looked into for duplicate members.
	maxNesting = 32
)

// visitor is shown the members of the outermost object. A value holds at least one byte.
// Neither may be kept.
type visitor interface{ member(name, value []byte) }

// scan walks JSON text that encoding/json took, without building it, and notes what
// parsers disagree on. On other text it ends early.
type scan struct {
	text  []byte
	found *findings
	visit visitor
	names [maxNames][]byte // of the open objects
	top   int
}

// members shows visit the members of the object text.
func members(text []byte, found *findings, visit visitor) {
	s := scan{text: text, found: found, visit: visit}
	if !utf8.Valid(text) {
		found.add(FindingInvalidUTF8)
	}
	i := skipSpace(text, 0)
	if i == len(text) {
		return
	}
	end := -1
	if text[i] == '{' {
		end = s.object(i, 0)
	} else {
		end = skipValue(text, i)
	}
	if end >= 0 && skipSpace(text, end) < len(text) {
		found.add(FindingJSONTrailingData)
	}
}

// object walks the object that opens at i and returns its end, -1 if it has none.
func (s *scan) object(i, depth int) int {
	base := s.top
	defer func() { s.top = base }()
	var seen map[string]bool
	i = skipSpace(s.text, i+1)
	if i < len(s.text) && s.text[i] == '}' {
		return i + 1
	}
	for {
		i = skipSpace(s.text, i)
		if i >= len(s.text) || s.text[i] != '"' {
			return -1
		}
		end := s.str(i)
		if end < 0 {
			return -1
		}
		name := s.name(s.text[i+1 : end-1])
		switch {
		case seen[string(name)]:
			s.found.add(FindingJSONDuplicateMember)
		case s.top < maxNames:
			for _, other := range s.names[base:s.top] {
				if bytes.Equal(name, other) {
					s.found.add(FindingJSONDuplicateMember)
				}
			}
			s.names[s.top] = name
			s.top++
		default:
			if seen == nil {
				seen = make(map[string]bool)
				for _, other := range s.names[base:s.top] {
					seen[string(other)] = true
				}
				if seen[string(name)] {
					s.found.add(FindingJSONDuplicateMember)
				}
			}
			seen[string(name)] = true
		}
		if i = skipSpace(s.text, end); i == len(s.text) || s.text[i] != ':' {
			return -1
		}
		i = skipSpace(s.text, i+1)
		if end = s.value(i, depth+1); end < 0 {
			return -1
		}
		if depth == 0 {
			s.visit.member(name, s.text[i:end])
		}
		if i = skipSpace(s.text, end); i == len(s.text) {
			return -1
		}
		switch s.text[i] {
		case ',':
			i++
		case '}':
			return i + 1
		default:
			return -1
		}
	}
}

// value returns the end of the value at i, -1 if there is none.
func (s *scan) value(i, depth int) int {
	switch {
	case i >= len(s.text):
		return -1
	case depth > maxNesting:
		return skipValue(s.text, i)
	}
	switch s.text[i] {
	case '{':
		return s.object(i, depth)
	case '"':
		return s.str(i)
	case '[':
		if i = skipSpace(s.text, i+1); i < len(s.text) && s.text[i] == ']' {
			return i + 1
		}
		for {
			end := s.value(skipSpace(s.text, i), depth+1)
			if end < 0 {
				return -1
			}
			if i = skipSpace(s.text, end); i == len(s.text) {
				return -1
			}
			switch s.text[i] {
			case ',':
				i++
			case ']':
				return i + 1
			default:
				return -1
			}
		}
	default:
		return skipValue(s.text, i)
	}
}

// str returns the end of the string at i, -1 if it has none.
func (s *scan) str(i int) int {
	escaped := false
	for j := i + 1; j < len(s.text); j++ {
		switch s.text[j] {
		case '"':
			if escaped && !wholeSurrogates(s.text[i+1:j]) {
				s.found.add(FindingInvalidUTF8)
			}
			return j + 1
		case '\\':
			escaped = true
			j++
		}
	}
	return -1
}

// name is the member name that raw spells. A name that encoding/json cannot
// read stays as it is.
func (*scan) name(raw []byte) []byte {
	if bytes.IndexByte(raw, '\\') < 0 {
		return raw
	}
	quoted := make([]byte, 0, len(raw)+2)
	quoted = append(append(append(quoted, '"'), raw...), '"')
	var out string
	if json.Unmarshal(quoted, &out) != nil {
		return raw
	}
	return []byte(out)
}

// wholeSurrogates reports whether the \u escapes in s that are surrogates come in
// pairs (RFC 8259, section 8.2).
func wholeSurrogates(s []byte) bool {
	high := false
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			if high {
				return false
			}
			continue
		}
		i++
		unit := hex4(s, i)
		low := 0xdc00 <= unit && unit <= 0xdfff
		if low != high {
			return false
		}
		high = 0xd800 <= unit && unit <= 0xdbff
		if unit >= 0 {
			i += 4
		}
	}
	return !high
}

// hex4 is the number in the escape uXXXX at i, -1 if there is none.
func hex4(s []byte, i int) int {
	if i+5 > len(s) || s[i] != 'u' {
		return -1
	}
	n := 0
	for _, c := range s[i+1 : i+5] {
		switch {
		case '0' <= c && c <= '9':
			n = n<<4 | int(c-'0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			n = n<<4 | int(c|0x20-'a'+10)
		default:
			return -1
		}
	}
	return n
}

func skipSpace(text []byte, i int) int {
	for i < len(text) && (text[i] == ' ' || text[i] == '\t' || text[i] == '\r' || text[i] == '\n') {
		i++
	}
	return i
}

// skipValue returns the end of the value at i, -1 if there is none.
func skipValue(text []byte, i int) int {
	depth, quoted := 0, false
	for j := i; j < len(text); j++ {
		c := text[j]
		if quoted {
			switch c {
			case '\\':
				j++
			case '"':
				if quoted = false; depth == 0 {
					return j + 1
				}
			}
			continue
		}
		switch c {
		case '"':
			quoted = true
		case '{', '[':
			depth++
		case '}', ']', ',', ' ', '\t', '\r', '\n', ':':
			if depth == 0 {
				if j == i {
					return -1
				}
				return j
			}
			if c == '}' || c == ']' {
				if depth--; depth == 0 {
					return j + 1
				}
			}
		}
	}
	if depth > 0 || quoted || i >= len(text) {
		return -1
	}
	return len(text)
}

// jsonString is the string that value spells, empty if it is none.
func jsonString(value []byte) string {
	if len(value) < 2 || value[0] != '"' {
		return ""
	}
	inner := value[1 : len(value)-1]
	for _, c := range inner {
		if c == '\\' || c < ' ' || c >= 0x80 {
			var s string
			_ = json.Unmarshal(value, &s)
			return s
		}
	}
	return string(inner)
}
