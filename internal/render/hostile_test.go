package render

import (
	"strings"
	"testing"
	"time"

	"github.com/mergegate/mergegate/internal/manifest"
)

// TestHostile renders what cannot stand in a golden file. Each gets a clear error, and a sibling
// application still renders.
func TestHostile(t *testing.T) {
	object := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
	list := "resources: [a.yaml]\n"
	for name, c := range map[string]struct{ kustomization, file, want string }{
		"invalid UTF-8 in a resource":        {list, object + "data:\n  a: \xc3\x28\n", "app/a.yaml:5: not valid UTF-8: save the file as UTF-8"},
		"invalid UTF-8 in the kustomization": {list + "namePrefix: \xff\n", object, "app/kustomization.yaml:2: not valid UTF-8: save the file as UTF-8"},
		"invalid UTF-8 in a patch":           {"resources: [b.yaml]\npatches: [{path: a.yaml}]\n", object + "# \xff\n", "app/a.yaml:4: not valid UTF-8"},
		"control character":                  {list, object + "data: {a: \x01}\n", "app/a.yaml:4: not valid YAML: control characters are not allowed"},
		"deep flow":                          {list, object + "data: " + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + "\n", "app/a.yaml:1: the YAML nests deeper than 300 levels: flatten it"},
		"deep block":                         {list, object + "data:\n" + indent(deepBlock(500)), "app/a.yaml:1: the YAML nests deeper than 300 levels: flatten it"},
		"very deep flow":                     {list, strings.Repeat("{a: ", 200_000), "app/a.yaml:1: not valid YAML: exceeded max depth of 10000"},
		"deep kustomization":                 {"vars: " + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + "\n", object, "app/kustomization.yaml:1: the YAML nests deeper than 300 levels"},
		"exploding anchors in a patch":       {"resources: [b.yaml]\npatches: [{path: a.yaml}]\n", object + bomb(9), "app/a.yaml:1: the YAML's anchors and aliases expand to more than"},
		"a long string many times":           {list, object + "a: &a " + strings.Repeat("x", 1<<20) + "\nb: [" + strings.Repeat("*a, ", 2000) + "]\n", "app/a.yaml:1: the YAML's anchors and aliases expand to more than"},
		"a name with markup":                 {"resources: ['<script>alert(1)</script>.yaml', \"`x`\\n.yaml\"]\n", object, `resources: "<script>alert(1)</script>.yaml" does not exist`},
		"a very long entry":                  {"resources: [" + strings.Repeat("x", 100_000) + "]\n", object, "the path is too long"},
		"an entry that is no path":           {"resources: [\"a\\0b\"]\n", object, "does not exist"},
		"a patch with path and patch":        {"resources: [b.yaml]\npatches: [{path: b.yaml, patch: 'a: b'}]\n", object, "app/kustomization.yaml:2: patches: the entry has both patch and path: keep one"},
		"an inline patch that is none":       {"resources: [b.yaml]\npatches:\n  - patch: |-\n      a: b\n", object, "app/kustomization.yaml:4: patches: the patch is neither"},
		"a failed test":                      {"resources: [b.yaml]\npatches:\n  - target: {kind: ConfigMap}\n    patch: |-\n      - {op: test, path: /data/a, value: x}\n", object, "app/kustomization.yaml:5: the patch does not apply"},
		"a wrong version":                    {"apiVersion: v7\nresources: [b.yaml]\n", object, "app/kustomization.yaml:1: not a kustomization: apiVersion for Kustomization should be kustomize.config.k8s.io/v1beta1"},
		"generator twice":                    {"configMapGenerator: [{name: a}, {name: a}]\n", object, "ConfigMap"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPool(t, Config{Workers: 1})
			files := tree("").with("app/kustomization.yaml", []byte(c.kustomization)).with("app/a.yaml", []byte(c.file)).with("app/b.yaml", []byte(object))
			_, err := p.Render(t.Context(), Request{Tree: files, Path: "app", Type: TypeKustomize})
			wantError(t, err, ClassInput, c.want)
			if err != nil && len(err.Error()) > 2*maxDetail+4096 {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
			mustRender(t, p)
		})
	}
}

func indent(text string) string {
	return " " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n ")
}

// TestAmplification renders a small application that uses one base 2^20 times: it is stopped, and
// neither the search for a reason nor that for a line takes part in the explosion.
func TestAmplification(t *testing.T) {
	files := tree("-- l0/kustomization.yaml --\nresources: [cm.yaml]\n-- l0/cm.yaml --\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")
	for i := range 20 {
		level, below := string(rune('a'+i)), "../../l0"
		if i > 0 {
			below = "../../" + string(rune('a'+i-1))
		}
		files.with(level+"/kustomization.yaml", []byte("resources: [one, two]\n"))
		for _, side := range []string{"one", "two"} {
			files.with(level+"/"+side+"/kustomization.yaml", []byte("namePrefix: "+side+"-\nresources: ["+below+"]\n"))
		}
	}
	p := newPool(t, Config{Workers: 1, Timeout: 2 * time.Second})
	req := Request{Tree: files, Path: "t", Type: TypeKustomize}
	_, err := p.Render(t.Context(), req)
	wantError(t, err, ClassTimeout, "t: not rendered within 2s and stopped")
	found, err := p.Locate(t.Context(), req, []Query{{Object: manifest.Object{ID: manifest.ID{Version: "v1", Kind: "ConfigMap", Name: "one-two-a"}}, Pointer: "/data/x"}})
	if err != nil || len(found) != 1 || found[0] == nil || found[0].File != "l0/cm.yaml" {
		t.Errorf("locations %v, error %v", found, err)
	}
	mustRender(t, p)
}
