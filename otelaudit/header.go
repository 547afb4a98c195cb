// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit

import (
	"bytes"
	"net/url"
	"strings"
)

// maxKid is the length in bytes above which a key id is called oversize. The longest
// in use, URLs of key vaults, have half of it.
const maxKid = 256

// registeredHeader are the header parameters whose other spellings matter.
var registeredHeader = []string{"alg", "kid", "typ", "crit", "b64", "jwk", "jku", "x5u", "x5c", "enc"}

// headerVisitor is the attempt as the reader of its token's header.
type headerVisitor attempt

// readHeader looks at the decoded header (RFC 7515, section 4.1).
func (at *attempt) readHeader(header []byte) {
	members(header, &at.found, (*headerVisitor)(at))
	if at.jwk && !at.dpop { // a DPoP proof carries its key (RFC 9449, section 4.2)
		at.found.add(FindingHeaderJWK)
	}
}

func (h *headerVisitor) member(name, value []byte) {
	switch string(name) {
	case "alg":
	case "typ":
		h.dpop = isDPoP(value)
	case "kid":
		h.readKid(value)
	case "jwk":
		h.jwk = true
	case "jku":
		h.found.add(FindingHeaderJKU)
		h.keyHost = host(value)
	case "x5u":
		h.found.add(FindingHeaderX5U)
		h.keyHost = host(value)
	case "x5c":
		h.found.add(FindingHeaderX5C)
	case "crit":
		h.found.add(FindingCritUnsupported)
	case "b64":
		if string(value) == "false" {
			h.found.add(FindingB64Unencoded)
		}
	case "enc":
		h.found.add(FindingJWEUnexpected)
	default:
		if isVariant(name, registeredHeader) {
			h.found.add(FindingClaimNameVariant)
		}
	}
}

func (h *headerVisitor) readKid(value []byte) {
	switch {
	case value[0] != '"':
		h.found.add(FindingKidNotString)
	case len(value) > maxKid+2:
		h.found.add(FindingKidOversize)
	}
	if isPlainKid(value) {
		return
	}
	kid := string(value)
	if value[0] == '"' {
		kid = jsonString(value)
	}
	if isKidInjection(kid) {
		h.found.add(FindingKidInjection)
	}
}

// isDPoP recognises the typ of a DPoP proof (RFC 9449, section 4.2).
func isDPoP(value []byte) bool {
	const short, long = `"dpop+jwt"`, `"application/dpop+jwt"`
	return bytes.EqualFold(value, []byte(short)) || bytes.EqualFold(value, []byte(long))
}

// isPlainKid is the fast path: a quoted word.
func isPlainKid(value []byte) bool {
	return value[0] == '"' && isPlain(string(value[1:len(value)-1])) && !bytes.Contains(value, []byte(".."))
}

// host is the host of the URL in value, without path, query and user. What has none
// is not recorded at all.
func host(value []byte) string {
	u, err := url.Parse(jsonString(value))
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// tokenType is typ as it is compared (RFC 7515, section 4.1.9).
func tokenType(typ string) string {
	typ = strings.ToLower(typ)
	if short, ok := strings.CutPrefix(typ, "application/"); ok && !strings.Contains(short, "/") {
		return short
	}
	return typ
}
