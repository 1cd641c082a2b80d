package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// value is one YAML node and the dotted path of the key that it belongs to.
type value struct {
	*yaml.Node
	key string
}

// decoder turns YAML nodes into values and collects what is wrong with them.
type decoder struct {
	file     string
	problems []Problem
}

func (d *decoder) fail(v value, format string, args ...any) {
	d.problems = append(d.problems, Problem{File: d.file, Line: v.Line, Key: v.key, Text: fmt.Sprintf(format, args...)})
}

// parse reads the file's only document. It returns false where there is nothing to decode: the file
// is empty, or it is no YAML and the problem is noted.
func (d *decoder) parse(data []byte) (value, bool) {
	whole := value{Node: &yaml.Node{}}
	if len(data) > maxBytes {
		d.fail(whole, "the file has %d bytes, at most %d are read", len(data), maxBytes)
		return whole, false
	}
	reader := yaml.NewDecoder(bytes.NewReader(data))
	var document, second yaml.Node
	switch err := reader.Decode(&document); {
	case errors.Is(err, io.EOF):
		return whole, false
	case err != nil:
		d.syntax(err)
		return whole, false
	}
	switch err := reader.Decode(&second); {
	case err == nil:
		d.fail(value{Node: &second}, "a second document: the configuration is one document, remove the `---`")
	case !errors.Is(err, io.EOF):
		d.syntax(err)
	}
	if len(document.Content) == 0 {
		return whole, false
	}
	root := value{Node: document.Content[0]}
	d.refuseAnchors(root.Node)
	return root, !isEmpty(root.Node)
}

// syntax notes an error of the YAML parser, with the line that its text names.
func (d *decoder) syntax(err error) {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	p := Problem{File: d.file, Text: "not valid YAML: " + text}
	if m := regexp.MustCompile(`^line (\d+): (.*)$`).FindStringSubmatch(text); m != nil {
		if line, convErr := strconv.Atoi(m[1]); convErr == nil {
			p.Line, p.Text = line, "not valid YAML: "+m[2]
		}
	}
	d.problems = append(d.problems, p)
}

// refuseAnchors notes every anchor and alias: what a file says must be where it is read.
func (d *decoder) refuseAnchors(n *yaml.Node) {
	if n.Anchor != "" {
		d.fail(value{Node: n}, "anchor &%s: anchors are not supported here, write the value out where it is used", n.Anchor)
	}
	if n.Kind == yaml.AliasNode {
		d.fail(value{Node: n}, "alias *%s: aliases are not supported here, write the value out", n.Value)
		return
	}
	for _, child := range n.Content {
		d.refuseAnchors(child)
	}
}

// entries calls each with every key of a mapping, in the order of the file.
func (d *decoder) entries(v value, each func(name *yaml.Node, entry value)) {
	if !d.is(v, yaml.MappingNode, "a mapping") {
		return
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(v.Content); i += 2 {
		name := v.Content[i]
		if name.Kind != yaml.ScalarNode {
			d.fail(value{Node: name, key: v.key}, "a key must be a plain word")
			continue
		}
		entry := value{Node: v.Content[i+1], key: dotted(v.key, name.Value)}
		if line, twice := seen[name.Value]; twice {
			d.fail(value{Node: name, key: entry.key}, "the key is given twice, first in line %d", line)
			continue
		}
		seen[name.Value] = name.Line
		entry.Node = at(entry.Node, name.Line)
		each(name, entry)
	}
}

// at gives an empty node the line of its key, so that a problem with it points there.
func at(n *yaml.Node, line int) *yaml.Node {
	if n.Line != 0 {
		return n
	}
	c := *n
	c.Line = line
	return &c
}

// fields decodes a mapping whose keys are all known.
func (d *decoder) fields(v value, known map[string]func(value)) {
	d.entries(v, func(name *yaml.Node, entry value) {
		decode, ok := known[name.Value]
		if !ok {
			d.fail(value{Node: name, key: entry.key}, "unknown key%s", suggest(name.Value, slices.Collect(maps.Keys(known))))
			return
		}
		decode(entry)
	})
}

// sequence calls each with every item of a list.
func (d *decoder) sequence(v value, each func(item value)) {
	if !d.is(v, yaml.SequenceNode, "a list") {
		return
	}
	for i, item := range v.Content {
		each(value{Node: item, key: fmt.Sprintf("%s[%d]", v.key, i)})
	}
}

// text decodes a string that is not empty.
func (d *decoder) text(v value) string {
	if !d.is(v, yaml.ScalarNode, "a string") {
		return ""
	}
	if tag := v.ShortTag(); tag != "!!str" {
		d.fail(v, "want a string, this is %s: put it in quotes", kindOf(v.Node))
		return ""
	}
	if strings.TrimSpace(v.Value) == "" {
		d.fail(v, "is empty: remove the key or give it a value")
		return ""
	}
	if strings.ContainsFunc(v.Value, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		d.fail(v, "contains a control character")
		return ""
	}
	return v.Value
}

// texts decodes a list of different strings.
func (d *decoder) texts(v value) []string {
	var list []string
	d.sequence(v, func(item value) {
		s := d.text(item)
		switch {
		case s == "": // text has said why
		case slices.Contains(list, s):
			d.fail(item, "%q is listed twice", s)
		default:
			list = append(list, s)
		}
	})
	return list
}

// flag decodes true or false.
func (d *decoder) flag(v value) bool {
	if !d.is(v, yaml.ScalarNode, "true or false") {
		return false
	}
	if v.ShortTag() != "!!bool" {
		d.fail(v, "want true or false, this is %s", kindOf(v.Node))
		return false
	}
	return strings.EqualFold(v.Value, "true")
}

// choice decodes one of a few words.
func (d *decoder) choice(v value, words ...string) string {
	s := d.text(v)
	if s == "" || slices.Contains(words, s) {
		return s
	}
	d.fail(v, "%q is not one of %s", s, strings.Join(words, ", "))
	return ""
}

// is notes a node of the wrong kind. An alias has been noted before.
func (d *decoder) is(v value, kind yaml.Kind, want string) bool {
	switch {
	case v.Kind == kind && !(kind == yaml.ScalarNode && isEmpty(v.Node)):
		return true
	case v.Kind == yaml.AliasNode:
	case isEmpty(v.Node):
		d.fail(v, "is empty: remove the key or give it a value, %s", want)
	default:
		d.fail(v, "want %s, this is %s", want, kindOf(v.Node))
	}
	return false
}

func isEmpty(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// kindOf names a node's kind for people.
func kindOf(n *yaml.Node) string {
	if n.Kind == yaml.MappingNode {
		return "a mapping"
	}
	if n.Kind == yaml.SequenceNode {
		return "a list"
	}
	switch n.ShortTag() {
	case "!!str":
		return "a string"
	case "!!int", "!!float":
		return "a number"
	case "!!bool":
		return "true or false"
	case "!!null":
		return "empty"
	case "!!timestamp":
		return "a date"
	}
	return "a value of type " + n.ShortTag()
}

// dotted extends a dotted path.
func dotted(key, name string) string {
	if key == "" {
		return name
	}
	return key + "." + name
}
