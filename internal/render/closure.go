package render

import (
	"fmt"
	"path"
	"strings"

	"go.yaml.in/yaml/v3"
)

// kustomization is one kustomization file as it is written, with the lines of its parts.
type kustomization struct {
	dir       string     // without symlinks
	file      string     // path of the file
	node      *yaml.Node // its mapping, nil when it cannot be read
	children  []child    // the directories that it includes, resources first
	component bool
}

// child is a directory that a kustomization includes.
type child struct {
	entry entryRef
	of    *kustomization
}

// entryRef is one entry of a kustomization file that names a file or directory.
type entryRef struct {
	key  string     // resources, patches, configMapGenerator, ...
	node *yaml.Node // the scalar
	text string     // as written, without "key=" of a generator
	path string     // from the root of the tree; "" when it leaves the tree or is remote
}

// closure is everything that a kustomization includes, overlay before base.
type closure struct {
	view     *view
	all      []*kustomization
	byDir    map[string]*kustomization
	problems []*Error
	guessed  bool // the problem is known from the renderer's words, the entry that has it is not
}

// recognizedNames are the names that kustomize looks for, in its order.
func recognizedNames() []string {
	return []string{"kustomization.yaml", "kustomization.yml", "Kustomization"}
}

// maxIncludes bounds how deep kustomizations may include each other.
const maxIncludes = 100

// loadClosure reads the kustomization at dir and all that it includes. What is wrong is in
// problems, in the order in which a reader meets it.
func loadClosure(v *view, dir string) *closure {
	c := &closure{view: v, byDir: map[string]*kustomization{}}
	at, err := v.resolve(dir)
	switch {
	case err != nil:
		return c // remembered by the view
	case at.kind != entryDir:
		c.problem("", 0, "%s: the directory does not exist", display(dir))
		return c
	}
	c.load(at.real, entryRef{}, nil)
	return c
}

func (c *closure) problem(file string, line int, format string, args ...any) {
	c.problems = append(c.problems, &Error{Class: ClassInput, File: file, Line: line, Message: fmt.Sprintf(format, args...)})
}

// guess is a problem whose place is not known for sure.
func (c *closure) guess(file string, line int, format string, args ...any) {
	c.guessed = true
	c.problem(file, line, format, args...)
}

func (c *closure) unsupported(k *kustomization, n *yaml.Node, format string, args ...any) {
	c.problems = append(c.problems, &Error{Class: ClassUnsupported, File: k.file, Line: n.Line, Message: fmt.Sprintf(format, args...)})
}

// load reads the kustomization of a directory that exists; by is the entry that named it.
func (c *closure) load(dir string, by entryRef, stack []*kustomization) *kustomization {
	if known := c.byDir[dir]; known != nil {
		return known
	}
	k := &kustomization{dir: dir, file: dir}
	c.byDir[dir] = k
	c.all = append(c.all, k)
	found := c.find(k, by, stack)
	if !found {
		return k
	}
	k.component = scalar(k.field("kind")) == "Component"
	c.checkFields(k)
	c.checkEntries(k)
	stack = append(stack, k)
	for _, key := range []string{"resources", "bases", "components"} {
		for _, ref := range c.refs(k, key) {
			c.include(k, ref, stack)
		}
	}
	return k
}

