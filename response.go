// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otlp

import (
	"fmt"
	"strconv"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// maxMessage bounds what a receiver may make us repeat, in bytes after escaping.
const maxMessage = 512

const ellipsis = "…"

// ParseResponse reads an ExportLogsServiceResponse: how many records of the request were rejected, and why. The message
// is one line, bounded and escaped. Of no records a message is a warning.
func ParseResponse(body []byte) (rejected int64, message string, err error) {
	var text []byte
	err = eachValue(body, func(num protowire.Number, typ protowire.Type, v value) error {
		if num != 1 || typ != protowire.BytesType {
			return nil
		}
		// partial_success; a message that comes twice is merged
		return eachValue(v.bytes, func(num protowire.Number, typ protowire.Type, v value) error {
			switch {
			case num == 1 && typ == protowire.VarintType:
				rejected = int64(v.number)
			case num == 2 && typ == protowire.BytesType:
				text = v.bytes
			}
			return nil
		})
	})
	if err == nil && rejected < 0 {
		err = fmt.Errorf("%w: %d records rejected", ErrMalformed, rejected)
	}
	if err != nil {
		return 0, "", err
	}
	return rejected, Excerpt(text), nil
}

// ParseStatus reads a google.rpc.Status, what OTLP has a receiver answer with a 4xx or 5xx. The message is as in
// [ParseResponse]. A body that is no Status may still tell people something as an [Excerpt].
func ParseStatus(body []byte) (code int32, message string, err error) {
	var text []byte
	err = eachValue(body, func(num protowire.Number, typ protowire.Type, v value) error {
		switch {
		case num == 1 && typ == protowire.VarintType:
			code = int32(v.number)
		case num == 2 && typ == protowire.BytesType:
			text = v.bytes
		}
		return nil
	})
	if err != nil {
		return 0, "", err
	}
	return code, Excerpt(text), nil
}

// Excerpt is the start of an untrusted text on one line: what is not printable or no UTF-8 is written as Go escapes.
func Excerpt(text []byte) string {
	out := make([]byte, 0, min(len(text), maxMessage))
	fits := 0 // where an ellipsis still fits
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		switch {
		case r == utf8.RuneError && n == 1:
			out = fmt.Appendf(out, `\x%02x`, text[0])
		case strconv.IsPrint(r):
			out = append(out, text[:n]...)
		case r > 0xffff:
			out = fmt.Appendf(out, `\U%08x`, r)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
		if len(out) > maxMessage {
			return string(out[:fits]) + ellipsis
		}
		if len(out) <= maxMessage-len(ellipsis) {
			fits = len(out)
		}
		text = text[n:]
	}
	return string(out)
}

// value is that of a field: of the wire types 0 and 2, all that is read here.
type value struct {
	number uint64
	bytes  []byte
}

// eachValue calls f for each field of the message b.
func eachValue(b []byte, f func(protowire.Number, protowire.Type, value) error) error {
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return ErrMalformed
		}
		b = b[n:]
		var v value
		switch typ {
		case protowire.VarintType:
			v.number, n = protowire.ConsumeVarint(b)
		case protowire.BytesType:
			v.bytes, n = protowire.ConsumeBytes(b)
		default:
			n = protowire.ConsumeFieldValue(num, typ, b)
		}
		if n < 0 {
			return ErrMalformed
		}
		if err := f(num, typ, v); err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}
