package render

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// diagnose says why kustomize failed in words that name file, line, key and the way out. It looks
// for the reason itself; where it finds none, it reads kustomize's words. These are in the error only
// where ours do not name the entry that is wrong.
func diagnose(v *view, dir string, cause error) error {
	c := loadClosure(v, dir)
	problem := c.diagnosis(cause.Error())
	if problem == nil {
		c.guessed = true
		problem = &Error{Class: ClassInput, Message: display(dir) + ": kustomize cannot build this"}
		if len(c.all) > 0 && c.all[0].node != nil {
			problem.File, problem.Message = c.all[0].file, "kustomize cannot build this"
		}
	}
	found := *problem
	if c.guessed {
		found.Detail = tidy(cause.Error())
	}
	return &found
}

// diagnosis is the first problem of the closure that explains the failure, nil without one.
func (c *closure) diagnosis(message string) *Error {
	if len(c.problems) == 0 {
		c.checkManifests()
	}
	if len(c.problems) == 0 && len(c.view.refused) > 0 {
		return c.view.refused[0]
	}
	for _, explain := range []func(string) bool{c.explainPlugin, c.explainDuplicateKey, c.explainDuplicate, c.explainTarget, c.explainPatch, c.explainGenerator} {
		if len(c.problems) > 0 || explain(message) {
			break
		}
	}
	if len(c.problems) == 0 {
		return nil
	}
	return c.problems[0]
}

// checkManifests finds files that are no YAML or hold what is no object.
func (c *closure) checkManifests() {
	for _, k := range c.all {
		for _, ref := range c.refs(k, "resources") {
			c.checkManifest(ref.path, true)
		}
		c.checkInline(k)
		for _, ref := range c.files(k) {
			if ref.key == "patches" || ref.key == "patchesJson6902" || ref.key == "patchesStrategicMerge" {
				c.checkManifest(ref.path, false)
			}
		}
	}
}

func (c *closure) checkManifest(file string, objects bool) {
	if file == "" || c.view.kind(file) != entryFile {
		return
	}
	data, err := c.view.read(file)
	if err != nil {
		return // remembered by the view
	}
	if line := invalidUTF8(data); line > 0 {
		c.problem(file, line, "not valid UTF-8: save the file as UTF-8")
		return
	}
	docs, err := parseNodes(data)
	if err != nil {
		line, message := findSyntaxError(data, err)
		c.problem(file, line, "%s", message)
		return
	}
	for i, doc := range docs {
		if objects && len(doc.Content) > 0 {
			c.checkObject(file, i+1, doc.Content[0])
		}
	}
}

// checkInline finds patches in a kustomization that are none.
func (c *closure) checkInline(k *kustomization) {
	for _, item := range items(k.field("patches")) {
		n := at(item, "patch")
		text := scalar(n)
		switch {
		case text == "":
			continue
		case scalar(at(item, "path")) != "":
			c.problem(k.file, item.Line, "patches: the entry has both patch and path: keep one")
			continue
		}
		for _, p := range inlinePatches(c.view, k, n, nil) {
			if p.node.Kind == yaml.MappingNode && at(p.node, "kind") != nil && at(p.node, "metadata") != nil || p.node.Kind == yaml.SequenceNode {
				continue
			}
			c.problem(k.file, p.line(p.node.Line), "patches: the patch is neither a strategic merge patch (an object with apiVersion, kind and metadata.name) nor a list of JSON 6902 operations")
		}
	}
}

// checkObject finds a document that is not an object.
func (c *closure) checkObject(file string, number int, n *yaml.Node) {
	kind := scalar(at(n, "kind"))
	switch {
	case n.Kind == yaml.ScalarNode && n.Tag == "!!null", len(n.Content) == 0 && n.Kind == yaml.MappingNode:
	case n.Kind != yaml.MappingNode:
		c.problem(file, n.Line, "document %d is not a Kubernetes object: want a mapping with apiVersion, kind and metadata", number)
	case kind == "":
		c.problem(file, n.Line, "document %d has no kind: every object needs apiVersion, kind and metadata.name", number)
	case !strings.HasSuffix(kind, "List") && scalar(at(at(n, "metadata"), "name")) == "":
		c.problem(file, n.Line, "document %d, a %s, has no metadata.name: kustomize needs one for every object", number, kind)
	}
}

var (
	duplicateID   = regexp.MustCompile(`may not add resource with an already registered id: ([^\s'"]+)`)
	missingTarget = regexp.MustCompile(`no (?:resource matches strategic merge patch "([^"]+)"|matches for Id ([^\s;'"]+))`)
	failedPath    = regexp.MustCompile(`(?:missing (?:key|path): |error in remove for path: |testing (?:value|path) )['"]?(/[^\s:'"]*)`)
	failedOp      = regexp.MustCompile(`(?:add|remove|replace|test|move|copy) operation does not apply|error in remove for path|testing (?:value|path) \S+ failed`)
	badPatch      = regexp.MustCompile(`unable to parse SM or JSON patch from \[path: "?\\?"?([^"\\\]]+)`)
	plugin        = regexp.MustCompile(`unable to load external plugin '?([^\s']+)'`)
	badLiteral    = regexp.MustCompile(`invalid literal source`)
	badBehavior   = regexp.MustCompile(`does not exist; cannot merge or replace|behavior must be merge or replace`)
	badKey        = regexp.MustCompile(`is not a valid key name|is not a valid (?:secret|configmap) key|a valid environment variable name`)
)

