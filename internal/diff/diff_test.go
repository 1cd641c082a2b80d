package diff

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mergegate/mergegate/internal/manifest"
	"github.com/mergegate/mergegate/internal/plan"
)

// object reads an object from JSON; of the optional stem its name is generated.
func object(t *testing.T, text string, stem ...string) manifest.Object {
	t.Helper()
	content := decode(t, text)
	apiVersion, _ := content["apiVersion"].(string)
	o := manifest.Object{Content: content, Stem: strings.Join(stem, "")}
	group, version, ok := strings.Cut(apiVersion, "/")
	if !ok {
		group, version = "", apiVersion
	}
	o.ID = manifest.ID{Group: group, Version: version}
	o.ID.Kind, _ = content["kind"].(string)
	metadata, _ := content["metadata"].(map[string]any)
	o.ID.Name, _ = metadata["name"].(string)
	o.ID.Namespace, _ = metadata["namespace"].(string)
	return o
}

// configMap is a ConfigMap with one value.
func configMap(t *testing.T, name, value string, stem ...string) manifest.Object {
	t.Helper()
	return object(t, fmt.Sprintf(`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":%q},"data":{"k":%q}}`, name, value), stem...)
}

// summary writes changes as action, object and field paths.
func summary(changes []plan.Change) string {
	var all []string
	for _, c := range changes {
		text := string(c.Action) + " " + c.Object.Key()
		for _, f := range c.Fields {
			text += " " + f.Path
		}
		all = append(all, text)
	}
	return strings.Join(all, "\n")
}

func TestSets(t *testing.T) {
	apps := func(version string) manifest.Object {
		return object(t, fmt.Sprintf(`{"apiVersion":"apps/%s","kind":"Deployment","metadata":{"name":"web","namespace":"x"}}`, version))
	}
	tests := map[string]struct {
		base, head manifest.Set
		want       string
	}{
		"nothing":                        {nil, nil, ""},
		"created, updated, deleted":      {manifest.Set{configMap(t, "b", "1"), configMap(t, "c", "1")}, manifest.Set{configMap(t, "a", "1"), configMap(t, "b", "2")}, "create /ConfigMap//a\nupdate /ConfigMap//b /data/k\ndelete /ConfigMap//c"},
		"version alone":                  {manifest.Set{apps("v1beta1")}, manifest.Set{apps("v1")}, "update apps/Deployment/x/web /apiVersion"},
		"same identity twice":            {manifest.Set{configMap(t, "a", "1"), configMap(t, "a", "2")}, manifest.Set{configMap(t, "a", "1"), configMap(t, "a", "3"), configMap(t, "a", "4")}, "update /ConfigMap//a /data/k\ncreate /ConfigMap//a"},
		"new hash is one update":         {manifest.Set{configMap(t, "a-1111111111", "1", "a")}, manifest.Set{configMap(t, "a-2222222222", "2", "a")}, "update /ConfigMap//a /data/k"},
		"new hash and nothing else":      {manifest.Set{configMap(t, "a-1111111111", "1", "a")}, manifest.Set{configMap(t, "a-2222222222", "1", "a")}, "update /ConfigMap//a /metadata/name"},
		"created generated has its name": {nil, manifest.Set{configMap(t, "a-1111111111", "1", "a")}, "create /ConfigMap//a-1111111111"},
		"deleted masked has its stem":    {manifest.Set{configMap(t, "a-(hash #0001)", "1", "a")}, nil, "delete /ConfigMap//a"},
		"no longer generated":            {manifest.Set{configMap(t, "a-1111111111", "1", "a")}, manifest.Set{configMap(t, "a", "1")}, "create /ConfigMap//a\ndelete /ConfigMap//a-1111111111"},
		"numbers by value":               {manifest.Set{object(t, `{"kind":"A","x":1.0}`)}, manifest.Set{object(t, `{"kind":"A","x":1}`)}, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			changes := Sets(test.base, test.head)
			if d := cmp.Diff(test.want, summary(changes)); d != "" {
				t.Errorf("changes (-want +got):\n%s", d)
			}
			if changes == nil {
				t.Error("no changes are nil, which is null in JSON")
			}
		})
	}
}

func TestSetsDiff(t *testing.T) {
	base := manifest.Set{configMap(t, "a-1111111111", "x\ny\n", "a")}
	head := manifest.Set{configMap(t, "a-2222222222", "x\nz\n", "a")}
	want := `--- base
+++ proposed
@@ -1,8 +1,8 @@
 apiVersion: v1
 kind: ConfigMap
 metadata:
-  name: a-1111111111
+  name: a-2222222222
 data:
   k: |
     x
-    y
+    z
`
	if d := cmp.Diff(want, Sets(base, head)[0].Diff); d != "" {
		t.Errorf("diff (-want +got):\n%s", d)
	}
}

func TestReferencesAreFields(t *testing.T) {
	deployment := func(config string) manifest.Object {
		return object(t, fmt.Sprintf(`{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},"spec":{"volumes":[{"name":"c","configMap":{"name":%q}}]}}`, config))
	}
	changes := Sets(manifest.Set{deployment("a-1111111111")}, manifest.Set{deployment("a-2222222222")})
	want := []plan.Field{{Path: "/spec/volumes/0/configMap/name", At: "spec.volumes[name=c].configMap.name", Before: "a-1111111111", After: "a-2222222222"}}
	if d := cmp.Diff(want, changes[0].Fields); d != "" {
		t.Errorf("fields (-want +got):\n%s", d)
	}
}

func TestNullShowsInJSON(t *testing.T) {
	changes := Sets(manifest.Set{object(t, `{"kind":"A","x":1,"y":null}`)}, manifest.Set{object(t, `{"kind":"A","x":null}`)})
	text, err := json.Marshal(changes[0].Fields)
	if err != nil {
		t.Fatal(err)
	}
	if want := `[{"path":"/x","at":"x","before":1,"after":null},{"path":"/y","at":"y","before":null}]`; string(text) != want {
		t.Errorf("fields %s, want %s", text, want)
	}
}

func BenchmarkSetsUnchanged(b *testing.B) {
	var base, head manifest.Set
	for i := range 2500 {
		base, head = append(base, deployment(i)), append(head, deployment(i))
	}
	for b.Loop() {
		if changes := Sets(base, head); len(changes) != 0 {
			b.Fatal(changes)
		}
	}
}

func BenchmarkSetsImageBump(b *testing.B) {
	var base, head manifest.Set
	for i := range 2500 {
		base, head = append(base, deployment(i)), append(head, deployment(i))
		if i%10 == 0 {
			head[i].Content["spec"].(map[string]any)["template"].(map[string]any)["spec"].(map[string]any)["containers"].([]any)[0].(map[string]any)["image"] = "x:2"
		}
	}
	for b.Loop() {
		if changes := Sets(base, head); len(changes) != 250 {
			b.Fatal(len(changes))
		}
	}
}

func BenchmarkUnifiedLargeCRD(b *testing.B) {
	base, head := make([]string, 20000), make([]string, 20000)
	for i := range base {
		base[i] = fmt.Sprintf("line %d", i%700)
		head[i] = base[i]
		if i%9 == 0 {
			head[i] = fmt.Sprintf("changed %d", i)
		}
	}
	for b.Loop() {
		unified(base, head)
	}
}
