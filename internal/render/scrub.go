package render

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// secretMark stands for a secret value in an error's text.
const secretMark = "(secret)"

// scrubber knows every secret value that an application's files may hold.
type scrubber struct {
	values map[string]struct{}
	nested int
}

// newScrubber collects the secret values of all files that were read: those of Secret objects and
// patches, and the sources of secret generators.
func newScrubber(v *view) *scrubber {
	s := &scrubber{values: map[string]struct{}{}}
	for _, name := range sortedKeys(v.files) {
		s.addFile(v.files[name].data)
	}
	for _, k := range kustomizations(v) {
		c := &closure{view: v}
		for _, item := range items(k.field("secretGenerator")) {
			s.addGenerator(v, c.sources(k, "secretGenerator", item), item)
		}
	}
	return s
}

// kustomizations are those among the files that were read.
func kustomizations(v *view) []*kustomization {
	var all []*kustomization
	for _, name := range sortedKeys(v.files) {
		if !slices.ContainsFunc(recognizedNames(), func(known string) bool { return name == known || strings.HasSuffix(name, "/"+known) }) {
			continue
		}
		c, k := &closure{view: v}, &kustomization{dir: dirOf(name), file: name}
		if c.parse(k, v.files[name].data); k.node != nil {
			all = append(all, k)
		}
	}
	return all
}

func dirOf(name string) string {
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		return name[:i]
	}
	return "."
}

// addFile takes the values of Secrets from a file that may be anything.
func (s *scrubber) addFile(data []byte) {
	text := string(data)
	if !mentionsSecret.MatchString(text) {
		return
	}
	docs, err := parseNodes(data)
	for _, doc := range docs {
		s.addNode(doc)
	}
	if err != nil {
		s.addLines(text)
	}
}

var (
	mentionsSecret = regexp.MustCompile(`(?i)secret|stringData`)
	plainLine      = regexp.MustCompile(`^\s*(?:-\s+)?["']?(?:apiVersion|kind|metadata|name|namespace|type|labels|annotations|resources|data|stringData|items)["']?\s*:`)
	lineValue      = regexp.MustCompile(`^\s*(?:-\s+)?["']?[\w.\-/]+["']?\s*[:=]\s*["']?(.*?)["']?\s*,?$`)
)

// addLines takes what looks like values from a file that cannot be parsed.
func (s *scrubber) addLines(text string) {
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if plainLine.MatchString(line) {
			continue
		}
		if m := lineValue.FindStringSubmatch(line); m != nil {
			s.add(m[1])
		}
		s.add(strings.TrimLeft(strings.TrimSpace(line), "- "))
	}
}

// addNode takes the values of Secrets from a document and from documents inside its texts.
func (s *scrubber) addNode(n *yaml.Node) {
	if n.Kind == yaml.MappingNode {
		if scalar(at(n, "kind")) == "Secret" {
			s.addLeaves(at(n, "data"))
			s.addLeaves(at(n, "stringData"))
			s.addAnnotations(n)
		}
		if scalar(at(at(n, "target"), "kind")) == "Secret" {
			s.addText(scalar(at(n, "patch")))
		}
		s.addLeaves(at(n, "stringData"))
		if strings.Contains(scalar(at(n, "path")), "ata/") {
			s.addLeaves(at(n, "value")) // a JSON 6902 operation on data or stringData
		}
	}
	if n.Kind == yaml.ScalarNode && len(n.Value) > len("kind: Secret") && mentionsSecret.MatchString(n.Value) {
		s.addText(n.Value)
	}
	for _, child := range n.Content {
		s.addNode(child)
	}
}

// addAnnotations takes the last applied configuration, a copy of the whole object.
func (s *scrubber) addAnnotations(n *yaml.Node) {
	s.addLeaves(at(at(at(n, "metadata"), "annotations"), "kubectl.kubernetes.io/last-applied-configuration"))
}

// addText takes the values of YAML inside a text.
func (s *scrubber) addText(text string) {
	if s.nested > 4 {
		return
	}
	s.nested++
	defer func() { s.nested-- }()
	docs, err := parseNodes([]byte(text))
	for _, doc := range docs {
		s.addNode(doc)
		for _, top := range doc.Content {
			for _, op := range items(top) {
				s.addLeaves(at(op, "value"))
			}
		}
	}
	if err != nil {
		s.addLines(text)
	}
}

func (s *scrubber) addLeaves(n *yaml.Node) {
	if n == nil {
		return
	}
	if n.Kind == yaml.ScalarNode {
		s.add(n.Value)
	}
	for i, child := range n.Content {
		if n.Kind != yaml.MappingNode || i%2 == 1 {
			s.addLeaves(dealias(child))
		}
	}
}

// addGenerator takes literals and the content of files and env files.
func (s *scrubber) addGenerator(v *view, sources []entryRef, item *yaml.Node) {
	for _, literal := range items(at(item, "literals")) {
		_, value, ok := strings.Cut(scalar(literal), "=")
		if !ok {
			value = scalar(literal)
		}
		s.add(value)
		s.add(strings.Trim(value, `"'`))
	}
	for _, ref := range sources {
		if ref.path == "" {
			continue
		}
		data, err := v.read(ref.path)
		if err != nil {
			continue
		}
		s.add(string(data))
		for line := range strings.Lines(string(data)) {
			s.add(line)
			_, value, _ := strings.Cut(line, "=")
			s.add(value)
		}
	}
}

// add remembers a value in all the forms in which an error may quote it.
func (s *scrubber) add(value string) {
	s.addForms(value)
	s.addForms(base64.StdEncoding.EncodeToString([]byte(value)))
	if decoded, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(value), "")); err == nil && len(decoded) > 0 {
		s.addForms(string(decoded))
	}
}

func (s *scrubber) addForms(value string) {
	s.put(value)
	s.put(strings.TrimSpace(value))
	s.put(strings.Join(strings.Fields(value), " "))
	if strings.ContainsRune(value, '\n') {
		for line := range strings.Lines(value) {
			s.put(strings.TrimSpace(line))
		}
	}
	quoted := strconv.Quote(value)
	s.put(quoted[1 : len(quoted)-1])
	if encoded, err := json.Marshal(value); err == nil && len(encoded) > 2 {
		s.put(string(encoded[1 : len(encoded)-1]))
	}
	if runes := []rune(value); len(runes) > 7 {
		s.put(string(runes[:7]) + "...") // as the YAML reader shortens
	}
}

func (s *scrubber) put(value string) {
	if value != "" {
		s.values[value] = struct{}{}
	}
}

// clean takes every secret value out of an error and bounds its texts.
func (s *scrubber) clean(e *Error) {
	e.Message = shorten(s.scrub(e.Message))
	e.Detail = shorten(s.scrub(e.Detail))
}

// scrub replaces all values, the longest first. Values of one to three letters are replaced only
// where they stand alone.
func (s *scrubber) scrub(text string) string {
	var present []string
	for value := range s.values {
		if strings.Contains(text, value) {
			present = append(present, value)
		}
	}
	slices.SortFunc(present, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	var pairs []string
	for _, value := range present {
		if len(value) > 3 {
			pairs = append(pairs, value, secretMark)
		}
	}
	text = strings.NewReplacer(pairs...).Replace(text)
	for _, value := range present {
		if len(value) <= 3 {
			alone := regexp.MustCompile(`(^|[^\w])` + regexp.QuoteMeta(value) + `($|[^\w])`)
			text = alone.ReplaceAllString(text, "${1}"+secretMark+"${2}")
		}
	}
	return text
}
