// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package existing

import (
	"os"
	"strings"
	"testing"
)

// maxChanged is what the README promises.
const maxChanged = 5

func TestFiveChangedLines(t *testing.T) {
	before, after := code(t, "before/main.go"), code(t, "after/main.go")
	common := lcs(before, after)
	changed := max(len(before), len(after)) - common
	if changed > maxChanged {
		t.Errorf("after changes %d lines of before, want at most %d", changed, maxChanged)
	}
	if changed == 0 {
		t.Error("after is the same as before")
	}
}

// code returns the lines of a file from its package clause on.
func code(t *testing.T, file string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(text), "\npackage main\n")
	if !ok {
		t.Fatalf("%s has no package clause", file)
	}
	return strings.Split(rest, "\n")
}

// lcs is the length of the longest common subsequence of lines.
func lcs(a, b []string) int {
	row := make([]int, len(b)+1)
	for _, x := range a {
		diagonal := 0
		for j, y := range b {
			above := row[j+1]
			if x == y {
				row[j+1] = diagonal + 1
			} else {
				row[j+1] = max(above, row[j])
			}
			diagonal = above
		}
	}
	return row[len(b)]
}

// TestREADME holds the diff in the README equal to the pair of files.
func TestREADME(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(readme), "```diff\n")
	block, _, closed := strings.Cut(rest, "```")
	if !ok || !closed {
		t.Fatal("README has no diff")
	}
	files := map[byte]string{
		'-': squeeze(strings.Join(code(t, "before/main.go"), "\n")),
		'+': squeeze(strings.Join(code(t, "after/main.go"), "\n")),
	}
	for line := range strings.Lines(block) {
		want, _, _ := strings.Cut(squeeze(line[1:]), "…") // what is elided is not compared
		if !strings.Contains(files[line[0]], want) {
			t.Errorf("README shows %q, which is not in the file", line)
		}
	}
}

// squeeze makes alignment irrelevant.
func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }
