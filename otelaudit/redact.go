// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit

import (
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf8"
)

// The bounds of recorded values, in bytes after escaping.
const (
	maxID     = 256  // identifiers and names
	maxText   = 512  // paths, user agents
	maxCustom = 1024 // attributes of the host
	maxList   = 32   // elements of a list
	maxScan   = 8192 // how much of a value is looked at
)

const ellipsis = "…"

// clean makes an untrusted string fit to be recorded: invalid UTF-8, control
// characters, line separators and marks that reorder or hide text are written as
// Go escapes, tokens and keys are masked, and the rest is cut at limit bytes.
// masked tells that something was masked. A clean string is returned as it is.
func clean(s string, limit int) (out string, masked bool) {
	if len(s) <= limit && isHarmless(s) {
		return s, false
	}
	cut := false
	if len(s) > maxScan {
		s, cut = s[:maxScan], true
	}
	s, masked = mask(s)
	var b strings.Builder
	fits := 0 // where an ellipsis still fits
	for i := 0; i < len(s) && b.Len() <= limit; {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, "\\x%02x", s[i])
		case isHidden(r):
			fmt.Fprintf(&b, "\\u%04x", r)
		default:
			b.WriteString(s[i : i+n])
		}
		if b.Len() <= limit-len(ellipsis) {
			fits = b.Len()
		}
		i += n
	}
	if cut || b.Len() > limit {
		return b.String()[:fits] + ellipsis, masked
	}
	return b.String(), masked
}

// isHarmless is the fast path: printable ASCII that holds no token or key.
func isHarmless(s string) bool {
	dots := 0
	for i := range len(s) {
		c := s[i]
		if c < ' ' || c > '~' {
			return false
		}
		if c == '.' {
			dots++
		}
	}
	if hasMarker(s) {
		return false
	}
	if dots == 0 || strings.IndexByte(s, 'e') < 0 {
		return true
	}
	_, masked := mask(s)
	return !masked
}

// isHidden reports control characters, and those that reorder, join or hide text.
func isHidden(r rune) bool {
	switch {
	case r < ' ', 0x7f <= r && r <= 0x9f:
	case r == 0xad, r == 0x61c, r == 0x180e, r == 0xfeff:
	case 0x200b <= r && r <= 0x200f, 0x2028 <= r && r <= 0x202e:
	case 0x2060 <= r && r <= 0x206f:
	case 0xfff9 <= r && r <= 0xfffb, 0xe0000 <= r && r <= 0xe007f:
	default:
		return false
	}
	return true
}

const pemMarker = "-----BEGIN"

var schemeMarkers = []string{"bearer", "basic", "dpop"}

func hasMarker(s string) bool {
	if strings.Contains(s, pemMarker) {
		return true
	}
	for _, m := range schemeMarkers {
		if indexFold(s, m) >= 0 {
			return true
		}
	}
	return false
}

// mask replaces what looks like a JWS or JWE, a bearer or basic credential, or a
// PEM block.
func mask(s string) (string, bool) {
	if i := strings.Index(s, pemMarker); i >= 0 {
		return s[:i] + redacted, true
	}
	var b strings.Builder
	last := 0
	for i := 0; i < len(s); {
		if !isTokenChar(s[i]) {
			i++
			continue
		}
		end := i
		for end < len(s) && isTokenChar(s[end]) {
			end++
		}
		if at := compactStart(s[i:end]); at >= 0 {
			b.WriteString(s[last : i+at])
			b.WriteString(redacted)
			last = end
		} else if followsScheme(s[:i]) && end-i >= 8 {
			b.WriteString(s[last:i])
			b.WriteString(redacted)
			last = end
		}
		i = end
	}
	if last == 0 {
		return s, false
	}
	b.WriteString(s[last:])
	return b.String(), true
}

// isTokenChar takes the alphabet of compact serialisation, and what is in the
// token68 of RFC 7235 besides.
func isTokenChar(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	}
	return strings.IndexByte("-_.~+=", c) >= 0
}

// compactStart finds where a compact serialisation begins in a run of token
// characters: a segment that decodes to the start of a JSON object, followed by
// another. -1 if there is none.
func compactStart(run string) int {
	for i := 0; i < len(run); {
		j := strings.IndexByte(run[i:], 'e')
		if j < 0 {
			return -1
		}
		i += j
		seg, rest, ok := strings.Cut(run[i:], ".")
		if !ok {
			return -1
		}
		if len(seg) >= 8 && len(rest) >= 8 && opensObject(seg[:8]) {
			return i
		}
		i++
	}
	return -1
}

func opensObject(b64 string) bool {
	var buf [6]byte
	n, err := base64.RawURLEncoding.Decode(buf[:], []byte(b64))
	if err != nil || buf[0] != '{' {
		return false
	}
	rest := strings.TrimLeft(string(buf[1:n]), " \t\r\n")
	return rest == "" || rest[0] == '"' || rest[0] == '}'
}

func followsScheme(before string) bool {
	trimmed := strings.TrimRight(before, " :+\t")
	if len(trimmed) == len(before) {
		trimmed, _ = strings.CutSuffix(before, "%20")
	}
	if len(trimmed) == len(before) {
		return false
	}
	for _, m := range schemeMarkers {
		if len(trimmed) >= len(m) && strings.EqualFold(trimmed[len(trimmed)-len(m):], m) {
			return true
		}
	}
	return false
}

// indexFold is strings.Index for a lower-case ASCII needle, whatever the case.
func indexFold(s, lower string) int {
	for i := 0; i+len(lower) <= len(s); i++ {
		if s[i]|0x20 == lower[0] && strings.EqualFold(s[i:i+len(lower)], lower) {
			return i
		}
	}
	return -1
}

// secretNames are parts of attribute keys whose values are masked.
var secretNames = []string{
	"password", "passwd", "passphrase", "secret", "credential", "authorization",
	"cookie", "apikey", "api_key", "privatekey", "private_key", "token", "jwt", "pin", "otp",
}

// namesSecret reports a key with a part, between '.', '_' and '-', that names a
// secret, and keys that contain one of the longer names anywhere.
func namesSecret(key string) bool {
	lower := strings.ToLower(key)
	for _, name := range secretNames {
		if len(name) >= 5 && strings.Contains(lower, name) {
			return true
		}
	}
	for part := range strings.FieldsFuncSeq(lower, func(r rune) bool { return r == '.' || r == '_' || r == '-' }) {
		for _, name := range secretNames {
			if part == name || part == name+"s" {
				return true
			}
		}
	}
	return false
}
