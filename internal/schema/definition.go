package schema

import (
	"context"
	"fmt"
	"strings"

	"k8s.io/apiextensions-apiserver/pkg/apihelpers"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	crdvalidation "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
)

// MaxRules is how many CEL expressions a definition may have. Each costs the API server, and this
// package, up to some milliseconds to compile, and the largest definitions in use have hundreds.
const MaxRules = 3000

// Definition is one CustomResourceDefinition, ready to judge its custom resources. It is immutable
// and safe for concurrent use.
type Definition struct {
	crd      *apiextensionsv1.CustomResourceDefinition
	storage  string
	versions map[string]*version
	types    managedfields.TypeConverter
}

// version is what the API server builds for one version of a definition
// (apiextensions-apiserver pkg/apiserver/customresource_handler.go, getOrCreateServingInfoFor).
type version struct {
	structural *structuralschema.Structural
	validator  validation.SchemaValidator
	cel        *cel.Validator
	status     bool
	scale      *apiextensionsv1.CustomResourceSubresourceScale
}

// ParseCRD reads a CustomResourceDefinition of apiextensions.k8s.io/v1. The error says why an API
// server would refuse it: a schema that is not structural, defaults that do not fit, CEL rules that
// do not compile or may cost too much, names and versions that do not match
// (apiextensions-apiserver pkg/apis/apiextensions/validation, as for a definition that is new). It
// wraps [ErrTooLarge] when the definition is beyond the limits of this package.
func ParseCRD(ctx context.Context, content map[string]any) (*Definition, error) {
	var d *Definition
	err := guard(func() (err error) {
		d, err = parseCRD(ctx, content)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read custom resource definition: %w", err)
	}
	return d, nil
}

func parseCRD(ctx context.Context, content map[string]any) (*Definition, error) {
	data, err := encode(content)
	if err != nil {
		return nil, err
	}
	crd := &apiextensionsv1.CustomResourceDefinition{}
	if err := utiljson.Unmarshal(data, crd); err != nil {
		return nil, fmt.Errorf("decode: %w", err)
	}
	if crd.APIVersion != apiextensionsv1.SchemeGroupVersion.String() || crd.Kind != "CustomResourceDefinition" {
		return nil, fmt.Errorf("%s %s is not apiextensions.k8s.io/v1 CustomResourceDefinition", crd.APIVersion, crd.Kind)
	}
	if rules := countRules(content); rules > MaxRules {
		return nil, fmt.Errorf("%d validation rules, more than %d: %w", rules, MaxRules, ErrTooLarge)
	}
	if err := checkCRD(ctx, crd); err != nil {
		return nil, err
	}
	storage, err := apihelpers.GetCRDStorageVersion(crd)
	if err != nil {
		return nil, err
	}
	d := &Definition{crd: crd, storage: storage, versions: map[string]*version{}}
	for _, v := range crd.Spec.Versions {
		if d.versions[v.Name], err = newVersion(crd, v.Name); err != nil {
			return nil, fmt.Errorf("version %s: %w", v.Name, err)
		}
	}
	if d.types, err = newTypes(d); err != nil {
		return nil, err
	}
	return d, nil
}

// checkCRD defaults the definition and validates it as on its creation (apiextensions-apiserver
// pkg/registry/customresourcedefinition/strategy.go). The status is the server's and is ignored.
func checkCRD(ctx context.Context, crd *apiextensionsv1.CustomResourceDefinition) error {
	crd.Status = apiextensionsv1.CustomResourceDefinitionStatus{}
	apiextensionsv1.SetObjectDefaults_CustomResourceDefinition(crd)
	internal := &apiextensions.CustomResourceDefinition{}
	if err := apiextensionsv1.Convert_v1_CustomResourceDefinition_To_apiextensions_CustomResourceDefinition(crd, internal, nil); err != nil {
		return fmt.Errorf("convert: %w", err)
	}
	if err := crdvalidation.ValidateCustomResourceDefinition(ctx, internal).ToAggregate(); err != nil {
		return err
	}
	return ctx.Err()
}

func newVersion(crd *apiextensionsv1.CustomResourceDefinition, name string) (*version, error) {
	v := &version{}
	external, err := apihelpers.GetSchemaForVersion(crd, name)
	if err != nil {
		return nil, err
	}
	internal := &apiextensions.CustomResourceValidation{}
	if external != nil {
		if err := apiextensionsv1.Convert_v1_CustomResourceValidation_To_apiextensions_CustomResourceValidation(external, internal, nil); err != nil {
			return nil, fmt.Errorf("convert schema: %w", err)
		}
	}
	if v.structural, err = structuralschema.NewStructural(internal.OpenAPIV3Schema); err != nil {
		return nil, err
	}
	v.structural = v.structural.DeepCopy() // its defaults are not its own
	if err := defaulting.PruneDefaults(v.structural); err != nil {
		return nil, fmt.Errorf("prune defaults: %w", err)
	}
	if v.validator, _, err = validation.NewSchemaValidator(internal.OpenAPIV3Schema); err != nil {
		return nil, err
	}
	v.cel = cel.NewValidator(v.structural, true, celconfig.PerCallLimit)
	subresources, err := apihelpers.GetSubresourcesForVersion(crd, name)
	if err != nil {
		return nil, err
	}
	if subresources != nil {
		v.status, v.scale = subresources.Status != nil, subresources.Scale
	}
	return v, nil
}

// countRules counts the objects of all lists named x-kubernetes-validations.
func countRules(value any) int {
	sum := 0
	switch value := value.(type) {
	case map[string]any:
		for key, child := range value {
			if rules, ok := child.([]any); ok && key == "x-kubernetes-validations" {
				sum += len(rules)
			}
			sum += countRules(child)
		}
	case []any:
		for _, child := range value {
			sum += countRules(child)
		}
	}
	return sum
}

// Group is the API group of the custom resources.
func (d *Definition) Group() string { return d.crd.Spec.Group }

// Kind is the kind of the custom resources.
func (d *Definition) Kind() string { return d.crd.Spec.Names.Kind }

// Plural is the name of the custom resources in URLs.
func (d *Definition) Plural() string { return d.crd.Spec.Names.Plural }

// Namespaced says whether the custom resources live in namespaces.
func (d *Definition) Namespaced() bool { return d.crd.Spec.Scope == apiextensionsv1.NamespaceScoped }

// Versions are the versions that the server would serve, in the order of the definition.
func (d *Definition) Versions() []string {
	var names []string
	for _, v := range d.crd.Spec.Versions {
		if v.Served {
			names = append(names, v.Name)
		}
	}
	return names
}

// problems turns the errors of the libraries into problems, without those that are repeated.
func problems(list field.ErrorList) []Problem {
	var out []Problem
	seen := map[Problem]bool{}
	for _, err := range list {
		p := Problem{Field: strings.TrimPrefix(err.Field, "<nil>"), Message: err.ErrorBody()}
		if !seen[p] {
			seen[p] = true
			out = append(out, p)
		}
	}
	return out
}
