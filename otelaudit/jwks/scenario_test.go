// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package jwks_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/tools/txtar"

	"github.com/otelaudit/go/otelaudit"
	"github.com/otelaudit/go/otelaudit/audittest"
	"github.com/otelaudit/go/otelaudit/jwks"
)

var update = flag.Bool("update", false, "rewrite the scenarios")

// TestScenarios plays each section of testdata/scenarios against a real server: an attack must get the code that
// the file is named for, a twin must not. The directives: key changes the JWK of key-1; server is up, 500
// or text at first, then what it is afterwards; rotate replaces the key by one of that id; kids are the key
// ids of the tokens that are sent, kid one that is no string. The last token counts.
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/scenarios/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("Glob() = %v, %v, want scenarios", files, err)
	}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		code := strings.TrimSuffix(filepath.Base(file), ".txtar")
		want, got := "", ""
		for _, section := range archive.Files {
			if section.Name == "want" {
				want = string(section.Data)
				continue
			}
			t.Run(code+"/"+section.Name, func(t *testing.T) {
				outcome, reasons := playScenario(t, string(section.Data))
				got += strings.TrimSpace(fmt.Sprintf("%s: %s %s", section.Name, outcome, strings.Join(reasons, ","))) + "\n"
				if attack := strings.HasPrefix(section.Name, "attack"); slices.Contains(reasons, code) != attack {
					t.Errorf("reasons = %q, attack %v", reasons, attack)
				}
			})
		}
		if *update {
			archive.Files = slices.DeleteFunc(archive.Files, func(f txtar.File) bool { return f.Name == "want" })
			archive.Files = append(archive.Files, txtar.File{Name: "want", Data: []byte(got)})
			if err := os.WriteFile(file, txtar.Format(archive), 0o600); err != nil {
				t.Fatal(err)
			}
		} else if got != want {
			t.Errorf("%s:\ngot:\n%swant:\n%s", file, got, want)
		}
	}
}

func playScenario(t *testing.T, script string) (outcome string, reasons []string) {
	t.Helper()
	spec := map[string]string{}
	for line := range strings.Lines(script) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		spec[name] = value
	}
	k := newKey(t, "key-1")
	published := k.JWKMarshal
	if change := spec["key"]; change != "" {
		if err := json.Unmarshal([]byte(change), &published); err != nil {
			t.Fatal(err)
		}
	}
	srv := newServer(t, published)
	behave(t, srv, spec["server"], published)
	r := audittest.NewRecorder(t)
	a := r.Auditor()
	keys, err := jwks.New(t.Context(), a, []string{srv.url()}, jwks.WithUnknownKeyWait(10*time.Second), jwks.WithMeterProvider(r.Meters))
	if err != nil {
		t.Fatal(err)
	}
	behave(t, srv, spec["then"], published)
	if kid := spec["rotate"]; kid != "" {
		k = newKey(t, kid)
		srv.serve(k.JWKMarshal)
	}
	kids := []any{}
	for _, kid := range strings.Fields(spec["kids"]) {
		kids = append(kids, kid)
	}
	if spec["kid"] != "" {
		kids = append(kids, json.Number(spec["kid"]))
	}
	if len(kids) == 0 {
		kids = append(kids, "key-1")
	}
	parser := a.NewParser()
	for _, kid := range kids {
		token := jwt.NewWithClaims(jwt.SigningMethodES256, jwt.MapClaims{"sub": "alice", "exp": time.Now().Add(time.Hour).Unix()})
		token.Header["kid"] = kid
		raw, err := token.SignedString(k.private)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = parser.Parse(t.Context(), raw, keys.KeyfuncCtx(t.Context()))
		audittest.NoSecrets(t, r, raw, secretPass, secretPath, secretQuery)
	}
	records := r.Records(otelaudit.EventTokenValidation)
	attrs := audittest.Attrs(records[len(records)-1])
	reasons = attrs["otelaudit.reasons"].AsStringSlice()
	if first, ok := attrs["error.type"]; ok && reasons == nil {
		reasons = []string{first.AsString()}
	}
	return attrs["otelaudit.outcome"].AsString(), reasons
}

func behave(t *testing.T, srv *server, how string, key jwkset.JWKMarshal) {
	t.Helper()
	switch how {
	case "":
	case "up":
		srv.serve(key)
	case "500":
		srv.handle(text(http.StatusInternalServerError, "down"))
	case "text":
		srv.handle(text(http.StatusOK, "<html>maintenance</html>"))
	default:
		t.Fatalf("unknown behaviour %q", how)
	}
}
