// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	"google.golang.org/protobuf/encoding/protojson"
)

// event is what the story looks at of one received log record.
type event struct {
	at                            time.Time
	severity                      logspb.SeverityNumber
	level, name, outcome, reason  string
	who, from, route, fingerprint string
}

func eventsOf(rl *logspb.ResourceLogs) (out []event) {
	for _, sl := range rl.GetScopeLogs() {
		for _, r := range sl.GetLogRecords() {
			attrs := map[string]string{}
			for _, kv := range r.GetAttributes() {
				attrs[kv.GetKey()] = text(kv.GetValue())
			}
			e := event{
				at:       time.Unix(0, int64(r.GetTimeUnixNano())), //nolint:gosec // nanoseconds until 2262
				severity: r.GetSeverityNumber(), level: r.GetSeverityText(), name: r.GetEventName(),
				outcome: attrs["otelaudit.outcome"], reason: attrs["error.type"],
				who: attrs["user.id"], from: attrs["client.address"], route: attrs["http.route"],
				fingerprint: attrs["otelaudit.token.fingerprint"],
			}
			if e.reason == "" {
				e.reason = attrs["otelaudit.findings"] // of something that was accepted
			}
			for _, part := range [...]struct{ sign, kids string }{
				{"+", attrs["otelaudit.jwks.keys_added"]}, {" -", attrs["otelaudit.jwks.keys_removed"]},
			} {
				if part.kids != "" {
					e.route = strings.TrimSpace(e.route + part.sign + part.kids)
				}
			}
			out = append(out, e)
		}
	}
	return out
}

func text(v *commonpb.AnyValue) string {
	if a := v.GetArrayValue(); a != nil {
		parts := make([]string, 0, len(a.GetValues()))
		for _, x := range a.GetValues() {
			parts = append(parts, text(x))
		}
		return strings.Join(parts, ",")
	}
	return v.GetStringValue()
}

// printer writes what arrives. It is safe for concurrent use.
type printer struct {
	mu        sync.Mutex
	events    io.Writer
	narration io.Writer
	json      bool
	colour    bool
}

func newPrinter(stdout, stderr io.Writer, asJSON bool) *printer {
	p := &printer{events: stdout, narration: stdout, json: asJSON}
	if asJSON {
		p.narration = stderr
	}
	p.colour = terminal(p.narration) && os.Getenv("NO_COLOR") == ""
	return p
}

func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

func (p *printer) say(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, _ = fmt.Fprintf(p.narration, format+"\n", args...)
}

func (p *printer) paint(code, s string) string {
	if !p.colour {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (p *printer) title(s string) { p.say("\n%s", p.paint("1", s)) }

const layout = "  %-12s  %-5s  %-18s  %-7s  %-19s  %-9s  %-9s  %-20s  %s"

func (p *printer) columns() {
	p.say("%s", p.paint("2", fmt.Sprintf(layout, "TIME", "LEVEL", "EVENT", "OUTCOME", "REASON OR FINDING", "WHO", "FROM", "ROUTE OR KEYS", "FINGERPRINT")))
}

// received prints the records of rl.
func (p *printer) received(rl *logspb.ResourceLogs) {
	if p.json {
		line, err := otlpJSON(rl)
		p.mu.Lock()
		defer p.mu.Unlock()
		if err != nil {
			_, _ = fmt.Fprintln(p.narration, "quickstart: a record could not be written as JSON")
			return
		}
		_, _ = fmt.Fprintf(p.events, "%s\n", line)
		return
	}
	for _, e := range eventsOf(rl) {
		level, code := e.level, "32"
		switch {
		case e.severity >= logspb.SeverityNumber_SEVERITY_NUMBER_ERROR:
			code = "31"
		case e.severity >= logspb.SeverityNumber_SEVERITY_NUMBER_WARN:
			code = "33"
		case e.outcome != "success":
			code = "36"
		}
		if level == "" {
			level = strings.TrimPrefix(e.severity.String(), "SEVERITY_NUMBER_")
		}
		p.say("%s", p.paint(code, fmt.Sprintf(layout, e.at.Format("15:04:05.000"), level,
			strings.TrimPrefix(e.name, "otelaudit."), e.outcome, dash(e.reason), dash(e.who), dash(e.from),
			dash(e.route), dash(short(e.fingerprint)))))
	}
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func short(fingerprint string) string {
	if len(fingerprint) > 12 {
		return fingerprint[:12]
	}
	return fingerprint
}

// otlpJSON is rl as one line of the OTLP JSON file format. It differs from the
// JSON mapping of protobuf in two things: enums are numbers, and trace and span ids are hex.
func otlpJSON(rl *logspb.ResourceLogs) ([]byte, error) {
	b, err := protojson.MarshalOptions{UseEnumNumbers: true}.Marshal(
		&logspb.LogsData{ResourceLogs: []*logspb.ResourceLogs{rl}})
	if err != nil {
		return nil, err
	}
	var tree any
	if err := json.Unmarshal(b, &tree); err != nil {
		return nil, err
	}
	hexIDs(tree)
	return json.Marshal(tree)
}

func hexIDs(node any) {
	switch n := node.(type) {
	case []any:
		for _, x := range n {
			hexIDs(x)
		}
	case map[string]any:
		for k, x := range n {
			if s, ok := x.(string); ok && (k == "traceId" || k == "spanId") {
				if id, err := base64.StdEncoding.DecodeString(s); err == nil {
					n[k] = hex.EncodeToString(id)
				}
				continue
			}
			hexIDs(x)
		}
	}
}
