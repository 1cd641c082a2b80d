package render

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/mergegate/mergegate/internal/manifest"
)

// TestGolden renders testdata/*.txtar. The comment of a file says "path: DIR" and, for plain YAML,
// "files: NAME..."; its files are the tree; want.json or want.error is what comes out; each line of
// queries, "Kind/name /pointer", is located into want.locations. UPDATE=1 writes what comes out.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden cases: %v", err)
	}
	pool := newPool(t, Config{})
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			want := map[string]string{}
			var sources []txtar.File
			var input bytes.Buffer
			for _, f := range archive.Files {
				if strings.HasPrefix(f.Name, "want.") {
					want[f.Name] = string(f.Data)
					continue
				}
				sources = append(sources, f)
				if f.Name != "queries" {
					fmt.Fprintf(&input, "-- %s --\n%s", f.Name, f.Data)
				}
			}
			got := renderCase(t, pool, request(string(archive.Comment), tree(input.String())), sources)
			if os.Getenv("UPDATE") != "" {
				archive.Files = sources
				for _, name := range sortedKeys(got) {
					archive.Files = append(archive.Files, txtar.File{Name: name, Data: []byte(got[name])})
				}
				if err := os.WriteFile(file, txtar.Format(archive), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			mustRender(t, pool)
		})
	}
}

func request(comment string, files mapTree) Request {
	req := Request{Tree: files, Type: TypeKustomize}
	for line := range strings.Lines(comment) {
		if dir, ok := strings.CutPrefix(line, "path: "); ok {
			req.Path = strings.TrimSpace(dir)
		}
		if names, ok := strings.CutPrefix(line, "files: "); ok {
			req.Type, req.Files = TypeYAML, strings.Fields(names)
		}
	}
	return req
}

func renderCase(t *testing.T, pool *Pool, req Request, sources []txtar.File) map[string]string {
	t.Helper()
	result, err := pool.Render(t.Context(), req)
	if err != nil {
		return map[string]string{"want.error": err.Error() + "\n"}
	}
	got := map[string]string{"want.json": printSet(t, result)}
	for _, f := range sources {
		if f.Name == "queries" {
			got["want.locations"] = locateCase(t, pool, req, result.Objects, string(f.Data))
		}
	}
	return got
}

func printSet(t *testing.T, result Result) string {
	t.Helper()
	var out strings.Builder
	for _, object := range result.Objects {
		data, err := json.Marshal(object.Content)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&out, "%s %s\n", object.ID.Key(), data)
		if object.Stem != "" {
			fmt.Fprintf(&out, "  stem %s\n", object.Stem)
		}
	}
	for _, skipped := range result.Skipped {
		fmt.Fprintf(&out, "skipped %s\n", skipped)
	}
	return out.String()
}

func locateCase(t *testing.T, pool *Pool, req Request, set manifest.Set, text string) string {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(text), "\n")
	queries := make([]Query, len(lines))
	for i, line := range lines {
		object, pointer, _ := strings.Cut(line, " ")
		for _, o := range set {
			if o.ID.Kind+"/"+o.ID.Name == object || o.ID.Kind+"/"+o.Stem == object {
				queries[i].Object = o
			}
		}
		queries[i].Pointer = strings.TrimSpace(pointer)
	}
	locations, err := pool.Locate(t.Context(), req, queries)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for i, at := range locations {
		if at == nil {
			fmt.Fprintf(&out, "%s: unknown\n", lines[i])
			continue
		}
		data, err := req.Tree.ReadFile(at.File)
		if err != nil {
			t.Fatal(err)
		}
		content := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
		if at.Line < 1 || at.Line > len(content) {
			t.Fatalf("%s: line %d of %d in %s", lines[i], at.Line, len(content), at.File)
		}
		fmt.Fprintf(&out, "%s: %s:%d %s: %s\n", lines[i], at.File, at.Line, at.Via, strings.TrimSpace(content[at.Line-1]))
	}
	return out.String()
}
