package schema

import (
	"context"
	"fmt"
	"math"
	"strings"

	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel/model"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	metavalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/cel/common"
)

// judge validates as the API server does (apiextensions-apiserver
// pkg/registry/customresource/strategy.go). It may change the status of object, as the server does
// before it validates.
func (d *Definition) judge(ctx context.Context, name string, object, old map[string]any) []Problem {
	v := d.versions[name]
	namespaced := d.inNamespace(object)
	defer namespaced()
	if old == nil {
		if v.status {
			delete(object, "status")
		}
		return problems(d.validate(ctx, v, object))
	}
	if v.status {
		delete(object, "status")
		if status, ok := old["status"]; ok {
			object["status"] = status
		}
	}
	return problems(v.validateUpdate(ctx, object, old))
}

// inNamespace puts an object without a namespace into one for as long as it is judged: a client
// chooses the namespace with the URL, and the server fills it in. The function undoes it.
func (d *Definition) inNamespace(object map[string]any) (undo func()) {
	metadata, ok := object["metadata"].(map[string]any)
	if ok && d.Namespaced() && (metadata["namespace"] == nil || metadata["namespace"] == "") {
		metadata["namespace"] = "default"
		return func() { delete(metadata, "namespace") }
	}
	return func() {}
}

// validate is Validate of the strategy.
func (d *Definition) validate(ctx context.Context, v *version, object map[string]any) field.ErrorList {
	u := &unstructured.Unstructured{Object: object}
	errs := metavalidation.ValidateObjectMetaAccessor(u, d.Namespaced(), metavalidation.NameIsDNSSubdomain, field.NewPath("metadata"))
	errs = append(errs, validation.ValidateCustomResource(nil, object, v.validator)...)
	errs = append(errs, v.validateScale(object)...)
	errs = append(errs, objectmeta.Validate(nil, object, v.structural, false)...)
	errs = append(errs, listtype.ValidateListSetsAndMaps(nil, v.structural, object)...)
	return v.validateRules(ctx, errs, func() field.ErrorList {
		found, _ := v.cel.Validate(ctx, nil, v.structural, object, nil, celconfig.RuntimeCELCostBudget)
		return found
	})
}

// validateUpdate is ValidateUpdate of the strategy.
func (v *version) validateUpdate(ctx context.Context, object, old map[string]any) field.ErrorList {
	errs := validateMetaUpdate(object, old)
	correlated := common.NewCorrelatedObject(object, old, &model.Structural{Structural: v.structural})
	errs = append(errs, validation.ValidateCustomResourceUpdate(nil, object, old, v.validator, validation.WithRatcheting(correlated))...)
	errs = append(errs, v.validateScale(object)...)
	errs = append(errs, objectmeta.Validate(nil, object, v.structural, false)...)
	if before := listtype.ValidateListSetsAndMaps(nil, v.structural, old); len(before) == 0 {
		errs = append(errs, listtype.ValidateListSetsAndMaps(nil, v.structural, object)...)
	}
	return v.validateRules(ctx, errs, func() field.ErrorList {
		found, _ := v.cel.Validate(ctx, nil, v.structural, object, old, celconfig.RuntimeCELCostBudget, cel.WithRatcheting(correlated))
		return found
	})
}

// validateMetaUpdate compares metadata. What only a server sets is in neither; where it must be
// there, an update by server-side apply has it from the object in the cluster.
func validateMetaUpdate(object, old map[string]any) field.ErrorList {
	now, was := (&unstructured.Unstructured{Object: object}).DeepCopy(), (&unstructured.Unstructured{Object: old}).DeepCopy()
	now.SetResourceVersion("1")
	was.SetResourceVersion("1")
	if was.GetNamespace() == "" {
		was.SetNamespace(now.GetNamespace())
	}
	return metavalidation.ValidateObjectMetaAccessorUpdate(now, was, field.NewPath("metadata"))
}

// validateRules runs the CEL rules, unless an error before makes them meaningless.
func (v *version) validateRules(ctx context.Context, errs field.ErrorList, rules func() field.ErrorList) field.ErrorList {
	if v.cel == nil || ctx.Err() != nil {
		return errs
	}
	for _, err := range errs {
		switch err.Type {
		case field.ErrorTypeNotSupported, field.ErrorTypeRequired, field.ErrorTypeTooLong, field.ErrorTypeTooMany, field.ErrorTypeTypeInvalid:
			return append(errs, field.Invalid(nil, nil, "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation"))
		}
	}
	return append(errs, rules()...)
}

// validateScale is ValidateScaleSpec and ValidateScaleStatus of
// apiextensions-apiserver pkg/registry/customresource/validator.go.
func (v *version) validateScale(object map[string]any) field.ErrorList {
	if v.scale == nil {
		return nil
	}
	var errs field.ErrorList
	for _, path := range []string{v.scale.SpecReplicasPath, v.scale.StatusReplicasPath} {
		replicas, _, err := unstructured.NestedInt64(object, fields(path)...)
		switch {
		case err != nil:
			errs = append(errs, field.Invalid(field.NewPath(path), replicas, err.Error()))
		case replicas < 0:
			errs = append(errs, field.Invalid(field.NewPath(path), replicas, "should be a non-negative integer"))
		case replicas > math.MaxInt32:
			errs = append(errs, field.Invalid(field.NewPath(path), replicas, fmt.Sprintf("should be less than or equal to %v", math.MaxInt32)))
		}
	}
	if path := v.scale.LabelSelectorPath; path != nil {
		if selector, _, err := unstructured.NestedString(object, fields(*path)...); err != nil {
			errs = append(errs, field.Invalid(field.NewPath(*path), selector, err.Error()))
		}
	}
	return errs
}

// fields splits the JSON path of a scale subresource.
func fields(path string) []string { return strings.Split(strings.TrimPrefix(path, "."), ".") }
