package render

import (
	"bytes"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// index knows where the objects and patches of an application are written.
type index struct {
	origins []origin
	patches []patch // overlay before base, in each file the last first
}

// origin is a document in which an object is written.
type origin struct {
	file       string
	line       int // of its kind
	node       *yaml.Node
	group      string
	kind, name string
	namespace  string
	of         *kustomization // that lists the file; nil for plain YAML
}

// patch is one patch: a strategic merge document or a list of JSON 6902 operations.
type patch struct {
	file   string
	shift  int // added to the node's lines: the patch is a text inside the file
	last   int // the file's last line
	node   *yaml.Node
	target *yaml.Node // nil: the document names its object
	of     *kustomization
}

// line is a line of the patch as a line of its file.
func (p patch) line(line int) int { return max(min(line+p.shift, p.last), 1) }

// newIndex indexes a kustomization and all that it includes.
func newIndex(c *closure) *index {
	ix := &index{}
	for _, k := range c.all {
		for _, key := range []string{"resources", "bases"} {
			for _, ref := range c.refs(k, key) {
				ix.addManifests(c.view, ref.path, k)
			}
		}
		ix.addPatches(c, k)
	}
	return ix
}

// addManifests indexes the objects of a file; what is no file is skipped.
func (ix *index) addManifests(v *view, file string, k *kustomization) {
	real, data, ok := readFile(v, file)
	if !ok {
		return
	}
	docs, _ := parseNodes(data) // the documents before an error still have their lines
	for _, doc := range docs {
		if len(doc.Content) > 0 {
			ix.addOrigin(real, dealias(doc.Content[0]), k)
		}
	}
}

// readFile is a file's path without symlinks and its content, if it can be read.
func readFile(v *view, file string) (string, []byte, bool) {
	if file == "" {
		return "", nil, false
	}
	at, err := v.resolve(file)
	if err != nil || at.kind != entryFile {
		return "", nil, false
	}
	data, err := v.read(at.real)
	return at.real, data, err == nil
}

func (ix *index) addOrigin(file string, n *yaml.Node, k *kustomization) {
	kindKey, kindValue := mapEntry(n, "kind")
	if kindKey == nil {
		return
	}
	kind := scalar(kindValue)
	if list := at(n, "items"); strings.HasSuffix(kind, "List") && list != nil {
		for _, item := range items(list) {
			ix.addOrigin(file, item, k)
		}
		return
	}
	metadata := at(n, "metadata")
	o := origin{file: file, line: kindKey.Line, node: n, kind: kind, of: k, name: scalar(at(metadata, "name")), namespace: scalar(at(metadata, "namespace"))}
	if o.name == "" {
		o.name = scalar(at(metadata, "generateName")) + "*"
	}
	if group, _, ok := strings.Cut(scalar(at(n, "apiVersion")), "/"); ok {
		o.group = group
	}
	ix.origins = append(ix.origins, o)
}

// addPatches indexes the patches of one kustomization, the last one first.
func (ix *index) addPatches(c *closure, k *kustomization) {
	var all []patch
	for _, n := range items(k.field("patchesStrategicMerge")) {
		if text := scalar(n); isInline(text) {
			all = append(all, inlinePatches(c.view, k, n, nil)...)
		} else {
			all = append(all, filePatches(c.view, k, c.ref(k, "patchesStrategicMerge", n, text).path, nil)...)
		}
	}
	for _, key := range []string{"patches", "patchesJson6902"} {
		for _, item := range items(k.field(key)) {
			target := at(item, "target")
			if text := at(item, "patch"); scalar(text) != "" {
				all = append(all, inlinePatches(c.view, k, text, target)...)
			} else if text := at(item, "path"); scalar(text) != "" {
				all = append(all, filePatches(c.view, k, c.ref(k, key, text, scalar(text)).path, target)...)
			}
		}
	}
	for i := len(all) - 1; i >= 0; i-- {
		ix.patches = append(ix.patches, all[i])
	}
}

func filePatches(v *view, k *kustomization, file string, target *yaml.Node) []patch {
	real, data, ok := readFile(v, file)
	if !ok {
		return nil
	}
	return toPatches(data, patch{file: real, last: lineCount(data), target: target, of: k})
}

// inlinePatches reads patches from a text in the kustomization file. A block scalar begins on the
// line after its node, any other on the same.
func inlinePatches(v *view, k *kustomization, n, target *yaml.Node) []patch {
	_, data, ok := readFile(v, k.file)
	if !ok {
		return nil
	}
	shift := n.Line - 1
	if n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		shift = n.Line
	}
	return toPatches([]byte(n.Value), patch{file: k.file, shift: shift, last: lineCount(data), target: target, of: k})
}

