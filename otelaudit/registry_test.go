// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"gopkg.in/yaml.v3"
)

var update = flag.Bool("update", false, "rewrite registry/registry.md")

type regMember struct {
	ID, Value, Brief, Stability string
	Annotations                 struct{ Class, OWASP, RFC6750 string }
}

type regAttribute struct {
	Key, Brief, Stability string
	Type                  yaml.Node
	Examples              []any
}

func (a regAttribute) members(t *testing.T) []regMember {
	t.Helper()
	if a.Type.Kind != yaml.MappingNode {
		return nil
	}
	var enum struct{ Members []regMember }
	if err := a.Type.Decode(&enum); err != nil {
		t.Fatalf("%s: %v", a.Key, err)
	}
	return enum.Members
}

type regRef struct{ Ref string }

type regSignal struct {
	Name, Brief, Stability, Instrument, Unit string
	Attributes                               []regRef
}

type registryFile struct {
	FileFormat string `yaml:"file_format"`
	Attributes []regAttribute
	Events     []regSignal
	Metrics    []regSignal
}

func loadRegistry(t *testing.T) registryFile {
	t.Helper()
	var all registryFile
	for _, name := range []string{"attributes.yaml", "events.yaml", "metrics.yaml"} {
		text, err := os.ReadFile(filepath.Join("registry", name))
		if err != nil {
			t.Fatal(err)
		}
		var f registryFile
		if err := yaml.Unmarshal(text, &f); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if f.FileFormat != "definition/2" {
			t.Errorf("%s: file_format is %q", name, f.FileFormat)
		}
		all.Attributes = append(all.Attributes, f.Attributes...)
		all.Events = append(all.Events, f.Events...)
		all.Metrics = append(all.Metrics, f.Metrics...)
	}
	return all
}

func (f registryFile) attribute(t *testing.T, key string) regAttribute {
	t.Helper()
	for _, a := range f.Attributes {
		if a.Key == key {
			return a
		}
	}
	t.Fatalf("the registry has no %s", key)
	return regAttribute{}
}

// constants are the string constants of file whose name has prefix.
func constants(t *testing.T, file, prefix string) []string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	ast.Inspect(f, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 || !strings.HasPrefix(spec.Names[0].Name, prefix) {
			return true
		}
		v := spec.Values[0]
		if call, ok := v.(*ast.CallExpr); ok && len(call.Args) == 1 {
			v = call.Args[0]
		}
		if lit, ok := v.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			s, err := strconv.Unquote(lit.Value)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, s)
		}
		return true
	})
	return out
}

// sameSet checks both ways and that neither side repeats itself.
func sameSet(t *testing.T, what string, code, registry []string) {
	t.Helper()
	code, registry = slices.Sorted(slices.Values(code)), slices.Sorted(slices.Values(registry))
	if len(code) == 0 || !slices.Equal(code, registry) {
		t.Errorf("%s differ:\ncode     %q\nregistry %q", what, code, registry)
	}
}

func TestRegistryHasTheAttributesOfTheCode(t *testing.T) {
	var keys []string
	for _, a := range loadRegistry(t).Attributes {
		keys = append(keys, a.Key)
		if a.Brief == "" || a.Type.IsZero() || a.Stability == "" || len(a.Examples) == 0 {
			t.Errorf("%s lacks a brief, type, stability or example", a.Key)
		}
		for _, m := range a.members(t) {
			if m.ID == "" || m.Value != m.ID || m.Brief == "" || m.Stability == "" {
				t.Errorf("%s: member %+v is incomplete", a.Key, m)
			}
		}
	}
	sameSet(t, "attributes", constants(t, "record.go", "key"), keys)
}

