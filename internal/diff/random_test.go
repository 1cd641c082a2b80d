package diff

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"

	"github.com/mergegate/mergegate/internal/manifest"
)

// generator makes random objects out of few words, so that two of them have much in common.
type generator struct{ *rand.Rand }

func newGenerator(seed uint64) generator { return generator{rand.New(rand.NewPCG(seed, 1))} }

func (g generator) pick(from ...string) string { return from[g.IntN(len(from))] }

func (g generator) key() string {
	return g.pick("name", "env", "ports", "containers", "image", "a.b/c", "x~y", "data", "port", "items", "é", "0", "")
}

func (g generator) scalar() any {
	switch g.IntN(7) {
	case 0:
		return nil
	case 1:
		return g.IntN(2) == 0
	case 2:
		return json.Number(g.pick("0", "1", "1.0", "-3", "1e3", "1000", "0.25"))
	case 3:
		return g.pick("multi\nline\n", " lead\n  more", "a\r\nb\r\n", "x\n\n", "\n", "\u2028", "tab\tend \nnext")
	}
	return g.pick("web", "api", "8080", "true", "- x", "a: b", "a #b", "", "nginx:1.2", "1e5", "2020-01-01", "日本")
}

func (g generator) value(depth int) any {
	switch n := g.IntN(6); {
	case depth <= 0 || n == 0:
		return g.scalar()
	case n < 3:
		return g.list(depth)
	}
	return g.object(depth)
}

func (g generator) object(depth int) map[string]any {
	m := map[string]any{}
	for range g.IntN(5) {
		m[g.key()] = g.value(depth - 1)
	}
	return m
}

// list makes a list of scalars, of anything, or of objects with names.
func (g generator) list(depth int) []any {
	list := []any{}
	kind := g.IntN(3)
	for i := range g.IntN(5) {
		switch kind {
		case 0:
			list = append(list, g.scalar())
		case 1:
			list = append(list, g.value(depth-1))
		default:
			item := g.object(depth - 1)
			item["name"] = "n" + strconv.Itoa(i)
			list = append(list, item)
		}
	}
	g.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}

// mutate changes a copy of a value here and there.
func (g generator) mutate(v any) any {
	if g.IntN(12) == 0 {
		return g.value(2)
	}
	switch v := v.(type) {
	case map[string]any:
		m := map[string]any{}
		for key, value := range v {
			if g.IntN(10) > 0 {
				m[key] = g.mutate(value)
			}
		}
		if g.IntN(4) == 0 {
			m[g.key()] = g.value(2)
		}
		return m
	case []any:
		list := []any{}
		for _, item := range v {
			if g.IntN(10) > 0 {
				list = append(list, g.mutate(item))
			}
		}
		if g.IntN(4) == 0 {
			g.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		}
		return list
	}
	return v
}

// deployment is an object of usual size.
func deployment(i int) manifest.Object {
	name := fmt.Sprintf("web-%04d", i)
	labels := map[string]any{"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": "shop", "tier": "frontend"}
	env := []any{}
	for j := range 12 {
		env = append(env, map[string]any{"name": fmt.Sprintf("SETTING_%d", j), "value": fmt.Sprintf("value of setting %d", j)})
	}
	container := map[string]any{
		"name": "web", "image": "registry.example.com/shop/" + name + ":1.2.3", "env": env,
		"ports":        []any{map[string]any{"containerPort": json.Number("8080"), "name": "http"}},
		"resources":    map[string]any{"limits": map[string]any{"cpu": "1", "memory": "512Mi"}, "requests": map[string]any{"cpu": "100m", "memory": "256Mi"}},
		"volumeMounts": []any{map[string]any{"name": "config", "mountPath": "/etc/web"}, map[string]any{"name": "tmp", "mountPath": "/tmp"}},
	}
	return manifest.Object{
		ID: manifest.ID{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: "shop", Name: name},
		Content: map[string]any{
			"apiVersion": "apps/v1", "kind": "Deployment",
			"metadata": map[string]any{"name": name, "namespace": "shop", "labels": labels},
			"spec": map[string]any{
				"replicas": json.Number("3"),
				"selector": map[string]any{"matchLabels": labels},
				"template": map[string]any{"metadata": map[string]any{"labels": labels}, "spec": map[string]any{"containers": []any{container}}},
			},
		},
	}
}
