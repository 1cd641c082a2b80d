// Package diff compares what an application renders to at base with what it renders to as proposed,
// and masks secrets in both before anything else sees them.
//
// It knows two sets of objects: which objects are the same, which fields differ, and how that reads
// as text. It is pure: no network, no clock, no logging; equal inputs give equal bytes. It must not
// know where objects come from, what is live in a cluster, or what anyone thinks of a change.
//
// A [Masker] comes first: it turns a set into one without secrets. [Sets] then compares masked sets;
// it never unmasks, and marks a field as sensitive where it meets a mask.
package diff

import (
	"slices"
	"strings"

	"github.com/mergegate/mergegate/internal/manifest"
	"github.com/mergegate/mergegate/internal/plan"
)

// Sets compares two sets object by object and returns what happens to each object that differs, in
// the order of [manifest.ID.Compare] of [plan.Change.Object]. It returns an empty slice, never nil.
//
// Objects are paired by group, kind, namespace and name; a second object of the same identity is
// paired with the second one of the other side, and so on. A change of the version alone is an
// update of /apiVersion. Objects with a generated name are paired by their stem, so that a new
// content hash is one update. [plan.Change.Object] names such an object as [Identity] does where it
// is updated; where it is created or deleted it has the name that the cluster sees, unless that name
// is masked: then it is the stem again. A generated name that changes because the content does is
// not listed as a field.
//
// The values in the changes are shared with the sets: neither may be modified afterwards.
func Sets(base, head manifest.Set) []plan.Change {
	changes := []plan.Change{}
	for _, p := range Pairs(base, head) {
		if change, differs := p.Change(); differs {
			changes = append(changes, change)
		}
	}
	slices.SortStableFunc(changes, func(a, b plan.Change) int { return a.Object.Compare(b.Object) })
	return changes
}

// Pair is one object on both sides. A side that does not have it is nil.
type Pair struct{ Base, Head *manifest.Object }

// Pairs pairs the objects of two sets as [Sets] does: those of base in their order, then those that
// only head has. They point into the sets.
func Pairs(base, head manifest.Set) []Pair {
	proposed := make(map[identity][]int, len(head))
	for i := range head {
		id := identify(head[i])
		proposed[id] = append(proposed[id], i)
	}
	pairs := make([]Pair, 0, max(len(base), len(head)))
	paired := make([]bool, len(head))
	for i := range base {
		pair := Pair{Base: &base[i]}
		id := identify(base[i])
		if rest := proposed[id]; len(rest) > 0 {
			proposed[id] = rest[1:]
			paired[rest[0]] = true
			pair.Head = &head[rest[0]]
		}
		pairs = append(pairs, pair)
	}
	for i := range head {
		if !paired[i] {
			pairs = append(pairs, Pair{Head: &head[i]})
		}
	}
	return pairs
}

// Change is what happens to the object of a pair, and whether anything does.
func (p Pair) Change() (plan.Change, bool) {
	switch {
	case p.Base == nil && p.Head == nil:
		return plan.Change{}, false
	case p.Head == nil:
		return remove(*p.Base), true
	case p.Base == nil:
		return create(*p.Head), true
	}
	return update(*p.Base, *p.Head)
}

// Fields lists what differs between two contents of one object.
func Fields(before, after map[string]any) []plan.Field { return fields(before, after) }

// Located is a field that differs, with its place in the content before as well: an RFC 6901 JSON
// pointer, empty where the field is new.
type Located struct {
	plan.Field
	From string
}

// Locate lists what differs between two contents of one object, with both places.
func Locate(before, after map[string]any) []Located {
	c := comparison{}
	c.maps(nil, before, after)
	found := make([]Located, len(c.found))
	for i, f := range c.found {
		found[i] = Located{f, c.from[i]}
	}
	return found
}

// Equal compares two contents. Numbers are compared by value.
func Equal(a, b map[string]any) bool { return equalMaps(a, b) }

// EqualValues compares two JSON values in the same way.
func EqualValues(a, b any) bool { return equal(a, b) }

// Identity is the ID by which an object is recognised from one side to the other: its own, with the
// stem in place of a generated name.
func Identity(o manifest.Object) manifest.ID {
	id := o.ID
	if o.Stem != "" {
		id.Name = o.Stem
	}
	return id
}

// identity is what two objects must have in common to be the same object. A generated object is
// never the same as one that only happens to be named like its stem.
type identity struct {
	group, kind, namespace, name string
	generated                    bool
}

func identify(o manifest.Object) identity {
	id := Identity(o)
	return identity{id.Group, id.Kind, id.Namespace, id.Name, o.Stem != ""}
}

func create(o manifest.Object) plan.Change {
	text, omitted := unified(nil, yamlLines(o.Content))
	return plan.Change{Action: plan.Create, Object: shownID(o), Diff: text, Omitted: omitted}
}

func remove(o manifest.Object) plan.Change {
	text, omitted := unified(yamlLines(o.Content), nil)
	return plan.Change{Action: plan.Delete, Object: shownID(o), Diff: text, Omitted: omitted}
}

func update(before, after manifest.Object) (plan.Change, bool) {
	if equalMaps(before.Content, after.Content) {
		return plan.Change{}, false
	}
	text, omitted := unified(yamlLines(before.Content), yamlLines(after.Content))
	change := plan.Change{Action: plan.Update, Object: Identity(after), Diff: text, Omitted: omitted}
	change.Fields = fields(before.Content, after.Content)
	if after.Stem != "" && len(change.Fields) > 1 {
		change.Fields = slices.DeleteFunc(change.Fields, func(f plan.Field) bool { return f.Path == "/metadata/name" })
	}
	return change, true
}

// shownID is the ID of an object that stands on one side only.
func shownID(o manifest.Object) manifest.ID {
	if strings.Contains(o.ID.Name, hashMask) {
		return Identity(o)
	}
	return o.ID
}
