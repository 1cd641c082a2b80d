package policy

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	yamlv3 "go.yaml.in/yaml/v3"
	"sigs.k8s.io/yaml"

	"github.com/mergegate/mergegate/internal/manifest"
	"github.com/mergegate/mergegate/internal/plan"
)

// TestCases runs testdata/*.txtar. A case has policies in directories (one source each), base.yaml and
// head.yaml, and what is expected in want. UPDATE=1 writes want anew.
func TestCases(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := runCase(t, archive)
			i := indexOf(archive, "want")
			if os.Getenv("UPDATE") != "" {
				if i < 0 {
					archive.Files = append(archive.Files, txtar.File{Name: "want"})
					i = len(archive.Files) - 1
				}
				archive.Files[i].Data = []byte(got)
				if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if i < 0 {
				t.Fatalf("no want, got:\n%s", got)
			}
			if diff := cmp.Diff(string(archive.Files[i].Data), got); diff != "" {
				t.Errorf("want -, got +:\n%s", diff)
			}
		})
	}
}

func indexOf(a *txtar.Archive, name string) int {
	for i, f := range a.Files {
		if f.Name == name {
			return i
		}
	}
	return -1
}

// settings are options.json of a case.
type settings struct {
	Options     Options
	Application Application
}

func runCase(t *testing.T, a *txtar.Archive) string {
	t.Helper()
	s := settings{Application: Application{Name: "shop", Path: "apps/shop"}}
	in := Input{}
	var sources []Source
	for _, f := range a.Files {
		switch dir, name, inDir := strings.Cut(f.Name, "/"); {
		case inDir:
			sources = addFile(sources, dir, File{Path: name, Data: f.Data})
		case f.Name == "base.yaml":
			in.Base = readSet(t, f.Data)
		case f.Name == "head.yaml":
			in.Head = readSet(t, f.Data)
		case f.Name == "changes.json":
			unmarshal(t, f.Data, &in.Changes)
		case f.Name == "options.json":
			unmarshal(t, f.Data, &s)
		}
	}
	in.Application = s.Application
	engine, err := Compile(t.Context(), sources, s.Options)
	if err != nil {
		return "error: " + err.Error() + "\n"
	}
	return show(engine, engine.Evaluate(t.Context(), in))
}

func addFile(sources []Source, name string, f File) []Source {
	for i := range sources {
		if sources[i].Name == name {
			sources[i].Files = append(sources[i].Files, f)
			return sources
		}
	}
	return append(sources, Source{Name: name, Files: []File{f}, Data: strings.HasPrefix(name, "data")})
}

func unmarshal(t *testing.T, data []byte, into any) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		t.Fatal(err)
	}
}

func show(e *Engine, findings []plan.Finding) string {
	var b strings.Builder
	for _, f := range e.Problems() {
		b.WriteString("problem " + line(f) + "\n")
	}
	for _, p := range e.Policies() {
		fmt.Fprintf(&b, "policy %s from %s\n", p.Name, p.Source)
	}
	for _, f := range findings {
		b.WriteString(line(f) + "\n")
	}
	return b.String()
}

func line(f plan.Finding) string {
	parts := []string{string(f.Severity), f.Policy}
	if !f.New {
		parts = append(parts, "(old)")
	}
	if f.WaivedBy != "" {
		parts = append(parts, "("+f.WaivedBy+")")
	}
	if f.Object != nil {
		parts = append(parts, f.Object.String())
	}
	if f.Field != "" {
		parts = append(parts, f.Field)
	}
	if f.Location != nil {
		parts = append(parts, fmt.Sprintf("%s:%d", f.Location.File, f.Location.Line))
	}
	if f.Title != "" {
		parts = append(parts, "["+f.Title+"]")
	}
	if f.URL != "" {
		parts = append(parts, "<"+f.URL+">")
	}
	return strings.Join(parts, " ") + ": " + f.Message
}

