package render

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"sigs.k8s.io/kustomize/api/hasher"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/openapi"
	"sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/mergegate/mergegate/internal/manifest"
)

// renderKustomize builds the kustomization at dir, as `kustomize build` would in its own process.
func renderKustomize(v *view, dir string, budget int64) (json.RawMessage, error) {
	if problem := firstRefusal(v, dir); problem != nil {
		return nil, problem
	}
	built, err := build(fileSystem{v}, dir)
	if err != nil {
		return nil, diagnose(v, dir, err)
	}
	set, err := convert(built, budget)
	var said *Error
	if err != nil && !errors.As(err, &said) { // the build succeeds, printing what it gives would not
		return nil, diagnose(v, dir, err)
	}
	if err != nil {
		return nil, err
	}
	set.Sort()
	return encodeObjects(set, budget)
}

// build runs kustomize. Its OpenAPI schema is process-global: it is kept between builds while it
// is the built-in one, which costs much to parse, and dropped as soon as a build has set another.
// A build that sets one after others ran is repeated from the state of a new process.
func build(fs fileSystem, dir string) (resmap.ResMap, error) {
	built, err := runKustomize(fs, dir)
	if !customSchema() {
		return built, err
	}
	openapi.ResetOpenAPI()
	defer openapi.ResetOpenAPI()
	return runKustomize(fs, dir)
}

// customSchema says whether the last build used another schema than the built-in default.
func customSchema() bool { return openapi.GetSchemaVersion() != openapi.DefaultOpenAPI }

// runKustomize turns kustomize's panics, which an invalid schema causes, into errors.
func runKustomize(fs fileSystem, dir string) (built resmap.ResMap, err error) {
	defer func() {
		if p := recover(); p != nil {
			built, err = nil, fmt.Errorf("kustomize stopped: %v", p)
		}
	}()
	options := krusty.MakeDefaultOptions()
	options.Reorder = krusty.ReorderOptionUnspecified
	options.LoadRestrictions = types.LoadRestrictionsRootOnly
	options.PluginConfig = types.DisabledPluginConfig()
	return krusty.MakeKustomizer(options).Run(fs, absolute(dir))
}

// convert takes over the objects as kustomize would print them, numbers as they are written.
func convert(built resmap.ResMap, budget int64) (manifest.Set, error) {
	set := make(manifest.Set, 0, built.Size())
	total := int64(0)
	for _, res := range built.Resources() {
		data, err := res.MarshalJSON()
		if err != nil {
			return nil, fmt.Errorf("convert %s: %w", res.CurId(), err)
		}
		if total += int64(len(data)); total > budget {
			return nil, outputError(budget)
		}
		var content map[string]any
		dec := json.NewDecoder(bytes.NewReader(data))
		dec.UseNumber()
		if err := dec.Decode(&content); err != nil {
			return nil, fmt.Errorf("convert %s: %w", res.CurId(), err)
		}
		object, err := toObject(content)
		if err != nil {
			return nil, &Error{Class: ClassInput, Message: "the build gives what is no object: " + err.Error()}
		}
		object.Stem = stem(object, &res.RNode)
		set = append(set, object)
	}
	return set, nil
}

// hashLength is what a generator appends to a name, without the dash.
const hashLength = 10

// stem is the object's name without its content hash, "" when the name does not end in exactly the
// hash that kustomize computes for the object. A name prefix and suffix are set before the hash is
// computed, other references into the object after it: those give no stem.
func stem(object manifest.Object, node *yaml.RNode) string {
	if object.ID.Group != "" || object.ID.Kind != "ConfigMap" && object.ID.Kind != "Secret" {
		return ""
	}
	cut := len(object.ID.Name) - hashLength - 1
	if cut < 1 || object.ID.Name[cut] != '-' {
		return ""
	}
	name, hash := object.ID.Name[:cut], object.ID.Name[cut+1:]
	unhashed := node.Copy()
	if err := unhashed.SetName(name); err != nil {
		return ""
	}
	if computed, err := (&hasher.Hasher{}).Hash(unhashed); err != nil || computed != hash {
		return ""
	}
	return name
}
