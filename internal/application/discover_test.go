package application

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mergegate/mergegate/internal/config"
)

func TestDiscoverWithoutConfiguration(t *testing.T) {
	tests := map[string]struct {
		files  files
		config string
		want   []string
	}{
		"roots, not what they include": {
			files: files{
				"apps/web/base/kustomization.yaml":             kust("deploy.yaml"),
				"apps/web/base/deploy.yaml":                    object,
				"apps/web/overlays/staging/kustomization.yml":  kust("../../base"),
				"apps/web/overlays/production/Kustomization":   "bases: [../../base/]\ncomponents: [../../parts/tls]\n",
				"apps/web/parts/tls/kustomization.yaml":        "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources: [tls.yaml]\n",
				"apps/web/parts/tls/tls.yaml":                  object,
				"apps/web/parts/unused/kustomization.yaml":     "kind: Component\n",
				"apps/gen/kustomization.yaml":                  "generators: [./plugins]\n",
				"apps/gen/plugins/kustomization.yaml":          kust("cm.yaml"),
				"apps/gen/plugins/cm.yaml":                     object,
				"README.md":                                    "apiVersion: kind:",
				"apps/web/overlays/production/values.yaml":     "a: b\n",
				"apps/web/overlays/production/not-listed.yaml": object,
			},
			want: []string{
				"kustomize apps/gen",
				"kustomize apps/web/overlays/production env=production",
				"kustomize apps/web/overlays/staging env=staging",
			},
		},
		"a circle is not lost": {
			files: files{
				"a/kustomization.yaml": kust("../b"), "b/kustomization.yaml": kust("../c"), "c/kustomization.yaml": kust("../a"),
				"self/kustomization.yaml": kust("."),
			},
			want: []string{"kustomize a", "kustomize self"},
		},
		"keys in any case, merged and by alias": {
			files: files{
				"a/kustomization.yaml": "x: &x {Resources: [../b]}\n<<: *x\n", "b/kustomization.yaml": "l: &l [../c]\nCOMPONENTS: *l\n",
				"c/kustomization.yaml": "KIND: Component\n", "d/kustomization.yaml": "resources: [!!binary Li4vZQ==]\n", "e/kustomization.yaml": "{}",
			},
			want: []string{"kustomize a", "kustomize d"},
		},
		"what a broken kustomization speaks of is no root": {
			files: files{
				"a/kustomization.yaml": "resources:\n- ../b\n\t- ../c\n", "b/kustomization.yaml": "{}", "c/kustomization.yaml": "{}",
			},
			want: []string{"kustomize a"},
		},
		"the root": {
			files: files{"kustomization.yaml": kust("a.yaml"), "a.yaml": object},
			want:  []string{"kustomize ."},
		},
		"plain manifests, one application per topmost directory": {
			files: files{
				"plain/a.yaml": object, "plain/deep/er/b.json": `{"apiVersion": "v1", "kind": "Secret"}`, "plain/deep/er/x.txt": object,
				"plain/values.yaml": "kind: nothing\n", "plain/deep/.hidden.yaml": object,
			},
			want: []string{"yaml plain [plain/a.yaml plain/deep/er/b.json]"},
		},
		"manifest directories beside a kustomization stay apart": {
			files: files{
				"mixed/a.yaml": object, "mixed/sub/b.yaml": object, "mixed/sub/sub/c.yaml": object,
				"mixed/k/kustomization.yaml": kust("d.yaml"), "mixed/k/d.yaml": object, "mixed/k/left/over.yaml": object,
			},
			want: []string{
				"yaml mixed [mixed/a.yaml]", "kustomize mixed/k", "yaml mixed/k/left [mixed/k/left/over.yaml]",
				"yaml mixed/sub [mixed/sub/b.yaml mixed/sub/sub/c.yaml]",
			},
		},
		"manifest directories of other environments stay apart": {
			files: files{
				"clusters/all.yaml": object, "clusters/eu/a.yaml": object, "clusters/eu/flux/b.yaml": object,
				"web/a.yaml": object, "web/staging/b.yaml": object, "web/staging/c/c.yaml": object,
			},
			want: []string{
				"yaml clusters [clusters/all.yaml]", "yaml clusters/eu cluster=eu [clusters/eu/a.yaml clusters/eu/flux/b.yaml]",
				"yaml web [web/a.yaml]", "yaml web/staging env=staging [web/staging/b.yaml web/staging/c/c.yaml]",
			},
		},
		"Flux objects are manifests": {
			files: files{
				"clusters/production/apps.yaml": "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nspec: {path: ./apps}\n",
				"apps/kustomization.yaml":       kust("a.yaml"), "apps/a.yaml": object,
			},
			want: []string{"kustomize apps", "yaml clusters/production env=production cluster=production [clusters/production/apps.yaml]"},
		},
		"no policies, no workflows, no tools": {
			files: files{
				"policy/a.yaml": object, "policies/x/a.yaml": object, ".github/workflows/a.yaml": object, "a/.b/c.yaml": object, "mine/rego/a.yaml": object,
				"components/policies/a.yaml": object, "hack/kind.yaml": "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\n", "kubeconfig.yaml": "apiVersion: v1\nkind: Config\n",
			},
			config: "policy: {paths: [mine]}\n",
			want:   []string{"yaml components/policies [components/policies/a.yaml]"},
		},
		"charts": {
			files: files{
				"charts/web/Chart.yaml": "name: web\n", "charts/web/templates/a.yaml": object, "charts/web/charts/db/Chart.yaml": "name: db\n",
				"app/kustomization.yaml": "helmCharts: [{name: x}]\n", "app/charts/x/Chart.yaml": "name: x\n", "app/charts/x/templates/a.yaml": object,
				"app/charts/y/Chart.yaml": "name: y\n", "app/charts/x-1.0/x/Chart.yaml": "name: x\n", "opaque/kustomization.yaml": "\x00",
			},
			want: []string{"kustomize app", "helm app/charts/y", "helm charts/web", "kustomize opaque"},
		},
		"excluded": {
			files: files{
				"hack/a/kustomization.yaml": "{}", "hack/b/b.yaml": object, "web/a.yaml": object, "web/test/b.yaml": object, "charts/c/Chart.yaml": "",
			},
			config: "exclude: [hack, web/test, 'charts/*']\n",
			want:   []string{"yaml web [web/a.yaml]"},
		},
		"manifests behind symlinks": {
			files: files{
				"a/x.yaml": "-> ../files/x.txt", "files/x.txt": object, "a/out.yaml": "-> ../../out.yaml", "a/loop.yaml": "-> loop.yaml", "b/dir": "-> ../a",
				"k/kustomization.yaml": "-> ../files/k.txt", "files/k.txt": kust("x.yaml"), "k/x.yaml": "-> ../files/x.txt",
			},
			want: []string{"yaml a [a/x.yaml]", "kustomize k"},
		},
		"environments of the configuration": {
			files:  files{"envs/prod/kustomization.yaml": "{}", "clusters/us/x.yaml": object},
			config: "environments: {prod: {cluster: prod-eu}}\n",
			want:   []string{"yaml clusters/us cluster=us [clusters/us/x.yaml]", "kustomize envs/prod env=prod cluster=prod-eu"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			catalog, err := Discover(t.Context(), tt.files.tree(), configuration(t, tt.config))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, describeAll(catalog.Applications)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestDiscoverConfigured(t *testing.T) {
	repo := files{
		"apps/web/base/kustomization.yaml":           kust("a.yaml"),
		"apps/web/base/a.yaml":                       object,
		"apps/web/overlays/prod/kustomization.yaml":  kust("../../base"),
		"apps/web/overlays/stage/kustomization.yaml": kust("../../base"),
		"apps/db/overlays/prod/kustomization.yaml":   kust("x.yaml"),
		"apps/part/kustomization.yaml":               "kind: Component\n",
		"charts/c/Chart.yaml":                        "name: c\n",
		"charts/c/charts/d/Chart.yaml":               "name: d\n",
		"plain/one/a.yaml":                           object,
		"plain/one/deep/b.yaml":                      object,
		"plain/two/deep/c.yaml":                      object,
		"plain/two/k/kustomization.yaml":             kust("d.yaml"),
		"plain/two/k/d.yaml":                         object,
		"plain/two/k/below/e.yaml":                   object,
		"policies/p.yaml":                            object,
	}
	tests := map[string]struct {
		config    string
		want      []string
		unmatched []string
	}{
		"everything": {
			config: "applications: [{path: '**'}]\n",
			want: []string{
				"kustomize apps/db/overlays/prod env=prod", "kustomize apps/web/base",
				"kustomize apps/web/overlays/prod env=prod", "kustomize apps/web/overlays/stage env=stage", "helm charts/c",
				"yaml plain/one [plain/one/a.yaml]", "yaml plain/one/deep [plain/one/deep/b.yaml]", "yaml plain/two/deep [plain/two/deep/c.yaml]",
				"kustomize plain/two/k", "yaml plain/two/k/below [plain/two/k/below/e.yaml]",
			},
		},
		"templates": {
			config: "applications: [{path: 'apps/*/overlays/*', name: '{1}-{2}', environment: '{2}uction', cluster: 'c-{2}'}]\n",
			want: []string{
				"kustomize db-prod at apps/db/overlays/prod env=production cluster=c-prod",
				"kustomize web-prod at apps/web/overlays/prod env=production cluster=c-prod",
				"kustomize web-stage at apps/web/overlays/stage env=stageuction cluster=c-stage",
			},
		},
		"manifests below a match are part of it": {
			config: "applications: [{path: 'plain/*'}]\n",
			want:   []string{"yaml plain/one [plain/one/a.yaml plain/one/deep/b.yaml]", "yaml plain/two [plain/two/deep/c.yaml]"},
		},
		"the first match decides, exclude leaves to the next": {
			config: "applications: [{path: 'apps/web/**', exclude: [apps/web/base], name: 'first-{1}'}, {path: 'apps/**', name: 'then-{1}'}]\n",
			want: []string{
				"kustomize first-overlays/prod at apps/web/overlays/prod env=prod", "kustomize first-overlays/stage at apps/web/overlays/stage env=stage",
				"kustomize then-db/overlays/prod at apps/db/overlays/prod env=prod", "kustomize then-web/base at apps/web/base",
			},
		},
		"excluded manifests": {
			config: "exclude: [plain/two]\napplications: [{path: 'plain/*', exclude: [plain/one/deep]}]\n",
			want:   []string{"yaml plain/one [plain/one/a.yaml]"},
		},
		"a literal path is taken as it is": {
			config: "applications: [{path: policies}, {path: apps/part}, {path: nowhere}, {path: apps/web/base}]\n",
			want:   []string{"kustomize apps/web/base", "yaml policies [policies/p.yaml]"}, unmatched: []string{"apps/part", "nowhere"},
		},
		"a pattern leaves policies alone": {
			config: "applications: [{path: 'polic*'}]\n", unmatched: []string{"polic*"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			catalog, err := Discover(t.Context(), repo.tree(), configuration(t, tt.config))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, describeAll(catalog.Applications)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if diff := cmp.Diff(tt.unmatched, catalog.Unmatched); diff != "" {
				t.Errorf("unmatched: -want +got:\n%s", diff)
			}
		})
	}
}

func TestDiscoverErrors(t *testing.T) {
	repo := files{"apps/a/x/kustomization.yaml": "{}", "apps/b/x/kustomization.yaml": "{}", "c/kustomization.yaml": "{}"}
	_, err := Discover(t.Context(), repo.tree(), configuration(t, "applications: [{path: 'apps/*/*', name: '{2}'}, {path: '**/c', name: '{1}'}]\n"))
	want := "discover applications: the application at c has an empty name, give its entry another `name`\n" +
		"the applications at apps/a/x and apps/b/x are both named \"x\", give their entry a `name` that tells them apart"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Discover(ctx, repo.tree(), config.Repository{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestPlacementOf(t *testing.T) {
	for dir, want := range map[string]placement{
		".":                              {},
		"apps/web":                       {},
		"apps/web/overlays/blue":         {environment: "blue"},
		"envs/prod/web":                  {environment: "prod"},
		"environments/qa":                {environment: "qa"},
		"clusters/eu-1/apps":             {cluster: "eu-1"},
		"clusters/production":            {environment: "production", cluster: "production"},
		"components/web/staging/stone-1": {environment: "staging"},
		"production/overlays":            {environment: "production"},
		"dev/x/test":                     {environment: "test"},
		"device/products":                {},
	} {
		if got := placementOf(dir); got != want {
			t.Errorf("%s: got %+v, want %+v", dir, got, want)
		}
	}
}

func TestIsManifest(t *testing.T) {
	for text, want := range map[string]bool{
		object:                                                             true,
		"kind: A\napiVersion: b/v1\n":                                      true,
		"\ufeffapiVersion: v1 # x\n'kind': A\n":                            true,
		"a: b\n---\n" + object:                                             true,
		"apiVersion: v1\n---\nkind: A\n":                                   false,
		"spec:\n  apiVersion: v1\n  kind: A\n":                             false,
		"spec: |\n  apiVersion: v1\n  kind: A\n":                           false,
		`{"apiVersion":"v1","kind":"List","items":[]}`:                     true,
		`[{"apiVersion":"v1","kind":"A"}]`:                                 false,
		"{apiVersion: v1, kind: A}":                                        true,
		"  apiVersion: v1\n  kind: A\n":                                    true,
		"apiVersion: v1\nkind: A\n\tbroken":                                true,
		"{{ if .kind }}\napiVersion: {{ .v }}\n":                           true,
		"apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization": false,
		"apiVersion: v1\nkind: Config\n---\n{apiVersion: v1, kind: A}\n":   true,
		"\"\\x61piVersion\": v1\n\"k\\u0069nd\": A\n":                      true,
		"!!binary YXBpVmVyc2lvbg==: v1\n!!bin%61ry a2luZA==: A\n":          true,
		"a: &a apiVersion\nb: &b kind\n*a : v1\n*b : A\n":                  true,
		"a: '\\xff'\n":      false,
		"x: !y z\n":         false,
		"x: !y z\n\tbroken": false,
		"":                  false,
	} {
		if got := isManifest([]byte(text)); got != want {
			t.Errorf("%q: got %v", text, got)
		}
	}
	big := "{apiVersion: v1, kind: Config, x: " + strings.Repeat("[],", maxDocument) + "}"
	if !isManifest([]byte(big)) {
		t.Error("a file too big to parse is taken for a manifest")
	}
}
