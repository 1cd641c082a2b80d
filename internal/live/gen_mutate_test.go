package live

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/mergegate/mergegate/internal/manifest"
)

// gen makes cases. Equal seeds make equal cases.
type gen struct {
	*rand.Rand
	number int // of the case, for what only one object can have
}

func newGen(seed, stream uint64) gen { return gen{Rand: rand.New(rand.NewPCG(seed, stream))} }

func (g gen) chance(percent int) bool { return g.IntN(100) < percent }

func pick[T any](g gen, from []T) T { return from[g.IntN(len(from))] }

// specimen is a kind in the catalogue.
type specimen struct {
	kind    string
	text    string
	weight  int // 0: 1
	cluster bool
	edits   []edit
}

// edit puts a YAML value at a place; an empty one removes what is there.
type edit struct{ at, value string }

// fromYAML is a value as manifests have it.
func fromYAML(text string) any {
	data, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		panic(fmt.Sprintf("%v in\n%s", err, text))
	}
	d := json.NewDecoder(strings.NewReader(string(data)))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		panic(err)
	}
	return v
}

// manifest is one of the many that a text of the catalogue stands for.
func (g gen) manifest(s specimen, namespace, name string) map[string]any {
	text := s.text
	if at := strings.Index(text, "spec: POD"); at >= 0 {
		indent := at - strings.LastIndex(text[:at], "\n") - 1
		block := strings.ReplaceAll(strings.TrimSpace(podText), "\n", "\n"+strings.Repeat(" ", indent+2))
		text = strings.Replace(text, "POD", "\n"+strings.Repeat(" ", indent+2)+block, 1)
	}
	text = g.choices(g.optional(text))
	text = strings.ReplaceAll(text, "NAME", name)
	object := fromYAML(text).(map[string]any)
	if !s.cluster && namespace != "" {
		object["metadata"].(map[string]any)["namespace"] = namespace
	}
	return object
}

// optional takes out some of the lines that may be missing, with what belongs to them.
func (g gen) optional(text string) string {
	var out []string
	skip := -1
	for _, line := range strings.Split(strings.Trim(text, "\n"), "\n") {
		bare := strings.TrimLeft(line, " ")
		indent := len(line) - len(bare)
		if skip >= 0 && (indent > skip/2 || indent == skip/2 && skip%2 == 0 && strings.HasPrefix(bare, "- ")) {
			continue
		}
		skip = -1
		kept, maybe := strings.CutSuffix(line, " #?")
		if maybe && g.chance(45) {
			if strings.HasPrefix(line, "metadata") {
				out = append(out, "metadata: {name: NAME}")
				continue
			}
			skip = indent * 2
			if strings.HasPrefix(bare, "- ") {
				skip++ // its sisters stay
			}
			continue
		}
		out = append(out, kept)
	}
	return strings.Join(out, "\n")
}

func (g gen) choices(text string) string {
	for {
		from := strings.IndexByte(text, '<')
		if from < 0 {
			return text
		}
		length := strings.IndexByte(text[from:], '>')
		text = text[:from] + pick(g, strings.Split(text[from+1:from+length], "|")) + text[from+length+1:]
	}
}

// spot is a place in an object that can change.
type spot struct {
	at    []string
	value any
}

// spots are all places of an object but its identity, in an order that does not change.
func spots(v any, at []string) []spot {
	var all []spot
	switch v := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if len(at) == 0 && (key == "apiVersion" || key == "kind" || key == "status") || len(at) == 1 && at[0] == "metadata" && key != "labels" && key != "annotations" {
				continue
			}
			below := append(slices.Clone(at), key)
			if len(at) > 0 || key != "metadata" {
				all = append(all, spot{below, v[key]})
			}
			all = append(all, spots(v[key], below)...)
		}
	case []any:
		for i := range v {
			below := append(slices.Clone(at), strconv.Itoa(i))
			all = append(all, spot{below, v[i]})
			all = append(all, spots(v[i], below)...)
		}
	}
	return all
}

