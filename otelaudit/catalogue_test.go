// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/tools/txtar"

	"github.com/otelaudit/go/otelaudit"
)

// goodClaims are what $GOOD stands for in a scenario.
const goodClaims = `"iss":"https://id.example","sub":"alice","aud":"orders","iat":1767322900,"exp":1767326500,"jti":"t-1"`

// catalogueFile is the machine-readable form of the scenarios: see catalogueCase.
const catalogueFile = "testdata/catalogue.json"

// build makes the token and the keys. The directives: header and claims are JSON texts,
// header64 and claims64 segments as they are; key signs, verify are what the lookup returns (keys of public);
// alg signs by another algorithm than the header's; signature is strip, zero, tamper, zero-r, dirty (an unused bit set),
// newline, or a segment as it is; raw is the whole token; pad adds a claim of that many bytes.
func (c *catalogueCase) build(t *testing.T, spec map[string]string) {
	t.Helper()
	key := spec["key"]
	if key == "" {
		key = "hmac"
	}
	verify := strings.Fields(spec["verify"])
	if len(verify) == 0 {
		verify = []string{key}
	}
	for _, name := range verify {
		c.Keys = append(c.Keys, newCatalogueKey(t, public(t, name)))
	}
	if raw, ok := spec["raw"]; ok {
		c.Token = strings.TrimSuffix(raw, "$")
		return
	}
	header, claims := spec["header"], strings.ReplaceAll(spec["claims"], "$GOOD", goodClaims)
	if claims == "" {
		claims = "{" + goodClaims + "}"
	}
	if n := spec["pad"]; n != "" {
		size, err := strconv.Atoi(n)
		if err != nil {
			t.Fatal(err)
		}
		claims = strings.TrimSuffix(claims, "}") + `,"pad":"` + strings.Repeat("x", size) + `"}`
	}
	var parsed struct{ Alg any }
	_ = json.Unmarshal([]byte(header), &parsed)
	alg, _ := parsed.Alg.(string)
	if spec["alg"] != "" {
		alg = spec["alg"]
	}
	segment := func(name, text string) string {
		if s, ok := spec[name+"64"]; ok {
			return s
		}
		return b64(text)
	}
	text := segment("header", header) + "." + segment("claims", claims)
	var sig []byte
	if !strings.EqualFold(alg, "none") {
		sig = signScenario(t, alg, text, signingKey(t, key))
	}
	c.Token = text + "." + c.signature(spec["signature"], sig)
}

func (*catalogueCase) signature(how string, sig []byte) string {
	out := base64.RawURLEncoding.EncodeToString(sig)
	switch how {
	case "":
		return out
	case "strip":
		return ""
	case "zero":
		clear(sig)
	case "zero-r":
		clear(sig[:len(sig)/2])
	case "tamper":
		sig[len(sig)/2] ^= 1
	case "dirty":
		const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
		last := strings.IndexByte(digits, out[len(out)-1])
		return out[:len(out)-1] + digits[last|1:last|1+1]
	case "newline":
		return out[:10] + "\n" + out[10:]
	default:
		return how
	}
	return base64.RawURLEncoding.EncodeToString(sig)
}

// TestCatalogue runs the attack and the benign twin of every code, and the corpora, whose cases are
// of any code: the examples of the RFCs, the playbook of attack tools, published vulnerabilities. With -update it also writes
// catalogueFile.
func TestCatalogue(t *testing.T) {
	files, err := filepath.Glob("testdata/catalogue/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	corpus, err := filepath.Glob("testdata/corpus/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	files = append(files, corpus...)
	var all []catalogueCase
	covered := map[string][2]bool{}
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
				c := parseCase(t, code, section.Name, string(section.Data))
				c.run(t)
				c.check(t)
				got += fmt.Sprintf("%s: %s\n", section.Name, &c)
				all = append(all, c)
				seen := covered[code]
				seen[0], seen[1] = seen[0] || c.Attack, seen[1] || !c.Attack
				covered[code] = seen
			})
		}
		if updating() {
			archive.Files = slices.DeleteFunc(archive.Files, func(f txtar.File) bool { return f.Name == "want" })
			archive.Files = append(archive.Files, txtar.File{Name: "want", Data: []byte(got)})
			if err := os.WriteFile(file, txtar.Format(archive), 0o600); err != nil {
				t.Fatal(err)
			}
		} else if got != want {
			t.Errorf("%s:\ngot:\n%swant:\n%s", file, got, want)
		}
	}
	if updating() {
		writeCatalogue(t, all)
	}
	checkCoverage(t, covered)
}

