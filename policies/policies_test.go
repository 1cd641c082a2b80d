package policies

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mergegate/mergegate/internal/policy"
)

// directories are the policies' directories, by name.
func directories(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() && e.Name() != "lib" {
			names = append(names, e.Name())
		}
	}
	return names
}

// source is the library as the program has it.
func source(t *testing.T) policy.Source {
	t.Helper()
	s := policy.Source{Name: "built-in"}
	err := fs.WalkDir(Files(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(Files(), name)
		s.Files = append(s.Files, policy.File{Path: name, Data: data})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func library(t *testing.T) *policy.Engine {
	t.Helper()
	engine, err := policy.Compile(context.Background(), []policy.Source{source(t)}, policy.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range engine.Problems() {
		t.Errorf("%s %v: %s", p.Policy, p.Location, p.Message)
	}
	return engine
}

// described is the library's description by id.
func described(t *testing.T) map[string]policy.Description {
	t.Helper()
	byID := map[string]policy.Description{}
	for _, d := range library(t).Describe() {
		if _, twice := byID[d.Name]; twice {
			t.Errorf("two packages have the id %s", d.Name)
		}
		byID[d.Name] = d
	}
	return byID
}

func idOf(directory string) string {
	id, _, _ := strings.Cut(directory, "-")
	return id
}

func TestDirectories(t *testing.T) {
	byID := described(t)
	names := directories(t)
	if len(names) != len(byID) {
		t.Errorf("%d directories, %d policies", len(names), len(byID))
	}
	form := regexp.MustCompile(`^MG[1-5]\d\d-[a-z0-9]+(-[a-z0-9]+)*$`)
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			if !form.MatchString(name) {
				t.Errorf("the directory is not called MG<number>-<slug>")
			}
			d, known := byID[idOf(name)]
			if !known {
				t.Fatalf("no policy has the id %s", idOf(name))
			}
			checkDescription(t, d)
			checkReadme(t, name, d)
			for _, file := range append([]string{"policy.rego", "policy_test.rego", "README.md"}, examples(d.Scope)...) {
				if _, err := os.Stat(path.Join(name, file)); err != nil {
					t.Errorf("%s is missing", file)
				}
			}
		})
	}
}

// examples are the manifests that show a policy of this scope.
func examples(scope string) []string {
	if scope == "object" {
		return []string{"pass.yaml", "fail.yaml"}
	}
	return []string{"pass/head.yaml", "fail/head.yaml"}
}

func checkDescription(t *testing.T, d policy.Description) {
	t.Helper()
	if d.Title == "" || d.Description == "" || len(d.Kinds) == 0 {
		t.Errorf("METADATA has no title, no description or no kinds: %+v", d)
	}
	if !slices.Contains([]string{"critical", "high", "medium", "low"}, d.Severity) {
		t.Errorf("custom.severity is %q", d.Severity)
	}
	if want := "mergegate.policies." + strings.ToLower(d.Name); d.Package != want {
		t.Errorf("package %s, want %s", d.Package, want)
	}
	if !strings.HasPrefix(d.URL, "https://kubernetes.io/docs/") {
		t.Errorf("related_resources begins with %q, not with the page of Kubernetes", d.URL)
	}
	for _, r := range d.Rules {
		if r != "deny" && r != "warn" {
			t.Errorf("rule %s: the library has deny and warn only", r)
		}
	}
}

// TestPodKinds keeps the kinds of the policies about Pods in step with those in which the library finds Pods.
func TestPodKinds(t *testing.T) {
	text, err := os.ReadFile("lib/workload.rego")
	if err != nil {
		t.Fatal(err)
	}
	var places []string
	for _, found := range regexp.MustCompile(`(?m)^\t"(\S*/\S+)": \{"spec"`).FindAllStringSubmatch(string(text), -1) {
		places = append(places, found[1])
	}
	if len(places) < 12 {
		t.Fatalf("lib/workload.rego has the places %q", places)
	}
	for id, d := range described(t) {
		for _, place := range places {
			if slices.Contains(d.Kinds, "/Pod") && !slices.Contains(d.Kinds, place) {
				t.Errorf("%s looks at Pods and not at %s", id, place)
			}
		}
	}
}

// headings are the sections of each policy's README, in this order.
var headings = []string{"## What it finds", "## Why it matters", "## How to fix it", "## False positives", "## How to disable it"}

func checkReadme(t *testing.T, name string, d policy.Description) {
	t.Helper()
	data, err := os.ReadFile(path.Join(name, "README.md"))
	if err != nil {
		return // reported as missing
	}
	text := string(data)
	if title := "# " + d.Name + ": " + d.Title + "\n"; !strings.HasPrefix(text, title) {
		t.Errorf("README.md does not begin with %q", title)
	}
	at := 0
	for _, h := range headings {
		next := strings.Index(text[at:], "\n"+h+"\n")
		if next < 0 {
			t.Errorf("README.md has no %q, or not in the order of %q", h, headings)
			continue
		}
		at += next
	}
	for _, needed := range []string{d.URL, "disable: [" + d.Name + "]", "```yaml"} {
		if !strings.Contains(text, needed) {
			t.Errorf("README.md does not have %q", needed)
		}
	}
}

// TestTable keeps the table of README.md in step. UPDATE=1 writes it anew.
func TestTable(t *testing.T) {
	const begin, end = "<!-- table: UPDATE=1 go test ./policies -->\n", "<!-- end of table -->\n"
	data, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	before, rest, okBegin := strings.Cut(string(data), begin)
	got, after, okEnd := strings.Cut(rest, end)
	if !okBegin || !okEnd {
		t.Fatalf("README.md has no table between %q and %q", begin, end)
	}
	want := table(t)
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile("README.md", []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("README.md: want -, has +:\n%s", diff)
	}
}

func table(t *testing.T) string {
	t.Helper()
	byID := described(t)
	var b strings.Builder
	b.WriteString("\n| id | title | scope | blocks or warns | severity |\n| --- | --- | --- | --- | --- |\n")
	for _, name := range directories(t) {
		d := byID[idOf(name)]
		fmt.Fprintf(&b, "| [%s](%s/README.md) | %s | %s | %s | %s |\n",
			d.Name, name, d.Title, d.Scope, strings.Join(d.Rules, ", "), d.Severity)
	}
	b.WriteString("\n")
	return b.String()
}

func TestCheck(t *testing.T) {
	problems, err := policy.Check(context.Background(), []policy.Source{source(t)})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s %v: %s", p.Policy, p.Location, p.Message)
	}
}

