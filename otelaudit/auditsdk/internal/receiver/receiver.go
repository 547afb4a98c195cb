// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

// Package receiver is an OTLP/HTTP receiver on a real socket that answers in every bad way
// there is, and remembers the records that it took.
package receiver

import (
	"compress/gzip"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	collogspb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	"google.golang.org/protobuf/proto"
)

// Answer is how one request is answered. The zero value takes it.
type Answer struct {
	// Status other than 0 and 200 refuses the request.
	Status int
	// RetryAfter is that header.
	RetryAfter string
	// Rejected is a partial success: none of the request's last Rejected records is taken.
	Rejected int
	// Reset takes nothing and resets the connection; Hang answers nothing until the client gives up;
	// Forget takes the records but resets the connection instead of telling.
	Reset, Hang, Forget bool
	// Garbage takes the records and answers text that is no protobuf.
	Garbage bool
}

// Record is one record as it arrived.
type Record struct {
	Resource string // service.name
	Log      *logspb.LogRecord
}

// Receiver takes logs at /v1/logs.
type Receiver struct {
	// Answer decides on each request, the first being 0; nil takes all. It is set before the first request.
	Answer func(request int, records []*logspb.LogRecord) Answer

	addr string
	mu   sync.Mutex
	srv  *http.Server
	wg   sync.WaitGroup
	n    int
	seen map[string]int // by log.record.uid
	all  []Record
	size int64
}

// New returns a receiver that listens on no port yet.
func New() *Receiver { return &Receiver{seen: map[string]int{}} }

// Start listens on a port of the loopback interface: the same one after a [Receiver.Stop].
func (r *Receiver) Start() error {
	addr := r.addr
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	var l net.Listener
	var err error
	for range 50 { // connections of the past may linger on the port
		if l, err = net.Listen("tcp", addr); err == nil {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if err != nil {
		return err
	}
	r.addr = l.Addr().String()
	srv := &http.Server{Handler: http.HandlerFunc(r.serve), ReadHeaderTimeout: 5 * time.Second}
	r.mu.Lock()
	r.srv = srv
	r.mu.Unlock()
	r.wg.Go(func() { _ = srv.Serve(l) })
	return nil
}

// Stop closes the port and all connections.
func (r *Receiver) Stop() {
	r.mu.Lock()
	srv := r.srv
	r.srv = nil
	r.mu.Unlock()
	if srv != nil {
		_ = srv.Close()
	}
	r.wg.Wait()
}

// URL is the base URL, once started.
func (r *Receiver) URL() string { return "http://" + r.addr }

// Seen returns how often each log.record.uid was taken.
func (r *Receiver) Seen() map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make(map[string]int, len(r.seen))
	for k, v := range r.seen {
		out[k] = v
	}
	return out
}

// Records returns the records that were taken, in order.
func (r *Receiver) Records() []Record {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Record(nil), r.all...)
}

// Requests and Bytes count what arrived, taken or not.
func (r *Receiver) Requests() (n int, bytes int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.n, r.size
}

func (r *Receiver) serve(w http.ResponseWriter, req *http.Request) {
	body, err := read(req)
	if err != nil {
		http.Error(w, "unreadable body", http.StatusBadRequest)
		return
	}
	var msg collogspb.ExportLogsServiceRequest
	if err := proto.Unmarshal(body, &msg); err != nil {
		http.Error(w, "no OTLP", http.StatusBadRequest)
		return
	}
	var records []Record
	var logs []*logspb.LogRecord
	for _, rl := range msg.GetResourceLogs() {
		name := ""
		for _, kv := range rl.GetResource().GetAttributes() {
			if kv.GetKey() == "service.name" {
				name = kv.GetValue().GetStringValue()
			}
		}
		for _, sl := range rl.GetScopeLogs() {
			for _, l := range sl.GetLogRecords() {
				records = append(records, Record{name, l})
				logs = append(logs, l)
			}
		}
	}
	r.mu.Lock()
	n := r.n
	r.n++
	r.size += int64(len(body))
	r.mu.Unlock()
	var a Answer
	if r.Answer != nil {
		a = r.Answer(n, logs)
	}
	r.answer(w, req, a, records)
}

func (r *Receiver) answer(w http.ResponseWriter, req *http.Request, a Answer, records []Record) {
	switch {
	case a.Reset:
		reset(w)
		return
	case a.Hang:
		<-req.Context().Done()
		return
	case a.Status != 0 && a.Status != http.StatusOK:
		if a.RetryAfter != "" {
			w.Header().Set("Retry-After", a.RetryAfter)
		}
		w.WriteHeader(a.Status)
		return
	}
	r.take(records[:max(0, len(records)-a.Rejected)])
	if a.Forget {
		reset(w)
		return
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
	var resp collogspb.ExportLogsServiceResponse
	if a.Rejected > 0 {
		resp.PartialSuccess = &collogspb.ExportLogsPartialSuccess{RejectedLogRecords: int64(min(a.Rejected, len(records))), ErrorMessage: "too old"}
	}
	out, _ := proto.Marshal(&resp)
	if a.Garbage {
		out = []byte("thank you")
	}
	_, _ = w.Write(out)
}

func (r *Receiver) take(records []Record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, rec := range records {
		for _, kv := range rec.Log.GetAttributes() {
			if kv.GetKey() == "log.record.uid" {
				r.seen[kv.GetValue().GetStringValue()]++
			}
		}
		r.all = append(r.all, rec)
	}
}

func reset(w http.ResponseWriter) {
	c, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = c.Close()
}

func read(req *http.Request) ([]byte, error) {
	if req.Header.Get("Content-Encoding") != "gzip" {
		return io.ReadAll(req.Body)
	}
	z, err := gzip.NewReader(req.Body)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}
