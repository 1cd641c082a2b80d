package render

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const sibling = `
-- base/kustomization.yaml --
resources: [deployment.yaml]
-- base/deployment.yaml --
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {replicas: 1}
-- prod/kustomization.yaml --
resources: [../base]
namePrefix: prod-
`

func mustRender(t *testing.T, p *Pool) {
	t.Helper()
	result, err := p.Render(t.Context(), Request{Tree: tree(sibling), Path: "prod", Type: TypeKustomize})
	if err != nil || len(result.Objects) != 1 || result.Objects[0].ID.Name != "prod-web" {
		t.Errorf("the sibling does not render: %v, %v", result.Objects, err)
	}
}

func wantError(t *testing.T, err error, class Class, text string) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Errorf("error %v, want an *Error that says %q", err, text)
		return
	}
	if e.Class != class || !strings.Contains(e.Error(), text) {
		t.Errorf("error of class %s: %v\nwant class %s: %s", e.Class, e, class, text)
	}
	if strings.Contains(e.Error(), root) {
		t.Errorf("the error shows the internal root: %v", e)
	}
}

func TestInputs(t *testing.T) {
	p := newPool(t, Config{})
	result, err := p.Render(t.Context(), Request{Tree: tree(sibling + `
-- other/kustomization.yaml --
resources: [../base]
`), Path: "prod", Type: TypeKustomize})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"base/Kustomization", "base/deployment.yaml", "base/kustomization.yaml", "base/kustomization.yml",
		"prod/Kustomization", "prod/kustomization.yaml", "prod/kustomization.yml",
	}
	if diff := cmp.Diff(want, result.Inputs); diff != "" {
		t.Errorf("inputs (-want +got):\n%s", diff)
	}
	result, err = p.Render(t.Context(), Request{Tree: tree("-- a/kustomization.yaml --\nresources: [gone.yaml, link/x.yaml, later.yaml]\n-- a/link -> there --\n-- a/later.yaml --\n"), Path: "a", Type: TypeKustomize})
	wantError(t, err, ClassInput, `a/kustomization.yaml:1: resources: "gone.yaml" does not exist`)
	for _, name := range []string{"a/gone.yaml", "a/link", "a/there/x.yaml", "a/kustomization.yaml", "a/later.yaml"} {
		if !contains(result.Inputs, name) {
			t.Errorf("input %s is missing in %v", name, result.Inputs)
		}
	}
}

func contains(list []string, want string) bool {
	for _, have := range list {
		if have == want {
			return true
		}
	}
	return false
}

// stuckTree never gives its files.
type stuckTree struct {
	mapTree
	asked chan string
	until <-chan struct{}
}

func (s stuckTree) ReadDir(name string) ([]fs.DirEntry, error) {
	s.asked <- name
	<-s.until
	return nil, fs.ErrClosed
}

func TestCancel(t *testing.T) {
	p := newPool(t, Config{Workers: 1})
	ctx, cancel := context.WithCancel(t.Context())
	stuck := stuckTree{tree(sibling), make(chan string, 1), ctx.Done()}
	go func() { <-stuck.asked; cancel() }()
	_, err := p.Render(ctx, Request{Tree: stuck, Path: "prod", Type: TypeKustomize})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that the context is canceled", err)
	}
	mustRender(t, p)
}

