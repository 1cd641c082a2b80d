package schema

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// judged is one rule of the API server with objects that it accepts and refuses.
type judged struct {
	schema string // of spec
	spec   string
	old    string // spec of the object in the cluster; none for a new object
	want   string // spec as stored; spec itself when empty
	pruned string // paths
	refuse string // part of a problem, as field: message
}

var rules = map[string]judged{
	"default":                  {schema: "type: object\ndefault: {}\nproperties: {size: {type: integer, default: 3}}", spec: "{}", want: "size: 3"},
	"default of null":          {schema: "type: object\nproperties: {size: {type: integer, default: 3}}", spec: "size: null", want: "size: 3"},
	"nullable":                 {schema: "type: object\nproperties: {size: {type: integer, default: 3, nullable: true}}", spec: "size: null"},
	"null":                     {schema: "type: object\nproperties: {size: {type: integer}}", spec: "size: null", refuse: "spec.size: Invalid value: \"null\": spec.size in body must be of type integer"},
	"unknown field":            {schema: "type: object\nproperties: {size: {type: integer}}", spec: "{size: 1, b: {c: 2}}", want: "size: 1", pruned: "spec.b"},
	"unknown field in a list":  {schema: "type: object\nproperties: {l: {type: array, items: {type: object, properties: {a: {type: string}}}}}", spec: "l: [{a: x}, {b: z}]", want: "l: [{a: x}, {}]", pruned: "spec.l[1].b"},
	"preserved":                {schema: "type: object\nx-kubernetes-preserve-unknown-fields: true", spec: "{b: {c: 2}}"},
	"type":                     {schema: "type: object\nproperties: {size: {type: integer}}", spec: "size: big", refuse: "spec.size: expected numeric (int or float), got string"},
	"number for an integer":    {schema: "type: object\nproperties: {size: {type: integer}}", spec: "size: 1.5", refuse: "must be of type integer"},
	"number":                   {schema: "type: object\nproperties: {size: {type: number}}", spec: "size: 1.5"},
	"int or string":            {schema: "type: object\nproperties: {port: {x-kubernetes-int-or-string: true}}", spec: "port: 80"},
	"int or string, neither":   {schema: "type: object\nproperties: {port: {x-kubernetes-int-or-string: true}}", spec: "port: 1.5", refuse: "spec.port"},
	"required":                 {schema: "type: object\nrequired: [size]\nproperties: {size: {type: integer}}", spec: "{}", refuse: "spec.size: Required value"},
	"enum":                     {schema: "type: object\nproperties: {a: {type: string, enum: [x, v]}}", spec: "a: z", refuse: `spec.a: Unsupported value: "z": supported values: "x", "v"`},
	"pattern":                  {schema: "type: object\nproperties: {a: {type: string, pattern: '^[a-z]+$'}}", spec: "a: Z", refuse: "should match '^[a-z]+$'"},
	"format":                   {schema: "type: object\nproperties: {a: {type: string, format: ipv4}}", spec: "a: 300.1.1.1", refuse: "must be of type ipv4"},
	"unknown format":           {schema: "type: object\nproperties: {a: {type: string, format: postcode}}", spec: "a: x"},
	"maximum":                  {schema: "type: object\nproperties: {a: {type: integer, maximum: 5}}", spec: "a: 6", refuse: "should be less than or equal to 5"},
	"maxLength":                {schema: "type: object\nproperties: {a: {type: string, maxLength: 2}}", spec: "a: abc", refuse: "Too long: may not be more than 2"},
	"maxItems":                 {schema: "type: object\nproperties: {a: {type: array, maxItems: 1, items: {type: string}}}", spec: "a: [a, b]", refuse: "Too many: 2: must have at most 1 item"},
	"oneOf":                    {schema: "type: object\nproperties: {a: {type: string}, b: {type: string}}\noneOf: [{required: [a]}, {required: [b]}]", spec: "{a: x, b: z}", refuse: "must validate one and only one schema"},
	"set":                      {schema: "type: object\nproperties: {a: {type: array, x-kubernetes-list-type: set, items: {type: string}}}", spec: "a: [a, b]"},
	"set with a duplicate":     {schema: "type: object\nproperties: {a: {type: array, x-kubernetes-list-type: set, items: {type: string}}}", spec: "a: [a, a]", refuse: "duplicate entries"},
	"map with a duplicate":     {schema: "type: object\nproperties: {a: {type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [k], items: {type: object, required: [k], properties: {k: {type: string}}}}}", spec: "a: [{k: a}, {k: a}]", refuse: `duplicate entries for key [k="a"]`},
	"map without its key":      {schema: "type: object\nproperties: {a: {type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [k], items: {type: object, required: [k], properties: {k: {type: string}}}}}", spec: "a: [{}]", refuse: "associative list with keys has an element that omits all key fields"},
	"CEL":                      {schema: "type: object\nproperties: {a: {type: integer}, b: {type: integer}}\nx-kubernetes-validations: [{rule: self.a <= self.b, message: a above b}]", spec: "{a: 1, b: 1}"},
	"CEL fails":                {schema: "type: object\nproperties: {a: {type: integer}, b: {type: integer}}\nx-kubernetes-validations: [{rule: self.a <= self.b, message: a above b}]", spec: "{a: 2, b: 1}", refuse: "spec: Invalid value: a above b"},
	"CEL messageExpression":    {schema: "type: object\nproperties: {a: {type: integer}}\nx-kubernetes-validations: [{rule: self.a < 5, messageExpression: 'self.a > 6 ? \"far above\" : \"above\"'}]", spec: "a: 7", refuse: "far above"},
	"CEL reason and field":     {schema: "type: object\nproperties: {a: {type: integer}}\nx-kubernetes-validations: [{rule: self.a < 5, reason: FieldValueForbidden, fieldPath: .a}]", spec: "a: 7", refuse: "spec.a: Forbidden: failed rule: self.a < 5"},
	"CEL after a type error":   {schema: "type: object\nrequired: [b]\nproperties: {a: {type: integer}, b: {type: integer}}\nx-kubernetes-validations: [{rule: self.a < 5}]", spec: "a: 7", refuse: "some validation rules were not checked"},
	"CEL runtime budget":       {schema: "type: object\nproperties: {a: {type: array, maxItems: 200, items: {type: string, maxLength: 10}}}\nx-kubernetes-validations: [{rule: 'self.a.all(x, self.a.all(y, x.size() + y.size() >= 0))'}]", spec: "a: [" + strings.Repeat("x,", 150) + "x]"},
	"transition, new":          {schema: "type: object\nproperties: {a: {type: string, x-kubernetes-validations: [{rule: self == oldSelf, message: immutable}]}}", spec: "a: x"},
	"transition, same":         {schema: "type: object\nproperties: {a: {type: string, x-kubernetes-validations: [{rule: self == oldSelf, message: immutable}]}}", spec: "a: x", old: "a: x"},
	"transition, changed":      {schema: "type: object\nproperties: {a: {type: string, x-kubernetes-validations: [{rule: self == oldSelf, message: immutable}]}}", spec: "a: z", old: "a: x", refuse: `spec.a: Invalid value: "z": immutable`},
	"optional old self":        {schema: "type: object\nproperties: {a: {type: string, x-kubernetes-validations: [{rule: 'oldSelf.hasValue() || self == \"x\"', optionalOldSelf: true}]}}", spec: "a: z", refuse: "failed rule"},
	"ratcheted":                {schema: "type: object\nproperties: {a: {type: string, maxLength: 1}, b: {type: string}}", spec: "{a: xx, b: v}", old: "{a: xx, b: x}"},
	"not ratcheted":            {schema: "type: object\nproperties: {a: {type: string, maxLength: 1}}", spec: "a: xx", old: "a: x", refuse: "spec.a: Too long"},
	"embedded":                 {schema: "type: object\nproperties: {t: {type: object, x-kubernetes-embedded-resource: true, x-kubernetes-preserve-unknown-fields: true}}", spec: "t: {apiVersion: v1, kind: Pod, metadata: {name: x}, spec: {a: 1}}"},
	"embedded without kind":    {schema: "type: object\nproperties: {t: {type: object, x-kubernetes-embedded-resource: true, x-kubernetes-preserve-unknown-fields: true}}", spec: "t: {apiVersion: v1}", refuse: "spec.t.kind: Required value"},
	"embedded unknown field":   {schema: "type: object\nproperties: {t: {type: object, x-kubernetes-embedded-resource: true, properties: {spec: {type: object}}}}", spec: "t: {apiVersion: v1, kind: Pod, metadata: {name: x, foo: z}}", want: "t: {apiVersion: v1, kind: Pod, metadata: {name: x}}", pruned: "spec.t.metadata.foo"},
	"embedded bad metadata":    {schema: "type: object\nproperties: {t: {type: object, x-kubernetes-embedded-resource: true, x-kubernetes-preserve-unknown-fields: true}}", spec: "t: {apiVersion: v1, kind: Pod, metadata: {name: 5}}", refuse: "spec.t.metadata.name"},
	"large integer":            {schema: "type: object\nproperties: {a: {type: integer, format: int64}}", spec: "a: 9007199254740993"},
	"additional properties":    {schema: "type: object\nproperties: {m: {type: object, additionalProperties: {type: object, properties: {a: {type: integer, default: 1}}}}}", spec: "m: {x: {}}", want: "m: {x: {a: 1}}"},
	"default in items of list": {schema: "type: object\nproperties: {l: {type: array, items: {type: object, properties: {a: {type: integer, default: 1}, b: {type: string}}}}}", spec: "l: [{b: x}]", want: "l: [{a: 1, b: x}]"},
}

