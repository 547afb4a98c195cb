// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit

import "strings"

// isCanonical reports whether raw, a token that was decoded, is the one compact spelling of
// its bytes (RFC 7515, section 2): unpadded, without line breaks, and with no bits set
// that decoding drops. golang-jwt takes other spellings too.
func isCanonical(raw string) bool {
	for rest, more := raw, true; more; {
		var seg string
		seg, rest, more = strings.Cut(rest, ".")
		if !isCanonicalSegment(seg) {
			return false
		}
	}
	return true
}

func isCanonicalSegment(seg string) bool {
	if strings.IndexByte(seg, '=') >= 0 || strings.IndexByte(seg, '\n') >= 0 || strings.IndexByte(seg, '\r') >= 0 {
		return false
	}
	switch n := len(seg); n % 4 {
	case 2:
		return sextet(seg[n-1])&0xf == 0
	case 3:
		return sextet(seg[n-1])&3 == 0
	default:
		return true
	}
}

// sextet is the value of a base64url digit.
func sextet(c byte) byte {
	switch {
	case 'A' <= c && c <= 'Z':
		return c - 'A'
	case 'a' <= c && c <= 'z':
		return c - 'a' + 26
	case '0' <= c && c <= '9':
		return c - '0' + 52
	case c == '-':
		return 62
	default:
		return 63
	}
}
