package application

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestResolve(t *testing.T) {
	x, err := newIndex(t.Context(), files{
		"a/b/file": "", "a/to-b": "-> b", "a/away": "-> ../../out", "top": "-> a/b", "loop": "-> loop", "dangling": "-> a/none",
	}.tree())
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]place{
		".":               {path: ".", kind: directory},
		"a/b":             {path: "a/b", kind: directory},
		"a/b/file":        {path: "a/b/file", kind: file},
		"a/b/none":        {path: "a/b/none"},
		"none":            {path: "none"},
		"none/below":      {path: "none/below"},
		"a/b/file/below":  {path: "a/b/file/below"},
		"a/to-b/file":     {path: "a/b/file", kind: file, via: []string{"a/to-b"}},
		"a/to-b/none":     {path: "a/b/none", via: []string{"a/to-b"}},
		"top/../b/file":   {path: "a/b/file", kind: file, via: []string{"top"}},
		"a/b/../../a/b/":  {path: "a/b", kind: directory},
		"a//b/./none":     {path: "a/b/none"},
		"a/b/..":          {path: "a", kind: directory},
		"..":              outside(nil),
		"../a":            outside(nil),
		"a/away/x":        outside([]string{"a/away"}),
		"dangling":        {path: "a/none", via: []string{"dangling"}},
		"dangling/deeper": {path: "a/none/deeper", via: []string{"dangling"}},
	} {
		if diff := cmp.Diff(want, x.resolve(name), cmp.AllowUnexported(place{})); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
	}
	if got := x.resolve("loop"); got.kind != nothing || got.path != "" {
		t.Errorf("a loop leads to %+v", got)
	}
}
