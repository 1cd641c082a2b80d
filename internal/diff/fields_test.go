package diff

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mergegate/mergegate/internal/plan"
)

// decode reads YAML's subset JSON as manifests hold it.
func decode(t *testing.T, text string) map[string]any {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var content map[string]any
	if err := decoder.Decode(&content); err != nil {
		t.Fatalf("decode %s: %v", text, err)
	}
	return content
}

func TestFields(t *testing.T) {
	tests := map[string]struct {
		base, head string
		want       string // path | at | before | after, one line each
	}{
		"nothing":                        {`{"a":1}`, `{"a":1}`, ``},
		"numbers by value":               {`{"a":1,"b":10,"c":0.5,"d":0}`, `{"a":1.0,"b":1e1,"c":5e-1,"d":-0.0}`, ``},
		"number and text differ":         {`{"a":80}`, `{"a":"80"}`, `/a | a | 80 | "80"`},
		"a value":                        {`{"spec":{"replicas":1}}`, `{"spec":{"replicas":3}}`, `/spec/replicas | spec.replicas | 1 | 3`},
		"added and removed":              {`{"a":{"x":1}}`, `{"a":{"y":{"z":2}}}`, "/a/x | a.x | 1 | -\n/a/y | a.y | - | {\"z\":2}"},
		"null is not absent":             {`{"a":null,"c":1}`, `{"b":null,"c":null}`, "/a | a | null | -\n/b | b | - | null\n/c | c | 1 | null"},
		"empty is not absent":            {`{"a":{}}`, `{"b":[]}`, "/a | a | {} | -\n/b | b | - | []"},
		"map becomes list":               {`{"a":{"x":1}}`, `{"a":[1]}`, `/a | a | {"x":1} | [1]`},
		"keys that need quotes":          {`{"metadata":{"annotations":{"a.b/c":"1","x~y":"1"}}}`, `{"metadata":{"annotations":{"a.b/c":"2","x~y":"2"}}}`, "/metadata/annotations/a.b~1c | metadata.annotations[\"a.b/c\"] | \"1\" | \"2\"\n/metadata/annotations/x~0y | metadata.annotations[\"x~y\"] | \"1\" | \"2\""},
		"containers by name":             {`{"containers":[{"name":"a","image":"1"},{"name":"b","image":"1"}]}`, `{"containers":[{"name":"new"},{"name":"a","image":"1"},{"name":"b","image":"2"}]}`, "/containers/0 | containers[name=new] | - | {\"name\":\"new\"}\n/containers/2/image | containers[name=b].image | \"1\" | \"2\""},
		"removed item has base's index":  {`{"containers":[{"name":"a"},{"name":"b","env":[{"name":"X"},{"name":"Y"}]}]}`, `{"containers":[{"name":"b","env":[{"name":"X"}]}]}`, "/containers/1/env/1 | containers[name=b].env[name=Y] | {\"name\":\"Y\"} | -\n/containers/0 | containers[name=a] | {\"name\":\"a\"} | -"},
		"container ports":                {`{"ports":[{"containerPort":80},{"containerPort":53,"protocol":"UDP"}]}`, `{"ports":[{"containerPort":53,"protocol":"UDP","name":"dns"},{"containerPort":80}]}`, "/ports/0/name | ports[containerPort=53,protocol=UDP].name | - | \"dns\"\n/ports | ports (order) | [{\"containerPort\":80},{\"containerPort\":53,\"protocol\":\"UDP\"}] | [{\"containerPort\":53,\"name\":\"dns\",\"protocol\":\"UDP\"},{\"containerPort\":80}]"},
		"service ports":                  {`{"ports":[{"port":80,"targetPort":1}]}`, `{"ports":[{"port":80,"targetPort":2,"protocol":"TCP"}]}`, "/ports/0/protocol | ports[port=80,protocol=TCP].protocol | - | \"TCP\"\n/ports/0/targetPort | ports[port=80,protocol=TCP].targetPort | 1 | 2"},
		"same port twice by name":        {`{"ports":[{"port":80,"name":"a"},{"port":80,"name":"b"}]}`, `{"ports":[{"port":80,"name":"a"},{"port":81,"name":"b"}]}`, `/ports/1/port | ports[name=b].port | 80 | 81`},
		"mounts by path":                 {`{"volumeMounts":[{"name":"a","mountPath":"/x"},{"name":"a","mountPath":"/y z"}]}`, `{"volumeMounts":[{"name":"a","mountPath":"/x"},{"name":"b","mountPath":"/y z"}]}`, `/volumeMounts/1/name | volumeMounts[mountPath="/y z"].name | "a" | "b"`},
		"env order matters":              {`{"env":[{"name":"A"},{"name":"B"}]}`, `{"env":[{"name":"B"},{"name":"A"}]}`, `/env | env (order), which matters | [{"name":"A"},{"name":"B"}] | [{"name":"B"},{"name":"A"}]`},
		"subjects":                       {`{"subjects":[{"kind":"Group","name":"a"},{"kind":"ServiceAccount","name":"a","namespace":"x"}]}`, `{"subjects":[{"kind":"ServiceAccount","name":"a","namespace":"x"}]}`, `/subjects/0 | subjects[kind=Group,name=a] | {"kind":"Group","name":"a"} | -`},
		"tolerations are atomic":         {`{"tolerations":[{"key":"a","effect":"x"}]}`, `{"tolerations":[{"key":"b","effect":"x"}]}`, `/tolerations/0/key | tolerations[0].key | "a" | "b"`},
		"atomic of other length":         {`{"tolerations":[]}`, `{"tolerations":[{"key":"b"}]}`, `/tolerations | tolerations | [] | [{"key":"b"}]`},
		"items of a volume by key":       {`{"items":[{"key":"a","path":"x"}]}`, `{"items":[{"key":"a","path":"y"}]}`, `/items/0/path | items[key=a].path | "x" | "y"`},
		"unknown list by id":             {`{"things":[{"id":1,"v":1},{"id":2,"v":1}]}`, `{"things":[{"id":2.0,"v":2},{"id":3,"v":1}]}`, "/things/0/v | things[id=2].v | 1 | 2\n/things/1 | things[id=3] | - | {\"id\":3,\"v\":1}\n/things/0 | things[id=1] | {\"id\":1,\"v\":1} | -"},
		"doubled names by index":         {`{"env":[{"name":"A","value":"1"},{"name":"A","value":"2"}]}`, `{"env":[{"name":"A","value":"1"},{"name":"A","value":"3"}]}`, `/env/1/value | env[1].value | "2" | "3"`},
		"scalars by index":               {`{"args":["a","b"]}`, `{"args":["a","c"]}`, `/args/1 | args[1] | "b" | "c"`},
		"scalars of other length":        {`{"args":["a"]}`, `{"args":["a","b"]}`, `/args | args | ["a"] | ["a","b"]`},
		"claim templates by nested name": {`{"volumeClaimTemplates":[{"metadata":{"name":"a"},"x":1}]}`, `{"volumeClaimTemplates":[{"metadata":{"name":"a"},"x":2}]}`, `/volumeClaimTemplates/0/x | volumeClaimTemplates[metadata.name=a].x | 1 | 2`},
		"a label cannot be forged":       {`{"e":[{"name":"a].x","v":1}]}`, `{"e":[{"name":"a].x","v":2}]}`, `/e/0/v | e[name="a].x"].v | 1 | 2`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, f := range fields(decode(t, test.base), decode(t, test.head)) {
				got = append(got, f.Path+" | "+f.At+" | "+show(t, f.Before)+" | "+show(t, f.After))
			}
			if d := cmp.Diff(test.want, strings.Join(got, "\n")); d != "" {
				t.Errorf("fields (-want +got):\n%s", d)
			}
		})
	}
}