// TestFormat holds the files to `opa fmt`. UPDATE=1 formats them.
func TestFormat(t *testing.T) {
	for _, f := range source(t).Files {
		if path.Ext(f.Path) != ".rego" {
			continue
		}
		formatted, err := policy.Format(f.Path, f.Data)
		switch {
		case err != nil:
			t.Error(err)
		case bytes.Equal(formatted, f.Data):
		case os.Getenv("UPDATE") != "":
			if err := os.WriteFile(f.Path, formatted, 0o644); err != nil {
				t.Fatal(err)
			}
		default:
			t.Errorf("%s is not formatted", f.Path)
		}
	}
}

// TestRego runs the library's own tests, and sees that each policy has some both ways.
func TestRego(t *testing.T) {
	results, err := policy.Test(context.Background(), []policy.Source{source(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d tests", len(results))
	perFile := map[string]int{}
	for _, r := range results {
		perFile[r.File]++
		if !r.Passed {
			t.Errorf("%s (%s:%d): %s\n%s", r.Name, r.File, r.Line, r.Message, r.Output)
		}
	}
	for _, name := range directories(t) {
		if file := path.Join("built-in", name, "policy_test.rego"); perFile[file] < 2 {
			t.Errorf("%s has %d tests", file, perFile[file])
		}
	}
}
