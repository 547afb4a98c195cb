// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit

import (
	"encoding/json"
	"iter"
	"strings"
)

// members iterates over the members of a JSON object, without building it. It is
// for text that encoding/json took; what it cannot read ends the iteration. A value holds at
// least one byte. Names with escapes are not unescaped: none of ours has any.
func members(text []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		i := skipSpace(text, 0)
		if i == len(text) || text[i] != '{' {
			return
		}
		for i++; ; i++ {
			i = skipSpace(text, i)
			end := skipValue(text, i)
			if end < 0 || text[i] != '"' {
				return
			}
			name := text[i+1 : end-1]
			if i = skipSpace(text, end); i == len(text) || text[i] != ':' {
				return
			}
			i = skipSpace(text, i+1)
			if end = skipValue(text, i); end < 0 {
				return
			}
			if !yield(string(name), text[i:end]) {
				return
			}
			if i = skipSpace(text, end); i == len(text) || text[i] != ',' {
				return
			}
		}
	}
}

func skipSpace(text []byte, i int) int {
	for i < len(text) && strings.IndexByte(" \t\r\n", text[i]) >= 0 {
		i++
	}
	return i
}

// skipValue returns the end of the value at i, -1 if there is none.
func skipValue(text []byte, i int) int {
	if i >= len(text) {
		return -1
	}
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
	if depth > 0 || quoted {
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