func toPatches(data []byte, like patch) []patch {
	docs, _ := parseNodes(data) // the documents before an error still have their lines
	var all []patch
	for _, doc := range docs {
		if len(doc.Content) > 0 {
			p := like
			p.node = dealias(doc.Content[0])
			all = append(all, p)
		}
	}
	return all
}

// lineCount is the number of lines of a file, at least 1.
func lineCount(data []byte) int {
	return max(1, bytes.Count(bytes.TrimSuffix(data, []byte("\n")), []byte("\n"))+1)
}

// subject is the rendered object that is looked for, with where it is written.
type subject struct {
	group, kind, name, stem, namespace string
	content                            map[string]any
	origin                             *origin
}

// names are the names under which patches and entries may know the object.
func (s subject) names() []string {
	names := []string{s.name}
	if s.stem != "" {
		names = append(names, s.stem)
	}
	if s.origin != nil && s.origin.name != "" {
		names = append(names, s.origin.name)
	}
	return names
}

// patchedBy says whether a patch is for the object.
func (s subject) patchedBy(p patch) bool {
	if p.target != nil {
		return s.selectedBy(p.target)
	}
	return scalar(at(p.node, "kind")) == s.kind && s.isCalled(scalar(at(at(p.node, "metadata"), "name")))
}

// isCalled says whether a name in a file can be that of the object: exactly, or as the part of the
// final name that prefixes and suffixes leave.
func (s subject) isCalled(name string) bool {
	if s.origin != nil {
		return name != "" && (name == s.origin.name || name == s.name || name == s.stem)
	}
	return name != "" && strings.Contains(s.name, name)
}

// selectedBy says whether a patch's target selects the object, as far as that can be seen without
// labels.
func (s subject) selectedBy(target *yaml.Node) bool {
	group := at(target, "group")
	if group != nil && scalar(group) != s.group || !matches(scalar(at(target, "kind")), s.kind) || !matches(scalar(at(target, "namespace")), s.namespace) && s.origin == nil {
		return false
	}
	want := scalar(at(target, "name"))
	for _, name := range s.names() {
		if matches(want, name) {
			return true
		}
	}
	return s.origin == nil && s.isCalled(want)
}

// matches says whether an anchored regular expression matches; an empty one matches all.
func matches(expression, text string) bool {
	if expression == "" || expression == text {
		return true
	}
	re, err := regexp.Compile("^(?:" + expression + ")$")
	return err == nil && re.MatchString(text)
}

// find is the best origin of a rendered object, nil when none can be it.
func (ix *index) find(s subject) *origin {
	best, most := -1, 0
	for i, o := range ix.origins {
		if score := o.score(s); score > most {
			best, most = i, score
		}
	}
	if best < 0 {
		return nil
	}
	return &ix.origins[best]
}

// score says how well an origin fits: not at all, by a part of the name, by the whole name.
func (o origin) score(s subject) int {
	if o.kind != s.kind || o.group != s.group || o.name == "" {
		return 0
	}
	score := 0
	switch {
	case o.name == s.name || o.name == s.stem:
		score = 10_000
	case o.of != nil && strings.Contains(s.name, o.name):
		score = 10 + len(o.name)
	default:
		return 0
	}
	if o.namespace == s.namespace && o.namespace != "" {
		score += 1000
	}
	return score
}