func TestRegistryHasTheEventsOfTheCode(t *testing.T) {
	var code, names []string
	for _, n := range EventNames() {
		code = append(code, string(n))
	}
	for _, e := range loadRegistry(t).Events {
		names = append(names, e.Name)
	}
	if !slices.Equal(code, names) {
		t.Errorf("events differ:\ncode     %q\nregistry %q", code, names)
	}
	sameSet(t, "event constants", constants(t, "event.go", "Event"), names)
}

func TestRegistryHasTheReasonsOfTheCode(t *testing.T) {
	members := loadRegistry(t).attribute(t, "otelaudit.reasons").members(t)
	var listed []string
	for _, m := range members {
		listed = append(listed, m.ID)
	}
	sameSet(t, "reason constants", constants(t, "reason.go", "Reason"), listed)
	rows := Reasons()
	if len(rows) != len(members) {
		t.Fatalf("%d reasons in the code, %d in the registry", len(rows), len(members))
	}
	for i, m := range members {
		got := [...]string{m.ID, m.Annotations.Class, m.Annotations.OWASP, m.Annotations.RFC6750, m.Brief}
		r := rows[i]
		want := [...]string{string(r.Reason), r.Class.String(), r.OWASP, r.RFC6750, r.Brief}
		if got != want {
			t.Errorf("row %d:\ncode     %q\nregistry %q", i, want, got)
		}
	}
}

func TestRegistryHasTheEnumsOfTheCode(t *testing.T) {
	f := loadRegistry(t)
	values := func(key string) (out []string) {
		for _, m := range f.attribute(t, key).members(t) {
			out = append(out, m.Value)
		}
		return out
	}
	findings := f.attribute(t, "otelaudit.findings").members(t)
	rows := Findings()
	if len(findings) != len(rows) {
		t.Fatalf("%d findings in the code, %d in the registry", len(rows), len(findings))
	}
	for i, m := range findings {
		got := FindingInfo{Finding(m.ID), classOf(m.Annotations.Class), m.Brief}
		if got != rows[i] {
			t.Errorf("row %d:\ncode     %v\nregistry %v", i, rows[i], got)
		}
		if Finding(m.ID).Reason() != Reason(m.ID) {
			t.Errorf("%s is no reason", m.ID)
		}
	}
	sameSet(t, "finding constants", constants(t, "finding.go", "Finding"), values("otelaudit.findings"))
	sameSet(t, "outcomes", constants(t, "event.go", "Outcome"), values("otelaudit.outcome"))
	sameSet(t, "actor types", constants(t, "event.go", "Actor"), values("otelaudit.actor.type"))
	allow, deny := Decision{Allowed: true}, Decision{}
	sameSet(t, "effects", []string{allow.effect(), deny.effect()}, values("otelaudit.authorization.effect"))
}

func TestRegistryHasTheMetricsOfTheCode(t *testing.T) {
	var code, names []string
	var text []byte
	for _, file := range []string{"metrics.go", "jwks/metrics.go", "auditsdk/metrics.go"} {
		code = append(code, constants(t, file, "metric")...)
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		text = append(text, b...)
	}
	for _, m := range loadRegistry(t).Metrics {
		names = append(names, m.Name)
		if m.Instrument == "" || m.Stability == "" {
			t.Errorf("%s lacks an instrument or stability", m.Name)
		}
		if !bytes.Contains(text, []byte(strconv.Quote(m.Unit))) || !bytes.Contains(text, []byte(strconv.Quote(m.Brief))) {
			t.Errorf("%s: no code has the unit %q and the brief %q", m.Name, m.Unit, m.Brief)
		}
	}
	sameSet(t, "metrics", code, names)
}

// upstream are the attributes of semantic-conventions that we use, as its Go package spells them.
var upstream = codes([]attribute.Key{
	semconv.LogRecordUIDKey, semconv.ErrorTypeKey, semconv.UserIDKey, semconv.UserHashKey, semconv.SessionIDKey,
	semconv.ClientAddressKey, semconv.UserAgentOriginalKey, semconv.HTTPRequestMethodKey, semconv.HTTPRouteKey, semconv.URLPathKey,
	semconv.HTTPResponseStatusCodeKey, semconv.RPCSystemNameKey, semconv.RPCMethodKey, semconv.ServerAddressKey,
})

