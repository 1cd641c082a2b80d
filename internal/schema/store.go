package schema

import (
	"fmt"
	"maps"
	"slices"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apimachinery/pkg/runtime"
)

// store sends an object of one version into the store and back, as a dry run does, too
// (apiextensions-apiserver pkg/apiserver/customresource_handler.go, crdConversionRESTOptionsGetter,
// and apiserver pkg/registry/generic/registry/dryrun.go).
func (d *Definition) store(name string, object map[string]any) (map[string]any, error) {
	if name != d.storage {
		if d.webhook() {
			return nil, fmt.Errorf("%s to %s: %w", name, d.storage, ErrConversion)
		}
		if err := d.convert(object, d.storage); err != nil {
			return nil, err
		}
	}
	return d.load(name, object)
}

// load reads an object of the storage version from the store.
func (d *Definition) load(name string, object map[string]any) (map[string]any, error) {
	v := d.versions[d.storage]
	if err := v.coerce(object, true); err != nil {
		return nil, err
	}
	if err := v.setDefaults(object); err != nil {
		return nil, err
	}
	return object, d.convert(object, name)
}

// stored is the object in the cluster as a server with this definition would serve it.
func (d *Definition) stored(name string, old map[string]any) (map[string]any, error) {
	object, err := toServer(old)
	if err != nil {
		return nil, err
	}
	if d.webhook() { // its stored form is unknown, its served form is the best there is
		return object, d.convert(object, name)
	}
	object["apiVersion"] = d.apiVersion(d.storage)
	return d.load(name, object)
}

func (d *Definition) webhook() bool {
	return d.crd.Spec.Conversion != nil && d.crd.Spec.Conversion.Strategy == apiextensionsv1.WebhookConverter
}

// convert is the conversion strategy None: another apiVersion, and the schema of that version.
func (d *Definition) convert(object map[string]any, name string) error {
	object["apiVersion"] = d.apiVersion(name)
	return d.versions[name].coerce(object, false)
}

// prune removes the fields that the schema does not have and returns their paths. What is malformed
// stays: to name it is up to those who come after.
func (v *version) prune(object map[string]any) []string {
	metadata, found, paths, err := objectmeta.GetObjectMetaWithOptions(object, objectmeta.ObjectMetaOptions{ReturnUnknownFieldPaths: true})
	if err == nil && found && len(paths) > 0 && objectmeta.SetObjectMeta(object, metadata) == nil {
		clearSystem(object)
	}
	options := structuralschema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true}
	paths = append(paths, pruning.PruneWithOptions(object, v.structural, true, options)...)
	coerced := runtime.DeepCopyJSON(object)
	malformed, embedded := objectmeta.CoerceWithOptions(nil, coerced, v.structural, false, objectmeta.CoerceOptions{ReturnUnknownFieldPaths: true})
	if malformed == nil && len(embedded) > 0 {
		maps.Copy(object, coerced)
		paths = append(paths, embedded...)
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}

// coerce is apply of unstructuredSchemaCoercer: it prunes, removes nulls that have neither
// permission nor default, and brings metadata into shape.
func (v *version) coerce(object map[string]any, dropInvalid bool) error {
	kind, apiVersion := object["kind"], object["apiVersion"]
	metadata, found, err := objectmeta.GetObjectMeta(object, dropInvalid)
	if err != nil {
		return err
	}
	pruning.Prune(object, v.structural, true)
	defaulting.PruneNonNullableNullsWithoutDefaults(object, v.structural)
	if err := objectmeta.Coerce(nil, object, v.structural, false, dropInvalid); err != nil {
		return err
	}
	object["kind"], object["apiVersion"] = kind, apiVersion
	if !found {
		return nil
	}
	return objectmeta.SetObjectMeta(object, metadata)
}

// fits takes from budget roughly what the object has in JSON with all defaults, and says whether
// something is left. It walks as defaulting.Default does, without building anything.
func fits(x any, s *structuralschema.Structural, budget *int) bool {
	*budget -= 4
	if *budget < 0 {
		return false
	}
	switch x := x.(type) {
	case map[string]any:
		return fitsMap(x, s, budget)
	case []any:
		for _, item := range x {
			var items *structuralschema.Structural
			if s != nil {
				items = s.Items
			}
			if !fits(orDefault(item, items), items, budget) {
				return false
			}
		}
	case string:
		*budget -= len(x)
	}
	return *budget >= 0
}

func fitsMap(x map[string]any, s *structuralschema.Structural, budget *int) bool {
	if s == nil {
		s = &structuralschema.Structural{}
	}
	for name, property := range s.Properties {
		if _, found := x[name]; found || property.Default.Object == nil {
			continue
		}
		*budget -= len(name)
		if !fits(property.Default.Object, &property, budget) {
			return false
		}
	}
	for name, value := range x {
		*budget -= len(name)
		var child *structuralschema.Structural
		if property, ok := s.Properties[name]; ok {
			child = &property
		} else if s.AdditionalProperties != nil {
			child = s.AdditionalProperties.Structural
		}
		if !fits(orDefault(value, child), child, budget) {
			return false
		}
	}
	return true
}

// orDefault is what defaulting makes of a null.
func orDefault(x any, s *structuralschema.Structural) any {
	if x == nil && s != nil && !s.Nullable {
		return s.Default.Object
	}
	return x
}
