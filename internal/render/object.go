package render

import (
	"errors"
	"fmt"
	"strings"

	"github.com/mergegate/mergegate/internal/manifest"
)

// anyObject says whether a document has both apiVersion and kind.
func anyObject(documents []document) bool {
	for _, doc := range documents {
		content, _ := doc.value.(map[string]any)
		if text(content, "apiVersion") != "" && text(content, "kind") != "" {
			return true
		}
	}
	return false
}

func text(content map[string]any, key string) string {
	s, _ := content[key].(string)
	return s
}

// expand is the objects of one document: itself, or its items when it is a list. Items of a typed
// list take what they do not say from the list, as kubectl does it.
func expand(value any, list map[string]any, level int) ([]manifest.Object, error) {
	content, ok := value.(map[string]any)
	if !ok {
		return nil, errors.New("not a Kubernetes object: want a mapping with apiVersion, kind and metadata")
	}
	if item := strings.TrimSuffix(text(list, "kind"), "List"); item != "" && text(content, "kind") == "" {
		content["kind"], content["apiVersion"] = item, list["apiVersion"]
	}
	kind := text(content, "kind")
	items, listed := content["items"]
	if !strings.HasSuffix(kind, "List") || !listed {
		object, err := toObject(content)
		return []manifest.Object{object}, err
	}
	all, ok := items.([]any)
	if items != nil && !ok {
		return nil, fmt.Errorf("items of the %s must be a list", kind)
	}
	if level > 8 {
		return nil, errors.New("lists of lists nest deeper than 8 levels")
	}
	var objects []manifest.Object
	for i, item := range all {
		found, err := expand(item, content, level+1)
		if err != nil {
			return nil, fmt.Errorf("item %d of the %s: %w", i+1, kind, err)
		}
		objects = append(objects, found...)
	}
	return objects, nil
}

// toObject names an object by its content.
func toObject(content map[string]any) (manifest.Object, error) {
	object := manifest.Object{Content: content}
	apiVersion, kind := text(content, "apiVersion"), text(content, "kind")
	if apiVersion == "" {
		return object, errors.New("no apiVersion: every object needs apiVersion, kind and metadata.name")
	}
	if kind == "" {
		return object, errors.New("no kind: every object needs apiVersion, kind and metadata.name")
	}
	metadata, _ := content["metadata"].(map[string]any)
	name := text(metadata, "name")
	if generate := text(metadata, "generateName"); name == "" && generate != "" {
		name = generate + "*"
	}
	if name == "" {
		return object, fmt.Errorf("the %s has no metadata.name: every object needs apiVersion, kind and metadata.name, text each", kind)
	}
	if namespace, given := metadata["namespace"]; given && namespace != nil {
		if _, ok := namespace.(string); !ok {
			return object, fmt.Errorf("metadata.namespace of %s/%s must be text: put it in quotes", kind, name)
		}
	}
	object.ID = manifest.ID{Version: apiVersion, Kind: kind, Namespace: text(metadata, "namespace"), Name: name}
	if group, version, ok := strings.Cut(apiVersion, "/"); ok {
		object.ID.Group, object.ID.Version = group, version
	}
	return object, nil
}