// find reads the one kustomization file of the directory.
func (c *closure) find(k *kustomization, by entryRef, stack []*kustomization) bool {
	var names []string
	for _, name := range recognizedNames() {
		if c.view.kind(path.Join(k.dir, name)) == entryFile {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		if len(stack) == 0 {
			c.problem("", 0, "%s: the directory holds no kustomization.yaml: add one", display(k.dir))
		} else {
			from := stack[len(stack)-1]
			c.problem(from.file, by.node.Line, "%s: the directory %q holds no kustomization.yaml: add one or name its files", by.key, clip(by.text))
		}
		return false
	}
	k.file = path.Join(k.dir, names[0])
	if len(names) > 1 {
		c.problem(k.file, 1, "the directory has two kustomization files, %s and %s: keep one", names[0], names[1])
	}
	data, err := c.view.read(k.file)
	if err != nil {
		return false
	}
	return c.parse(k, data)
}

func (c *closure) parse(k *kustomization, data []byte) bool {
	if line := invalidUTF8(data); line > 0 {
		c.problem(k.file, line, "not valid UTF-8: save the file as UTF-8")
		return false
	}
	docs, err := parseNodes(data)
	if err != nil {
		line, message := findSyntaxError(data, err)
		c.problem(k.file, line, "%s", message)
	}
	if len(docs) == 0 || len(docs[0].Content) == 0 {
		if err == nil {
			c.problem(k.file, 1, "the kustomization is empty: add resources or remove it")
		}
		return false
	}
	k.node = dealias(docs[0].Content[0])
	if k.node.Kind != yaml.MappingNode {
		c.problem(k.file, k.node.Line, "not a kustomization: want keys such as resources")
		k.node = nil
	}
	return k.node != nil
}

// include follows a resource or component that is a directory.
func (c *closure) include(k *kustomization, ref entryRef, stack []*kustomization) {
	if ref.path == "" || c.view.kind(ref.path) != entryDir {
		return
	}
	at, err := c.view.resolve(ref.path)
	if err != nil {
		return
	}
	for _, visited := range stack {
		if within(visited.dir, at.real) {
			c.problem(k.file, ref.node.Line, "%s: %q closes a cycle: %s is already being built by way of %s; remove one of the two", ref.key, clip(ref.text), display(at.real), trail(stack))
			return
		}
	}
	if len(stack) > maxIncludes {
		c.problem(k.file, ref.node.Line, "%s: kustomizations include each other more than %d levels deep", ref.key, maxIncludes)
		return
	}
	base := c.load(at.real, ref, stack)
	k.children = append(k.children, child{entry: ref, of: base})
	if base.node == nil {
		return
	}
	switch {
	case ref.key == "components" && !base.component:
		c.problem(k.file, ref.node.Line, "components: %q is not of kind Component: list it under resources", clip(ref.text))
	case ref.key != "components" && base.component:
		c.problem(k.file, ref.node.Line, "%s: %q is of kind Component: list it under components", ref.key, clip(ref.text))
	}
}

// clip keeps what an error quotes from a file short.
func clip(text string) string {
	const longest = 200
	if len(text) <= longest {
		return text
	}
	return strings.ToValidUTF8(text[:longest], "") + "…"
}

// within says whether dir is at or below parent.
func within(dir, parent string) bool {
	return parent == "." || dir == parent || strings.HasPrefix(dir, parent+"/")
}

func display(dir string) string {
	if dir == "." {
		return "the root of the repository"
	}
	return dir
}

func trail(stack []*kustomization) string {
	files := make([]string, 0, len(stack))
	for _, k := range stack {
		files = append(files, k.file)
	}
	return strings.Join(files, ", ")
}

// field is the value of a top-level key; kustomize does not tell upper from lower case.
func (k *kustomization) field(name string) *yaml.Node {
	if k.node == nil {
		return nil
	}
	if _, value := mapEntry(k.node, name); value != nil {
		return value
	}
	for i := 0; i+1 < len(k.node.Content); i += 2 {
		if strings.EqualFold(k.node.Content[i].Value, name) {
			return dealias(k.node.Content[i+1])
		}
	}
	return nil
}

// scalar is the text of a scalar node, "" for all else.
func scalar(n *yaml.Node) string {
	if n = dealias(n); n == nil || n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		return ""
	}
	return n.Value
}

// items are the elements of a sequence node, none for all else.
func items(n *yaml.Node) []*yaml.Node {
	if n = dealias(n); n == nil || n.Kind != yaml.SequenceNode {
		return nil
	}
	list := make([]*yaml.Node, 0, len(n.Content))
	for _, item := range n.Content {
		if item = dealias(item); item != nil {
			list = append(list, item)
		}
	}
	return list
}

// at is the value of a key of a mapping node, nil when there is none.
func at(n *yaml.Node, key string) *yaml.Node {
	_, value := mapEntry(n, key)
	return value
}

// refs are the entries of a key whose elements are paths.
func (c *closure) refs(k *kustomization, key string) []entryRef {
	var refs []entryRef
	for _, n := range items(k.field(key)) {
		if text := scalar(n); text != "" {
			refs = append(refs, c.ref(k, key, n, text))
		}
	}
	return refs
}

func (c *closure) ref(k *kustomization, key string, n *yaml.Node, text string) entryRef {
	ref := entryRef{key: key, node: n, text: text}
	if joined := path.Join(k.dir, text); !path.IsAbs(text) && joined != ".." && !strings.HasPrefix(joined, "../") && len(joined) <= maxPath {
		ref.path = joined
	}
	return ref
}

// files are the entries that name single files: patches, replacements, schemas, generator sources.
func (c *closure) files(k *kustomization) []entryRef {
	var refs []entryRef
	add := func(key string, n *yaml.Node) {
		if text := scalar(n); text != "" {
			refs = append(refs, c.ref(k, key, n, text))
		}
	}
	for _, key := range []string{"crds", "configurations"} {
		refs = append(refs, c.refs(k, key)...)
	}
	for _, ref := range c.refs(k, "patchesStrategicMerge") {
		if !isInline(ref.text) {
			refs = append(refs, ref)
		}
	}
	for _, key := range []string{"patches", "patchesJson6902", "replacements"} {
		for _, item := range items(k.field(key)) {
			add(key, at(item, "path"))
		}
	}
	add("openapi", at(k.field("openapi"), "path"))
	for _, key := range []string{"configMapGenerator", "secretGenerator"} {
		for _, item := range items(k.field(key)) {
			refs = append(refs, c.sources(k, key, item)...)
		}
	}
	return refs
}

// sources are the files of one generator.
func (c *closure) sources(k *kustomization, key string, item *yaml.Node) []entryRef {
	var refs []entryRef
	for _, n := range items(at(item, "files")) {
		text := scalar(n)
		if name, file, named := strings.Cut(text, "="); named && name != "" {
			text = file
		}
		if text != "" {
			refs = append(refs, c.ref(k, key, n, text))
		}
	}
	for _, n := range append(items(at(item, "envs")), at(item, "env")) {
		if text := scalar(n); text != "" {
			refs = append(refs, c.ref(k, key, n, text))
		}
	}
	return refs
}

// isInline says whether an entry is YAML itself and not a path.
func isInline(text string) bool {
	return strings.ContainsAny(text, "\n{") || strings.Contains(text, ": ")
}
