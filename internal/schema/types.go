package schema

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/kube-openapi/pkg/validation/spec"
	"sigs.k8s.io/structured-merge-diff/v6/typed"
)

// objectMeta is the OpenAPI schema of metadata, without descriptions, as API servers publish it.
//
//go:embed objectmeta.json
var objectMeta []byte

const objectMetaName = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"

// newTypes is what server-side apply knows of the fields of custom resources
// (apiextensions-apiserver pkg/apiserver/customresource_handler.go, buildOpenAPIModelsForApply, and
// pkg/controller/openapi/builder).
func newTypes(d *Definition) (managedfields.TypeConverter, error) {
	models := map[string]*spec.Schema{}
	if err := json.Unmarshal(objectMeta, &models); err != nil {
		return nil, fmt.Errorf("read schema of metadata: %w", err)
	}
	for name, v := range d.versions {
		model := &spec.Schema{SchemaProps: spec.SchemaProps{Type: []string{"object"}}}
		if v.structural != nil {
			model = v.structural.Unfold().ToKubeOpenAPI()
			addEmbedded(model)
		}
		addMeta(model)
		model.AddExtension("x-kubernetes-group-version-kind", []any{
			map[string]any{"group": d.Group(), "version": name, "kind": d.Kind()},
		})
		models["resource."+name] = model
	}
	return managedfields.NewTypeConverter(models, false)
}

// typeProblems takes apart what server-side apply says of an object.
func typeProblems(err error) []Problem {
	var list typed.ValidationErrors
	if !errors.As(err, &list) {
		return []Problem{{Message: err.Error()}}
	}
	var out []Problem
	for _, one := range list {
		out = append(out, Problem{Field: strings.TrimPrefix(one.Path, "."), Message: one.ErrorMessage})
	}
	return out
}

// undeclared is what server-side apply says of a field that the schema does not have.
const undeclared = "field not declared in schema"

// undeclaredIn are the paths of such fields.
func undeclaredIn(types managedfields.TypeConverter, object map[string]any) []string {
	var list typed.ValidationErrors
	_, err := types.ObjectToTyped(&unstructured.Unstructured{Object: object})
	if !errors.As(err, &list) {
		return nil
	}
	var out []string
	for _, one := range list {
		if one.ErrorMessage == undeclared {
			out = append(out, strings.TrimPrefix(one.Path, "."))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// addMeta adds what every object has.
func addMeta(s *spec.Schema) {
	s.SetProperty("apiVersion", *spec.StringProperty())
	s.SetProperty("kind", *spec.StringProperty())
	s.SetProperty("metadata", *spec.RefSchema("#/components/schemas/" + objectMetaName))
}

// addEmbedded adds it to the objects inside of objects.
func addEmbedded(s *spec.Schema) {
	if s == nil {
		return
	}
	for name, property := range s.Properties {
		addEmbedded(&property)
		s.Properties[name] = property
	}
	if s.Items != nil {
		addEmbedded(s.Items.Schema)
	}
	if s.AdditionalProperties != nil {
		addEmbedded(s.AdditionalProperties.Schema)
	}
	if embedded, _ := s.Extensions.GetBool("x-kubernetes-embedded-resource"); embedded {
		addMeta(s)
	}
}
