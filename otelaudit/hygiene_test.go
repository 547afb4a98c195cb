// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const licenceHeader = "// Copyright The otelaudit Authors\n// SPDX-License-Identifier: Apache-2.0\n"

// goFiles are the Go files of the repository, parsed as far as their imports.
func goFiles(t *testing.T) map[string]*ast.File {
	t.Helper()
	files := map[string]*ast.File{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && d.Name() != ".." && strings.HasPrefix(d.Name(), ".") {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.ImportsOnly)
		files[path] = f
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestEveryFileHasTheLicenceHeader(t *testing.T) {
	for path := range goFiles(t) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(string(text), licenceHeader) {
			t.Errorf("%s lacks the licence header", path)
		}
	}
}

func TestEveryPackageHasADocComment(t *testing.T) {
	documented := map[string]bool{}
	for path, f := range goFiles(t) {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		dir := filepath.Dir(path)
		documented[dir] = documented[dir] || f.Doc.Text() != ""
	}
	for dir, ok := range documented {
		if !ok {
			t.Errorf("package in %s has no doc comment", dir)
		}
	}
}

func TestRootImportsOnlyTheAPI(t *testing.T) {
	const api = "go.opentelemetry.io/otel"
	for path, f := range goFiles(t) {
		if filepath.Dir(path) != filepath.Join("..", "otelaudit") || strings.HasSuffix(path, "_test.go") {
			continue
		}
		for _, spec := range f.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			first, _, _ := strings.Cut(name, "/")
			switch {
			case !strings.Contains(first, "."): // standard library
			case name == "github.com/golang-jwt/jwt/v5":
			case (name == api || strings.HasPrefix(name, api+"/")) &&
				!strings.HasPrefix(name, api+"/sdk") && !strings.HasPrefix(name, api+"/exporters"):
			default:
				t.Errorf("%s imports %s", path, name)
			}
		}
	}
}

// TestThreatsNameEveryCode: an analyst finds every code of a token, up to those of logins and calls.
func TestThreatsNameEveryCode(t *testing.T) {
	text, err := os.ReadFile("THREATS.md")
	if err != nil {
		t.Fatal(err)
	}
	login := false
	for _, info := range Reasons() {
		switch info.Reason {
		case ReasonCredentialsInvalid:
			login = true
		case ReasonInsufficientScope, ReasonPolicyDenied, ReasonOther:
		default:
			if login {
				continue
			}
		}
		if info.Reason != ReasonCredentialsInvalid && !strings.Contains(string(text), "`"+string(info.Reason)+"`") {
			t.Errorf("THREATS.md does not name %s", info.Reason)
		}
	}
	for _, info := range Findings() {
		if !strings.Contains(string(text), "`"+string(info.Finding)+"`") {
			t.Errorf("THREATS.md does not name %s", info.Finding)
		}
	}
}
