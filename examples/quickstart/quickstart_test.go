// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
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

func TestUnmet(t *testing.T) {
	got := []event{{name: "otelaudit.access", outcome: "success"}}
	left := unmet([]want{"access success", "access success", "login failure credentials_invalid"}, got)
	if strings.Join(left, ";") != "access success;login failure credentials_invalid" {
		t.Errorf("unmet = %q", left)
	}
}
