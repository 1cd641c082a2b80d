package diff

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

func TestYAML(t *testing.T) {
	content := decode(t, `{"status":{},"zeta":1,"data":{"b":"x\n\ty\n","a":"no"},"kind":"ConfigMap","apiVersion":"v1",
		"metadata":{"name":"web","annotations":{"a.b/c":"true","n":"80"}},
		"spec":{"args":["--flag=a b","-","- x","#c"],"list":[[1,2.50],[],{}],"env":[{"name":"A","value":""}],"crlf":"a\r\n b\r\nc"}}`)
	want := `apiVersion: v1
kind: ConfigMap
metadata:
  annotations:
    a.b/c: "true"
    "n": "80"
  name: web
spec:
  args:
  - --flag=a b
  - "-"
  - "- x"
  - "#c"
  crlf: "a\r\n\
    \ b\r\n\
    c"
  env:
  - name: A
    value: ""
  list:
  - - 1
    - 2.5
  - []
  - {}
data:
  a: "no"
  b: |
    x
    	y
zeta: 1
status: {}`
	if d := cmp.Diff(want, strings.Join(yamlLines(content), "\n")); d != "" {
		t.Errorf("YAML (-want +got):\n%s", d)
	}
}

func FuzzYAMLReadsBack(f *testing.F) {
	for _, text := range []string{"", " ", "a\nb", "\n a", "a\n\n", "x: y", "é\u0085", "\ufeff", "~", "0x1F", "1_000", "12:30:45", "2001-12-14", "a\r\nb", "\t\nx", "  \n \nz", "a \nb ", "<<", "=", ".inf", "0o7", "0X0", "- ", "?", "a:\n", "\u00a0x\n", "%a", "@x", "`", "!x", "&a", "*a", "{a}", "[", "|", ">", "'", "\"", "a'b", "-1", "--x", "+1.", "1e3", "null ", "Yes", "a#b", "a #b", "a: ", "a:", "\u2028\n"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		text = strings.ToValidUTF8(text, "?")
		content := map[string]any{"kind": text, "spec": map[string]any{"a": text, "l": []any{text, map[string]any{"k": text, "z": []any{[]any{text}}}}}}
		if len(text) < 100 {
			content[text] = "key"
		}
		written := strings.Join(yamlLines(content), "\n") + "\n"
		var read any
		if err := yaml.Unmarshal([]byte(written), &read); err != nil {
			t.Fatalf("%q: %v\n%s", text, err, written)
		}
		if d := cmp.Diff(any(content), read); d != "" {
			t.Errorf("%q reads back differently (-want +got):\n%s\n%s", text, d, written)
		}
	})
}

func TestYAMLRandomObjects(t *testing.T) {
	for seed := range uint64(200) {
		content := newGenerator(seed).object(5)
		if len(content) == 0 {
			continue
		}
		var read map[string]any
		written := strings.Join(yamlLines(content), "\n") + "\n"
		if err := yaml.Unmarshal([]byte(written), &read); err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, written)
		}
		if !equal(content, asNumbers(read)) {
			t.Errorf("seed %d: reads back differently\n%s", seed, written)
		}
	}
}

func asNumbers(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			v[key] = asNumbers(value)
		}
	case []any:
		for i, item := range v {
			v[i] = asNumbers(item)
		}
	case int, float64:
		return json.Number(fmt.Sprint(v))
	}
	return v
}
