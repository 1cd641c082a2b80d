package config

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func mustGlob(t *testing.T, pattern string) Glob {
	t.Helper()
	g, err := ParseGlob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestParseRepository(t *testing.T) {
	got, err := ParseRepository(RepositoryFile, []byte(`# everything there is
apiVersion: mergegate/v1
applications:
  - path: ./apps/*/overlays/*/
    name: "{1}-{2}"
    environment: "{2}"
    cluster: "{2}-eu"
  - path: "**"
    exclude: [hack, "apps/*/base"]
exclude: [examples/**]
environments:
  staging:    {cluster: staging-eu}
  fleet:      {clusters: [shop-1, shop-2]}
  production: {cluster: prod-eu, after: [staging], freeze: [{days: [Fri, saturday, Sun], timezone: Europe/Berlin}]}
policy:
  paths: [policies/]
  data: [policies/data.yaml]
  namespaces: [main]
  failOn: warn
  combine: true
  builtin: {disable: [MG105]}
commands:
  plan: {}
  sync:     {environments: [production], allow: ["team:platform"]}
  rollback: {allow: ["team:acme/platform", "permission:maintain"]}
`))
	if err != nil {
		t.Fatal(err)
	}
	on := true
	want := Repository{
		Applications: []Application{
			{Path: mustGlob(t, "apps/*/overlays/*"), Name: Template{"{1}-{2}"}, Environment: Template{"{2}"}, Cluster: Template{"{2}-eu"}},
			{Path: mustGlob(t, "**"), Exclude: []Glob{mustGlob(t, "hack"), mustGlob(t, "apps/*/base")}},
		},
		Exclude: []Glob{mustGlob(t, "examples/**")},
		Environments: map[string]Environment{
			"staging": {Cluster: "staging-eu"},
			"fleet":   {Clusters: []string{"shop-1", "shop-2"}},
			"production": {Cluster: "prod-eu", After: []string{"staging"}, Freeze: []Freeze{{
				Days: []time.Weekday{time.Friday, time.Saturday, time.Sunday}, Timezone: "Europe/Berlin",
			}}},
		},
		Policy: Policy{
			Paths: []string{"policies"}, Data: []string{"policies/data.yaml"}, Namespaces: []string{"main"},
			FailOn: FailOnWarn, Combine: true, Builtin: &on, Disable: []string{"MG105"},
		},
		Commands: map[string]Command{
			"plan":     {},
			"sync":     {Environments: []string{"production"}, Allow: []Actor{{Team, "platform"}}},
			"rollback": {Allow: []Actor{{Team, "acme/platform"}, {Permission, "maintain"}}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestParseRepositoryOfNothing(t *testing.T) {
	for _, data := range []string{"", "# only a comment\n", "---\n", "~\n"} {
		got, err := ParseRepository("f.yaml", []byte(data))
		if err != nil {
			t.Errorf("%q: %v", data, err)
		}
		if diff := cmp.Diff(Repository{}, got); diff != "" {
			t.Errorf("%q: -want +got:\n%s", data, diff)
		}
	}
}

func TestParseRepositoryErrors(t *testing.T) {
	const v = "apiVersion: mergegate/v1\n"
	tests := map[string]struct{ data, want string }{
		"unknown key":          {v + "aplications: []\n", `f.yaml:2: aplications: unknown key, did you mean "applications"?`},
		"unknown nested key":   {v + "policy:\n  fail_on: deny\n", `f.yaml:3: policy.fail_on: unknown key, did you mean "failOn"?`},
		"unknown far key":      {v + "policy:\n  zzzzzzzzzzzzzz: 1\n", `f.yaml:3: policy.zzzzzzzzzzzzzz: unknown key, known are builtin, combine, data, failOn, namespaces, paths`},
		"unknown key's line":   {v + "polici:\n  paths: [a]\n", `f.yaml:2: polici: unknown key, did you mean "policy"?`},
		"no version":           {"policy: {failOn: deny}\n", "f.yaml:1: apiVersion: is missing: write `apiVersion: mergegate/v1`"},
		"other version":        {"apiVersion: mergegate/v2\n", `f.yaml:1: apiVersion: "mergegate/v2" is not known to this version of mergegate, it reads mergegate/v1`},
		"not a mapping":        {"- a\n", "f.yaml:1: want a mapping, this is a list"},
		"wrong type":           {v + "policy:\n  paths: policies\n", "f.yaml:3: policy.paths: want a list, this is a string"},
		"number as string":     {v + "environments: {a: {cluster: 12}}\n", "f.yaml:2: environments.a.cluster: want a string, this is a number: put it in quotes"},
		"word as flag":         {v + "policy: {combine: yes please}\n", "f.yaml:2: policy.combine: want true or false, this is a string"},
		"null":                 {v + "applications:\n", "f.yaml:2: applications: is empty: remove the key or give it a value, a list"},
		"empty string":         {v + `applications: [{path: " "}]`, "f.yaml:2: applications[0].path: is empty: remove the key or give it a value"},
		"duplicate key":        {v + "policy: {}\npolicy: {}\n", "f.yaml:3: policy: the key is given twice, first in line 2"},
		"duplicate item":       {v + "policy: {namespaces: [a, a]}\n", `f.yaml:2: policy.namespaces[1]: "a" is listed twice`},
		"two documents":        {v + "---\n" + v, "f.yaml:2: a second document: the configuration is one document, remove the `---`"},
		"alias":                {v + "policy: {paths: &p [a], data: *p}\n", "f.yaml:2: anchor &p: anchors are not supported here, write the value out where it is used\nf.yaml:2: alias *p: aliases are not supported here, write the value out"},
		"no YAML":              {v + "policy:\n\tpaths: []\n", "f.yaml:3: not valid YAML: found character that cannot start any token"},
		"bad choice":           {v + "policy: {failOn: always}\n", `f.yaml:2: policy.failOn: "always" is not one of deny, warn, never`},
		"path out":             {v + "policy: {paths: [../p]}\n", `f.yaml:2: policy.paths[0]: "../p" leaves its directory: write the path from the root of the repository`},
		"absolute path":        {v + "policy: {paths: [/p]}\n", `f.yaml:2: policy.paths[0]: "/p" is absolute: paths are relative to the root of the repository`},
		"bad glob":             {v + "applications: [{path: 'a/{b,c}'}]\n", "f.yaml:2: applications[0].path: \"a/{b,c}\": a pattern knows `*`, `**` and `?` only"},
		"half a segment":       {v + "applications: [{path: 'a**'}]\n", "f.yaml:2: applications[0].path: \"a**\": `**` must be a whole path segment"},
		"capture out of range": {v + "applications: [{path: 'a/*', name: '{2}'}]\n", "f.yaml:2: applications[0].name: {2} refers to wildcard 2, the path has 1"},
		"no placeholder":       {v + "applications: [{path: 'a/*', cluster: '{env}'}]\n", "f.yaml:2: applications[0].cluster: {env} is no placeholder, write {1}, {2}, ... or {path}"},
		"lone brace":           {v + "applications: [{path: 'a/*', environment: 'x}'}]\n", `f.yaml:2: applications[0].environment: "x}" has a brace without its counterpart`},
		"no path":              {v + "applications: [{name: a}]\n", "f.yaml:2: applications[0]: has no path: write `path: DIRECTORY`, where `*` and `**` are wildcards"},
		"argocd":               {v + "applications:\n  - argocd: clusters/**\n", "f.yaml:3: applications[0].argocd: not supported yet: list the directories with `path` instead"},
		"flux":                 {v + "applications:\n  - flux: clusters/production\n", "f.yaml:3: applications[0].flux: not supported yet: list the directories with `path` instead"},
		"two kinds of cluster": {v + "environments: {a: {cluster: x, clusters: [y, z]}}\n", "f.yaml:2: environments.a.clusters: is given together with cluster: keep one of them"},
		"unknown environment":  {v + "environments: {staging: {}, prod: {after: [stagin]}}\n", `f.yaml:2: environments.prod.after: "stagin" is no environment of this file, did you mean "staging"?`},
		"environments' cycle":  {v + "environments: {a: {after: [b]}, b: {after: [a]}}\n", "f.yaml:2: environments.a.after: environment \"a\" comes after itself\nf.yaml:2: environments.b.after: environment \"b\" comes after itself"},
		"bad day":              {v + "environments: {a: {freeze: [{days: [Fryday]}]}}\n", `f.yaml:2: environments.a.freeze[0].days[0]: "Fryday" is no day of the week, write Mon, Tue, Wed, Thu, Fri, Sat or Sun`},
		"bad time zone":        {v + "environments: {a: {freeze: [{days: [Fri], timezone: Berlin}]}}\n", `f.yaml:2: environments.a.freeze[0].timezone: "Berlin" is no time zone, write an IANA name such as Europe/Berlin`},
		"built-in list":        {v + "policy: {builtin: [MG101]}\n", "f.yaml:2: policy.builtin: a list alone does not say what it means: write `builtin: {disable: [...]}`"},
		"unknown command":      {v + "commands: {sink: {}}\n", `f.yaml:2: commands.sink: unknown key, did you mean "sync"?`},
		"bad actor":            {v + "commands: {sync: {allow: [platform]}}\n", `f.yaml:2: commands.sync.allow[0]: "platform": write team:SLUG, user:LOGIN or permission:LEVEL`},
		"bad permission":       {v + "commands: {sync: {allow: ['permission:maintainer']}}\n", `f.yaml:2: commands.sync.allow[0]: "permission:maintainer": "maintainer" is no permission, did you mean "maintain"?`},
		"all at once":          {"applications: [{pth: a}]\npolicy: {failOn: 1}\n", "f.yaml:1: applications[0].pth: unknown key, did you mean \"path\"?\nf.yaml:2: policy.failOn: want a string, this is a number: put it in quotes\nf.yaml:1: apiVersion: is missing: write `apiVersion: mergegate/v1`"},
		"control character":    {v + `applications: [{path: "a\u0007"}]`, "f.yaml:2: applications[0].path: contains a control character"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := ParseRepository("f.yaml", []byte(tt.data))
			if err == nil {
				t.Fatalf("no error, want %q", tt.want)
			}
			if diff := cmp.Diff(tt.want, err.Error()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if diff := cmp.Diff(Repository{}, got); diff != "" {
				t.Errorf("a wrong file has a configuration: %s", diff)
			}
			var p Problem
			if !errors.As(err, &p) || p.File != "f.yaml" {
				t.Errorf("error is no Problem of f.yaml: %#v", err)
			}
		})
	}
}

func TestParseRepositoryBoundsItsWork(t *testing.T) {
	if _, err := ParseRepository("f.yaml", make([]byte, maxBytes+1)); err == nil || !strings.Contains(err.Error(), "at most 1048576 are read") {
		t.Errorf("large file: %v", err)
	}
	if _, err := ParseRepository("f.yaml", []byte(strings.Repeat("[", 200_000))); err == nil {
		t.Error("deep file: no error")
	}
	_, err := ParseRepository("f.yaml", []byte("exclude:\n"+strings.Repeat("  - /\n", 100)))
	if err == nil || !strings.HasSuffix(err.Error(), "\nf.yaml: and 51 more problems") {
		t.Errorf("many problems: %v", err)
	}
}

func FuzzParseRepository(f *testing.F) {
	for _, seed := range []string{
		"", "apiVersion: mergegate/v1\n", "apiVersion: mergegate/v1\napplications: [{path: '**', name: '{1}'}]\n",
		"a: &a [*a]\n", "? [a]\n: b\n", "environments: {a: {after: [a], freeze: [{days: [Fri]}]}}\n",
		"policy: {builtin: {disable: [1]}}\n---\n", "\xff\xfe", "!!binary x", "<<: {a: b}", "commands: {sync: ~}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		_, err := ParseRepository("the-file.yaml", data)
		if err == nil {
			return
		}
		if !strings.HasPrefix(err.Error(), "the-file.yaml:") {
			t.Errorf("error does not name the file: %v", err)
		}
		if _, again := ParseRepository("the-file.yaml", data); again.Error() != err.Error() {
			t.Errorf("two runs differ:\n%v\n%v", err, again)
		}
	})
}
