package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

// object reads YAML as the values of this package.
func object(t testing.TB, text string) map[string]any {
	t.Helper()
	data, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var out map[string]any
	if err := decoder.Decode(&out); err != nil {
		t.Fatal(err)
	}
	return out
}

// crd is a definition of widgets.example.com with one version and this schema of spec.
func crd(spec string) string {
	return `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: widgets, kind: Widget}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
` + indent(spec, "            ")
}

func indent(text, with string) string {
	lines := strings.Split(strings.Trim(text, "\n"), "\n")
	return with + strings.Join(lines, "\n"+with) + "\n"
}

// widget is a custom resource with this spec.
func widget(spec string) string {
	return "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: one, namespace: shop}\nspec:\n" + indent(spec, "  ")
}

func parse(t testing.TB, text string) *Definition {
	t.Helper()
	d, err := ParseCRD(t.Context(), object(t, text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestParseCRD(t *testing.T) {
	valid := crd("type: object\nproperties: {size: {type: integer}}")
	d := parse(t, valid)
	if d.Group() != "example.com" || d.Kind() != "Widget" || d.Plural() != "widgets" || !d.Namespaced() {
		t.Errorf("got %s %s %s %v", d.Group(), d.Kind(), d.Plural(), d.Namespaced())
	}
	if diff := cmp.Diff([]string{"v1"}, d.Versions()); diff != "" {
		t.Error(diff)
	}

	for name, test := range map[string]struct{ crd, want string }{
		"another kind":       {strings.Replace(valid, "kind: CustomResourceDefinition", "kind: Widget", 1), "is not apiextensions.k8s.io/v1"},
		"v1beta1":            {strings.Replace(valid, "apiextensions.k8s.io/v1", "apiextensions.k8s.io/v1beta1", 1), "is not apiextensions.k8s.io/v1"},
		"name":               {strings.Replace(valid, "name: widgets.example.com", "name: widgets", 1), `must be spec.names.plural+"."+spec.group`},
		"no type":            {crd("properties: {size: {type: integer}}"), "must not be empty for specified object fields"},
		"unknown type":       {crd("type: thing"), "Unsupported value"},
		"field type":         {crd("type: 5"), "decode"},
		"bad pattern":        {crd("type: object\nproperties: {a: {type: string, pattern: '('}}"), "must be a valid regular expression"},
		"bad default":        {crd("type: object\nproperties: {a: {type: string, default: 5}}"), "must be of type string"},
		"unpruned default":   {crd("type: object\ndefault: {b: 1}\nproperties: {a: {type: string}}"), "must not have unknown fields"},
		"map without keys":   {crd("type: object\nproperties: {a: {type: array, x-kubernetes-list-type: map, items: {type: object}}}"), "x-kubernetes-list-map-keys"},
		"CEL syntax":         {crd("type: object\nx-kubernetes-validations: [{rule: 'self.'}]"), "compilation failed"},
		"CEL unknown field":  {crd("type: object\nproperties: {a: {type: string}}\nx-kubernetes-validations: [{rule: 'self.b == 1'}]"), "undefined field 'b'"},
		"CEL of wrong type":  {crd("type: object\nproperties: {a: {type: string}}\nx-kubernetes-validations: [{rule: 'self.a'}]"), "must evaluate to a bool"},
		"CEL too expensive":  {crd("type: object\nproperties: {a: {type: array, items: {type: string}}}\nx-kubernetes-validations: [{rule: 'self.a.all(x, self.a.all(y, self.a.all(z, x + y == z)))'}]"), "exceeds budget"},
		"no storage version": {strings.Replace(valid, "storage: true", "storage: false", 1), "must have exactly one version marked as storage version"},
		"no schema":          {valid[:strings.Index(valid, "    schema:")], "schema.openAPIV3Schema: Required value"},
		"forbidden":          {crd("type: object\nproperties: {a: {type: array, items: {type: string}, uniqueItems: true}}"), "uniqueItems cannot be set to true"},
		"deep":               {crd(strings.Repeat("{type: array, items: ", 220) + "{type: string}" + strings.Repeat("}", 220)), ErrTooLarge.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseCRD(t.Context(), object(t, test.crd))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got error %v, want %q", err, test.want)
			}
		})
	}
}

func TestParseCRDLimitsRules(t *testing.T) {
	rules := strings.Repeat("- {rule: 'true'}\n", MaxRules+1)
	_, err := ParseCRD(t.Context(), object(t, crd("type: object\nx-kubernetes-validations:\n"+rules)))
	if !errors.Is(err, ErrTooLarge) {
		t.Errorf("got error %v", err)
	}
}