func TestAdmit(t *testing.T) {
	for name, test := range rules {
		t.Run(name, func(t *testing.T) {
			d := parse(t, crd(test.schema))
			var old map[string]any
			if test.old != "" {
				old = object(t, widget(test.old))
			}
			given := object(t, widget(test.spec))
			a, err := d.Admit(t.Context(), "v1", given, old)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(object(t, widget(test.spec)), given); diff != "" {
				t.Errorf("the argument was changed:\n%s", diff)
			}
			compare(t, a, test)
		})
	}
}

func compare(t *testing.T, a Admission, test judged) {
	t.Helper()
	if got := strings.Join(a.Pruned, " "); got != test.pruned {
		t.Errorf("pruned %q, want %q", got, test.pruned)
	}
	if test.refuse != "" {
		if text := text(a.Problems); !strings.Contains(text, test.refuse) || a.Object != nil {
			t.Errorf("problems %q, want %q", text, test.refuse)
		}
		return
	}
	if len(a.Problems) > 0 {
		t.Fatalf("problems %q", text(a.Problems))
	}
	want := test.want
	if want == "" {
		want = test.spec
	}
	if diff := cmp.Diff(object(t, widget(want)), a.Object); diff != "" {
		t.Error(diff)
	}
}

func text(problems []Problem) string {
	var lines []string
	for _, p := range problems {
		lines = append(lines, p.Field+": "+p.Message)
	}
	return strings.Join(lines, "\n")
}

