package schema

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
)

// generator makes objects from JSON schemas: mostly valid ones, with a mistake here and there.
type generator struct {
	*rand.Rand
	mistakes float64 // probability of one in each value
	resolve  func(ref string) map[string]any
}

var words = []any{
	"a", "b", "abc", "xy", "free", "TCP", "80", "50%", "1.2.3.4", "10.0.0.0/8", "a@example.com", "2024-01-02", "2024-01-02T03:04:05Z", "2019-01-02T03:04:05Z", "30m", "2h",
	"123e4567-e89b-12d3-a456-426614174000", "aGVsbG8=", "http://example.com/x", "", "Ä", "a string that is rather long, and longer than most allow", "true", "null",
}

var numbers = []any{
	json.Number("0"), json.Number("1"), json.Number("2"), json.Number("3"), json.Number("5"), json.Number("80"), json.Number("443"), json.Number("-1"),
	json.Number("0.5"), json.Number("1.5"), json.Number("1.0"), json.Number("2147483648"), json.Number("9007199254740993"), json.Number("1e30"), json.Number("99999999999999999999"),
}

func pick[T any](g *generator, from []T) T { return from[g.IntN(len(from))] }

// formats are words for a format or pattern.
var formats = map[string]string{
	"ipv4<nil>": "1.2.3.4", "cidr<nil>": "10.0.0.0/8", "email<nil>": "a@example.com", "uuid<nil>": "123e4567-e89b-12d3-a456-426614174000", "date<nil>": "2024-01-02",
	"date-time<nil>": "2024-01-02T03:04:05Z", "duration<nil>": "30m", "byte<nil>": "aGVsbG8=", "uri<nil>": "http://example.com/x", "<nil>^[a-z]+$": "abc",
}

// value is one for the schema.
func (g *generator) value(schema map[string]any, depth int) any {
	if g.Float64() < g.mistakes || depth > 12 {
		return g.wrong(2)
	}
	if schema["nullable"] == true && g.IntN(3) == 0 {
		return nil
	}
	if enum, ok := schema["enum"].([]any); ok {
		return pick(g, enum)
	}
	if ref, ok := schema["$ref"].(string); ok {
		return g.value(g.resolve(ref), depth)
	}
	if all, ok := schema["allOf"].([]any); ok && schema["type"] == nil {
		return g.value(all[0].(map[string]any), depth)
	}
	switch schema["type"] {
	case "object":
		return g.object(schema, depth)
	case "array":
		list := make([]any, g.IntN(3))
		items, _ := schema["items"].(map[string]any)
		for i := range list {
			list[i] = g.value(items, depth+1)
		}
		return list
	case "integer", "number":
		if g.IntN(5) > 0 {
			return pick(g, numbers[:5])
		}
		return pick(g, numbers)
	case "boolean":
		return g.IntN(2) == 0
	case "string":
		if fitting := formats[fmt.Sprint(schema["format"], schema["pattern"])]; fitting != "" && g.IntN(10) > 0 {
			return fitting
		}
		return pick(g, words)
	}
	return g.wrong(2)
}

func (g *generator) object(schema map[string]any, depth int) any {
	out := map[string]any{}
	properties, _ := schema["properties"].(map[string]any)
	required, _ := schema["required"].([]any)
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		needed := slices.Contains(required, any(name)) && g.Float64() > g.mistakes
		if needed || g.IntN(2+min(depth, 8)) == 0 {
			out[name] = g.value(properties[name].(map[string]any), depth+1)
		}
	}
	if more, ok := schema["additionalProperties"].(map[string]any); ok {
		for range g.IntN(3) {
			out[pick(g, []string{"a", "b", "c"})] = g.value(more, depth+1)
		}
	}
	if schema["x-kubernetes-embedded-resource"] == true && g.Float64() > g.mistakes {
		out["apiVersion"], out["kind"], out["metadata"] = "v1", "Pod", g.metadata()
	}
	if schema["x-kubernetes-preserve-unknown-fields"] == true || g.Float64() < g.mistakes/4 {
		out[pick(g, []string{"a", "zz"})] = g.wrong(2)
	}
	return out
}

// metadata is that of an embedded object.
func (g *generator) metadata() any {
	return pick(g, []any{
		map[string]any{},
		map[string]any{"name": "x"},
		map[string]any{"name": "X_Y"},
		map[string]any{"name": "x", "labels": map[string]any{"a": "b"}},
		map[string]any{"labels": map[string]any{"a": "b c"}},
		map[string]any{"generateName": "x-", "unknown": "x"},
		map[string]any{"name": json.Number("5")},
		map[string]any{"name": "x", "creationTimestamp": nil},
		map[string]any{"annotations": map[string]any{"a": nil}},
	})
}

// wrong is any value.
func (g *generator) wrong(depth int) any {
	switch g.IntN(7) {
	case 0:
		return nil
	case 1:
		return g.IntN(2) == 0
	case 2:
		return pick(g, numbers)
	case 3:
		if depth > 0 {
			return []any{g.wrong(depth - 1)}
		}
	case 4:
		if depth > 0 {
			return map[string]any{pick(g, []string{"a", "b", "spec"}): g.wrong(depth - 1)}
		}
	}
	return pick(g, words)
}
