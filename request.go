// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otlp

import (
	"bytes"
	"fmt"
)

// tagResourceLogs is the one field of ExportLogsServiceRequest.
const tagResourceLogs = 1<<3 | lengthed

// FrameError says which frame is none.
type FrameError struct {
	// Index is the place of the frame among those given.
	Index int
	// Err is ErrVersion or ErrMalformed.
	Err error
}

// Error implements error.
func (e *FrameError) Error() string { return fmt.Sprintf("frame %d: %v", e.Index, e.Err) }

// Unwrap returns Err.
func (e *FrameError) Unwrap() error { return e.Err }

// AppendRequest appends one ExportLogsServiceRequest with the records of frames in their order. Neighbours with the same
// resource, and of those the ones with the same scope, share it. On a [*FrameError] it returns dst as it was.
func AppendRequest(dst []byte, frames [][]byte) ([]byte, error) {
	b := dst
	var owner, group []byte
	var ownerAt, groupAt int // where the open ResourceLogs and ScopeLogs start
	for i, frame := range frames {
		head, record, err := ParseFrame(frame)
		if err != nil {
			return dst, &FrameError{Index: i, Err: err}
		}
		o, g, err := head.split()
		if err != nil {
			return dst, &FrameError{Index: i, Err: err}
		}
		newOwner := i == 0 || !bytes.Equal(o, owner)
		newGroup := newOwner || !bytes.Equal(g, group)
		if i > 0 && newGroup {
			b = seal(b, groupAt)
		}
		if i > 0 && newOwner {
			b = seal(b, ownerAt)
		}
		if newOwner {
			owner = o
			b = open(b, tagResourceLogs)
			ownerAt = len(b)
			b = append(b, owner...)
		}
		if newGroup {
			group = g
			b = open(b, tagMembers)
			groupAt = len(b)
			b = append(b, group...)
		}
		b = append(appendVarint(append(b, tagMembers), uint64(len(record))), record...)
	}
	if len(frames) > 0 {
		b = seal(seal(b, groupAt), ownerAt)
	}
	return b, nil
}