// explainPlugin names the entry that leads to a plugin by way of a directory.
func (c *closure) explainPlugin(message string) bool {
	m := plugin.FindStringSubmatch(message)
	if m == nil {
		return false
	}
	for _, k := range c.all {
		for _, key := range []string{"generators", "transformers", "validators"} {
			for _, ref := range c.refs(k, key) {
				if ref.path != "" && c.view.kind(ref.path) == entryDir {
					c.unsupported(k, ref.node, "%s: %s is a plugin: "+neverRun, key, pluginName(ref, m[1]))
					return true
				}
			}
		}
	}
	return false
}

// splitID takes kustomize's Kind.version.group/name.namespace apart.
func splitID(id string) (kind, name string) {
	kind, rest, _ := strings.Cut(id, "/")
	kind, _, _ = strings.Cut(kind, ".")
	if i := strings.LastIndex(rest, "."); i >= 0 {
		rest = rest[:i]
	}
	return kind, rest
}

// explainDuplicateKey names the line of a manifest at which a key is there again. Kustomize only
// notices when it prints the object.
func (c *closure) explainDuplicateKey(message string) bool {
	if !duplicateKey.MatchString(message) {
		return false
	}
	for _, k := range c.all {
		for _, ref := range c.refs(k, "resources") {
			data, err := c.view.read(ref.path)
			if err != nil || c.view.kind(ref.path) != entryFile {
				continue
			}
			docs, err := parseNodes(data)
			if err != nil {
				continue
			}
			for _, doc := range docs {
				if key := repeatedKey(doc, 0); key != nil {
					c.problem(ref.path, key.Line, "the key %q is there twice: remove one", clip(key.Value))
					return true
				}
			}
		}
	}
	return false
}

// repeatedKey is the first key below a node that its mapping has already.
func repeatedKey(n *yaml.Node, depth int) *yaml.Node {
	if depth > maxDepth {
		return nil
	}
	seen := map[string]bool{}
	for i, child := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 {
			if child.Kind == yaml.ScalarNode && seen[child.Value] {
				return child
			}
			seen[child.Value] = true
		}
		if key := repeatedKey(child, depth+1); key != nil {
			return key
		}
	}
	return nil
}

// explainDuplicate names the files in which the same object is.
func (c *closure) explainDuplicate(message string) bool {
	m := duplicateID.FindStringSubmatch(message)
	if m == nil {
		return false
	}
	kind, name := splitID(m[1])
	var places []string
	last := origin{file: c.all[0].file, line: 1}
	for _, o := range newIndex(c).origins {
		if o.kind == kind && o.name == name {
			places = append(places, fmt.Sprintf("%s:%d", o.file, o.line))
			last = o
		}
	}
	switch places = slices.Compact(places); {
	case len(places) > 1:
		c.problem(last.file, last.line, "%s/%s is there more than once: in %s; remove or rename all but one", kind, name, strings.Join(places, " and "))
	case len(places) == 1:
		c.problem(last.file, last.line, "%s/%s is included more than once: list its directory or file once", kind, name)
	default:
		c.guess(last.file, last.line, "%s/%s is there more than once: remove or rename all but one", kind, name)
	}
	return true
}

// explainTarget names the patch that matches nothing.
func (c *closure) explainTarget(message string) bool {
	m := missingTarget.FindStringSubmatch(message)
	if m == nil {
		return false
	}
	kind, name := splitID(m[1] + m[2])
	for _, p := range newIndex(c).patches {
		if p.target == nil && scalar(at(p.node, "kind")) == kind && scalar(at(at(p.node, "metadata"), "name")) == name {
			c.problem(p.file, p.line(p.node.Line), "the patch matches nothing: no object %s/%s is in the resources of %s; correct kind, name or namespace, or remove the patch", kind, name, p.of.file)
			return true
		}
	}
	c.guess(c.all[0].file, 1, "nothing matches %s/%s: correct kind, name or namespace, or remove the entry", kind, name)
	return true
}

