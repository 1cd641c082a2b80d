package policies

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mergegate/mergegate/internal/diff"
	"github.com/mergegate/mergegate/internal/manifest"
	"github.com/mergegate/mergegate/internal/plan"
	"github.com/mergegate/mergegate/internal/policy"
)

// TestOddManifests replaces each value of each example by values of other types, one at a time: what people
// write must never be a policy's error.
func TestOddManifests(t *testing.T) {
	for _, name := range directories(t) {
		t.Run(name, func(t *testing.T) {
			engine := alone(t, name)
			scope := engine.Describe()[0].Scope
			in := example(t, name, "fail")
			for i := range in.Head {
				oddHeads(in.Head[i].Content, func(content map[string]any, what string) {
					odd := in
					odd.Head = slices.Clone(in.Head)
					odd.Head[i] = object(content)
					checkOdd(t, engine, odd, what)
					if scope != "object" { // it may be base that is odd
						odd.Head, odd.Base = odd.Base, odd.Head
						checkOdd(t, engine, odd, what)
					}
				})
			}
		})
	}
}

// alone is an engine with one policy of the library.
func alone(t *testing.T, name string) *policy.Engine {
	t.Helper()
	s := source(t)
	s.Files = slices.DeleteFunc(s.Files, func(f policy.File) bool {
		return !strings.HasPrefix(f.Path, "lib/") && !strings.HasPrefix(f.Path, name+"/")
	})
	engine, err := policy.Compile(context.Background(), []policy.Source{s}, policy.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return engine
}

func checkOdd(t *testing.T, engine *policy.Engine, in policy.Input, what string) {
	t.Helper()
	in.Changes = diff.Sets(in.Base, in.Head)
	for _, f := range engine.Evaluate(context.Background(), in) {
		if f.Severity == plan.SeverityError {
			t.Errorf("%s: %s: %s (%v)", what, f.Policy, f.Message, f.Location)
		}
	}
}

// oddHeads visits copies of an object, each with one value replaced. Its identity stays.
func oddHeads(content map[string]any, visit func(content map[string]any, what string)) {
	odd := []any{nil, json.Number("-7"), []any{nil, "a", []any{}, map[string]any{}}, map[string]any{"a": nil}}
	for _, path := range paths(content, nil) {
		if len(path) == 1 && (path[0] == "apiVersion" || path[0] == "kind") {
			continue
		}
		for _, value := range odd {
			visit(replaced(content, path, value).(map[string]any), fmt.Sprintf("%v = %#v", path, value))
		}
	}
}

// paths are the places of all values below a value.
func paths(value any, at []any) [][]any {
	var all [][]any
	add := func(key, below any) {
		path := append(slices.Clone(at), key)
		all = append(append(all, path), paths(below, path)...)
	}
	switch v := value.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			add(key, v[key])
		}
	case []any:
		for i, item := range v {
			add(i, item)
		}
	}
	return all
}

// replaced is a copy of a value with another value at a path.
func replaced(value any, path []any, with any) any {
	if len(path) == 0 {
		return with
	}
	switch v := value.(type) {
	case map[string]any:
		c := maps.Clone(v)
		key := path[0].(string)
		c[key] = replaced(v[key], path[1:], with)
		return c
	case []any:
		c := slices.Clone(v)
		i := path[0].(int)
		c[i] = replaced(v[i], path[1:], with)
		return c
	}
	return value
}

// TestManyObjects sees that the policies of a whole application find their way where it is large. They need
// about a second; the limit is for machines that do other things as well.
func TestManyObjects(t *testing.T) {
	engine, err := policy.Compile(context.Background(), []policy.Source{source(t)}, policy.Options{Timeout: 20 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	var head manifest.Set
	for _, name := range []string{"MG502-route-collision", "MG504-blocking-budget", "MG505-missing-reference", "MG509-unknown-port"} {
		text, err := os.ReadFile(name + "/pass/head.yaml")
		if err != nil {
			t.Fatal(err)
		}
		for i := range 400 {
			own := strings.NewReplacer("web", fmt.Sprintf("%s-%d", strings.ToLower(idOf(name)), i), "shop", fmt.Sprintf("shop-%d", i), "settings", fmt.Sprintf("settings-%d", i))
			head = append(head, parseManifests(t, name, []byte(own.Replace(string(text))))...)
		}
	}
	head.Sort()
	in := policy.Input{Application: production(), Head: head}
	in.Changes = diff.Sets(nil, head)
	for _, f := range engine.Evaluate(context.Background(), in) {
		if f.Severity == plan.SeverityError {
			t.Errorf("%s: %s", f.Policy, f.Message)
		}
	}
}
