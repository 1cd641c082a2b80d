package live

import (
	"github.com/mergegate/mergegate/internal/diff"
	"github.com/mergegate/mergegate/internal/kube"
)

// asIs says whether applying a manifest would leave a live object as it is, without asking the server.
// It is sound, not complete: false only means that the server has to be asked. What it cannot see is
// what admission would rewrite or refuse, so it is not for kinds that webhooks or policies look at.
//
// Server-side apply does two things: it sets what the manifest says, and it removes what we have applied
// before and the manifest no longer says. So nothing happens where everything that the manifest says
// is so already, and everything that managedFields say we own is still in the manifest. How lists and
// maps merge is taken from managedFields as well: a container that somebody owns as a whole is atomic,
// and must be equal; one whose items are owned one by one may have others beside.
func asIs(want, live map[string]any) bool {
	managers := kube.Managers(live)
	version := text(want["apiVersion"])
	var known []kube.FieldSet
	for _, m := range managers {
		if m.APIVersion != version {
			if m.Ours() {
				return false // what we own is told in the fields of another version
			}
			continue
		}
		known = append(known, m.Fields)
		if m.Ours() && !holds(want, m.Fields) {
			return false
		}
	}
	for key, value := range want {
		have, ok := live[key]
		if !ok {
			return false
		}
		below := children(known, key)
		if key == "metadata" {
			if !metadataIs(value, have, below) {
				return false
			}
		} else if !valueIs(value, have, below) {
			return false
		}
	}
	return true
}

// metadataIs compares metadata, whose fields are always told apart.
func metadataIs(want, have any, known []kube.FieldSet) bool {
	wanted, ok := want.(map[string]any)
	if !ok {
		return false
	}
	for key, value := range wanted {
		if !valueIs(value, fields(have)[key], children(known, key)) {
			return false
		}
	}
	return true
}

func children(sets []kube.FieldSet, key string) []kube.FieldSet {
	var below []kube.FieldSet
	for _, s := range sets {
		if child, ok := s.Field(key); ok {
			below = append(below, child)
		}
	}
	return below
}

// valueIs says whether a value is so already. known are the sets of all managers at this place.
func valueIs(want, have any, known []kube.FieldSet) bool {
	if diff.EqualValues(want, have) {
		return true
	}
	if len(known) == 0 {
		return false
	}
	for _, s := range known {
		if s.Atomic() {
			return false
		}
	}
	switch want := want.(type) {
	case map[string]any:
		return mapIs(want, fields(have), known)
	case []any:
		return listIs(want, items(have), known)
	}
	return false
}

func mapIs(want, have map[string]any, known []kube.FieldSet) bool {
	if len(want) == 0 {
		return false // it may be set as a whole
	}
	for key, value := range want {
		there, ok := have[key]
		if !ok || !valueIs(value, there, children(known, key)) {
			return false
		}
	}
	return true
}

// listIs compares lists whose items are told apart. The items that are wanted must stand in their order.
func listIs(want, have []any, known []kube.FieldSet) bool {
	next := 0
	for _, item := range want {
		keyed, below := keyedSets(item, known)
		if !keyed {
			return false
		}
		at := -1
		for i := next; i < len(have) && at < 0; i++ {
			if sameItem(item, have[i], known) {
				at = i
			}
		}
		if at < 0 || !valueIs(item, have[at], below) {
			return false
		}
		next = at + 1
	}
	return len(want) > 0
}

// keyedSets are what managers own of an item, and whether any of them tells items apart.
func keyedSets(item any, known []kube.FieldSet) (keyed bool, below []kube.FieldSet) {
	for _, s := range known {
		keyed = keyed || s.Keyed()
		if child, ok := s.Item(item); ok {
			below = append(below, child)
		}
	}
	return keyed, below
}

// sameItem says whether two items have the same key under some manager's set.
func sameItem(a, b any, known []kube.FieldSet) bool {
	for _, s := range known {
		if s.SameItem(a, b) {
			return true
		}
	}
	return false
}

// holds says whether everything in a set is in a value.
func holds(v any, set kube.FieldSet) bool {
	for member := range set {
		if member == "." {
			continue
		}
		there, below, ok := set.Find(member, v)
		if !ok || !holds(there, below) {
			return false
		}
	}
	return true
}
