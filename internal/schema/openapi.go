package schema

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"

	metavalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/kube-openapi/pkg/validation/spec"
)

// OpenAPI judges objects of the kinds that a server publishes. It is immutable and safe for
// concurrent use.
type OpenAPI struct {
	models map[string]*spec.Schema
	kinds  map[string]string // model by apiVersion and kind
	types  managedfields.TypeConverter
}

// ParseOpenAPI reads documents as a server publishes them at /openapi/v3/api/v1 and
// /openapi/v3/apis/<group>/<version>. Models of the same name are the same in all documents of one
// server. Documents of more than 64 MiB wrap [ErrTooLarge].
func ParseOpenAPI(documents ...[]byte) (*OpenAPI, error) {
	var o *OpenAPI
	err := guard(func() (err error) {
		o, err = parseOpenAPI(documents)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read OpenAPI document: %w", err)
	}
	return o, nil
}

func parseOpenAPI(documents [][]byte) (*OpenAPI, error) {
	o := &OpenAPI{models: map[string]*spec.Schema{}, kinds: map[string]string{}}
	for _, data := range documents {
		if len(data) > 64<<20 {
			return nil, fmt.Errorf("%d bytes: %w", len(data), ErrTooLarge)
		}
		var document struct {
			Components struct {
				Schemas map[string]*spec.Schema `json:"schemas"`
			} `json:"components"`
		}
		if err := json.Unmarshal(data, &document); err != nil {
			return nil, err
		}
		maps.DeleteFunc(document.Components.Schemas, func(_ string, model *spec.Schema) bool { return model == nil })
		maps.Copy(o.models, document.Components.Schemas)
	}
	for name, model := range o.models {
		for _, apiVersion := range kindsOf(model) {
			o.kinds[apiVersion] = name
		}
	}
	var err error
	if o.types, err = managedfields.NewTypeConverter(o.models, false); err != nil {
		return nil, err
	}
	return o, nil
}

// kindsOf are the apiVersion and kind pairs that a model is of.
func kindsOf(model *spec.Schema) []string {
	var out []string
	list, _ := model.Extensions["x-kubernetes-group-version-kind"].([]any)
	for _, entry := range list {
		kind, _ := entry.(map[string]any)
		group, _ := kind["group"].(string)
		version, _ := kind["version"].(string)
		name, _ := kind["kind"].(string)
		out = append(out, strings.TrimPrefix(group+"/"+version, "/")+" "+name)
	}
	return out
}

// Admit says what the server would do with an object that is applied to it, as far as the document
// tells: fields of wrong types, duplicate and missing keys of list maps, and fields that it does not
// have are found as by server-side apply (apimachinery pkg/util/managedfields); missing required
// fields, values that are not of an enumeration, fractions and labels are what the validation of the
// server refuses. Required fields that the server fills in are known and not asked for. Object has
// the defaults that the document declares, where they are more than the zero of their type; the
// server has more.
//
// For a v1 Secret the messages have no values. The error wraps [ErrNoSchema] when the kind is not in
// the documents, and [ErrTooLarge].
func (o *OpenAPI) Admit(apiVersion, kind string, object map[string]any) (Admission, error) {
	var a Admission
	err := guard(func() (err error) {
		a, err = o.admit(apiVersion, kind, object)
		return err
	})
	if err != nil {
		return Admission{}, fmt.Errorf("admit %s %s: %w", apiVersion, kind, err)
	}
	return a, nil
}

func (o *OpenAPI) admit(apiVersion, kind string, object map[string]any) (Admission, error) {
	name, known := o.kinds[apiVersion+" "+kind]
	if !known {
		return Admission{}, ErrNoSchema
	}
	content, err := toServer(object)
	if err != nil {
		return Admission{}, err
	}
	if content["kind"] != kind || content["apiVersion"] != apiVersion {
		return Admission{Problems: []Problem{{Message: "must be " + apiVersion + " " + kind}}}, nil
	}
	clearSystem(content)
	a := Admission{Undeclared: undeclaredIn(o.types, content)}
	w := walk{models: o.models, secret: apiVersion == "v1" && kind == "Secret"}
	w.value("", content, ref{name: name, schema: o.models[name]})
	a.Pruned = w.sorted()
	if _, err := o.types.ObjectToTyped(&unstructured.Unstructured{Object: content}); err != nil {
		a.Problems = typeProblems(err)
	} else {
		a.Problems = append(w.problems, metaProblems(content)...)
	}
	if w.secret {
		a.Problems = withoutValues(a.Problems)
	}
	if len(a.Problems) > 0 {
		return a, nil
	}
	a.Object, err = fromServer(content)
	return a, err
}

// metaProblems is what is said of the metadata of all kinds (apimachinery pkg/api/validation).
func metaProblems(object map[string]any) []Problem {
	u := &unstructured.Unstructured{Object: object}
	at := field.NewPath("metadata")
	var errs field.ErrorList
	if u.GetName() == "" {
		errs = append(errs, field.Required(at.Child("name"), "server-side apply needs a name"))
	}
	errs = append(errs, metav1validation.ValidateLabels(u.GetLabels(), at.Child("labels"))...)
	errs = append(errs, metavalidation.ValidateAnnotations(u.GetAnnotations(), at.Child("annotations"))...)
	return problems(errs)
}

// withoutValues keeps of each message only what is certain not to quote a value.
func withoutValues(list []Problem) []Problem {
	var out []Problem
	for _, p := range list {
		kind := "Invalid value"
		for _, known := range []string{"Required value", "Unsupported value", "expected string", "expected map", "expected list", "expected boolean"} {
			if strings.HasPrefix(p.Message, known) {
				kind = known
			}
		}
		out = append(out, Problem{Field: p.Field, Message: kind})
	}
	return out
}

// errNotWhole is for a fraction where an integer belongs.
var errNotWhole = errors.New("must be a whole number")
