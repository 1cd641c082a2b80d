// Package kube holds what one says to a Kubernetes API server, and what it answers, as plain values:
// kinds and how they are served, attempts, failures.
//
// It knows the words of the API (resource, verb, status, cause) and no more: who speaks to a server is
// cluster's business, what follows from an answer is live's.
package kube

import (
	"fmt"
	"strings"

	"github.com/mergegate/mergegate/internal/manifest"
)

// Kind is a kind as a server serves it.
type Kind struct {
	Group    string
	Version  string
	Kind     string
	Resource string // plural, as in paths: deployments
	// Namespaced says that each object is in a namespace.
	Namespaced bool
	// CreateOnly says that its objects are not kept and cannot be listed, such as reviews.
	CreateOnly bool
}

// String names the kind as resource.version.group, as kubectl does.
func (k Kind) String() string {
	return strings.TrimSuffix(k.Resource+"."+k.Version+"."+k.Group, ".")
}

// APIVersion is the value of apiVersion of the kind's objects.
func (k Kind) APIVersion() string {
	return manifest.ID{Group: k.Group, Version: k.Version}.APIVersion()
}

// GroupKind identifies a kind whatever its version: kind.group, or the kind alone in the core group.
func (k Kind) GroupKind() string { return strings.TrimSuffix(k.Kind+"."+k.Group, ".") }

// Server is what a server says of itself.
type Server struct {
	Version string // gitVersion, such as v1.36.3
	// Kinds are all kinds that it serves, in every version.
	Kinds []Kind
	// Silent are the group versions whose aggregated API does not answer, with the reason: of their
	// kinds nothing is known.
	Silent map[string]string
	// Mutating are what the mutating webhooks and policies ask to see. MutatingKnown is false where
	// the identity may not read them, so that any object may be changed by one.
	Mutating      []Rule
	MutatingKnown bool
	// Admission changes whenever discovery or the configuration of admission does. Empty: not known.
	Admission string
}

// Rule says which requests an admission configuration asks to see. Each list may hold "*".
type Rule struct{ Groups, Versions, Resources []string }

// Find looks a kind up in the version that an object names.
func (s *Server) Find(id manifest.ID) (Kind, bool) {
	for _, k := range s.Kinds {
		if k.Group == id.Group && k.Version == id.Version && k.Kind == id.Kind {
			return k, true
		}
	}
	return Kind{}, false
}

// Any looks a kind up in whatever version the server has.
func (s *Server) Any(group, kind string) (Kind, bool) {
	for _, k := range s.Kinds {
		if k.Group == group && k.Kind == kind {
			return k, true
		}
	}
	return Kind{}, false
}

// Mutates says whether admission may change objects of a kind beside defaulting.
func (s *Server) Mutates(k Kind) bool { return !s.MutatingKnown || asks(s.Mutating, k) }

// asks leaves versions aside: what is asked for in one is shown whatever the version of the request.
func asks(rules []Rule, k Kind) bool {
	for _, r := range rules {
		if has(r.Groups, k.Group) && has(r.Resources, k.Resource) {
			return true
		}
	}
	return false
}

func has(list []string, want string) bool {
	for _, item := range list {
		if item == "*" || item == "*/*" || item == want {
			return true
		}
	}
	return false
}

// Attempt is an object to try: by server-side apply with our field manager, taking fields from others,
// as a dry run, so that nothing is stored.
type Attempt struct {
	Kind      Kind
	Namespace string // empty for a kind without one
	Name      string
	Content   map[string]any // JSON values
}

// Outcome is what a server answers to an attempt: the object as it would be stored.
type Outcome struct {
	Content  map[string]any // JSON values, numbers as json.Number
	Warnings []string       // of the server to the client: fields that it does not know, deprecations
}

// Failure is why a server did not do what it was asked. Without a code, it did not answer.
type Failure struct {
	Code    int    // HTTP status, 0 where there was no answer
	Reason  string // metav1.StatusReason: Invalid, Forbidden, NotFound, ...
	Message string // for people; may hold values of the object
	Causes  []Cause
}

// Cause is one entry of status.details.causes: which field is at fault, and why.
type Cause struct {
	Type    string // metav1.CauseType: FieldValueInvalid, FieldValueForbidden, ...
	Field   string // spec.selector; empty: not of a single field
	Message string
}

// Error is the server's message.
func (f *Failure) Error() string {
	switch {
	case f.Code == 0:
		return f.Message
	case f.Message == "":
		return fmt.Sprintf("the API server answers %d", f.Code)
	}
	return f.Message
}

// Access is a question whether the identity in use may do something.
type Access struct {
	Verb      string
	Kind      Kind
	Namespace string
	Name      string
}
