package render

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestDecodeErrors(t *testing.T) {
	good := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
	for name, c := range map[string]struct{ data, want string }{
		"invalid UTF-8":             {"a: b\n# \xff\n", "f.yaml:2: not valid UTF-8: save the file as UTF-8"},
		"duplicate key":             {good + "---\na: 1\nb: 2\na: 3\n", `f.yaml:7: the key "a" is there twice: remove one`},
		"tab":                       {good + "data:\n\ta: b\n", "f.yaml:5: not valid YAML: found character that cannot start any token"},
		"unclosed":                  {good + "---\nx: [1,\n  2\n", "f.yaml:5: not valid YAML: did not find expected ',' or ']'"},
		"unknown anchor":            {"a: b\nc: *d\n", `f.yaml:2: an alias (*) names an anchor (&) that is not there`},
		"document without marker":   {good + "...\n" + good, `f.yaml:5: a second document begins without a line "---": add that line`},
		"no name":                   {"\n\napiVersion: v1\nkind: ConfigMap\n", "f.yaml:4: document 1: the ConfigMap has no metadata.name"},
		"no kind":                   {good + "---\napiVersion: v1\nmetadata: {name: b}\n", "f.yaml:5: document 2: no kind"},
		"a list as a document":      {good + "---\n- a\n", "f.yaml:5: document 2: not a Kubernetes object"},
		"a scalar as an item":       {"apiVersion: v1\nkind: List\nitems: [a]\n", "f.yaml:2: document 1: item 1 of the List: not a Kubernetes object"},
		"items that are no list":    {"apiVersion: v1\nkind: List\nitems: a\n", "f.yaml:2: document 1: items of the List must be a list"},
		"namespace that is no text": {"apiVersion: v1\nkind: A\nmetadata: {name: a, namespace: 1}\n", "metadata.namespace of A/a must be text: put it in quotes"},
		"name that is no text":      {"apiVersion: v1\nkind: A\nmetadata: {name: 1}\n", "the A has no metadata.name"},
		"deep flow":                 {strings.Repeat("[", 5000) + strings.Repeat("]", 5000), "f.yaml:1: the YAML nests deeper than 300 levels"},
		"very deep flow":            {strings.Repeat("[", 50000), "f.yaml:1: not valid YAML: exceeded max depth of 10000"},
		"deep block":                {deepBlock(400), "f.yaml:1: the YAML nests deeper than 300 levels"},
		"deep sequence":             {strings.Repeat("- ", 400) + "a", "f.yaml:1: the YAML nests deeper than 300 levels"},
		"exploding anchors":         {good + "---\n" + bomb(8), "f.yaml:5: the YAML's anchors and aliases expand to more than"},
		"a long string many times":  {"a: &a " + strings.Repeat("x", 1<<20) + "\nb: [" + strings.Repeat("*a, ", 1000) + "]\n", "expand to more than"},
		"an anchor in itself":       {"a: &a [*a]\n", "a YAML anchor contains itself"},
		"deep JSON":                 {strings.Repeat(`{"a":`, 400) + "1" + strings.Repeat("}", 400), "nests deeper than 300 levels"},
	} {
		t.Run(name, func(t *testing.T) {
			objects, err := Decode("f.yaml", []byte(c.data))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%d objects, error %v\nwant %s", len(objects), err, c.want)
			}
		})
	}
	for data, want := range map[string]string{
		`{"a": 1, "a": 2}`:      `f.json:1: not valid JSON: the key "a" is there twice`,
		"{\"a\": 1,\n\"b\": }":  "f.json:2: not valid JSON",
		"{\"a\": 1}\n{\"b\": [": "f.json:2: not valid JSON: unexpected EOF",
	} {
		if _, err := Decode("f.json", []byte(data)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v\nwant %s", data, err, want)
		}
	}
}

func deepBlock(levels int) string {
	var b strings.Builder
	for i := range levels {
		fmt.Fprintf(&b, "%sa:\n", strings.Repeat(" ", i))
	}
	return b.String()
}

// bomb is YAML of a few lines that expands to 10^levels values.
func bomb(levels int) string {
	var b strings.Builder
	b.WriteString("x0: &x0 [a,a,a,a,a,a,a,a,a,a]\n")
	for i := 1; i < levels; i++ {
		fmt.Fprintf(&b, "x%d: &x%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*x%d,", i-1), 10), ","))
	}
	return b.String()
}

func TestDecode(t *testing.T) {
	objects, err := Decode("f.yaml", []byte("\ufeff# comment\r\n---\r\napiVersion: apps/v1\r\nkind: DeploymentList\r\nitems:\r\n- metadata: {name: a}\r\n- metadata: {name: b, namespace: ns}\r\n---\r\n"+
		"apiVersion: x.example.com/v1beta1\r\nkind: PriceList\r\nmetadata: {name: c}\r\n---\n"+
		"apiVersion: v1\nkind: List\nitems: null\n---\napiVersion: v1\nkind: Pod\nmetadata: {generateName: d-}\nspec:\n  a: &x {b: yes, c: 12345678901234567890}\n  d: *x\n  1: one\n  text: |\n    a\n    --- b\n---\n# end\n"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, o := range objects {
		got = append(got, fmt.Sprintf("%s %s %v", o.ID.APIVersion(), o.ID, o.Content["spec"]))
	}
	want := []string{
		"apps/v1 Deployment/a <nil>", "apps/v1 Deployment/ns/b <nil>", "x.example.com/v1beta1 PriceList/c <nil>",
		"v1 Pod/d-* map[1:one a:map[b:true c:12345678901234567890] d:map[b:true c:12345678901234567890] text:a\n--- b\n]",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, none := range []string{"", "# nothing\n", "a: 1\n---\n- b\n", "---\n---\n", "{}", "[]", "null", "[1, 2]", "kind: only\n"} {
		if objects, err := Decode("f.yaml", []byte(none)); len(objects) > 0 || err != nil {
			t.Errorf("%q: %v, %v, want nothing", none, objects, err)
		}
	}
}

// FuzzDecode looks for input that makes the reader crash, hang or lie about lines.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\n{}\n", `{"apiVersion": "v1", "kind": "List", "items": [{}]}`,
		bomb(3), "a: &a [*a]", "\xff", "--- x\n...\n", "a: 1\na: 2\n", "? [a]\n: b\n", "<<: {a: b}\n", "a: !!binary aa\n", "%YAML 1.1\n---\na: b\n", "a: |\n ---\n", "\ufeff{", "kind: List\napiVersion: v1\nitems:\n- kind: List\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		objects, err := Decode("f.yaml", data)
		if err == nil {
			for _, o := range objects {
				if o.ID.Name == "" || o.ID.Kind == "" || o.ID.Version == "" && !strings.HasSuffix(text(o.Content, "apiVersion"), "/") {
					t.Errorf("an object without identity: %+v", o)
				}
			}
			return
		}
		var e *Error
		if !errors.As(err, &e) || e.File != "f.yaml" || !utf8.ValidString(e.Error()) {
			t.Fatalf("not an error for people: %#v", err)
		}
		if e.Line < 1 || e.Line > lineCount(data)+1 {
			t.Errorf("line %d of %d: %v", e.Line, lineCount(data), e)
		}
	})
}