func TestRefusedRequests(t *testing.T) {
	p := newPool(t, Config{})
	for _, req := range []Request{
		{Path: "a", Type: TypeKustomize},
		{Tree: tree(sibling), Path: "prod", Type: "helm"},
		{Tree: tree(sibling), Path: "", Type: TypeKustomize},
		{Tree: tree(sibling), Path: "/prod", Type: TypeKustomize},
		{Tree: tree(sibling), Path: "../prod", Type: TypeKustomize},
		{Tree: tree(sibling), Path: "prod", Type: TypeYAML, Files: []string{"../x"}},
	} {
		if _, err := p.Render(t.Context(), req); err == nil {
			t.Errorf("request %q %q is not refused", req.Path, req.Type)
		}
	}
	if _, err := New(Config{}); err == nil {
		t.Error("a pool without a command is not refused")
	}
	q, err := New(Config{Command: []string{"/nonexistent"}, Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := q.Render(t.Context(), Request{Tree: tree(sibling), Path: "prod", Type: TypeKustomize}); err == nil || !strings.Contains(err.Error(), "start render worker") {
		t.Errorf("error %v, want that the worker does not start", err)
	}
	if err := errors.Join(q.Close(), q.Close()); err != nil {
		t.Errorf("close: %v", err)
	}
	if _, err := q.Render(t.Context(), Request{Tree: tree(sibling), Path: "prod", Type: TypeKustomize}); !errors.Is(err, errClosed) {
		t.Errorf("error %v, want %v", err, errClosed)
	}
}

func TestOutputBudget(t *testing.T) {
	p := newPool(t, Config{Output: 1 << 20})
	var lines strings.Builder
	lines.WriteString("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: big}\ndata:\n")
	for _, key := range "abcdef" {
		lines.WriteString("  " + string(key) + ": " + strings.Repeat("x", 128<<10) + "\n")
	}
	files := tree(sibling).with("big/cm.yaml", []byte(lines.String())).with("big/kustomization.yaml", []byte("resources: [cm.yaml]\n")).
		with("twice/kustomization.yaml", []byte("resources: [a, b]\n")).
		with("twice/a/kustomization.yaml", []byte("namePrefix: a-\nresources: [../../big]\n")).
		with("twice/b/kustomization.yaml", []byte("namePrefix: b-\nresources: [../../big]\n")).
		with("huge/kustomization.yaml", []byte("configMapGenerator: [{name: x, files: [blob]}]\n")).
		with("huge/blob", make([]byte, 50<<20))
	if _, err := p.Render(t.Context(), Request{Tree: files, Path: "big", Type: TypeKustomize}); err != nil {
		t.Errorf("768 KiB in a budget of 1 MiB: %v", err)
	}
	_, err := p.Render(t.Context(), Request{Tree: files, Path: "twice", Type: TypeKustomize})
	wantError(t, err, ClassOutput, "renders to more than 1 MiB of objects")
	_, err = p.Render(t.Context(), Request{Tree: files, Path: "huge", Type: TypeKustomize})
	wantError(t, err, ClassInput, "the file has 50 MiB, more than the 1 MiB that may be read")
	_, err = p.Render(t.Context(), Request{Tree: files, Path: "x", Type: TypeYAML, Files: []string{"big/cm.yaml", "copy.yaml"}})
	wantError(t, err, ClassInput, "copy.yaml: the file does not exist")
	mustRender(t, p)
}

// TestSchemas renders applications whose openapi and crds give the same kind different merge keys,
// again and again on the same workers: none may see another's.
func TestSchemas(t *testing.T) {
	files := tree(`
-- plain/kustomization.yaml --
resources: [thing.yaml]
patches: [{path: patch.yaml}]
-- name/kustomization.yaml --
openapi: {path: schema.json}
resources: [thing.yaml]
patches: [{path: patch.yaml}]
-- port/kustomization.yaml --
openapi: {path: schema.json}
resources: [thing.yaml]
patches: [{path: patch.yaml}]
-- inner/kustomization.yaml --
resources: [../port]
-- version/kustomization.yaml --
openapi: {version: v1.21.2}
resources: [thing.yaml]
patches: [{path: patch.yaml}]
-- broken/kustomization.yaml --
openapi: {path: schema.json}
resources: [thing.yaml]
patches: [{path: patch.yaml}]
-- broken/schema.json --
{"definitions": 7}
-- crds/kustomization.yaml --
crds: [crd.json]
namePrefix: x-
resources: [thing.yaml, secret.yaml]
-- nocrds/kustomization.yaml --
namePrefix: x-
resources: [thing.yaml, secret.yaml]
-- deployment/kustomization.yaml --
resources: [deployment.yaml]
patches:
  - patch: |
      apiVersion: apps/v1
      kind: Deployment
      metadata: {name: d}
      spec: {template: {spec: {containers: [{name: a, image: new}]}}}
`)
	schema := func(key string) []byte {
		return []byte(`{"definitions": {"v1.Thing": {"type": "object", "x-kubernetes-group-version-kind": [{"group": "example.com", "version": "v1", "kind": "Thing"}],
			"properties": {"spec": {"type": "object", "properties": {"items": {"type": "array", "items": {"type": "object"}, "x-kubernetes-patch-merge-key": "` + key + `", "x-kubernetes-patch-strategy": "merge"}}}}}}}`)
	}
	thing := []byte("apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: t}\nspec: {ref: {name: s}, items: [{name: a, port: 1, v: old}, {name: b, port: 2, v: old}]}\n")
	patch := []byte("apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: t}\nspec: {items: [{name: a, port: 2, v: new}]}\n")
	for _, dir := range []string{"plain", "name", "port", "version", "broken", "crds", "nocrds"} {
		files.with(dir+"/thing.yaml", thing).with(dir+"/patch.yaml", patch)
	}
	files.with("name/schema.json", schema("name")).with("port/schema.json", schema("port")).
		with("crds/secret.yaml", []byte("apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n")).
		with("nocrds/secret.yaml", []byte("apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n")).
		with("deployment/deployment.yaml", []byte("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {template: {spec: {containers: [{name: a, image: old}, {name: b, image: old}]}}}\n")).
		with("crds/crd.json", []byte(`{"example.com/v1.Thing": {"Schema": {"properties": {"spec": {"$ref": "example.com/v1.Spec"}, "kind": {"type": "string"}, "apiVersion": {"type": "string"}, "metadata": {"type": "object"}}}},
			"example.com/v1.Spec": {"Schema": {"properties": {"ref": {"type": "object", "x-kubernetes-object-ref-api-version": "v1", "x-kubernetes-object-ref-kind": "Secret"}}}}}`))
	want := map[string]string{
		"plain": "a/2/new", "name": "a/2/new b/2/old", "port": "a/2/new a/1/old", "inner": "a/2/new a/1/old", "version": "a/2/new",
		"crds": "x-s", "nocrds": "s", "deployment": "a=new b=old", "broken": "error",
	}
	p := newPool(t, Config{Workers: 2})
	var wg sync.WaitGroup
	for round := range 4 {
		for dir, expected := range want {
			wg.Go(func() {
				result, err := p.Render(t.Context(), Request{Tree: files, Path: dir, Type: TypeKustomize})
				if got := summary(result, err); got != expected {
					t.Errorf("round %d, %s: %s, want %s (%v)", round, dir, got, expected, err)
				}
			})
		}
	}
	wg.Wait()
}

func summary(result Result, err error) string {
	if err != nil {
		return "error"
	}
	var parts []string
	for _, object := range result.Objects {
		spec, _ := object.Content["spec"].(map[string]any)
		if containers, ok := descend(object.Content, []string{"spec", "template", "spec", "containers"}).([]any); ok {
			for _, c := range containers {
				parts = append(parts, plain(descend(c, []string{"name"}))+"="+plain(descend(c, []string{"image"})))
			}
			continue
		}
		list, _ := spec["items"].([]any)
		if strings.HasPrefix(object.ID.Name, "x-") && object.ID.Kind == "Thing" {
			parts = append(parts, plain(descend(spec, []string{"ref", "name"})))
			continue
		}
		for _, item := range list {
			parts = append(parts, plain(descend(item, []string{"name"}))+"/"+plain(descend(item, []string{"port"}))+"/"+plain(descend(item, []string{"v"})))
		}
	}
	return strings.Join(parts, " ")
}