// elsewhere are the codes of tokens that no token alone brings about, and the test that does.
var elsewhere = map[otelaudit.Reason]string{
	"token_missing":            "testdata/scenarios/no_token.txtar",
	"scheme_unsupported":       "testdata/scenarios/other_scheme.txtar",
	"token_multiple":           "testdata/scenarios/two_tokens.txtar",
	"insufficient_scope":       "testdata/scenarios/missing_scope.txtar",
	"policy_denied":            "testdata/scenarios/policy_denied.txtar",
	"key_use_invalid":          "jwks/testdata/scenarios/key_use_invalid.txtar",
	"kid_unknown_rate_limited": "jwks/testdata/scenarios/kid_unknown_rate_limited.txtar",
	"jwks_unavailable":         "jwks/testdata/scenarios/jwks_unavailable.txtar",
}

// checkCoverage: every code of a token, from the first reason of the table to the faults, has an attack and
// a benign twin here, or is tested elsewhere.
func checkCoverage(t *testing.T, covered map[string][2]bool) {
	t.Helper()
	for _, info := range otelaudit.Reasons() {
		switch info.Reason {
		case otelaudit.ReasonSigningError, otelaudit.ReasonOther: // no validation has them
			continue
		case otelaudit.ReasonCredentialsInvalid: // those of logins and calls follow
			return
		}
		if file, ok := elsewhere[info.Reason]; ok {
			if _, err := os.Stat(file); err != nil {
				t.Errorf("%s: %v", info.Reason, err)
			}
			continue
		}
		if covered[string(info.Reason)] != [2]bool{true, true} {
			t.Errorf("%s lacks an attack or a benign twin", info.Reason)
		}
	}
}

func writeCatalogue(t *testing.T, all []catalogueCase) {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "\t")
	if err := enc.Encode(all); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(catalogueFile, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestCatalogueFile runs the machine-readable table, which holds the same cases.
func TestCatalogueFile(t *testing.T) {
	text, err := os.ReadFile(catalogueFile)
	if err != nil {
		t.Fatal(err)
	}
	var all []catalogueCase
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Fatal("the catalogue is empty")
	}
	for _, want := range all {
		t.Run(want.Name, func(t *testing.T) {
			got := want
			got.run(t)
			if got.String() != want.String() {
				t.Errorf("got %s, want %s", &got, &want)
			}
		})
	}
}

// TestBareParserTellsFewApart counts the codes that the error of golang-jwt alone tells apart in the catalogue's
// attacks, the reason why this library watches the attempt, and holds the README to it.
func TestBareParserTellsFewApart(t *testing.T) {
	text, err := os.ReadFile(catalogueFile)
	if err != nil {
		t.Fatal(err)
	}
	var all []catalogueCase
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	sentinels := []error{
		jwt.ErrTokenMalformed, jwt.ErrTokenUnverifiable, jwt.ErrTokenSignatureInvalid, jwt.ErrTokenRequiredClaimMissing,
		jwt.ErrTokenInvalidAudience, jwt.ErrTokenExpired, jwt.ErrTokenUsedBeforeIssued, jwt.ErrTokenInvalidIssuer,
		jwt.ErrTokenInvalidSubject, jwt.ErrTokenNotValidYet, jwt.ErrInvalidType,
	}
	bare, audited := map[string]bool{}, map[string]bool{}
	for _, c := range all {
		if !c.Attack || c.Lookup == "panic" {
			continue
		}
		opts, _ := c.parserOptions(t, otelaudit.Default())
		_, err := jwt.NewParser(opts...).ParseWithClaims(c.Token, c.claims(), c.keyfunc(t))
		signature := fmt.Sprint(err == nil)
		for _, s := range sentinels {
			signature += fmt.Sprint(" ", errors.Is(err, s))
		}
		bare[signature], audited[c.Code] = true, true
	}
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, claim := range []string{fmt.Sprintf("names [%d kinds", len(audited)), fmt.Sprintf("tell %d apart", len(bare))} {
		if !strings.Contains(string(readme), claim) {
			t.Errorf("README.md does not say %q", claim)
		}
	}
}