// explainPatch names the patch that cannot be read or applied.
func (c *closure) explainPatch(message string) bool {
	if m := badPatch.FindStringSubmatch(message); m != nil {
		for _, k := range c.all {
			if ref := c.fileRef(k, m[1]); ref != nil {
				c.problem(k.file, ref.node.Line, "%s: %q is neither a strategic merge patch (an object with apiVersion, kind and metadata.name) nor a list of JSON 6902 operations", ref.key, clip(ref.text))
				return true
			}
		}
	}
	if !failedOp.MatchString(message) {
		return false
	}
	spot := ""
	if m := failedPath.FindStringSubmatch(message); m != nil {
		spot = m[1]
	}
	for _, p := range newIndex(c).patches {
		for _, op := range items(p.node) {
			if to := scalar(at(op, "path")); spot != "" && (to == spot || strings.HasPrefix(to, spot+"/")) {
				c.problem(p.file, p.line(op.Line), "the patch does not apply: its target has nothing, or not what is expected, at %q; correct the operation or remove it", to)
				return true
			}
		}
	}
	c.guess(c.all[0].file, 1, "a JSON 6902 patch does not apply: its target has nothing, or not what is expected, at the path of an operation; correct the path or the target")
	return true
}

func (c *closure) fileRef(k *kustomization, text string) *entryRef {
	for _, ref := range c.files(k) {
		if ref.text == text {
			return &ref
		}
	}
	return nil
}

// explainGenerator names the generator that kustomize complains of.
func (c *closure) explainGenerator(message string) bool {
	var problem string
	switch {
	case badLiteral.MatchString(message):
		problem = "a literal must be KEY=VALUE"
	case badBehavior.MatchString(message):
		problem = "behavior must be create where no such object is in the resources, and merge or replace where one is"
	case badKey.MatchString(message):
		problem = "a key may have letters, digits, '-', '_' and '.' only"
	default:
		return false
	}
	for _, k := range c.all {
		for _, key := range []string{"secretGenerator", "configMapGenerator"} {
			for _, item := range items(k.field(key)) {
				if line := suspect(item, problem); line > 0 {
					c.guess(k.file, line, "%s %q: %s", key, scalar(at(item, "name")), problem)
					return true
				}
			}
		}
	}
	return false
}

// suspect is the line of a generator that a problem can be of, 0 for none.
func suspect(item *yaml.Node, problem string) int {
	for _, literal := range items(at(item, "literals")) {
		if name, _, ok := strings.Cut(scalar(literal), "="); strings.HasPrefix(problem, "a literal") && (!ok || name == "") {
			return literal.Line
		}
	}
	switch {
	case strings.HasPrefix(problem, "behavior") && at(item, "behavior") != nil:
		return at(item, "behavior").Line
	case strings.HasPrefix(problem, "a literal"):
		return 0
	}
	return item.Line
}

// dumps are the places at which kustomize quotes whole objects or files.
var dumps = []struct {
	what *regexp.Regexp
	with string
}{
	{regexp.MustCompile(`(?s)( in object) .*`), "$1 …"},
	{regexp.MustCompile("(?s)(with config:) `.*?`: "), "$1 …: "},
	{regexp.MustCompile("(?s)(with config:) `.*`"), "$1 …"},
	{regexp.MustCompile(`(?s)(must specify one of patch and path in|patch and path can't be set at the same time)\n.*`), "$1 …"},
	{regexp.MustCompile(`(?s)\[patch: "(?:[^"\\]|\\.)*"\]`), "[inline patch]"},
	{regexp.MustCompile(`(?s)\[patch: \\"(?:[^"\\]|\\.)*?\\"\]`), "[inline patch]"},
	{regexp.MustCompile(`(?s)(merging from generator) &\{.*\}(: )`), "$1$2"},
	{regexp.MustCompile(`(?s)(literal sources) \[.*\](: )`), "$1$2"},
	{regexp.MustCompile(`(?s)(invalid literal source) .*(, expected)`), "$1$2"},
	{regexp.MustCompile(`(?s)(patch appears to be empty; files=\S*, Patch=).*`), "$1…"},
	{regexp.MustCompile(`(?s)(nodes unequal:|unequal references - self:).*`), "$1 …"},
	{regexp.MustCompile(`\[(?:\d{1,3} ){7,}\d{1,3}\]`), "…"}, // bytes as numbers
	{regexp.MustCompile("`[^`\n]*\\.\\.\\.`"), "…"},          // the beginning of a value
	{unknownAlias, "unknown anchor referenced"},              // a value that begins with "*" looks like one
	{regexp.MustCompile(`(?s)(node contents:).*`), "$1 …"},
	{regexp.MustCompile(`(has invalid utf8 bytes) : [^\n]*`), "$1"},
}

const maxDetail = 2 << 10

// tidy makes kustomize's words fit for people: repository paths, no dumps, one line, bounded.
func tidy(message string) string {
	const longest = 64 << 10
	if len(message) > longest {
		message = message[:longest]
	}
	for _, dump := range dumps {
		message = dump.what.ReplaceAllString(message, dump.with)
	}
	message = strings.ReplaceAll(message, root+"/", "")
	message = strings.ReplaceAll(message, root, ".")
	message = strings.Join(strings.Fields(strings.ToValidUTF8(message, "?")), " ")
	return scrubURLs(message)
}

// shorten bounds a text; it comes after scrubbing, which must see whole values.
func shorten(message string) string {
	if len(message) <= maxDetail {
		return message
	}
	return strings.ToValidUTF8(string(bytes.TrimSpace([]byte(message[:maxDetail]))), "") + " …"
}
