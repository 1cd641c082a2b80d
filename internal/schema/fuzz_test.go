package schema

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// FuzzAdmit holds that no definition and no object makes this package panic, and that what is
// admitted is admitted again, unchanged.
func FuzzAdmit(f *testing.F) {
	files, err := filepath.Glob("testdata/definitions/*.yaml")
	if err != nil || len(files) == 0 {
		f.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		definition := object(f, string(text))
		d := parse(f, string(text))
		sample := map[string]any{"apiVersion": d.Group() + "/v1", "kind": d.Kind(), "metadata": map[string]any{"name": "a"}, "spec": map[string]any{"size": 1, "a": []any{"b"}}}
		f.Add(js(definition), js(sample))
	}
	for _, test := range rules {
		f.Add(js(object(f, crd(test.schema))), js(object(f, widget(test.spec))))
	}
	f.Fuzz(func(t *testing.T, definition, resource string) {
		var content, given map[string]any
		if json.Unmarshal([]byte(definition), &content) != nil || json.Unmarshal([]byte(resource), &given) != nil {
			return
		}
		d, err := ParseCRD(t.Context(), content)
		if err != nil {
			return
		}
		for _, version := range d.Versions() {
			a, err := d.Admit(t.Context(), version, given, nil)
			if err != nil || len(a.Problems) > 0 {
				continue
			}
			again, err := d.Admit(t.Context(), version, a.Object, nil)
			if err != nil {
				t.Fatal(err)
			}
			if len(again.Problems) == 0 && js(again.Object) != js(a.Object) {
				t.Errorf("admitted as\n%s\nand again as\n%s", js(a.Object), js(again.Object))
			}
			if _, err := d.Apply(t.Context(), version, given, a.Object, "test"); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// FuzzParseOpenAPI holds that no document makes this package panic.
func FuzzParseOpenAPI(f *testing.F) {
	f.Add(js(object(f, document)), js(object(f, thing("{name: a, size: 1, policy: Never, ports: [{port: 80}]}"))))
	f.Add(string(objectMetaDocument()), "{}")
	f.Fuzz(func(_ *testing.T, document, resource string) {
		var given map[string]any
		if json.Unmarshal([]byte(resource), &given) != nil {
			return
		}
		o, err := ParseOpenAPI([]byte(document))
		if err != nil {
			return
		}
		for _, kind := range []string{"Thing", "Secret"} {
			_, _ = o.Admit("v1", kind, given) // any answer is fine
		}
	})
}
