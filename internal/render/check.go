package render

import (
	"fmt"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
	"sigs.k8s.io/kustomize/api/types"
	sigsyaml "sigs.k8s.io/yaml"
)

// firstRefusal is what kustomize must not even try: to fetch, to inflate a chart, to run a plugin.
func firstRefusal(v *view, dir string) error {
	for _, problem := range loadClosure(v, dir).problems {
		if problem.Class == ClassUnsupported {
			return problem
		}
	}
	return nil
}

// checkEntries finds entries that are remote, missing or out of reach.
func (c *closure) checkEntries(k *kustomization) {
	for _, key := range []string{"resources", "bases", "components"} {
		for _, ref := range c.refs(k, key) {
			c.checkResource(k, ref)
		}
	}
	for _, ref := range c.files(k) {
		c.checkFile(k, ref)
	}
	c.checkCharts(k)
	for _, key := range []string{"generators", "transformers", "validators"} {
		for _, ref := range c.refs(k, key) {
			c.checkPlugin(k, ref)
		}
	}
}

const wayOutOfRemote = "remote bases and files are not supported yet and nothing is fetched; copy it into this repository"

// checkResource checks an entry that may be a file or a directory.
func (c *closure) checkResource(k *kustomization, ref entryRef) {
	kind := entryAbsent
	if ref.path != "" {
		kind = c.view.kind(ref.path)
	}
	isFile := kind == entryFile && ref.key != "components"
	if isRemoteFile(ref.text) || isRepository(ref.text) && !isFile {
		c.unsupported(k, ref.node, "%s: %q is remote: %s", ref.key, scrubURLs(clip(ref.text)), wayOutOfRemote)
		return
	}
	if ref.key == "components" && kind == entryFile {
		c.problem(k.file, ref.node.Line, "components: %q is a file: a component is a directory", clip(ref.text))
		return
	}
	if kind == entryDir {
		return
	}
	c.checkFile(k, ref)
}

// checkFile checks an entry that must be a file at or below the kustomization's directory.
func (c *closure) checkFile(k *kustomization, ref entryRef) {
	before := len(c.view.refused)
	switch {
	case isRemoteFile(ref.text):
		c.unsupported(k, ref.node, "%s: %q is remote: %s", ref.key, scrubURLs(clip(ref.text)), wayOutOfRemote)
		return
	case strings.HasPrefix(ref.text, "/"):
		c.problem(k.file, ref.node.Line, "%s: %q is an absolute path: name it relative to this file", ref.key, clip(ref.text))
		return
	case len(ref.text) > maxPath:
		c.problem(k.file, ref.node.Line, "%s: %q: the path is too long", ref.key, clip(ref.text))
		return
	case ref.path == "":
		c.problem(k.file, ref.node.Line, "%s: %q leaves the repository: everything an application needs must be in it", ref.key, clip(ref.text))
		return
	}
	at, err := c.view.resolve(ref.path)
	if err == nil && at.kind == entryFile {
		c.view.looked[at.real] = struct{}{} // an input even where the build fails before it is read
	}
	switch {
	case err != nil:
		c.locateRefusal(k, ref, before)
	case at.kind == entryAbsent:
		c.problem(k.file, ref.node.Line, "%s: %q does not exist: add the file or remove the entry", ref.key, clip(ref.text))
	case at.kind == entryDir:
		c.problem(k.file, ref.node.Line, "%s: %q is a directory: name a file", ref.key, clip(ref.text))
	case !within(at.real, k.dir):
		c.problem(k.file, ref.node.Line, "%s: %q is outside of %s: kustomize reads files only at or below the kustomization that names them; move the file or give it a kustomization of its own and list that directory", ref.key, clip(ref.text), display(k.dir))
	}
}

// locateRefusal names the entry that leads to what must not be followed.
func (c *closure) locateRefusal(k *kustomization, ref entryRef, before int) {
	if before >= len(c.view.refused) {
		return
	}
	refused := c.view.refused[before]
	c.problem(k.file, ref.node.Line, "%s: %q cannot be used: %s: %s", ref.key, clip(ref.text), refused.File, refused.Message)
}

// checkCharts refuses Helm charts.
func (c *closure) checkCharts(k *kustomization) {
	for _, key := range []string{"helmCharts", "helmChartInflationGenerator"} {
		for _, chart := range items(k.field(key)) {
			name := scalar(at(chart, "name"))
			if name == "" {
				name = scalar(at(chart, "chartName"))
			}
			c.unsupported(k, chart, "%s: %q is a Helm chart: charts in a kustomization are not supported yet; commit what the chart renders to", key, clip(name))
		}
	}
}

const neverRun = "plugins are programs or containers and are never run; only kustomize's built-in ones (apiVersion: builtin) are"

