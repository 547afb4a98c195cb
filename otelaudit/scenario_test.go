// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit_test

import (
	"bufio"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	"golang.org/x/tools/txtar"

	"github.com/otelaudit/go/otelaudit"
	"github.com/otelaudit/go/otelaudit/audittest"
)

// updating is the -update flag, which the registry's test declares.
func updating() bool {
	f := flag.Lookup("update")
	return f != nil && f.Value.String() == "true"
}

// scenarioTime is the clock of the scenarios, of the parser too.
var scenarioTime = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// TestScenarios sends the request of each archive to a guarded API and compares
// the records. $TOKEN in the request is a token whose header is the file "header"
// and whose claims are the file "claims".
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/scenarios/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("Glob() = %v, %v, want scenarios", files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			parts := map[string]string{}
			for _, f := range archive.Files {
				parts[f.Name] = strings.TrimSpace(string(f.Data))
			}
			raw := scenarioToken(t, parts)
			got := runScenario(t, strings.ReplaceAll(parts["request"], "$TOKEN", raw), raw)
			if updating() {
				archive.Files = slices.DeleteFunc(archive.Files, func(f txtar.File) bool { return f.Name == "want" })
				archive.Files = append(archive.Files, txtar.File{Name: "want", Data: []byte(got)})
				if err := os.WriteFile(file, txtar.Format(archive), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(parts["want"], strings.TrimSpace(got)); diff != "" {
				t.Errorf("records (-want +got):\n%s", diff)
			}
		})
	}
}

// scenarioToken signs with HS256, or not at all if the header says so.
func scenarioToken(t *testing.T, parts map[string]string) string {
	t.Helper()
	if parts["claims"] == "" {
		return ""
	}
	text := b64(parts["header"]) + "." + b64(parts["claims"])
	if strings.Contains(parts["header"], "none") {
		return text + "."
	}
	sig, err := jwt.SigningMethodHS256.Sign(text, hmacKey)
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + b64(string(sig))
}

func runScenario(t *testing.T, request, raw string) string {
	t.Helper()
	r := audittest.NewRecorder(t)
	now := func() time.Time { return scenarioTime }
	a := r.Auditor(otelaudit.WithClock(now))
	parser := a.NewParser(jwt.WithTimeFunc(now), jwt.WithIssuer("https://id.example"), jwt.WithAudience("orders"))
	guard := a.RequireToken(parser, func(*jwt.Token) (any, error) { return hmacKey, nil })
	ok := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux := http.NewServeMux()
	mux.Handle("GET /orders/{id}", guard(ok))
	mux.Handle("GET /reports/{year}", guard(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		d := otelaudit.Decision{Action: "read", Resource: "reports/" + req.PathValue("year"), Policy: "reports-by-year", Allowed: req.PathValue("year") == "2025"}
		if err := a.Authorize(req.Context(), d); err != nil {
			t.Error(err)
		}
		if !d.Allowed {
			w.WriteHeader(http.StatusForbidden)
		}
	})))
	mux.Handle("POST /orders/{id}/refund", guard(a.RequireScope("orders:refund")(ok)))

	req, err := http.ReadRequest(bufio.NewReader(strings.NewReader(strings.ReplaceAll(request, "\n", "\r\n") + "\r\n\r\n")))
	if err != nil {
		t.Fatal(err)
	}
	req.RemoteAddr = "192.0.2.1:1234"
	a.Middleware(mux).ServeHTTP(httptest.NewRecorder(), req)
	if raw != "" {
		audittest.NoSecrets(t, r, raw)
	}
	var b strings.Builder
	for _, rec := range r.Records("") {
		fmt.Fprintf(&b, "%s %s\n", rec.EventName(), rec.Severity())
		attrs := audittest.Attrs(rec)
		delete(attrs, "log.record.uid")
		for _, k := range slices.SortedFunc(maps.Keys(attrs), func(a, b attribute.Key) int { return strings.Compare(string(a), string(b)) }) {
			fmt.Fprintf(&b, "\t%s=%s\n", k, attrs[k].String())
		}
	}
	return b.String()
}
