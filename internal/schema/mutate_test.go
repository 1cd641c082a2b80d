package schema

import (
	"iter"
	"maps"
	"slices"
)

// mutants are copies of an object, each with one change: every field removed, replaced by values of
// all types, and joined by an unknown one; every item of a list doubled.
func (g *generator) mutants(object map[string]any) iter.Seq[map[string]any] {
	return func(yield func(map[string]any) bool) {
		g.mutate(object, func() bool { return yield(copied(object).(map[string]any)) })
	}
}

// mutate changes x in place and back, and calls yield in between. It says whether to go on.
func (g *generator) mutate(x any, yield func() bool) bool {
	switch x := x.(type) {
	case map[string]any:
		return g.mutateMap(x, yield)
	case []any:
		for i, item := range x {
			for _, other := range []any{nil, "a", []any{}, map[string]any{}, g.wrong(2)} {
				x[i] = other
				if !yield() {
					return false
				}
			}
			x[i] = item
			if !g.mutate(item, yield) {
				return false
			}
		}
	}
	return true
}

func (g *generator) mutateMap(x map[string]any, yield func() bool) bool {
	for _, name := range slices.Sorted(maps.Keys(x)) {
		if name == "apiVersion" || name == "kind" || name == "metadata" && x["kind"] != nil {
			continue
		}
		value := x[name]
		delete(x, name)
		if !yield() {
			return false
		}
		others := []any{nil, "", "a", true, numbers[0], numbers[1], numbers[9], numbers[11], []any{}, map[string]any{}, g.wrong(2)}
		if list, ok := value.([]any); ok && len(list) > 0 {
			others = append(others, []any{list[0], list[0]})
		}
		for _, other := range others {
			x[name] = other
			if !yield() {
				return false
			}
		}
		x[name] = value
		if !g.mutate(value, yield) {
			return false
		}
	}
	x["unknownField"] = "a"
	ok := yield()
	delete(x, "unknownField")
	return ok
}