// checkPlugin refuses generators, transformers and validators that are programs.
func (c *closure) checkPlugin(k *kustomization, ref entryRef) {
	var docs []*yaml.Node
	if isInline(ref.text) {
		docs, _ = parseNodes([]byte(ref.text)) // what cannot be parsed is kustomize's to complain of
	} else {
		docs = c.pluginFile(k, ref)
	}
	for _, doc := range docs {
		if len(doc.Content) == 0 {
			continue
		}
		apiVersion, kind := scalar(at(doc.Content[0], "apiVersion")), scalar(at(doc.Content[0], "kind"))
		switch {
		case kind == "":
		case apiVersion != "builtin":
			c.unsupported(k, ref.node, "%s: %s is a plugin (%s): "+neverRun, ref.key, pluginName(ref, kind), apiVersion)
		case kind == "HelmChartInflationGenerator":
			c.unsupported(k, ref.node, "%s: %s is a Helm chart: charts in a kustomization are not supported yet; commit what the chart renders to", ref.key, pluginName(ref, kind))
		}
	}
}

func pluginName(ref entryRef, kind string) string {
	if isInline(ref.text) {
		return clip(kind)
	}
	return fmt.Sprintf("%q, kind %s,", clip(ref.text), clip(kind))
}

// pluginFile reads the plugin configurations that an entry names; of a directory, those of its
// resources.
func (c *closure) pluginFile(k *kustomization, ref entryRef) []*yaml.Node {
	c.checkResource(k, ref)
	if ref.path == "" {
		return nil
	}
	data, err := c.view.read(ref.path)
	if err != nil {
		return nil // a directory: kustomize refuses plugins there in its own words
	}
	docs, _ := parseNodes(data) // what cannot be parsed is kustomize's to complain of
	return docs
}

var unknownField = regexp.MustCompile(`unknown field "([^"]+)"`)

// checkFields decodes the kustomization as kustomize does and names a field that it does not know.
func (c *closure) checkFields(k *kustomization) {
	data, err := c.view.read(k.file)
	if err != nil {
		return
	}
	var decoded types.Kustomization
	err = decoded.Unmarshal(data)
	if err == nil {
		c.checkHead(k, &decoded)
		return
	}
	if m := unknownField.FindStringSubmatch(err.Error()); m != nil {
		line, unknown := k.node.Line, m[1]
		if n := findKey(k.node, unknown); n != nil {
			line = n.Line
		}
		c.problem(k.file, line, "kustomize knows no field %q%s: correct or remove it", clip(unknown), nearest(unknown))
		return
	}
	if _, err := sigsyaml.YAMLToJSON(data); err != nil {
		line, message := findSyntaxError(data, err)
		c.problem(k.file, line, "%s", message)
		return
	}
	c.problem(k.file, k.node.Line, "not a valid kustomization: %s", typeMismatch(err))
}

// checkHead finds a kustomization without content or of another kind or version.
func (c *closure) checkHead(k *kustomization, decoded *types.Kustomization) {
	decoded.FixKustomization()
	if decoded.CheckEmpty() != nil {
		c.problem(k.file, k.node.Line, "the kustomization is empty: add resources or remove it")
		return
	}
	if wrong := decoded.EnforceFields(); len(wrong) > 0 {
		c.problem(k.file, k.node.Line, "not a kustomization: %s", strings.Join(wrong, "; "))
	}
}

var mismatch = regexp.MustCompile(`cannot unmarshal (\w+) into Go struct field (?:\w+\.)?([\w.]+) of type`)

// typeMismatch says which field has a value of the wrong kind, in the words of YAML.
func typeMismatch(err error) string {
	if m := mismatch.FindStringSubmatch(err.Error()); m != nil {
		return fmt.Sprintf("the value of %q must not be a %s", m[2], strings.Replace(m[1], "object", "mapping", 1))
	}
	return tidy(strings.TrimPrefix(err.Error(), "invalid Kustomization: "))
}

// findKey is the first key of this name, outermost first.
func findKey(n *yaml.Node, key string) *yaml.Node {
	if found, _ := mapEntry(n, key); found != nil {
		return found
	}
	for _, item := range n.Content {
		if item.Kind == yaml.AliasNode {
			continue
		}
		if found := findKey(item, key); found != nil {
			return found
		}
	}
	return nil
}

// nearest suggests the field of a kustomization that was probably meant.
func nearest(unknown string) string {
	best, least := "", 3
	if len(unknown) > 40 {
		return ""
	}
	for _, known := range []string{
		"apiVersion", "kind", "metadata", "openapi", "namePrefix", "nameSuffix", "namespace", "commonLabels", "labels", "commonAnnotations",
		"patchesStrategicMerge", "patchesJson6902", "patches", "images", "replacements", "replicas", "vars", "sortOptions", "resources", "components",
		"crds", "bases", "configMapGenerator", "secretGenerator", "helmGlobals", "helmCharts", "generatorOptions", "configurations", "generators",
		"transformers", "validators", "buildMetadata", "newTag", "newName", "digest", "name", "path", "patch", "target", "literals", "files", "envs",
	} {
		if d := distance(strings.ToLower(unknown), strings.ToLower(known)); d < least {
			best, least = known, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %q?)", best)
}

// distance is the number of letters to insert, remove or change.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		corner := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			corner, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, corner+cost)
		}
	}
	return row[len(b)]
}
