package diff

import (
	"maps"
	"slices"

	"github.com/mergegate/mergegate/internal/plan"
)

// null stands in a field for an explicit null, since a nil there means that the field is absent.
type null struct{}

// MarshalJSON writes null.
func (null) MarshalJSON() ([]byte, error) { return []byte("null"), nil }

// String writes null.
func (null) String() string { return "null" }

// present is a value that is there, be it null.
func present(v any) any {
	if v == nil {
		return null{}
	}
	return v
}

// fields lists what differs between two contents. Maps that both sides have are compared key by key;
// a value that only one side has is one field, however large. Keys that differ come in sorted order,
// list items in the proposed order, removed ones after them.
func fields(base, head map[string]any) []plan.Field {
	c := comparison{}
	c.maps(nil, base, head)
	return c.found
}

// comparison collects the fields that differ.
type comparison struct {
	found []plan.Field
	from  []string // for each, where it is in the content before; empty where it is new
}

// add records a difference. A nil side is absent.
func (c *comparison) add(at *path, before, after any) {
	s := headSide
	if after == nil {
		s = baseSide
	}
	field := plan.Field{Path: at.pointer(s), At: at.String(), Before: before, After: after}
	field.Sensitive = hasMask(before) || hasMask(after) || hasMask(field.At)
	from := ""
	if before != nil {
		from = at.pointer(baseSide)
	}
	c.found, c.from = append(c.found, field), append(c.from, from)
}

// values compares what both sides have at the same place.
func (c *comparison) values(at *path, base, head any) {
	switch before := base.(type) {
	case map[string]any:
		if after, ok := head.(map[string]any); ok {
			c.maps(at, before, after)
			return
		}
	case []any:
		if after, ok := head.([]any); ok {
			c.lists(at, before, after)
			return
		}
	}
	if !equal(base, head) {
		c.add(at, present(base), present(head))
	}
}

func (c *comparison) maps(at *path, base, head map[string]any) {
	keys := slices.AppendSeq(make([]string, 0, len(base)+len(head)), maps.Keys(base))
	keys = slices.AppendSeq(keys, maps.Keys(head))
	slices.Sort(keys)
	for _, key := range slices.Compact(keys) {
		before, inBase := base[key]
		after, inHead := head[key]
		switch {
		case !inBase:
			c.add(at.field(key), nil, present(after))
		case !inHead:
			c.add(at.field(key), present(before), nil)
		default:
			c.values(at.field(key), before, after)
		}
	}
}

// lists compares by merge key where the items have one; else index by index where both lists have
// the same length; else the lists are one field.
func (c *comparison) lists(at *path, base, head []any) {
	if equalLists(base, head) {
		return
	}
	if before, after, ok := labels(at.key, base, head); ok {
		c.keyed(at, keyedList{base, before}, keyedList{head, after})
		return
	}
	if len(base) != len(head) {
		c.add(at, base, head)
		return
	}
	for i := range base {
		c.values(at.indexed(i), base[i], head[i])
	}
}

// keyedList is one side of a list with merge keys: its items and the label of each.
type keyedList struct {
	items  []any
	labels []string
}

func (c *comparison) keyed(at *path, base, head keyedList) {
	inBase := positions(base.labels)
	last, reordered := -1, false
	for i, label := range head.labels {
		j, ok := inBase[label]
		if !ok {
			c.add(at.keyed(-1, i, label), nil, present(head.items[i]))
			continue
		}
		c.values(at.keyed(j, i, label), base.items[j], head.items[i])
		reordered = reordered || j < last
		last = j
	}
	inHead := positions(head.labels)
	for j, label := range base.labels {
		if _, ok := inHead[label]; !ok {
			c.add(at.keyed(j, -1, label), present(base.items[j]), nil)
		}
	}
	if reordered {
		c.order(at, base.items, head.items)
	}
}

// order records that items of a keyed list changed places: one field with both lists. It says so
// where the order has a meaning in Kubernetes.
func (c *comparison) order(at *path, base, head []any) {
	c.add(at, base, head)
	field := &c.found[len(c.found)-1]
	field.At += " (order)"
	switch at.key {
	case "env", "envFrom", "initContainers":
		field.At += ", which matters"
	}
}

func positions(labels []string) map[string]int {
	at := make(map[string]int, len(labels))
	for i, label := range labels {
		at[label] = i
	}
	return at
}

// hasMask says whether a value holds a masked one anywhere, keys included.
func hasMask(v any) bool {
	switch v := v.(type) {
	case string:
		return maskPattern.MatchString(v)
	case []any:
		return slices.ContainsFunc(v, hasMask)
	case map[string]any:
		for key, value := range v {
			if hasMask(key) || hasMask(value) {
				return true
			}
		}
	}
	return false
}
