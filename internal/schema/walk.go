package schema

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"k8s.io/kube-openapi/pkg/validation/spec"
)

// lenient are required strings and lists that servers accept without: their zero is allowed, whatever
// the document says. TestOpenAPIAgainstServer found some; the others are read in the validation of
// Kubernetes (pkg/apis/*/validation), and in older documents.
var lenient = map[string]bool{
	"io.k8s.api.apps.v1.StatefulSetSpec serviceName": true,
	"io.k8s.api.batch.v1.PodFailurePolicy rules":     true,
	"io.k8s.api.core.v1.HTTPHeader value":            true,
	"io.k8s.api.core.v1.LimitRangeSpec limits":       true,
	"io.k8s.api.core.v1.Sysctl value":                true,
	"io.k8s.api.rbac.v1.ClusterRole rules":           true,
	"io.k8s.api.rbac.v1.Role rules":                  true,
	"io.k8s.api.storage.v1.CSINodeSpec drivers":      true,
	"io.k8s.api.storage.v1.TokenRequest audience":    true,
}

// walk goes through an object with its schema. It removes the fields that the schema does not have,
// adds the defaults that it declares, and notes what server-side apply does not look at.
type walk struct {
	models   map[string]*spec.Schema
	secret   bool
	pruned   []string
	problems []Problem
}

// ref is a schema with the name of its model.
type ref struct {
	name   string
	schema *spec.Schema
}

func (w *walk) sorted() []string {
	slices.Sort(w.pruned)
	return slices.Compact(w.pruned)
}

// follow resolves references: $ref, or allOf of one of them.
func (w *walk) follow(r ref) ref {
	for range 10 {
		target := r.schema.Ref.String()
		if target == "" && len(r.schema.AllOf) == 1 {
			target = r.schema.AllOf[0].Ref.String()
		}
		name := path.Base(target)
		if target == "" || w.models[name] == nil {
			return r
		}
		r = ref{name: name, schema: w.models[name]}
	}
	return r
}

func (w *walk) value(at string, x any, r ref) {
	r = w.follow(r)
	if at == "status" { // servers drop it
		defer func(said int) { w.problems = w.problems[:said] }(len(w.problems))
	}
	switch x := x.(type) {
	case map[string]any:
		w.object(at, x, r)
	case []any:
		if r.schema.Items == nil || r.schema.Items.Schema == nil {
			return
		}
		for i, item := range x {
			w.value(fmt.Sprintf("%s[%d]", at, i), item, ref{name: r.name, schema: r.schema.Items.Schema})
		}
	case float64:
		if r.schema.Type.Contains("integer") {
			w.problems = append(w.problems, Problem{Field: at, Message: errNotWhole.Error()})
		}
	case string:
		w.enum(at, x, r.schema)
	}
}

// enum refuses a string that the schema does not list. The empty one is the same as none.
func (w *walk) enum(at, x string, s *spec.Schema) {
	if len(s.Enum) == 0 || x == "" || slices.Contains(s.Enum, any(x)) {
		return
	}
	var values []string
	for _, value := range s.Enum {
		values = append(values, fmt.Sprintf("%q", value))
	}
	w.problems = append(w.problems, Problem{Field: at, Message: fmt.Sprintf("Unsupported value: %q: supported values: %s", x, strings.Join(values, ", "))})
}

func (w *walk) object(at string, x map[string]any, r ref) {
	s := r.schema
	for _, name := range slices.Sorted(maps.Keys(x)) {
		child := strings.TrimPrefix(at+"."+name, ".")
		property, known := s.Properties[name]
		switch {
		case known:
			w.value(child, x[name], ref{name: r.name, schema: &property})
		case s.AdditionalProperties != nil && s.AdditionalProperties.Schema != nil:
			w.value(child, x[name], ref{name: r.name, schema: s.AdditionalProperties.Schema})
		case s.AdditionalProperties == nil && len(s.Properties) > 0 && !preserves(s):
			w.pruned = append(w.pruned, child)
			delete(x, name)
		}
	}
	w.required(at, x, r, nil)
	w.defaults(x, r)
}

func preserves(s *spec.Schema) bool {
	preserve, _ := s.Extensions.GetBool("x-kubernetes-preserve-unknown-fields")
	return preserve
}

// required notes missing fields. A missing object is to a server what an empty one is, so only what
// that lacks is missing. within are the models that are being looked at: a document can require a
// model within itself.
func (w *walk) required(at string, x map[string]any, r ref, within []string) {
	if slices.Contains(within, r.name) {
		return
	}
	for _, name := range r.schema.Required {
		property, known := r.schema.Properties[name]
		if !known || x[name] != nil || at == "" && name == "status" || lenient[r.name+" "+name] {
			continue
		}
		child := strings.TrimPrefix(at+"."+name, ".")
		target := w.follow(ref{name: r.name, schema: &property})
		switch {
		case property.Default != nil && !zero(property.Default):
		case target.schema.Type.Contains("object"):
			w.required(child, nil, target, append(slices.Clip(within), r.name))
		case target.schema.Type.Contains("string"), target.schema.Type.Contains("array"):
			w.problems = append(w.problems, Problem{Field: child, Message: "Required value"})
		}
	}
}

// defaults adds what the document declares, unless it is the zero of its type: that is how documents
// say that a field is always there.
func (w *walk) defaults(x map[string]any, r ref) {
	for name, property := range r.schema.Properties {
		if x[name] == nil && property.Default != nil && !zero(property.Default) {
			x[name] = copied(property.Default)
		}
	}
}

func zero(x any) bool {
	switch x := x.(type) {
	case map[string]any:
		return len(x) == 0
	case []any:
		return len(x) == 0
	}
	return x == "" || x == false || x == float64(0) || x == int64(0)
}

// copied is a deep copy of a JSON value.
func copied(x any) any {
	switch x := x.(type) {
	case map[string]any:
		out := make(map[string]any, len(x))
		for name, child := range x {
			out[name] = copied(child)
		}
		return out
	case []any:
		out := make([]any, len(x))
		for i, child := range x {
			out[i] = copied(child)
		}
		return out
	}
	return x
}
