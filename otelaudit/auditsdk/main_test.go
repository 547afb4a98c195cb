// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package auditsdk_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	"go.uber.org/goleak"

	"github.com/otelaudit/go/otelaudit"
	"github.com/otelaudit/go/otelaudit/auditsdk"
	"github.com/otelaudit/go/otelaudit/auditsdk/internal/receiver"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// stage is a receiver, a pipeline to it, and an auditor on that.
type stage struct {
	*receiver.Receiver
	pipeline *auditsdk.Pipeline
	audit    *otelaudit.Auditor
	mu       sync.Mutex
	reported []error
}

func newStage(t *testing.T, answer func(int, []*logspb.LogRecord) receiver.Answer, opts ...auditsdk.Option) *stage {
	t.Helper()
	s := &stage{Receiver: receiver.New()}
	s.Answer = answer
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	s.open(t, opts...)
	return s
}

func (s *stage) open(t *testing.T, opts ...auditsdk.Option) {
	t.Helper()
	client := &http.Transport{}
	t.Cleanup(client.CloseIdleConnections)
	p, err := auditsdk.Start(context.Background(), append([]auditsdk.Option{
		auditsdk.WithEndpoint(s.URL()), auditsdk.WithTransport(client), auditsdk.WithoutGlobal(), auditsdk.WithHeartbeat(0), auditsdk.WithTimeout(2 * time.Second),
		auditsdk.WithErrorHandler(func(err error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.reported = append(s.reported, err)
		}),
	}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	s.pipeline = p
	if s.audit, err = otelaudit.New(otelaudit.WithLoggerProvider(p.LoggerProvider()), otelaudit.WithFailClosed()); err != nil {
		t.Fatal(err)
	}
}

func (s *stage) errors() []error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]error(nil), s.reported...)
}

// emit emits n events and returns how many were acknowledged.
func (s *stage) emit(t *testing.T, n int) (taken int) {
	t.Helper()
	for i := range n {
		switch err := s.audit.Login(context.Background(), otelaudit.Login{Method: "password", UserID: fmt.Sprint("user-", i)}); {
		case err == nil:
			taken++
		case !errors.Is(err, otelaudit.ErrNotDurable):
			t.Fatalf("Login() = %v, want ErrNotDurable or nil", err)
		}
	}
	return taken
}

// closed closes the pipeline and returns the books, which must balance.
func (s *stage) closed(t *testing.T) (auditsdk.Stats, error) {
	t.Helper()
	err := s.pipeline.Close()
	stats := s.pipeline.Stats()
	balanced(t, stats)
	if stats.Queued != 0 || stats.QueuedBytes != 0 || stats.OldestAge != 0 {
		t.Errorf("stats = %+v, want nothing queued", stats)
	}
	return stats, err
}

func balanced(t *testing.T, s auditsdk.Stats) {
	t.Helper()
	if s.Emitted != s.Acknowledged+s.Queued+s.DeadLettered+s.Rejected+s.Lost {
		t.Errorf("the books do not balance: %+v", s)
	}
}

// logins counts the login events that were taken, and those taken more than once.
func (s *stage) logins() (n, twice int) {
	uids := map[string]bool{}
	for _, rec := range s.Records() {
		if rec.Log.GetEventName() != string(otelaudit.EventLogin) {
			continue
		}
		uid := attr(rec.Log, "log.record.uid")
		if uids[uid] {
			twice++
			continue
		}
		uids[uid] = true
		n++
	}
	return n, twice
}

func attr(l *logspb.LogRecord, key string) string {
	for _, kv := range l.GetAttributes() {
		if kv.GetKey() == key {
			if s := kv.GetValue().GetStringValue(); s != "" {
				return s
			}
			return fmt.Sprint(kv.GetValue().GetIntValue())
		}
	}
	return ""
}

// states are the states of the pipeline events that were taken.
func (s *stage) states() (out []string) {
	for _, rec := range s.Records() {
		if rec.Log.GetEventName() == string(otelaudit.EventPipeline) {
			out = append(out, attr(rec.Log, "otelaudit.pipeline.state"))
		}
	}
	return out
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("%s: not in time", what)
}
