package policies

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	"github.com/mergegate/mergegate/internal/diff"
	"github.com/mergegate/mergegate/internal/plan"
	"github.com/mergegate/mergegate/internal/policy"
)

// TestSample evaluates the library over the sample repository, each overlay as a new application: nothing
// may block there, and nothing be worth a warning.
func TestSample(t *testing.T) {
	overlays, err := filepath.Glob("../testdata/sample/apps/*/overlays/*")
	if err != nil || len(overlays) == 0 {
		t.Fatalf("no sample: %v", err)
	}
	engine := library(t)
	for _, dir := range overlays {
		parts := strings.Split(filepath.ToSlash(dir), "/")
		app, environment := parts[len(parts)-3], parts[len(parts)-1]
		t.Run(app+"-"+environment, func(t *testing.T) {
			rendered, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), dir)
			if err != nil {
				t.Fatal(err)
			}
			text, err := rendered.AsYaml()
			if err != nil {
				t.Fatal(err)
			}
			in := policy.Input{
				Application: policy.Application{Name: app + "-" + environment, Environment: environment, Namespace: app + "-" + environment},
				Head:        parseManifests(t, dir, text),
			}
			in.Changes = diff.Sets(in.Base, in.Head)
			for _, f := range engine.Evaluate(context.Background(), in) {
				if f.Severity != plan.Info {
					t.Errorf("%s %s %v %s: %s", f.Policy, f.Severity, f.Object, f.Field, f.Message)
				}
			}
		})
	}
}