func show(t *testing.T, v any) string {
	t.Helper()
	if v == nil {
		return "-"
	}
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func FuzzFieldsApplied(f *testing.F) {
	for seed := range uint64(800) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		g := newGenerator(seed)
		base := g.object(4)
		head, ok := g.mutate(base).(map[string]any)
		if !ok {
			head = g.object(4)
		}
		found := fields(base, head)
		if got := apply(t, base, found); !equal(got, head) {
			t.Errorf("seed %d: base with the fields applied is not head\nbase %s\nhead %s\ngot  %s\nfields %s", seed, show(t, base), show(t, head), show(t, got), show(t, found))
		}
		if (len(found) == 0) != equalMaps(base, head) {
			t.Errorf("seed %d: %d fields, equal %v", seed, len(found), equalMaps(base, head))
		}
		if again := fields(base, head); show(t, again) != show(t, found) {
			t.Errorf("seed %d: a second comparison gives other fields", seed)
		}
	})
}

// apply makes the proposed content out of base's and the fields: removals first, from the back, as
// they have base's indexes; then everything else in its order. A list that changed its order is set
// whole, fields below it are passed over.
func apply(t *testing.T, base map[string]any, found []plan.Field) any {
	t.Helper()
	var root any = copyOf(base)
	var removals, ordered []plan.Field
	for _, f := range found {
		if f.After == nil {
			removals = append(removals, f)
		} else if strings.Contains(f.At, " (order)") {
			ordered = append(ordered, f)
		}
	}
	slices.SortFunc(removals, func(a, b plan.Field) int { return comparePointers(b.Path, a.Path) })
	for _, f := range removals {
		root = edit(t, root, tokens(f.Path), nil, true)
	}
	for _, f := range found {
		below := slices.ContainsFunc(ordered, func(o plan.Field) bool { return strings.HasPrefix(f.Path, o.Path+"/") })
		if f.After != nil && !below {
			root = edit(t, root, tokens(f.Path), f.After, f.Before == nil)
		}
	}
	return root
}

