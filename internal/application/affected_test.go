package application

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mergegate/mergegate/internal/config"
)

// everywhere makes every directory that can be one an application.
const everywhere = "applications: [{path: '**'}]\n"

// effects are the affected applications, one per line: name by differing paths.
func effects(t *testing.T, base, head files, cfg config.Repository) []string {
	t.Helper()
	var lines []string
	for _, e := range affectedBetween(t, base.tree(), head.tree(), cfg) {
		sides := ""
		if e.Base == nil {
			sides = "+"
		} else if e.Head == nil {
			sides = "-"
		}
		lines = append(lines, fmt.Sprintf("%s%s by %s", sides, e.Application().Name, strings.Join(e.By, " ")))
	}
	return lines
}

// TestAffectedReferences checks, one by one, ways in which a kustomization depends on a file: each
// must be seen when that file changes, when it goes and when it comes.
func TestAffectedReferences(t *testing.T) {
	tests := map[string]struct {
		kustomization string
		file          string // that it depends on
		others        files
	}{
		"resource":                    {kust("a.yaml"), "app/a.yaml", nil},
		"resource in a dot path":      {kust("./x/../a.yaml"), "app/a.yaml", nil},
		"resource with a space":       {kust("my file.yaml"), "app/my file.yaml", nil},
		"resource named by a number":  {"resources: [1]\n", "app/1", nil},
		"resource from the root":      {kust("/shared/a.yaml"), "shared/a.yaml", nil},
		"base":                        {kust("../base"), "base/kustomization.yaml", nil},
		"base's resource":             {kust("../base"), "base/a.yaml", files{"base/Kustomization": kust("a.yaml")}},
		"base of a base":              {kust("../base/"), "lib/a.yaml", files{"base/kustomization.yml": "bases: [../lib]\n", "lib/kustomization.yaml": kust("a.yaml")}},
		"component":                   {"components: [../c]\n", "c/p.yaml", files{"c/kustomization.yaml": "kind: Component\npatches: [{path: p.yaml}]\n"}},
		"second kustomization":        {kust("../base"), "base/Kustomization", files{"base/kustomization.yaml": "{}"}},
		"own second kustomization":    {"{}", "app/kustomization.yml", nil},
		"patch":                       {"patches: [{path: p.json, target: {kind: X}}]\n", "app/p.json", nil},
		"old patches":                 {"patchesStrategicMerge: [p.yaml]\npatchesJson6902: [{path: q.yaml}]\n", "app/q.yaml", nil},
		"generator file":              {"configMapGenerator: [{name: a, files: [conf/a.ini]}]\n", "app/conf/a.ini", nil},
		"generator file with key":     {"configMapGenerator: [{name: a, files: [key.ini=conf/a.ini]}]\n", "app/conf/a.ini", nil},
		"env file":                    {"secretGenerator: [{name: a, envs: [.env]}]\n", "app/.env", nil},
		"old env file":                {"configMapGenerator: [{name: a, env: settings}]\n", "app/settings", nil},
		"replacements":                {"replacements: [{path: r.yaml}]\n", "app/r.yaml", nil},
		"configurations":              {"configurations: [names.yaml]\n", "app/names.yaml", nil},
		"schema":                      {"openapi: {path: schema.json}\n", "app/schema.json", nil},
		"crds":                        {"crds: [crd.json]\n", "app/crd.json", nil},
		"values of a chart":           {"helmCharts: [{name: x, valuesFile: ../v.yaml}]\n", "v.yaml", nil},
		"chart":                       {"helmCharts: [{name: x}]\n", "app/charts/x/templates/a.yaml", nil},
		"chart elsewhere":             {"helmGlobals: {chartHome: ../h}\nhelmCharts: [{name: x}]\n", "h/x/a", files{"h/kustomization.yaml": "{}"}},
		"chart of a chart":            {"helmGlobals: {chartHome: ../h}\nhelmCharts: [{name: x}]\n", "h/x/a", nil},
		"generator's own file":        {"generators: [g.yaml]\n", "app/data.txt", files{"app/g.yaml": "kind: ConfigMapGenerator\nfiles: [data.txt]\n"}},
		"generator from a directory":  {"generators: [../gen]\n", "app/data.txt", files{"gen/kustomization.yaml": kust("g.yaml"), "gen/g.yaml": "kind: ConfigMapGenerator\nfiles: [d=data.txt]\n"}},
		"transformer two levels down": {"transformers: [../t]\n", "app/p.yaml", files{"t/kustomization.yaml": kust("../u"), "u/kustomization.yaml": kust("t.yaml"), "u/t.yaml": "kind: PatchTransformer\npath: p.yaml\n"}},
		"generator written inline":    {"generators:\n- |-\n  kind: ConfigMapGenerator\n  files: [data.txt]\n", "app/data.txt", nil},
		"generator on one line":       {"generators: ['{kind: ConfigMapGenerator, files: [data.txt]}']\n", "app/data.txt", nil},
		"inflator's chart":            {"generators: [g.yaml]\n", "app/charts/x/Chart.yaml", files{"app/g.yaml": "kind: HelmChartInflationGenerator\nname: x\n"}},
		"alias":                       {"x: &x [a.yaml]\nresources: *x\n", "app/a.yaml", nil},
		"merge key":                   {"x: &x {resources: [../base]}\n<<: *x\n", "base/a.yaml", files{"base/kustomization.yaml": kust("a.yaml")}},
		"other case":                  {"RESOURCES: [a.yaml]\n", "app/a.yaml", nil},
		"escaped":                     {"resources: [\"\\x61.yaml\"]\n", "app/a.yaml", nil},
		"binary":                      {"resources: [!!binary YS55YW1s]\n", "app/a.yaml", nil},
		"name with line break":        {"resources: [\"a\\nb.yaml\"]\n", "app/a\nb.yaml", nil},
		"name like a URL":             {kust("x://a.yaml"), "app/x:/a.yaml", nil},
		"very long path":              {kust(strings.Repeat("./", 5000) + "a.yaml"), "app/a.yaml", nil},
		"broken YAML":                 {"resources:\n\t- ../base\n", "base/a.yaml", files{"base/kustomization.yaml": kust("a.yaml")}},
		"broken YAML, name with space": {
			"resources:\n- my file.yaml\n\t- x\n", "app/my file.yaml", nil,
		},
		"UTF-16":             {"\xff\xfer\x00:\x00\n\x00", "elsewhere/a.yaml", nil},
		"too large":          {"{}\n#" + strings.Repeat("x", maxDocument), "elsewhere/a.yaml", nil},
		"too many strings":   {"x: [" + manyWords() + "]", "elsewhere/a.yaml", nil},
		"attributes":         {kust("../base"), ".gitattributes", files{"base/kustomization.yaml": "{}"}},
		"attributes on way":  {kust("../x/base"), "x/.gitattributes", files{"x/base/kustomization.yaml": "{}"}},
		"target of a link":   {kust("l.yaml"), "files/a.txt", files{"app/l.yaml": "-> ../files/a.txt"}},
		"link":               {kust("l.yaml"), "app/l.yaml", nil},
		"link to a base":     {kust("l"), "base/a.yaml", files{"app/l": "-> ../base", "base/kustomization.yaml": kust("a.yaml")}},
		"linked parent":      {kust("l/sub/a.yaml"), "base/sub/a.yaml", files{"app/l": "-> ../base"}},
		"back from a link":   {kust("l/../a.yaml"), "deep/a.yaml", files{"app/l": "-> ../deep/er", "deep/er/x": ""}},
		"back, cleaned":      {kust("l/../a.yaml"), "app/a.yaml", files{"app/l": "-> ../deep/er", "deep/er/x": ""}},
		"kustomization link": {"-> ../k.yaml", "k.yaml", nil},
		"directory of files": {"configMapGenerator: [{name: a, files: [conf]}]\n", "app/conf/x/y.ini", nil},
		"link in directory":  {"x: conf\n", "far/y.ini", files{"app/conf/z": "", "app/conf/l": "-> ../../far"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			without := files{"app/kustomization.yaml": tt.kustomization, "unrelated.txt": "x"}.with(tt.others)
			one, two := without.with(files{tt.file: "a: 1\n"}), without.with(files{tt.file: "a: 2\n"})
			for change, sides := range map[string][2]files{"changes": {one, two}, "comes": {without, one}, "goes": {one, without}} {
				got := effects(t, sides[0], sides[1], configuration(t, "applications: [{path: app}]\n"))
				for i := range got {
					got[i] = strings.TrimLeft(got[i], "+-")
				}
				if diff := cmp.Diff([]string{"app by " + tt.file}, got); diff != "" {
					t.Errorf("%s %s: -want +got:\n%s", tt.file, change, diff)
				}
			}
		})
	}
}

