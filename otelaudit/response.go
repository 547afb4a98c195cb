// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit

import (
	"bufio"
	"io"
	"net"
	"net/http"
)

// responseWriter notes the status. [http.ResponseController] reaches the server's
// own writer by Unwrap; Flusher and Hijacker are offered to older code if
// the server's writer offers them.
type responseWriter struct {
	http.ResponseWriter
	status int
}

var _ io.ReaderFrom = (*responseWriter)(nil)

// Unwrap is for http.ResponseController.
func (w *responseWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader notes the first final status.
func (w *responseWriter) WriteHeader(status int) {
	if w.status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *responseWriter) Write(b []byte) (int, error) {
	w.implicit()
	return w.ResponseWriter.Write(b)
}

// ReadFrom keeps sendfile working.
func (w *responseWriter) ReadFrom(r io.Reader) (int64, error) {
	w.implicit()
	return io.Copy(w.ResponseWriter, r)
}

func (w *responseWriter) implicit() {
	if w.status == 0 {
		w.status = http.StatusOK
	}
}

func (w *responseWriter) statusCode(panicked bool) int {
	switch {
	case w.status != 0:
		return w.status
	case panicked:
		return http.StatusInternalServerError
	default:
		return http.StatusOK
	}
}

// wrap offers what the server's writer offers.
func (w *responseWriter) wrap() http.ResponseWriter {
	f, flushes := w.ResponseWriter.(http.Flusher)
	h, hijacks := w.ResponseWriter.(http.Hijacker)
	switch {
	case flushes && hijacks:
		return &struct {
			*responseWriter
			flusher
			hijacker
		}{w, flusher{w, f}, hijacker{w, h}}
	case flushes:
		return &struct {
			*responseWriter
			flusher
		}{w, flusher{w, f}}
	case hijacks:
		return &struct {
			*responseWriter
			hijacker
		}{w, hijacker{w, h}}
	default:
		return w
	}
}

type flusher struct {
	w *responseWriter
	f http.Flusher
}

// Flush implements http.Flusher. It sends the header.
func (f flusher) Flush() {
	f.w.implicit()
	f.f.Flush()
}

type hijacker struct {
	w *responseWriter
	h http.Hijacker
}

// Hijack implements http.Hijacker. The status of a hijacked connection is 101
// unless one was written before.
func (h hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, rw, err := h.h.Hijack()
	if err == nil && h.w.status == 0 {
		h.w.status = http.StatusSwitchingProtocols
	}
	return c, rw, err
}