func TestRegistryRefsResolve(t *testing.T) {
	f := loadRegistry(t)
	known := slices.Clone(upstream)
	for _, a := range f.Attributes {
		known = append(known, a.Key)
	}
	used := map[string]bool{}
	for _, s := range append(slices.Clone(f.Events), f.Metrics...) {
		seen := map[string]bool{}
		for _, r := range s.Attributes {
			if !slices.Contains(known, r.Ref) || seen[r.Ref] {
				t.Errorf("%s: ref %q does not resolve or is repeated", s.Name, r.Ref)
			}
			seen[r.Ref], used[r.Ref] = true, true
		}
	}
	for _, key := range known {
		if !used[key] {
			t.Errorf("no signal uses %s", key)
		}
	}
}

func TestRegistryManifest(t *testing.T) {
	text, err := os.ReadFile("registry/manifest.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var m struct {
		SchemaURL    string `yaml:"schema_url"`
		Stability    string
		Dependencies []struct {
			SchemaURL string `yaml:"schema_url"`
		}
	}
	if err := yaml.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	if m.SchemaURL != SchemaURL || m.Stability != "development" || len(m.Dependencies) != 1 {
		t.Errorf("manifest is %+v", m)
	}
}

func TestRegistryDocument(t *testing.T) {
	got := renderRegistry(t, loadRegistry(t))
	const file = "registry/registry.md"
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what the YAML says: run go test -run TestRegistryDocument -update", file)
	}
}

func renderRegistry(t *testing.T, f registryFile) []byte {
	t.Helper()
	var b bytes.Buffer
	row := func(cells ...string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | ")) }
	head := func(title string, cells ...string) {
		fmt.Fprintf(&b, "\n## %s\n\n", title)
		row(cells...)
		b.WriteString(strings.Repeat("|---", len(cells)) + "|\n")
	}
	code := func(s string) string {
		if s == "" {
			return ""
		}
		return "`" + s + "`"
	}
	refs := func(in []regRef) string {
		out := make([]string, 0, len(in))
		for _, r := range in {
			out = append(out, code(r.Ref))
		}
		return strings.Join(out, ", ")
	}
	b.WriteString("# Registry\n\nRendered from the YAML beside it by `go test -run TestRegistryDocument -update`.\n")
	head("Events", "Name", "When", "Attributes")
	for _, e := range f.Events {
		row(code(e.Name), e.Brief, refs(e.Attributes))
	}
	head("Attributes", "Key", "Type", "Brief", "Example")
	for _, a := range f.Attributes {
		typ := a.Type.Value
		if a.members(t) != nil {
			typ = "enum"
		}
		row(code(a.Key), typ, a.Brief, code(fmt.Sprint(a.Examples[0])))
	}
	head("Reasons", "Code", "Class", "OWASP", "RFC 6750", "Brief")
	for _, m := range f.attribute(t, "otelaudit.reasons").members(t) {
		row(code(m.ID), m.Annotations.Class, code(m.Annotations.OWASP), code(m.Annotations.RFC6750), m.Brief)
	}
	head("Findings", "Code", "Class", "Brief")
	for _, m := range f.attribute(t, "otelaudit.findings").members(t) {
		row(code(m.ID), m.Annotations.Class, m.Brief)
	}
	head("Metrics", "Name", "Instrument", "Unit", "Brief", "Attributes")
	for _, m := range f.Metrics {
		row(code(m.Name), m.Instrument, code(m.Unit), m.Brief, refs(m.Attributes))
	}
	return b.Bytes()
}

func classOf(name string) Class {
	for c := ClassRoutine; c < ClassFault; c++ {
		if c.String() == name {
			return c
		}
	}
	return ClassFault
}
