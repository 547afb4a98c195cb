// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"sync"

	collogs "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	"google.golang.org/protobuf/proto"
)

// maxBody bounds one export, compressed and not.
const maxBody = 16 << 20

// receiver is the smallest OTLP/HTTP receiver that is of use: it takes logs, and
// swallows traces and metrics.
type receiver struct {
	onLogs func(*logspb.ResourceLogs)

	mu     sync.Mutex
	bodies [][]byte // every export of any signal, uncompressed, until forget
	events []event
	done   bool
}

func newReceiver(onLogs func(*logspb.ResourceLogs)) *receiver { return &receiver{onLogs: onLogs} }

// ServeHTTP implements http.Handler.
func (rc *receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := readBody(w, r)
	if err != nil {
		http.Error(w, "unreadable body", http.StatusBadRequest)
		return
	}
	switch r.URL.Path {
	case "/v1/logs":
		var in collogs.ExportLogsServiceRequest
		if err := proto.Unmarshal(body, &in); err != nil {
			http.Error(w, "not an ExportLogsServiceRequest", http.StatusBadRequest)
			return
		}
		rc.take(body, in.GetResourceLogs())
	case "/v1/traces", "/v1/metrics":
		rc.take(body, nil)
	default:
		http.NotFound(w, r)
		return
	}
	// The empty message of each of the three responses has no bytes.
	w.Header().Set("Content-Type", "application/x-protobuf")
	w.WriteHeader(http.StatusOK)
}

func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	var body io.Reader = http.MaxBytesReader(w, r.Body, maxBody)
	if r.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(body)
		if err != nil {
			return nil, err
		}
		body = io.LimitReader(z, maxBody)
	}
	return io.ReadAll(body)
}

func (rc *receiver) take(body []byte, logs []*logspb.ResourceLogs) {
	rc.mu.Lock()
	defer rc.mu.Unlock()
	if !rc.done {
		rc.bodies = append(rc.bodies, body)
	}
	for _, rl := range logs {
		if !rc.done {
			rc.events = append(rc.events, eventsOf(rl)...)
		}
		rc.onLogs(rl)
	}
}

// since returns the events that arrived after the first n.
func (rc *receiver) since(n int) []event {
	rc.mu.Lock()
	defer rc.mu.Unlock()
	return append([]event(nil), rc.events[n:]...)
}

// contains tells whether any received body holds s.
func (rc *receiver) contains(s string) bool {
	rc.mu.Lock()
	defer rc.mu.Unlock()
	for _, b := range rc.bodies {
		if bytes.Contains(b, []byte(s)) {
			return true
		}
	}
	return false
}

func (rc *receiver) size() (n int) {
	rc.mu.Lock()
	defer rc.mu.Unlock()
	for _, b := range rc.bodies {
		n += len(b)
	}
	return n
}

// forget drops what was kept for the checks, and keeps no more.
func (rc *receiver) forget() {
	rc.mu.Lock()
	defer rc.mu.Unlock()
	rc.bodies, rc.events, rc.done = nil, nil, true
}
