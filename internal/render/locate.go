package render

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/mergegate/mergegate/internal/manifest"
)

// locateAll answers the queries of a request, nil where nothing is known.
func locateAll(v *view, req wireRequest) []*manifest.Location {
	l := &locator{view: v}
	if req.Type == TypeYAML {
		l.index = &index{}
		for _, file := range req.Files {
			l.index.addManifests(v, file, nil)
		}
	} else {
		c := loadClosure(v, req.Path)
		l.closure, l.index = c, newIndex(c)
	}
	subjects := make([]subject, len(req.Objects))
	for i, object := range req.Objects {
		subjects[i] = l.subject(object)
	}
	locations := make([]*manifest.Location, len(req.Queries))
	for i, q := range req.Queries {
		if q.Object >= 0 && q.Object < len(subjects) {
			locations[i] = l.locate(subjects[q.Object], tokens(q.Pointer))
		}
	}
	return locations
}

// locator finds the lines that set fields.
type locator struct {
	view    *view
	closure *closure // nil for plain YAML
	index   *index
}

func (l *locator) subject(object manifest.Object) subject {
	s := subject{group: object.ID.Group, kind: object.ID.Kind, name: object.ID.Name, stem: object.Stem, namespace: object.ID.Namespace, content: object.Content}
	s.origin = l.index.find(s)
	return s
}

