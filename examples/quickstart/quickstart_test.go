// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// rawToken is how every JWT begins: base64url of `{"`.
const rawToken = "eyJ"

func local(t *testing.T) {
	t.Helper()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "")
	t.Setenv("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "")
}

func TestStory(t *testing.T) {
	local(t)
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"-exit"}, &stdout, &stderr); code != 0 {
		t.Fatalf("exit code %d\n%s\n%s", code, &stdout, &stderr)
	}
	got := stdout.String()
	for _, want := range []string{"alg_none", "alg_key_confusion", "kid_unknown", "token_revoked", "+es-2 -es-1", "Every expected event arrived."} {
		if !strings.Contains(got, want) {
			t.Errorf("the output lacks %q\n%s", want, got)
		}
	}
	if strings.Contains(got+stderr.String(), rawToken) {
		t.Error("a raw token was printed")
	}
	if strings.Contains(got, "\x1b") {
		t.Error("colours were written to what is no terminal")
	}
}

func TestStoryAsJSON(t *testing.T) {
	local(t)
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"-exit", "-json"}, &stdout, &stderr); code != 0 {
		t.Fatalf("exit code %d\n%s", code, &stderr)
	}
	if strings.Contains(stdout.String()+stderr.String(), rawToken) {
		t.Error("a raw token was printed")
	}
	records, traced := 0, 0
	for line := range strings.Lines(stdout.String()) {
		var data struct {
			ResourceLogs []struct {
				ScopeLogs []struct {
					LogRecords []struct {
						EventName      string
						SeverityNumber int
						TraceID        string `json:"traceId"`
						SpanID         string `json:"spanId"`
					}
				}
			}
		}
		if err := json.Unmarshal([]byte(line), &data); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		for _, rl := range data.ResourceLogs {
			for _, sl := range rl.ScopeLogs {
				for _, r := range sl.LogRecords {
					records++
					if !strings.HasPrefix(r.EventName, "otelaudit.") || r.SeverityNumber == 0 {
						t.Errorf("event name %q, severity %d", r.EventName, r.SeverityNumber)
					}
					if r.TraceID == "" {
						continue
					}
					traced++
					if id, err := hex.DecodeString(r.TraceID); err != nil || len(id) != 16 {
						t.Errorf("trace id %q", r.TraceID)
					}
					if id, err := hex.DecodeString(r.SpanID); err != nil || len(id) != 8 {
						t.Errorf("span id %q", r.SpanID)
					}
				}
			}
		}
	}
	if records < 50 || traced == 0 {
		t.Errorf("%d records, %d with a trace", records, traced)
	}
}

func TestExternalEndpoint(t *testing.T) {
	local(t)
	rec := newReceiver(newPrinter(&bytes.Buffer{}, &bytes.Buffer{}, true).received)
	var servers closers
	base, err := servers.serve(rec)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = servers.close() }()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", base)
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"-exit"}, &stdout, &stderr); code != 0 {
		t.Fatalf("exit code %d\n%s", code, &stderr)
	}
	if !strings.Contains(stdout.String(), "check for expected events is skipped") {
		t.Errorf("the output does not say that the check is skipped:\n%s", &stdout)
	}
	if n := len(rec.since(0)); n < 50 {
		t.Errorf("%d events arrived at the endpoint", n)
	}
}

func TestOneLoopbackAddress(t *testing.T) {
	local(t)
	old := secondAddress
	secondAddress = "192.0.2.1" // RFC 5737: no system has it
	defer func() { secondAddress = old }()
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"-exit"}, &stdout, &stderr); code != 0 {
		t.Fatalf("exit code %d\n%s\n%s", code, &stdout, &stderr)
	}
	if !strings.Contains(stdout.String(), forwardedAddress) {
		t.Error("the forwarded address did not arrive")
	}
}

// A leak in any part is found, and fails the story.
func TestLeakIsFound(t *testing.T) {
	const header, payload, signature = "h-234567890123456", "p-234567890123456", "s-234567890123456"
	raw := header + "." + payload + "." + signature
	for body, clean := range map[string]bool{
		"nothing": true, header: true, "a " + payload + " b": false, signature: false, raw: false, "secret-password": false,
	} {
		out := newPrinter(&bytes.Buffer{}, &bytes.Buffer{}, false)
		s := &story{rec: newReceiver(out.received), out: out, seen: &vault{},
			idp: &idp{users: map[string]user{"alice": {password: "secret-password"}}}}
		s.seen.add(raw)
		s.rec.take([]byte(body), nil)
		if got := s.summary(); got != clean {
			t.Errorf("%q: summary() = %t", body, got)
		}
	}
}

// Without -exit it serves until it is told to stop, and prints a token that works.
func TestServesUntilStopped(t *testing.T) {
	local(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, w := io.Pipe()
	code := make(chan int, 1)
	go func() {
		var stderr bytes.Buffer
		code <- run(ctx, nil, w, &stderr)
		_ = w.Close()
	}()
	curl := regexp.MustCompile(`curl -i -H 'Authorization: (Bearer [^']+)' (\S+)`)
	called := false
	for lines := bufio.NewScanner(r); lines.Scan(); {
		m := curl.FindStringSubmatch(lines.Text())
		if m == nil {
			continue
		}
		called = true
		go func() {
			defer cancel()
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, m[2], nil)
			if err != nil {
				t.Error(err)
				return
			}
			req.Header.Set("Authorization", m[1])
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Error(err)
				return
			}
			_ = resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				t.Errorf("the curl line is answered %d", resp.StatusCode)
			}
		}()
	}
	if c := <-code; c != 0 || !called {
		t.Errorf("exit code %d, curl line found: %t", c, called)
	}
}

func TestUnmet(t *testing.T) {
	got := []event{{name: "otelaudit.access", outcome: "success"}}
	left := unmet([]want{"access success", "access success", "login failure credentials_invalid"}, got)
	if strings.Join(left, ";") != "access success;login failure credentials_invalid" {
		t.Errorf("unmet = %q", left)
	}
}
