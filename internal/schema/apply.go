package schema

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	runtimeschema "k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// Apply says what an API server with this definition would do with a custom resource that manager
// applies, with force, to the one that is in the cluster: live, with its metadata.managedFields, in
// any version of the definition. Fields that only others own stay, and fields that manager does not
// apply any more go (apimachinery pkg/util/managedfields). What results is judged as by [Definition.Admit]
// with live as the old object. Without live it is the same as Admit.
//
// Merging is that of structured-merge-diff v6.4. Servers up to 1.36 have v6.3, which turns an applied
// empty map or list into null when manager owned elements of it before, and may refuse that.
//
// Pruned and Undeclared are fields of object. The errors are those of Admit.
func (d *Definition) Apply(ctx context.Context, version string, object, live map[string]any, manager string) (Admission, error) {
	if live == nil {
		return d.Admit(ctx, version, object, nil)
	}
	var a Admission
	err := guard(func() (err error) {
		a, err = d.applyTo(ctx, version, object, live, manager)
		return err
	})
	if err != nil {
		return Admission{}, fmt.Errorf("apply %s %s: %w", d.Kind(), version, err)
	}
	return a, nil
}

func (d *Definition) applyTo(ctx context.Context, name string, object, live map[string]any, manager string) (Admission, error) {
	v, err := d.served(name)
	if err != nil {
		return Admission{}, err
	}
	was, err := d.stored(name, live)
	if err != nil {
		return Admission{}, fmt.Errorf("object in the cluster: %w", err)
	}
	new, err := toServer(object)
	if err != nil {
		return Admission{}, err
	}
	if found := d.checkType(name, new); len(found) > 0 {
		return Admission{Problems: found}, nil
	}
	clearSystem(new)
	a := Admission{Undeclared: undeclaredIn(d.types, new)}
	a.Pruned = v.prune(new)
	fields, err := d.fieldManager(name)
	if err != nil {
		return Admission{}, err
	}
	patch := &unstructured.Unstructured{Object: new}
	merged, err := fields.Apply((&unstructured.Unstructured{Object: was}).DeepCopy(), patch, manager, true)
	if errors.Is(err, ErrConversion) {
		return Admission{}, err
	}
	if err != nil {
		a.Problems = typeProblems(err)
		return a, nil
	}
	return d.finish(ctx, name, a, runtime.DeepCopyJSON(merged.(*unstructured.Unstructured).Object), was)
}

// fieldManager is that of the API server for one version (apiextensions-apiserver
// pkg/apiserver/customresource_handler.go, scopeWithFieldManager). Defaults come later, where their
// size is looked at.
func (d *Definition) fieldManager(name string) (*managedfields.FieldManager, error) {
	reset := map[fieldpath.APIVersion]*fieldpath.Set{}
	if d.versions[name].status {
		reset[fieldpath.APIVersion(d.apiVersion(name))] = fieldpath.NewSet(fieldpath.MakePathOrDie("status"))
	}
	kind := runtimeschema.GroupVersionKind{Group: d.Group(), Version: name, Kind: d.Kind()}
	types := typesOf{d}
	return managedfields.NewDefaultCRDFieldManager(d.types, types, types, types, kind, kind.GroupVersion(), "", fieldpath.NewExcludeFilterSetMap(reset))
}

// typesOf gives the field manager what it needs to know of the types of a definition.
type typesOf struct{ d *Definition }

// Default leaves the object alone.
func (typesOf) Default(runtime.Object) {}

// New is an empty object.
func (typesOf) New(kind runtimeschema.GroupVersionKind) (runtime.Object, error) {
	out := &unstructured.Unstructured{Object: map[string]any{}}
	out.SetGroupVersionKind(kind)
	return out, nil
}

// Convert is not used by the field manager.
func (typesOf) Convert(any, any, any) error { return ErrConversion }

// ConvertFieldLabel is not used by the field manager.
func (typesOf) ConvertFieldLabel(runtimeschema.GroupVersionKind, string, string) (string, string, error) {
	return "", "", ErrConversion
}

// ConvertToVersion brings an object into another version, with the conversion strategy None.
func (t typesOf) ConvertToVersion(in runtime.Object, target runtime.GroupVersioner) (runtime.Object, error) {
	from := in.GetObjectKind().GroupVersionKind()
	to, ok := target.KindForGroupVersionKinds([]runtimeschema.GroupVersionKind{from})
	if !ok || t.d.versions[to.Version] == nil {
		return nil, fmt.Errorf("%s to %s: %w", from, target.Identifier(), ErrNoSchema)
	}
	if from == to {
		return in, nil
	}
	if t.d.webhook() {
		return nil, fmt.Errorf("%s to %s: %w", from.Version, to.Version, ErrConversion)
	}
	out := in.(*unstructured.Unstructured).DeepCopy()
	out.SetGroupVersionKind(to)
	return out, nil
}
