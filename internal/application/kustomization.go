package application

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	sigsyaml "sigs.k8s.io/yaml"
)

const (
	maxDocument   = 1 << 20 // bytes of a file that is parsed; its nodes cost a hundred times that
	maxReferences = 20_000  // strings of one file
	maxNesting    = 3       // documents in strings of documents
	maxWanted     = 1024    // bytes of a string that is looked for where nothing is
)

// kustomizationNames are the files that make a directory a kustomization.
func kustomizationNames() []string {
	return []string{"kustomization.yaml", "kustomization.yml", "Kustomization"}
}

// document is what a file refers to.
type document struct {
	component  bool            // a kustomize Component, which is never built on its own
	includes   []string        // entries that may be directories with a kustomization of their own
	plugins    []string        // entries whose files refer to further files, from the same directory
	references []string        // every string that may be a path, these included
	entries    map[string]bool // includes and plugins
	inflates   bool            // it inflates charts
	words      map[string]bool // where it inflates charts: its references, the names of the charts among them
	opaque     bool            // it cannot be read: it may refer to anything
}

// wants says whether a reference that leads nowhere is one that is looked for.
func (d document) wants(reference string) bool {
	return d.entries[reference] && !strings.Contains(reference, "://") ||
		len(reference) <= maxWanted && strings.ContainsAny(reference, "./") && !strings.ContainsAny(reference, " \t\n:")
}

// parseDocument reads a kustomization or the configuration of a kustomize plugin. One that is no
// YAML refers to every word in it: it renders to nothing as it is.
func parseDocument(data []byte) document {
	if len(data) > maxDocument || bytes.IndexByte(data, 0) >= 0 { // UTF-16 has zeros
		return document{opaque: true}
	}
	d := document{entries: map[string]bool{}}
	s := scanner{seen: map[string]bool{}}
	roots, err := decodeAll(data)
	for _, root := range roots {
		s.node(root, 0)
	}
	if err != nil {
		s.words(string(data))
		d.includes, d.plugins = s.found, s.found
		d.opaque = readsOtherwise(data)
	}
	for _, root := range roots {
		d.component = d.component || slices.Contains(texts(root, "kind"), "Component")
		d.inflates = d.inflates || len(values(root, "helmCharts", 0))+len(values(root, "helmChartInflationGenerator", 0)) > 0
		for _, key := range []string{"resources", "bases", "components"} {
			d.includes = append(d.includes, texts(root, key)...)
		}
		for _, key := range []string{"generators", "transformers", "validators"} {
			d.plugins = append(d.plugins, texts(root, key)...)
		}
	}
	d.includes = append(slices.Clip(d.includes), d.plugins...)
	for _, entry := range d.includes {
		d.entries[entry] = true
	}
	d.references = s.found
	if d.inflates = d.inflates || s.seen["HelmChartInflationGenerator"]; d.inflates {
		d.words = s.seen
	}
	d.opaque = d.opaque || len(s.found) >= maxReferences
	return d
}

// readsOtherwise says whether the parser that kustomize and kubectl use accepts what decodeAll does not.
func readsOtherwise(data []byte) bool {
	_, err := sigsyaml.YAMLToJSON(data)
	return err == nil
}

// decodeAll reads documents until there is no further one or one is broken. Aliases stay what they are.
func decodeAll(data []byte) ([]*yaml.Node, error) {
	var roots []*yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	for {
		var document yaml.Node
		err := decoder.Decode(&document)
		if errors.Is(err, io.EOF) {
			return roots, nil
		}
		if err != nil {
			return roots, err
		}
		roots = append(roots, document.Content...)
	}
}

// texts are the strings under a key of a mapping: the value itself or the items of a list.
func texts(root *yaml.Node, key string) []string {
	var found []string
	for _, v := range values(root, key, 0) {
		v = target(v)
		if v.Kind == yaml.ScalarNode {
			found = append(found, scalar(v))
		}
		if v.Kind != yaml.SequenceNode {
			continue
		}
		for _, item := range v.Content {
			if item = target(item); item.Kind == yaml.ScalarNode {
				found = append(found, scalar(item))
			}
		}
	}
	return found
}

// values are what a mapping has under a key, in merged mappings too. Case does not matter in keys, as
// it does not to kustomize.
func values(n *yaml.Node, key string, level int) []*yaml.Node {
	var found []*yaml.Node
	n = target(n)
	if level > maxNesting {
		return nil
	}
	if n.Kind == yaml.SequenceNode && level > 0 { // a list of mappings to merge
		for _, item := range n.Content {
			found = append(found, values(item, key, level+1)...)
		}
	}
	if n.Kind != yaml.MappingNode {
		return found
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		switch name := scalar(target(n.Content[i])); {
		case strings.EqualFold(name, key):
			found = append(found, n.Content[i+1])
		case name == "<<":
			found = append(found, values(n.Content[i+1], key, level+1)...)
		}
	}
	return found
}

// target is the node that an alias stands for.
func target(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode && n.Alias != nil {
		return n.Alias
	}
	return n
}

// scalar is the text that a scalar stands for.
func scalar(n *yaml.Node) string {
	if n.ShortTag() != "!!binary" {
		return n.Value
	}
	text, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(n.Value), ""))
	if err != nil {
		return n.Value // no parser accepts it
	}
	return string(text)
}

// scanner collects the strings that may be paths.
type scanner struct {
	seen  map[string]bool
	found []string
}

// node takes every value below a node. What an alias stands for is met where it is anchored.
func (s *scanner) node(n *yaml.Node, nesting int) {
	if n.Kind == yaml.ScalarNode {
		s.text(scalar(n), nesting)
	}
	for i, item := range n.Content {
		if n.Kind != yaml.MappingNode || i%2 == 1 { // no keys
			s.node(item, nesting)
		}
	}
}

// text takes a string: a path, NAME=PATH, or a document of its own.
func (s *scanner) text(text string, nesting int) {
	if strings.Contains(text, "\n") || strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[") {
		s.document(text, nesting+1)
	}
	s.add(text)
	s.add(strings.TrimPrefix(text, "file://")) // a chart takes another one from there
	for {
		_, after, ok := strings.Cut(text, "=")
		if !ok {
			return
		}
		s.add(after)
		text = after
	}
}

// document takes the strings of a document inside a document.
func (s *scanner) document(text string, nesting int) {
	if nesting > maxNesting {
		s.words(text)
		return
	}
	roots, err := decodeAll([]byte(text))
	for _, root := range roots {
		s.node(root, nesting)
	}
	if err != nil {
		s.words(text)
	}
}

// words takes every word of a text that is no YAML, and every rest of a line after a dash or a colon.
func (s *scanner) words(text string) {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		s.add(strings.Trim(strings.TrimSpace(strings.TrimPrefix(line, "-")), `"'`))
		if _, after, ok := strings.Cut(line, ": "); ok {
			s.add(strings.Trim(strings.TrimSpace(after), `"'`))
		}
		for _, word := range strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(" \t\r\"'[]{},=", r) }) {
			s.add(strings.TrimSuffix(word, ":"))
			s.add(strings.TrimPrefix(word, "-"))
		}
	}
}

func (s *scanner) add(text string) {
	if text == "" || s.seen[text] || len(s.found) >= maxReferences {
		return
	}
	s.seen[text] = true
	s.found = append(s.found, text)
}