func TestAdmitMetadata(t *testing.T) {
	d := parse(t, crd("type: object"))
	for name, test := range map[string]struct{ metadata, refuse string }{
		"valid":        {"{name: a.b, namespace: shop, labels: {a: b}}", ""},
		"no namespace": {"{name: a}", ""},
		"no name":      {"{}", "metadata.name: Required value"},
		"bad name":     {"{name: A_B}", "metadata.name: Invalid value"},
		"bad label":    {"{name: a, labels: {a: 'b c'}}", "metadata.labels: Invalid value"},
		"label type":   {"{name: a, labels: {a: 5}}", "metadata.labels.a: expected string"},
		"no map":       {"[]", "metadata: expected map"},
		"two owners":   {"{name: a, ownerReferences: [{apiVersion: v1, kind: Pod, name: a, uid: u, controller: true}, {apiVersion: v1, kind: Pod, name: b, uid: v, controller: true}]}", "Only one reference can have Controller set to true"},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := d.Admit(t.Context(), "v1", object(t, "{apiVersion: example.com/v1, kind: Widget, metadata: "+test.metadata+"}"), nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := text(a.Problems); (test.refuse == "") != (got == "") || !strings.Contains(got, test.refuse) {
				t.Errorf("problems %q, want %q", got, test.refuse)
			}
		})
	}
}