// readSet reads a YAML stream as a renderer would give it.
func readSet(t testing.TB, stream []byte) manifest.Set {
	t.Helper()
	var set manifest.Set
	decoder := yamlv3.NewDecoder(bytes.NewReader(stream))
	for {
		var node yamlv3.Node
		err := decoder.Decode(&node)
		if errors.Is(err, io.EOF) {
			set.Sort()
			return set
		}
		if err != nil {
			t.Fatal(err)
		}
		set = append(set, readObject(t, &node))
	}
}

func readObject(t testing.TB, node *yamlv3.Node) manifest.Object {
	t.Helper()
	text, err := yamlv3.Marshal(node)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := yaml.YAMLToJSON(text)
	if err != nil {
		t.Fatal(err)
	}
	value, err := decodeJSON(encoded)
	if err != nil {
		t.Fatal(err)
	}
	return toObject(value.(map[string]any))
}

// toObject takes the stem from the annotation test/stem.
func toObject(content map[string]any) manifest.Object {
	at := func(path ...string) string {
		var value any = content
		for _, segment := range path {
			value = child(value, segment)
		}
		s, _ := value.(string)
		return s
	}
	o := manifest.Object{Content: content, Stem: at("metadata", "annotations", "test/stem")}
	o.ID = manifest.ID{Version: at("apiVersion"), Kind: at("kind"), Namespace: at("metadata", "namespace"), Name: at("metadata", "name")}
	if group, version, ok := strings.Cut(o.ID.Version, "/"); ok {
		o.ID.Group, o.ID.Version = group, version
	}
	return o
}

// compile compiles one source of one file.
func compile(t testing.TB, rego string, options Options) *Engine {
	t.Helper()
	e, err := Compile(context.Background(), []Source{{Name: "policies", Files: []File{{Path: "p.rego", Data: []byte(rego)}}}}, options)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestCancelledEvaluationIsAnError(t *testing.T) {
	e := compile(t, "package main\ndeny contains \"x\" if input.kind", Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	findings := e.Evaluate(ctx, Input{Head: readSet(t, []byte("{apiVersion: v1, kind: Pod, metadata: {name: a}}"))})
	if len(findings) != 1 || findings[0].Severity != plan.SeverityError {
		t.Errorf("got %v", findings)
	}
}

func TestNothingToEvaluateIsNoPolicy(t *testing.T) {
	e, err := Compile(t.Context(), nil, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(e.Policies()) != 0 {
		t.Errorf("got %v", e.Policies())
	}
}

// TestOverrun checks that a policy that never ends costs its timeout once, is an error that names policy
// and object, and leaves the others alone.
func TestOverrun(t *testing.T) {
	loops := map[string]string{
		"walk":          `count([x | some n in numbers.range(1, 1000000000); x := n]) > 0`,
		"cross product": `some a in numbers.range(1, 2000); some b in numbers.range(1, 2000); some c in numbers.range(1, 2000); a*b*c == -1`,
	}
	pods := strings.Repeat("---\n{apiVersion: v1, kind: Pod, metadata: {name: a}}\n", 6)
	for name, body := range loops {
		t.Run(name, func(t *testing.T) {
			e := compile2(t, "package loops\ndeny contains \"loop\" if { input.kind == \"Pod\"; "+body+" }", "package fine\ndeny contains \"fine\"")
			start := time.Now()
			got := show(e, e.Evaluate(t.Context(), Input{Head: readSet(t, []byte(pods))}))
			if d := time.Since(start); d > 20*time.Second {
				t.Errorf("took %v", d)
			}
			want := "policy fine.deny from policies\npolicy loops.deny from policies\n" +
				strings.Repeat("deny fine.deny Pod/a: fine\n", 6) +
				"error loops.deny Pod/a: took longer than 200ms; not evaluated for 5 more\n"
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("want -, got +:\n%s", diff)
			}
		})
	}
}

func compile2(t testing.TB, a, b string) *Engine {
	t.Helper()
	e, err := Compile(context.Background(), []Source{{Name: "policies", Files: []File{
		{Path: "a.rego", Data: []byte(a)}, {Path: "b.rego", Data: []byte(b)},
	}}}, Options{Timeout: 200 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	return e
}