// put sets, adds or (with gone) removes the value at a place. Maps on the way are made.
func put(v any, at []string, value any) any {
	if len(at) == 0 {
		return value
	}
	switch v := v.(type) {
	case []any:
		i, err := strconv.Atoi(at[0])
		if err != nil || i >= len(v) {
			return v
		}
		if len(at) == 1 && value == gone {
			return slices.Delete(v, i, i+1)
		}
		v[i] = put(v[i], at[1:], value)
		return v
	case map[string]any:
		if len(at) == 1 && value == gone {
			delete(v, at[0])
			return v
		}
		v[at[0]] = put(v[at[0]], at[1:], value)
		return v
	case nil:
		if value == gone {
			return nil
		}
		return map[string]any{at[0]: put(nil, at[1:], value)}
	}
	return v
}

type missing struct{}

// gone removes what it is put in place of.
var gone any = missing{}

func (e edit) do(object map[string]any, number int) {
	at := strings.Split(strings.TrimPrefix(e.at, "/"), "/")
	for i := range at {
		at[i] = strings.ReplaceAll(at[i], "~1", "/")
	}
	value := gone
	if e.value != "" {
		unique := strings.NewReplacer("{ip}", fmt.Sprintf("10.96.%d.%d", 100+number/200%100, 1+number%200), "{port}", strconv.Itoa(30000+number%86))
		value = fromYAML(unique.Replace(e.value))
	}
	put(object, at, value)
}

// change makes some changes to a copy of an object.
func (g gen) change(s specimen, object map[string]any) map[string]any {
	object = manifest.Clone(object).(map[string]any)
	for range 1 + g.IntN(2) {
		switch n := g.IntN(100); {
		case n < 25:
			field := pick(g, []string{"labels", "annotations"})
			value := pick(g, []any{"v1", "v2", gone, "v3", "v1", json.Number("1"), "not a label"})
			put(object, []string{"metadata", field, pick(g, []string{"app", "x", "note", "example.com/y"})}, value)
		case n < 65:
			pick(g, s.edits).do(object, g.number)
		default:
			g.anywhere(object)
		}
	}
	return object
}

// anywhere changes whatever place of an object.
func (g gen) anywhere(object map[string]any) {
	all := spots(object, nil)
	if len(all) == 0 {
		return
	}
	at := pick(g, all)
	if g.chance(8) {
		put(object, at.at, pick(g, []any{nil, "text", json.Number("7"), true, []any{}, map[string]any{}, map[string]any{"a": "b"}, []any{"x"}}))
		return
	}
	if g.chance(20) {
		put(object, at.at, gone)
		return
	}
	put(object, at.at, g.other(at.value))
}

// other is a value like another one.
func (g gen) other(v any) any {
	switch v := v.(type) {
	case string:
		return pick(g, []any{v + "x", v + "x", "other", v + " ", "", "1Gi", "100m"})
	case json.Number:
		n, _ := v.Int64()
		return pick(g, []any{json.Number(strconv.FormatInt(n+1, 10)), json.Number("0"), json.Number("-1"), json.Number("3.5"), string(v)})
	case bool:
		return !v
	case map[string]any:
		v[pick(g, []string{"zzz", "name", "extra"})] = pick(g, []any{"x", json.Number("1"), nil, map[string]any{}})
		return v
	case []any:
		return g.otherList(slices.Clone(v))
	}
	return "x"
}

func (g gen) otherList(v []any) any {
	switch n := g.IntN(5); {
	case n == 0:
		slices.Reverse(v)
	case n == 1 && len(v) > 0:
		v = append(v, manifest.Clone(v[0]))
	case n == 2 && len(v) > 0:
		item := manifest.Clone(v[0])
		if m, ok := item.(map[string]any); ok && m["name"] != nil {
			m["name"] = "added"
			delete(m, "ports")
			if m["containerPort"] != nil || m["port"] != nil {
				put(m, []string{pick(g, []string{"containerPort", "port"})}, json.Number("9999"))
			}
		}
		v = slices.Insert(v, g.IntN(len(v)+1), item)
	case n == 3:
		return []any{}
	case len(v) > 1:
		v = v[1:]
	}
	return v
}