func TestAdmitLive(t *testing.T) {
	d := parse(t, crd("type: object\nproperties: {a: {type: string}}"))
	live := object(t, widget("{a: x, gone: z}"))
	live["metadata"] = map[string]any{
		"name": "one", "namespace": "shop", "uid": "u", "resourceVersion": "5", "generation": json.Number("2"),
		"creationTimestamp": "2026-01-01T00:00:00Z", "managedFields": []any{map[string]any{"manager": "m"}},
	}
	a, err := d.Admit(t.Context(), "v1", live, nil)
	if err != nil {
		t.Fatal(err)
	}
	compare(t, a, judged{spec: "a: x", pruned: "spec.gone"})
}

func TestAdmitErrors(t *testing.T) {
	d := parse(t, crd("type: object"))
	if _, err := d.Admit(t.Context(), "v2", object(t, widget("{}")), nil); !errors.Is(err, ErrNoSchema) {
		t.Errorf("got error %v", err)
	}
	if a, _ := d.Admit(t.Context(), "v1", map[string]any{"kind": "Gadget"}, nil); text(a.Problems) != "kind: must be Widget\napiVersion: must be example.com/v1" {
		t.Errorf("got %v", a)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.Admit(ctx, "v1", object(t, widget("{}")), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v", err)
	}
}

// TestDefaultsExplode holds a definition whose defaults double at each of 40 levels.
func TestDefaultsExplode(t *testing.T) {
	schema := "{type: object}"
	for range 40 {
		schema = "{type: object, properties: {l: {type: array, default: [{}, {}], items: " + schema + "}}}"
	}
	d := parse(t, crd(schema))
	if _, err := d.Admit(t.Context(), "v1", object(t, widget("{}")), nil); !errors.Is(err, ErrTooLarge) {
		t.Errorf("got error %v", err)
	}
}

// TestConversionWebhook holds that what only a webhook knows is not predicted.
func TestConversionWebhook(t *testing.T) {
	definition := crd("type: object\nproperties: {a: {type: string}}") + `
  - {name: v1beta1, served: true, storage: false, schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {a: {type: string, maxLength: 1}}}}}}}
  conversion: {strategy: Webhook, webhook: {conversionReviewVersions: [v1], clientConfig: {url: 'https://example.com/'}}}
`
	d := parse(t, definition)
	if a, err := d.Admit(t.Context(), "v1", object(t, widget("a: xx")), nil); err != nil || len(a.Problems) > 0 {
		t.Errorf("storage version: got %v, %v", a.Problems, err)
	}
	beta := func(spec string) map[string]any {
		out := object(t, widget(spec))
		out["apiVersion"] = "example.com/v1beta1"
		return out
	}
	if _, err := d.Admit(t.Context(), "v1beta1", beta("a: x"), nil); !errors.Is(err, ErrConversion) {
		t.Errorf("got error %v", err)
	}
	if a, err := d.Admit(t.Context(), "v1beta1", beta("a: xx"), nil); err != nil || !strings.Contains(text(a.Problems), "spec.a: Too long") {
		t.Errorf("got %v, %v", a.Problems, err)
	}
}
