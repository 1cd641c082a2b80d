package policies

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"

	yamlv3 "go.yaml.in/yaml/v3"
	"sigs.k8s.io/yaml"

	"github.com/mergegate/mergegate/internal/diff"
	"github.com/mergegate/mergegate/internal/manifest"
	"github.com/mergegate/mergegate/internal/plan"
	"github.com/mergegate/mergegate/internal/policy"
)

// production is the application that the examples belong to, where policies ask the most.
func production() policy.Application {
	return policy.Application{
		Name: "shop-production", Path: "apps/shop/overlays/production",
		Environment: "production", Cluster: "prod-eu", Namespace: "shop",
	}
}

// readManifests reads a file of manifests; a file that is not there has none.
func readManifests(t *testing.T, name string) manifest.Set {
	t.Helper()
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return parseManifests(t, name, data)
}

func parseManifests(t *testing.T, name string, data []byte) manifest.Set {
	t.Helper()
	var set manifest.Set
	decoder := yamlv3.NewDecoder(bytes.NewReader(data))
	for {
		var node yamlv3.Node
		err := decoder.Decode(&node)
		if errors.Is(err, io.EOF) {
			set.Sort()
			return set
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		text, err := yamlv3.Marshal(&node)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		set = append(set, parseObject(t, name, text))
	}
}

func parseObject(t *testing.T, name string, text []byte) manifest.Object {
	t.Helper()
	encoded, err := yaml.YAMLToJSONStrict(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	decoder := json.NewDecoder(bytes.NewReader(encoded))
	decoder.UseNumber()
	var content map[string]any
	if err := decoder.Decode(&content); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return object(content)
}

func object(content map[string]any) manifest.Object {
	text := func(v any) string { s, _ := v.(string); return s } // what is no string is empty
	metadata, _ := content["metadata"].(map[string]any)         // the same
	group, version, inGroup := strings.Cut(text(content["apiVersion"]), "/")
	if !inGroup {
		group, version = "", group
	}
	return manifest.Object{Content: content, ID: manifest.ID{
		Group: group, Version: version, Kind: text(content["kind"]),
		Namespace: text(metadata["namespace"]), Name: text(metadata["name"]),
	}}
}

// example is the input that a policy's example describes: manifests alone, or those before and after.
func example(t *testing.T, directory, name string) policy.Input {
	t.Helper()
	in := policy.Input{Application: production()}
	if set := readManifests(t, path.Join(directory, name+".yaml")); set != nil {
		in.Head = set
		return in
	}
	in.Base = readManifests(t, path.Join(directory, name, "base.yaml"))
	in.Head = readManifests(t, path.Join(directory, name, "head.yaml"))
	in.Changes = diff.Sets(in.Base, in.Head)
	return in
}

// TestExamples holds each policy to its examples: what passes has no finding of it, and none that blocks
// of another policy either; what fails has one, at a place that is there.
func TestExamples(t *testing.T) {
	engine := library(t)
	for _, name := range directories(t) {
		t.Run(name, func(t *testing.T) {
			in := example(t, name, "pass")
			if len(in.Head)+len(in.Base) == 0 {
				t.Fatal("pass has no manifests")
			}
			for _, f := range engine.Evaluate(context.Background(), in) {
				if f.Policy == idOf(name) || f.Severity == plan.Deny || f.Severity == plan.SeverityError {
					t.Errorf("pass: %s %s %v %s: %s", f.Policy, f.Severity, f.Object, f.Field, f.Message)
				}
			}
			checkFail(t, engine, name)
		})
	}
}

func checkFail(t *testing.T, engine *policy.Engine, name string) {
	t.Helper()
	in := example(t, name, "fail")
	found := map[plan.Severity]bool{}
	for _, f := range engine.Evaluate(context.Background(), in) {
		if f.Severity == plan.SeverityError {
			t.Errorf("fail: %s: %s", f.Policy, f.Message)
		}
		if f.Policy != idOf(name) {
			continue
		}
		found[f.Severity] = true
		checkPlace(t, in, f)
	}
	if len(found) == 0 {
		t.Errorf("fail has no finding of %s", idOf(name))
	}
	for _, d := range engine.Describe() {
		if d.Name == idOf(name) && slices.Contains(d.Rules, "deny") && !found[plan.Deny] {
			t.Errorf("fail shows no deny of %s", idOf(name))
		}
	}
}

// checkPlace sees that a finding's field is there, in the object that it is about.
func checkPlace(t *testing.T, in policy.Input, f plan.Finding) {
	t.Helper()
	if f.Object == nil || f.Field == "" {
		t.Errorf("no object or no field: %s", f.Message)
		return
	}
	for _, o := range slices.Concat(in.Head, in.Base) {
		if o.ID.Key() == f.Object.Key() {
			if !resolves(o.Content, f.Field) {
				t.Errorf("%s has no %s: %s", o.ID, f.Field, f.Message)
			}
			return
		}
	}
	t.Errorf("no object %s: %s", f.Object, f.Message)
}

func resolves(value any, pointer string) bool {
	for _, segment := range strings.Split(pointer, "/")[1:] {
		segment = strings.NewReplacer("~1", "/", "~0", "~").Replace(segment)
		switch v := value.(type) {
		case map[string]any:
			next, ok := v[segment]
			if !ok {
				return false
			}
			value = next
		case []any:
			i, err := strconv.Atoi(segment)
			if err != nil || i < 0 || i >= len(v) {
				return false
			}
			value = v[i]
		default:
			return false
		}
	}
	return true
}