// tokens are the unescaped parts of a JSON pointer.
func tokens(pointer string) []string {
	if pointer == "" {
		return nil
	}
	parts := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	for i, part := range parts {
		parts[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
	}
	return parts
}

// locate asks the layers from the overlay down: what kustomization fields set after patches, the
// patches, the generators, then the object's own document.
func (l *locator) locate(s subject, pointer []string) *manifest.Location {
	if l.closure != nil {
		for _, k := range l.layers(s) {
			if at := l.inLayer(k, s, pointer); at != nil {
				return at
			}
		}
	}
	if s.origin == nil {
		return nil
	}
	line, _ := deepest(s.origin.node, pointer, s.content)
	if line == 0 || len(pointer) == 0 {
		line = s.origin.line
	}
	return &manifest.Location{File: s.origin.file, Line: line, Via: "resource"}
}

// layers are the kustomizations that can have touched the object: those that include its document,
// directly or not, and components.
func (l *locator) layers(s subject) []*kustomization {
	if s.origin == nil || s.origin.of == nil {
		return l.closure.all
	}
	var layers []*kustomization
	for _, k := range l.closure.all {
		if k.component || k.includes(s.origin.of, map[*kustomization]bool{}) {
			layers = append(layers, k)
		}
	}
	return layers
}

// includes says whether k is, or includes, the other.
func (k *kustomization) includes(other *kustomization, seen map[*kustomization]bool) bool {
	if k == other {
		return true
	}
	for _, c := range k.children {
		if !seen[c.of] {
			seen[c.of] = true
			if c.of.includes(other, seen) {
				return true
			}
		}
	}
	return false
}

func (l *locator) inLayer(k *kustomization, s subject, pointer []string) *manifest.Location {
	if n, via := k.setter(s, pointer); n != nil {
		return &manifest.Location{File: k.file, Line: n.Line, Via: via}
	}
	for _, p := range l.index.patches {
		if p.of != k || len(pointer) == 0 || !s.patchedBy(p) {
			continue
		}
		if line := p.sets(pointer, s); line > 0 {
			return &manifest.Location{File: p.file, Line: p.line(line), Via: "patch"}
		}
	}
	return l.inGenerator(k, s, pointer)
}

// sets is the line at which a patch sets the field or something that holds it, 0 when it does not.
func (p patch) sets(pointer []string, s subject) int {
	if p.node.Kind == yaml.SequenceNode {
		return p.operation(pointer, s)
	}
	if pointer[0] == "apiVersion" || pointer[0] == "kind" {
		return 0
	}
	if len(pointer) == 2 && pointer[0] == "metadata" && (pointer[1] == "name" || pointer[1] == "namespace") {
		return 0 // there they only say which object is meant
	}
	line, whole := deepest(p.node, pointer, s.content)
	if !whole {
		return 0
	}
	return line
}

// operation is the line of the last JSON 6902 operation that sets the field.
func (p patch) operation(pointer []string, s subject) int {
	found := 0
	for _, op := range items(p.node) {
		path := tokens(scalar(at(op, "path")))
		if scalar(at(op, "op")) == "test" || len(path) == 0 || len(path) > len(pointer) || !covers(path, pointer, at(op, "value"), s.content) {
			continue
		}
		found = op.Line
		rendered := descend(s.content, pointer[:len(path)])
		if line, whole := deepest(at(op, "value"), pointer[len(path):], rendered); whole && line > 0 {
			found = line
		}
	}
	return found
}

// covers says whether an operation's path is the pointer's or leads to it. "-" is the list's end:
// the item that is there now must look like the operation's value.
func covers(path, pointer []string, value *yaml.Node, content any) bool {
	for i, token := range path {
		if token == pointer[i] {
			continue
		}
		if token != "-" || !similar(value, descend(content, pointer[:i+1])) {
			return false
		}
	}
	return true
}

// deepest follows a pointer into a node as far as it goes: the line of the last key or item, 0 when
// not even the first is there, and whether that sets the field: the pointer's end or a value that
// cannot be descended into.
func deepest(n *yaml.Node, pointer []string, rendered any) (line int, whole bool) {
	if n = dealias(n); n == nil {
		return 0, false
	}
	if len(pointer) == 0 {
		return n.Line, true
	}
	for i, token := range pointer {
		key, next := step(n, token, rendered)
		if next == nil {
			return line, i > 0 && n.Kind == yaml.ScalarNode
		}
		line, n = key.Line, next
		rendered = descend(rendered, []string{token})
	}
	return line, true
}

// step is the child of a node that a pointer's token means, and the node that marks its line.
func step(n *yaml.Node, token string, rendered any) (mark, child *yaml.Node) {
	switch n.Kind {
	case yaml.MappingNode:
		if key, value := mapEntry(n, token); key != nil {
			return key, value
		}
		for _, merged := range mergedMaps(n) {
			if key, value := mapEntry(merged, token); key != nil {
				return key, value
			}
		}
	case yaml.SequenceNode:
		index, err := strconv.Atoi(token)
		if err != nil {
			return nil, nil
		}
		item := pick(items(n), index, descend(rendered, []string{token}))
		return item, item
	}
	return nil, nil
}

// mergedMaps are the mappings that "<<" merges into a mapping.
func mergedMaps(n *yaml.Node) []*yaml.Node {
	_, value := mapEntry(n, "<<")
	if value != nil && value.Kind == yaml.SequenceNode {
		return items(value)
	}
	if value != nil {
		return []*yaml.Node{value}
	}
	return nil
}

// pick is the item of a written list that became the rendered item: the one that looks like it,
// or, when the rendered item is not known, the one at its index.
func pick(list []*yaml.Node, index int, rendered any) *yaml.Node {
	for _, item := range list {
		if rendered != nil && similar(item, rendered) {
			return item
		}
	}
	if index < 0 || index >= len(list) {
		return nil
	}
	if _, named := mergeKey(rendered); named && hasMergeKey(list[index]) {
		return nil // that one is another item
	}
	return list[index]
}

// mergeKeys are the fields by which Kubernetes tells the items of a list apart, the most telling
// first.
func mergeKeys() []string {
	return []string{"name", "containerPort", "port", "mountPath", "devicePath", "topologyKey", "key", "ip", "uid", "host", "path", "type"}
}

func mergeKey(rendered any) (string, bool) {
	object, _ := rendered.(map[string]any)
	for _, key := range mergeKeys() {
		if _, ok := object[key]; ok {
			return key, true
		}
	}
	return "", false
}

func hasMergeKey(n *yaml.Node) bool {
	for _, key := range mergeKeys() {
		if at(n, key) != nil {
			return true
		}
	}
	return false
}

// similar says whether a written item is the rendered one: the same merge key, or the same scalar.
func similar(n *yaml.Node, rendered any) bool {
	if n = dealias(n); n == nil {
		return false
	}
	if n.Kind == yaml.ScalarNode {
		return n.Value == plain(rendered)
	}
	object, ok := rendered.(map[string]any)
	key, named := mergeKey(rendered)
	return ok && named && at(n, key) != nil && scalar(at(n, key)) == plain(object[key])
}

// plain is a JSON scalar as it is written.
func plain(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case interface{ String() string }:
		return v.String()
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return "\x00" // like nothing that can be written
}

// descend is the value at a pointer, nil when there is none.
func descend(value any, pointer []string) any {
	for _, token := range pointer {
		switch v := value.(type) {
		case map[string]any:
			value = v[token]
		case []any:
			index, err := strconv.Atoi(token)
			if err != nil || index < 0 || index >= len(v) {
				return nil
			}
			value = v[index]
		default:
			return nil
		}
	}
	return value
}
