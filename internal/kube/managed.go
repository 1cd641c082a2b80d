package kube

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// FieldManager is the name under which mergegate applies.
const FieldManager = "mergegate"

// Manager is an entry of metadata.managedFields: who set which fields, and how.
type Manager struct {
	Name        string
	Operation   string // Apply or Update
	Subresource string
	APIVersion  string
	Time        string
	Fields      FieldSet
}

// Ours says whether the entry is of what mergegate applied.
func (m Manager) Ours() bool {
	return m.Name == FieldManager && m.Operation == "Apply" && m.Subresource == ""
}

// FieldSet is a set of fields in the form of fieldsV1: f:NAME is a field, k:{KEYS} an item of a list
// with keys, v:VALUE an item of a set, "." the container itself. One without members is a leaf, or a
// container that is set as a whole (atomic).
type FieldSet map[string]any

// Managers are the entries of an object's managedFields, in their order.
func Managers(object map[string]any) []Manager {
	var all []Manager
	for _, entry := range list(at(object, "metadata", "managedFields")) {
		text := func(key string) string { s, _ := at(entry, key).(string); return s } // empty where it is none
		m := Manager{Name: text("manager"), Operation: text("operation"), Subresource: text("subresource"), APIVersion: text("apiVersion"), Time: text("time")}
		if fields, ok := at(entry, "fieldsV1").(map[string]any); ok {
			m.Fields = fields
		}
		all = append(all, m)
	}
	return all
}

// Field is the set below a field of a map, and whether there is one.
func (s FieldSet) Field(name string) (FieldSet, bool) { return s.child("f:" + name) }

func (s FieldSet) child(key string) (FieldSet, bool) {
	v, ok := s[key]
	if !ok {
		return nil, false
	}
	below, ok := v.(map[string]any)
	return below, ok
}

// Atomic says that the set has nothing below it: a leaf, or a container that is owned as a whole.
func (s FieldSet) Atomic() bool { return len(s) == 0 }

// Item is the set below an item of a list, and whether there is one: by the item's keys, or its value.
func (s FieldSet) Item(item any) (FieldSet, bool) {
	for key := range s {
		if is := itemKey(key); is != nil && is(item) {
			return s.child(key)
		}
	}
	return nil, false
}

// SameItem says whether one member of the set means both items.
func (s FieldSet) SameItem(a, b any) bool {
	for key := range s {
		if is := itemKey(key); is != nil && is(a) && is(b) {
			return true
		}
	}
	return false
}

// Find is what a member of the set means in a value, and the set below it. It is not ok where the
// value has no such thing.
func (s FieldSet) Find(member string, v any) (there any, below FieldSet, ok bool) {
	below, ok = s.child(member)
	if !ok {
		return nil, nil, false
	}
	if name, is := strings.CutPrefix(member, "f:"); is {
		container, isMap := v.(map[string]any)
		there, ok = container[name]
		return there, below, ok && isMap
	}
	if is := itemKey(member); is != nil {
		for _, item := range list(v) {
			if is(item) {
				return item, below, true
			}
		}
	}
	return nil, nil, false
}

// Keyed says whether the set is of a list whose items are told apart, and in which way.
func (s FieldSet) Keyed() bool {
	for key := range s {
		if strings.HasPrefix(key, "k:") || strings.HasPrefix(key, "v:") {
			return true
		}
	}
	return false
}

// itemKey says which items of a list a member of a set means; nil where it means none.
func itemKey(member string) func(any) bool {
	if text, ok := strings.CutPrefix(member, "v:"); ok {
		var want any
		if !decode(text, &want) {
			return nil
		}
		return func(item any) bool { return SameScalar(item, want) }
	}
	text, ok := strings.CutPrefix(member, "k:")
	if !ok {
		return nil
	}
	var want map[string]any
	if !decode(text, &want) {
		return nil
	}
	return func(item any) bool {
		fields, ok := item.(map[string]any)
		if !ok {
			return false
		}
		for key, value := range want {
			have, ok := fields[key]
			if !ok && key == "protocol" { // the one key with a default, of ports
				have, ok = "TCP", true
			}
			if !ok || !SameScalar(have, value) {
				return false
			}
		}
		return true
	}
}

func decode(text string, into any) bool {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	return d.Decode(into) == nil
}

// SameScalar compares two JSON scalars.
func SameScalar(a, b any) bool {
	left, lok := a.(json.Number)
	right, rok := b.(json.Number)
	if lok && rok {
		return left == right
	}
	switch a.(type) {
	case string, bool, nil:
		return a == b
	}
	return false
}

// Owns says whether a manager has set the value at a place of an object, something in it, or a
// container that it owns as a whole. The place is an RFC 6901 JSON pointer into the object.
func (m Manager) Owns(object map[string]any, pointer string) bool {
	set := m.Fields
	var v any = object
	for _, token := range tokens(pointer) {
		below, ok := FieldSet(nil), false
		switch container := v.(type) {
		case map[string]any:
			below, ok = set.Field(token)
			v = container[token]
		case []any:
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(container) {
				return false
			}
			v = container[i]
			below, ok = set.Item(v)
		}
		if !ok {
			return false
		}
		if below.Atomic() {
			return true
		}
		set = below
	}
	return len(m.Fields) > 0
}

func tokens(pointer string) []string {
	if pointer == "" {
		return nil
	}
	parts := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	for i, p := range parts {
		parts[i] = strings.ReplaceAll(strings.ReplaceAll(p, "~1", "/"), "~0", "~")
	}
	return parts
}

// Controller names what is behind a manager, where that is well known; else it is empty.
func (m Manager) Controller() string {
	if m.Subresource == "scale" && m.Name == "kube-controller-manager" {
		return "HorizontalPodAutoscaler"
	}
	for _, name := range slices.Sorted(maps.Keys(controllers)) {
		if strings.HasPrefix(m.Name, name) {
			return controllers[name]
		}
	}
	return ""
}

// controllers are prefixes of the names under which well-known software manages fields.
var controllers = map[string]string{ //nolint:gochecknoglobals // a table
	"argocd-":                   "Argo CD",
	"before-first-apply":        "whoever came before server-side apply",
	"cainjector":                "cert-manager",
	"cert-manager":              "cert-manager",
	"cluster-autoscaler":        "the cluster autoscaler",
	"flux":                      "Flux",
	"helm":                      "Helm",
	"helm-controller":           "Flux",
	"keda":                      "KEDA",
	"kube-controller-manager":   "a controller of Kubernetes",
	"kube-scheduler":            "the scheduler",
	"kubectl":                   "by hand or by a script",
	"kustomize-controller":      "Flux",
	"rollouts-controller":       "Argo Rollouts",
	"vpa-":                      "VerticalPodAutoscaler",
	"notification-controller":   "Flux",
	"image-automation":          "Flux",
	"rancher":                   "Rancher",
	"terraform":                 "Terraform",
	"HashiCorp":                 "Terraform",
	"pulumi":                    "Pulumi",
	"k9s":                       "by hand",
	"Lens":                      "by hand",
	"openshift-controller":      "OpenShift",
	"external-secrets":          "External Secrets",
	"sealed-secrets-controller": "Sealed Secrets",
}
