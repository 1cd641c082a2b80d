package schema

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// perDefinition is how many objects of each version of a definition are tried.
const perDefinition = 150

// TestDefinitionsAgainstServer compares what this package says of new custom resources with what a
// real API server does: accepted or refused, and the object that is stored.
func TestDefinitionsAgainstServer(t *testing.T) {
	s := startServer(t)
	files, err := filepath.Glob("testdata/definitions/*.yaml")
	if err != nil || len(files) < 8 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			definition := object(t, string(text))
			d := parse(t, string(text))
			s.install(t, definition, d)
			for _, version := range d.Versions() {
				t.Run(version, func(t *testing.T) { s.compareNew(t, d, version, schemaOf(definition, version)) })
			}
			t.Run("update", func(t *testing.T) { s.compareUpdates(t, d, d.Versions()[0], schemaOf(definition, d.Versions()[0])) })
		})
	}
}

func schemaOf(definition map[string]any, version string) map[string]any {
	for _, v := range definition["spec"].(map[string]any)["versions"].([]any) {
		if v := v.(map[string]any); v["name"] == version {
			return v["schema"].(map[string]any)["openAPIV3Schema"].(map[string]any)
		}
	}
	return nil
}

// make generates one custom resource.
func (g *generator) make(d *Definition, version, name string, schema map[string]any) map[string]any {
	out, ok := g.object(schema, 0).(map[string]any)
	for !ok || out["spec"] == nil {
		out, ok = g.object(schema, 0).(map[string]any)
	}
	metadata := map[string]any{"name": name}
	if d.Namespaced() {
		metadata["namespace"] = "default"
	}
	if g.Float64() < g.mistakes {
		metadata[pick(g, []string{"labels", "annotations", "finalizers", "ownerReferences", "unknown"})] = g.wrong(2)
	}
	out["apiVersion"], out["kind"], out["metadata"] = d.Group()+"/"+version, d.Kind(), metadata
	return out
}

func (s *server) compareNew(t *testing.T, d *Definition, version string, schema map[string]any) {
	g := &generator{Rand: rand.New(rand.NewPCG(1, 2)), mistakes: 0.05}
	accepted := 0
	for i := range perDefinition {
		name := fmt.Sprintf("%c%d", "oox"[i%3], i)
		object := g.make(d, version, name, schema)
		stored, reason := s.tried(t, d.path(version, name), object)
		a, err := d.Admit(t.Context(), version, object, nil)
		if err != nil {
			t.Fatal(err)
		}
		if stored != nil {
			accepted++
		}
		agree(t, object, a, stored, reason)
	}
	t.Logf("%d of %d accepted", accepted, perDefinition)
	if accepted < perDefinition/20 || accepted > perDefinition*19/20 {
		t.Errorf("%d of %d accepted: that compares little", accepted, perDefinition)
	}
}

func (s *server) compareUpdates(t *testing.T, d *Definition, version string, schema map[string]any) {
	g := &generator{Rand: rand.New(rand.NewPCG(3, 4)), mistakes: 0.01}
	path := d.path(version, "old")
	accepted, tried := 0, 0
	for range perDefinition {
		if code, _ := s.apply(t, path, g.make(d, version, "old", schema), ""); code >= 300 {
			continue
		}
		_, live := s.do(t, http.MethodGet, path, nil)
		for range 3 {
			tried++
			object := withoutEmpty(g.make(d, version, "old", schema)).(map[string]any)
			stored, reason := s.tried(t, path, object)
			a, err := d.Apply(t.Context(), version, object, live, "test")
			if err != nil {
				t.Fatal(err)
			}
			if stored != nil {
				accepted++
			}
			agree(t, object, a, stored, reason)
		}
		s.raw(t, http.MethodDelete, path, nil)
	}
	t.Logf("%d of %d updates accepted", accepted, tried)
}

// withoutEmpty removes empty maps and lists, and nulls: see Definition.Apply for what older servers do to them.
func withoutEmpty(value any) any {
	switch value := value.(type) {
	case map[string]any:
		maps.DeleteFunc(value, func(_ string, child any) bool { return isEmpty(withoutEmpty(child)) })
	case []any:
		for _, child := range value {
			withoutEmpty(child)
		}
	}
	return value
}

func isEmpty(value any) bool {
	switch value := value.(type) {
	case map[string]any:
		return len(value) == 0
	case []any:
		return len(value) == 0
	}
	return value == nil
}

// agree holds a prediction to what happened.
func agree(t *testing.T, object map[string]any, a Admission, stored map[string]any, reason string) {
	t.Helper()
	refused := a.Refusals()
	switch {
	case (stored == nil) != (len(refused) > 0):
		t.Errorf("object %s\nserver: %q\npredicted: %q", js(object), reason, text(refused))
	case stored != nil:
		if diff := cmp.Diff(stored, a.Object); diff != "" {
			t.Errorf("object %s\nserver (-) and predicted (+):\n%s", js(object), diff)
		}
	}
}

func js(value any) string {
	data, err := json.Marshal(value)
	if err != nil {
		return err.Error()
	}
	return string(data)
}
