// Package manifest holds Kubernetes objects as plain values: what an application renders to.
//
// It knows the shape of an object and how objects are identified and ordered. It knows nothing of
// where objects come from (render), how they differ (diff) or what is said of them (policy, report).
package manifest

import (
	"cmp"
	"slices"
	"strings"
)

// ID identifies an object. Two objects with the same group, kind, namespace and name are the same
// object in a cluster, whatever their version: compare with [ID.Key].
type ID struct {
	Group     string `json:"group"` // empty for the core group
	Version   string `json:"version"`
	Kind      string `json:"kind"`
	Namespace string `json:"namespace"` // empty when the manifest names none
	Name      string `json:"name"`
}

// Key is the identity of an object without its version: group/Kind/namespace/name.
func (id ID) Key() string {
	return id.Group + "/" + id.Kind + "/" + id.Namespace + "/" + id.Name
}

// String names the object for people as Kind/namespace/name, or Kind/name without a namespace.
func (id ID) String() string {
	if id.Namespace == "" {
		return id.Kind + "/" + id.Name
	}
	return id.Kind + "/" + id.Namespace + "/" + id.Name
}

// APIVersion is the value of the object's apiVersion field: group/version, or version in the core group.
func (id ID) APIVersion() string {
	if id.Group == "" {
		return id.Version
	}
	return id.Group + "/" + id.Version
}

// Compare orders by group, kind, namespace, name, version.
func (id ID) Compare(other ID) int {
	return cmp.Or(
		strings.Compare(id.Group, other.Group),
		strings.Compare(id.Kind, other.Kind),
		strings.Compare(id.Namespace, other.Namespace),
		strings.Compare(id.Name, other.Name),
		strings.Compare(id.Version, other.Version),
	)
}

// Object is one rendered Kubernetes object.
type Object struct {
	ID ID
	// Content is the object as JSON values: map[string]any, []any, string, bool, json.Number, nil.
	Content map[string]any
	// Stem is the object's name without the content hash that a kustomize generator appended,
	// and empty for every other object.
	Stem string
	// Index is the object's place in what was rendered, which masking and sorting keep; for whoever
	// pairs objects before they are masked.
	Index int
}

// IsSecret says whether the object is a core/v1 Secret.
func (o Object) IsSecret() bool { return o.ID.Group == "" && o.ID.Kind == "Secret" }

// Set is what one application renders to, in the order of [ID.Compare]. The same identity may occur
// more than once, as it may in what kustomize prints.
type Set []Object

// Sort brings the set into its order. Objects of equal identity keep their relative order.
func (s Set) Sort() {
	slices.SortStableFunc(s, func(a, b Object) int { return a.ID.Compare(b.ID) })
}

// Location is a place in a file of the repository.
type Location struct {
	File string `json:"file"`          // slash-separated path from the root of the repository
	Line int    `json:"line"`          // from 1
	Via  string `json:"via,omitempty"` // what set the value there: resource, patch, images, replicas, configMapGenerator, ...
}
