package schema

import (
	"context"
	"fmt"

	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// Admit says what an API server with this definition would do with a custom resource that is
// applied to it. object is the whole object, in the version of that name; old is the object as it
// is in the cluster, in any version of the definition, and nil for a new one.
//
// The order is that of the API server: the types of server-side apply (wrong types, duplicate keys
// of list maps and sets), defaults, metadata, the OpenAPI schema, embedded metadata, list types, CEL
// rules under the cost budgets of the server, and the way into the store and back through the
// storage version, which prunes, drops nulls and defaults again. With old, transition rules run and
// what was invalid before and did not change is accepted (ratcheting), as in a server from 1.33 on.
// An object without a namespace is taken to be in one. What remains of old in an object that is
// applied depends on who owns it: see [Definition.Apply].
//
// Problems are said of the object without the fields that the schema does not have.
//
// The error wraps [ErrNoSchema] when the version is not served, [ErrConversion] when the object has
// no problem but its stored form is known to a webhook alone, and [ErrTooLarge]; otherwise it is the
// context's.
func (d *Definition) Admit(ctx context.Context, version string, object, old map[string]any) (Admission, error) {
	var a Admission
	err := guard(func() (err error) {
		a, err = d.admit(ctx, version, object, old)
		return err
	})
	if err != nil {
		return Admission{}, fmt.Errorf("admit %s %s: %w", d.Kind(), version, err)
	}
	return a, nil
}

func (d *Definition) admit(ctx context.Context, name string, object, old map[string]any) (Admission, error) {
	v, err := d.served(name)
	if err != nil {
		return Admission{}, err
	}
	new, err := toServer(object)
	if err != nil {
		return Admission{}, err
	}
	if found := d.checkType(name, new); len(found) > 0 {
		return Admission{Problems: found}, nil
	}
	var was map[string]any
	if old != nil {
		if was, err = d.stored(name, old); err != nil {
			return Admission{}, fmt.Errorf("object in the cluster: %w", err)
		}
	}
	clearSystem(new)
	a := Admission{Undeclared: undeclaredIn(d.types, new)}
	a.Pruned = v.prune(new)
	if new, err = d.create(new); err != nil {
		a.Problems = typeProblems(err)
		return a, nil
	}
	return d.finish(ctx, name, a, new, was)
}

// finish is what the server does once it has the whole object: was is nil for a new one.
func (d *Definition) finish(ctx context.Context, name string, a Admission, object, was map[string]any) (Admission, error) {
	clearSystem(object)
	clearSystem(was)
	if err := d.versions[name].setDefaults(object); err != nil {
		return Admission{}, err
	}
	a.Problems = d.judge(ctx, name, object, was)
	if len(a.Problems) > 0 || ctx.Err() != nil {
		return a, ctx.Err()
	}
	stored, err := d.store(name, object)
	if err != nil {
		return Admission{}, err
	}
	clearSystem(stored)
	a.Object, err = fromServer(stored)
	return a, err
}

func (d *Definition) served(name string) (*version, error) {
	for _, served := range d.Versions() {
		if served == name {
			return d.versions[name], nil
		}
	}
	return nil, fmt.Errorf("version %q is not served: %w", name, ErrNoSchema)
}

func (d *Definition) apiVersion(name string) string { return d.Group() + "/" + name }

// checkType is ValidateTypeMeta of apiextensions-apiserver pkg/registry/customresource/validator.go.
func (d *Definition) checkType(name string, object map[string]any) []Problem {
	var out []Problem
	if object["kind"] != d.Kind() {
		out = append(out, Problem{Field: "kind", Message: "must be " + d.Kind()})
	}
	if object["apiVersion"] != d.apiVersion(name) {
		out = append(out, Problem{Field: "apiVersion", Message: "must be " + d.apiVersion(name)})
	}
	return out
}

// clearSystem removes what is not the author's to set: an API server overwrites it or refuses to
// have it applied, and its values in live objects say nothing.
func clearSystem(object map[string]any) {
	metadata, ok := object["metadata"].(map[string]any)
	if !ok {
		return
	}
	for _, field := range []string{"uid", "creationTimestamp", "generation", "resourceVersion", "managedFields", "selfLink", "deletionTimestamp", "deletionGracePeriodSeconds"} {
		delete(metadata, field)
	}
}

// create merges the object into an empty one, as server-side apply creates it (apimachinery
// pkg/util/managedfields/internal/structuredmerge.go). The error is the server's.
func (d *Definition) create(object map[string]any) (map[string]any, error) {
	empty := &unstructured.Unstructured{Object: map[string]any{"apiVersion": object["apiVersion"], "kind": object["kind"]}}
	applied, err := d.types.ObjectToTyped(&unstructured.Unstructured{Object: object})
	if err != nil {
		return nil, err
	}
	live, err := d.types.ObjectToTyped(empty)
	if err != nil {
		return nil, err
	}
	merged, err := live.Merge(applied)
	if err != nil {
		return nil, err
	}
	result, err := d.types.TypedToObject(merged)
	if err != nil {
		return nil, err
	}
	return runtime.DeepCopyJSON(result.(*unstructured.Unstructured).Object), nil
}

// setDefaults applies the defaults of the schema, unless they would make the object larger than a
// server would take: lists of objects whose defaults are lists of objects grow exponentially.
func (v *version) setDefaults(object map[string]any) error {
	budget := MaxSize
	if !fits(object, v.structural, &budget) {
		return fmt.Errorf("more than %d bytes with its defaults: %w", MaxSize, ErrTooLarge)
	}
	defaulting.Default(object, v.structural)
	return nil
}