func tokens(pointer string) []string {
	all := strings.Split(pointer, "/")[1:]
	for i := range all {
		all[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(all[i])
	}
	return all
}

func comparePointers(a, b string) int {
	return slices.CompareFunc(tokens(a), tokens(b), func(a, b string) int {
		x, errX := strconv.Atoi(a)
		y, errY := strconv.Atoi(b)
		if errX == nil && errY == nil {
			return x - y
		}
		return strings.Compare(a, b)
	})
}

// edit sets a value, or with structural adds (value given) or removes (nil) one.
func edit(t *testing.T, at any, way []string, value any, structural bool) any {
	t.Helper()
	switch v := at.(type) {
	case map[string]any:
		switch {
		case len(way) > 1:
			v[way[0]] = edit(t, v[way[0]], way[1:], value, structural)
		case value == nil:
			delete(v, way[0])
		default:
			v[way[0]] = plain(value)
		}
		return v
	case []any:
		i, err := strconv.Atoi(way[0])
		if err != nil || i < 0 || i > len(v) {
			t.Fatalf("index %s in a list of %d", way[0], len(v))
		}
		switch {
		case len(way) > 1:
			v[i] = edit(t, v[i], way[1:], value, structural)
		case value == nil:
			return slices.Delete(v, i, i+1)
		case structural:
			return slices.Insert(v, i, plain(value))
		default:
			v[i] = plain(value)
		}
		return v
	}
	t.Fatalf("nothing at %v", way)
	return nil
}

// plain is a field's value as content has it.
func plain(v any) any {
	if _, ok := v.(null); ok {
		return nil
	}
	return copyOf(v)
}

func copyOf(v any) any {
	switch v := v.(type) {
	case map[string]any:
		m := map[string]any{}
		for key, value := range v {
			m[key] = copyOf(value)
		}
		return m
	case []any:
		list := []any{}
		for _, item := range v {
			list = append(list, copyOf(item))
		}
		return list
	}
	return v
}

func TestNumbers(t *testing.T) {
	tests := map[string]string{
		"1": "1", "1.0": "1", "10e-1": "1", "1E3": "1000", "-0": "0", "0.050": "0.05", "-12.5": "-12.5", "1e30": "1e30",
		"1e99999999999": "1e99999999999", "100": "100", "0.1e1": "1", "12345678901234567890": "12345678901234567890", "x": "x",
	}
	for number, want := range tests {
		if got := plainNumber(number); got != want {
			t.Errorf("plainNumber(%q) = %q, want %q", number, got, want)
		}
	}
	if !equal(1, json.Number("1.0")) || !equal(int64(2), 2.0) || equal(json.Number("1"), "1") || equal(json.Number("1"), true) {
		t.Error("numbers are not compared by value and type")
	}
}