func manyWords() string {
	var words []string
	for i := range maxReferences + 1 {
		words = append(words, fmt.Sprint("w", i))
	}
	return strings.Join(words, ",")
}

func TestAffected(t *testing.T) {
	repo := files{
		"web/base/kustomization.yaml":           "resources: [deploy.yaml]\npatches:\n- patch: |-\n    - {op: add, path: /spec/x, value: ../../db}\n",
		"web/base/deploy.yaml":                  object,
		"web/overlays/prod/kustomization.yaml":  kust("../../base"),
		"web/overlays/stage/kustomization.yaml": kust("../../base", "extra.yaml"),
		"web/overlays/stage/extra.yaml":         object,
		"loop/a/kustomization.yaml":             kust("../b"),
		"loop/b/kustomization.yaml":             kust("../a", "x.yaml"),
		"loop/b/x.yaml":                         object,
		"out/kustomization.yaml":                kust("../../../etc/passwd", "../../.."),
		"plain/a.yaml":                          object,
		"plain/b.yaml":                          object,
		"plain/notes.yaml":                      "a: b\n",
		"charts/c/Chart.yaml":                   "dependencies: [{name: lib, repository: 'file://../lib'}]\n",
		"charts/c/values.yaml":                  "a: 1\n",
		"charts/lib/Chart.yaml":                 "dependencies: [{name: c, repository: 'file://../c'}]\n",
		"charts/lib/templates/x.yaml":           "",
		"README.md":                             "",
	}
	other := object + "data: {a: b}\n"
	tests := map[string]struct {
		change files
		want   []string
	}{
		"nothing":          {nil, nil},
		"unrelated":        {files{"README.md": "x", "plain/notes.yaml": "c: d\n", "new.txt": ""}, nil},
		"resource":         {files{"web/base/deploy.yaml": other}, []string{"web/base by web/base/deploy.yaml", "web/overlays/prod by web/base/deploy.yaml", "web/overlays/stage by web/base/deploy.yaml"}},
		"one overlay":      {files{"web/overlays/stage/extra.yaml": other}, []string{"web/overlays/stage by web/overlays/stage/extra.yaml"}},
		"circle":           {files{"loop/b/x.yaml": other}, []string{"loop/a by loop/b/x.yaml", "loop/b by loop/b/x.yaml"}},
		"new application":  {files{"new/kustomization.yaml": kust("../web/base")}, []string{"+new by new/kustomization.yaml"}},
		"removed one":      {files{"web/overlays/prod/kustomization.yaml": "gone"}, []string{"-web/overlays/prod by web/overlays/prod/kustomization.yaml"}},
		"manifest":         {files{"plain/a.yaml": other}, []string{"plain by plain/a.yaml"}},
		"new manifest":     {files{"plain/c.yml": object}, []string{"plain by plain/c.yml"}},
		"no manifest now":  {files{"plain/b.yaml": "a: b\n"}, []string{"plain by plain/b.yaml"}},
		"read by another":  {files{"web/overlays/prod/kustomization.yaml": kust("../../base", "../../../plain/b.yaml")}, []string{"plain by plain/b.yaml", "web/overlays/prod by web/overlays/prod/kustomization.yaml"}},
		"chart":            {files{"charts/c/values.yaml": "a: 2\n"}, []string{"charts/c by charts/c/values.yaml", "charts/lib by charts/c/values.yaml"}},
		"chart's chart":    {files{"charts/lib/templates/x.yaml": "b"}, []string{"charts/c by charts/lib/templates/x.yaml", "charts/lib by charts/lib/templates/x.yaml"}},
		"parent is a link": {files{"plain": "gone", "plain/a.yaml": "gone", "plain/b.yaml": "gone", "plain/notes.yaml": "gone", "linked/kustomization.yaml": kust("l/a.yaml"), "linked/l": "-> ../x"}, []string{"+linked by linked/kustomization.yaml linked/l", "-plain by plain/a.yaml plain/b.yaml"}},
		"mode":             {files{"plain/a.yaml": "-> b.yaml"}, []string{"plain by plain/a.yaml"}},
		"other type":       {files{"plain/kustomization.yaml": kust("a.yaml")}, []string{"plain by plain/kustomization.yaml"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := effects(t, repo, repo.with(tt.change), configuration(t, everywhere))
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestAffectedByTheConfigurationOfBase(t *testing.T) {
	repo := files{"envs/prod/kustomization.yaml": "{}"}
	base, err := Discover(t.Context(), repo.tree(), config.Repository{})
	if err != nil {
		t.Fatal(err)
	}
	head, err := Discover(t.Context(), repo.tree(), configuration(t, "environments: {prod: {cluster: eu}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := Affected(t.Context(), base, head)
	if err != nil || len(got) != 1 || got[0].Head.Cluster != "eu" || len(got[0].By) != 0 {
		t.Errorf("an application that is described differently is not affected: %+v, %v", got, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Affected(ctx, base, head); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestInputs(t *testing.T) {
	tree := files{
		".gitattributes":         "",
		"app/kustomization.yaml": kust("../base", "missing.yaml", "gone", "l.yaml", "../../../out.yaml", "https://example.com/x.yaml"),
		"app/l.yaml":             "-> ../l.txt",
		"l.txt":                  "",
		"base/Kustomization":     "namePrefix: web-\n",
		"other/a.yaml":           "",
	}.tree()
	catalog, err := Discover(t.Context(), tree, config.Repository{})
	if err != nil {
		t.Fatal(err)
	}
	got := catalog.Inputs(catalog.Applications[0])
	present, absent := map[string]bool{}, []string{}
	for name, id := range got {
		if id != tree.ID(name) {
			t.Errorf("%s: id %q, want %q", name, id, tree.ID(name))
		}
		if id == "" {
			absent = append(absent, name)
		} else {
			present[name] = true
		}
	}
	slices.Sort(absent)
	if diff := cmp.Diff([]string{".gitattributes", "app/kustomization.yaml", "app/l.yaml", "base/Kustomization", "l.txt"}, slices.Sorted(maps.Keys(present))); diff != "" {
		t.Errorf("present: -want +got:\n%s", diff)
	}
	if diff := cmp.Diff([]string{"app/Kustomization", "app/gone", "app/kustomization.yml", "app/missing.yaml", "base/kustomization.yaml", "base/kustomization.yml"}, absent); diff != "" {
		t.Errorf("absent: -want +got:\n%s", diff)
	}
}

// TestHostileTrees checks that trees made to be expensive are not.
func TestHostileTrees(t *testing.T) {
	all := files{}
	var names []string
	for i := range 120 {
		names = append(names, fmt.Sprintf("../d%03d", i))
	}
	for _, name := range names { // every one includes every one
		all[name[3:]+"/kustomization.yaml"] = kust(names...)
	}
	bomb := "a: &a [x, x]\n"
	for c := 'b'; c < 'z'; c++ {
		bomb += fmt.Sprintf("%c: &%c [*%c, *%c, *%c, *%c]\n", c, c, c-1, c-1, c-1, c-1)
	}
	all["bomb/kustomization.yaml"] = bomb + "resources: *y\n<<: [*y, *y]\n"
	all["bomb/plain/x.yaml"] = bomb + "apiVersion: *y\nkind: *y\n"
	all["deep/kustomization.yaml"] = "x: " + strings.Repeat("[", 9000) + strings.Repeat("]", 9000)
	all["deeper/kustomization.yaml"] = strings.Repeat("[", 500_000)
	all["nested/kustomization.yaml"] = strings.Repeat("- ", 400_000)
	all["inline/kustomization.yaml"] = "x: '" + strings.Repeat("[", 9000) + "'\n"
	all["self/a"], all["self/kustomization.yaml"] = "-> .", kust("a/a/a/a/a/a", "a/x/../../a")
	all["merge/kustomization.yaml"] = "a: &a {<<: {<<: {<<: {<<: {<<: {}}}}}}\n"
	got := effects(t, all, all.with(files{"d000/kustomization.yaml": kust("x.yaml")}), configuration(t, everywhere))
	if len(got) != 120 || got[119] != "d119 by d000/kustomization.yaml" {
		t.Errorf("got %d: %v", len(got), got[max(0, len(got)-1):])
	}
}

func FuzzParseDocument(f *testing.F) {
	for _, seed := range []string{"", kust("a"), "x: &x [*x]\n", "a: |\n  b: |\n    c: |\n      d: |\n        e", "\t", "!!binary x", "? {a: b}\n: c\n", "x: '{[y=z'", "<<: [{a: b}]"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		doc := parseDocument(data)
		if !doc.opaque && len(doc.references) >= maxReferences {
			t.Errorf("%d references, but not opaque", len(doc.references))
		}
		for _, entry := range doc.includes {
			if entry != "" && !doc.opaque && !slices.Contains(doc.references, entry) {
				t.Errorf("entry %q is no reference of %q", entry, data)
			}
		}
		isManifest(data)
	})
}

func TestReferencesAreBounded(t *testing.T) {
	x, err := newIndex(t.Context(), files{"a/kustomization.yaml": kust("x.yaml")}.tree())
	if err != nil {
		t.Fatal(err)
	}
	g := newGraph(x)
	g.spent = maxSpent
	want := "a: the kustomizations of this tree refer to files and to each other more than 10000000 times"
	if err := g.add(t.Context(), nodeKey{kustomization, "a"}); err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

func TestTreesAreBounded(t *testing.T) {
	deep := files{strings.Repeat("d/", maxPath/2) + "x": ""}
	if _, err := newIndex(t.Context(), deep.tree()); err == nil || !strings.Contains(err.Error(), "is longer than 4096 bytes") {
		t.Errorf("deep tree: %v", err)
	}
}
