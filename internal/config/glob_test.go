package config

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestGlobMatch(t *testing.T) {
	tests := []struct {
		pattern, dir string
		want         []string // nil: no match
	}{
		{"**", ".", []string{""}},
		{"**", "a/b", []string{"a/b"}},
		{".", ".", []string{}},
		{".", "a", nil},
		{"*", ".", nil},
		{"*", "a", []string{"a"}},
		{"*", "a/b", nil},
		{"apps/*/overlays/*", "apps/web/overlays/prod", []string{"web", "prod"}},
		{"apps/*/overlays/*", "apps/web/overlays/prod/eu", nil},
		{"apps/**", "apps", []string{""}},
		{"apps/**", "apps/a/b", []string{"a/b"}},
		{"apps/**", "apps2", nil},
		{"**/prod", "prod", []string{""}},
		{"**/prod", "a/b/prod", []string{"a/b"}},
		{"**/prod", "a/xprod", nil},
		{"a/**/z", "a/z", []string{""}},
		{"a/**/z", "a/b/c/z", []string{"b/c"}},
		{"a/**/z", "az", nil},
		{"app-*/v?", "app-/v1", []string{""}},
		{"app-*/v?", "app-web/v12", nil},
		{"a.b/*", "aXb/c", nil},
		{"a/./b/", "a/b", []string{}},
	}
	for _, tt := range tests {
		g, err := ParseGlob(tt.pattern)
		if err != nil {
			t.Errorf("%s: %v", tt.pattern, err)
			continue
		}
		got, ok := g.Match(tt.dir)
		if ok != (tt.want != nil) || !cmp.Equal(got, tt.want) {
			t.Errorf("%s on %s: got %q, %v, want %q", tt.pattern, tt.dir, got, ok, tt.want)
		}
	}
	if _, ok := (Glob{}).Match("."); ok {
		t.Error("the zero Glob matches")
	}
}

func TestGlobMatchUnder(t *testing.T) {
	for dir, want := range map[string]bool{"hack": true, "hack/a/b": true, "hacks": false, ".": false, "a/hack": false} {
		if got := mustGlob(t, "hack").MatchUnder(dir); got != want {
			t.Errorf("%s: got %v", dir, got)
		}
	}
}

func TestTemplateExpand(t *testing.T) {
	tpl, err := ParseTemplate("{2}/{1}@{path}", 2)
	if err != nil {
		t.Fatal(err)
	}
	if got := tpl.Expand("apps/a/b", []string{"{2}", "b"}); got != "b/{2}@apps/a/b" {
		t.Errorf("got %q", got)
	}
}

func TestDistance(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"", "ab", 2}, {"kitten", "sitting", 3}, {"pth", "path", 1}, {"same", "same", 0}} {
		if got := distance(tt.a, tt.b); got != tt.want {
			t.Errorf("distance(%q, %q) = %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}
