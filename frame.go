// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otlp

import (
	"encoding/binary"
	"errors"

	"google.golang.org/protobuf/encoding/protowire"
)

// frameVersion is the first byte of a frame.
const frameVersion = 1

// The ways in which bytes are no frame or no message.
var (
	ErrVersion   = errors.New("otlp: a frame of an unknown version")
	ErrMalformed = errors.New("otlp: malformed bytes")
)

// AppendFrame appends a frame: a version, the length of head as a uvarint, head, and record up to its end. A
// record of nil may be appended after it instead.
func AppendFrame(dst []byte, head Head, record []byte) []byte {
	dst = appendVarint(append(dst, frameVersion), uint64(len(head)))
	return append(append(dst, head...), record...)
}

// ParseFrame takes a frame apart, without a copy. Frames that it accepts make a request whose records are told apart;
// it does not look into the attributes and bodies, so a checksum is the spool's own.
func ParseFrame(frame []byte) (head Head, record []byte, err error) {
	if len(frame) == 0 {
		return nil, nil, ErrMalformed
	}
	if frame[0] != frameVersion {
		return nil, nil, ErrVersion
	}
	h, record, err := cut(frame[1:])
	if err != nil {
		return nil, nil, err
	}
	if _, _, err := Head(h).split(); err != nil {
		return nil, nil, err
	}
	if len(record) == 0 {
		return nil, nil, ErrMalformed
	}
	if err := eachField(record, func(protowire.Number, protowire.Type) bool { return true }); err != nil {
		return nil, nil, err
	}
	return Head(h), record, nil
}

// cut splits b behind the bytes whose number its uvarint tells. There is one way to write a length.
func cut(b []byte) (first, rest []byte, err error) {
	n, size := binary.Uvarint(b)
	if size <= 0 || size != sizeVarint(n) || n > uint64(len(b)-size) {
		return nil, nil, ErrMalformed
	}
	end := size + int(n)
	return b[size:end:end], b[end:], nil
}

// eachField tells whether b is a sequence of fields that pass ok.
func eachField(b []byte, ok func(protowire.Number, protowire.Type) bool) error {
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeField(b)
		if n < 0 || !ok(num, typ) {
			return ErrMalformed
		}
		b = b[n:]
	}
	return nil
}
