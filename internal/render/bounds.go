package render

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sort"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// What one file of YAML may be. Real manifests stay far below; what is above is made to exhaust.
const (
	maxDepth    = 300       // levels of nesting
	maxNodes    = 4_000_000 // values, each use of an anchor counted
	maxExpanded = 256 << 20 // bytes of text, each use of an anchor counted
)

// checkBounds refuses YAML that is small as text and huge as data. What is no YAML passes: its
// reader says so better.
func checkBounds(name string, data []byte) error {
	if !suspicious(data) {
		return nil
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	for {
		var doc yaml.Node
		if err := dec.Decode(&doc); err != nil {
			return nil //nolint:nilerr // not YAML, or its end
		}
		if err := checkExtent(name, 0, &doc); err != nil {
			return err
		}
	}
}

// suspicious says whether data may nest deeply or multiply itself; a cheap look that may be wrong
// only by saying yes.
func suspicious(data []byte) bool {
	if bytes.IndexByte(data, '&') >= 0 && bytes.IndexByte(data, '*') >= 0 {
		return true
	}
	open, lead, leading := 0, 0, true
	for _, c := range data {
		switch c {
		case '\n':
			lead, leading = 0, true
			continue
		case '[', '{':
			open++
		case ']', '}':
			open = max(open-1, 0)
		}
		if leading = leading && (c == ' ' || c == '-' || c == '?'); leading {
			lead++
		}
		if open > maxDepth || lead > maxDepth {
			return true
		}
	}
	return false
}

// extent is how large a value is once its aliases are expanded.
type extent struct {
	nodes, bytes int64
	depth        int
}

// measurer computes extents, each anchor once.
type measurer map[*yaml.Node]*extent

var errCycle = errors.New("a YAML anchor contains itself: remove the alias")

// checkExtent refuses a document that is larger than the bounds. offset is added to line numbers.
func checkExtent(name string, offset int, doc *yaml.Node) error {
	size, err := measurer{}.measure(doc, 0)
	e := &Error{Class: ClassInput, File: name, Line: max(doc.Line, 1) + offset}
	switch {
	case err != nil:
		e.Message = err.Error()
	case size.depth > maxDepth:
		e.Message = fmt.Sprintf("the YAML nests deeper than %d levels: flatten it", maxDepth)
	case size.nodes > maxNodes || size.bytes > maxExpanded:
		e.Message = fmt.Sprintf("the YAML's anchors and aliases expand to more than %d values or %d MiB: write the values out or use fewer aliases", maxNodes, maxExpanded>>20)
	default:
		return nil
	}
	return e
}

func (m measurer) measure(n *yaml.Node, level int) (extent, error) {
	if n.Kind == yaml.AliasNode {
		known, seen := m[n.Alias]
		if seen && known == nil || n.Alias == nil {
			return extent{}, errCycle
		}
		if seen {
			return *known, nil
		}
		return m.measure(n.Alias, level)
	}
	if level > maxDepth {
		return extent{depth: maxDepth + 1}, nil
	}
	if n.Anchor != "" {
		m[n] = nil
	}
	sum := extent{nodes: 1, bytes: int64(len(n.Value))}
	for _, child := range n.Content {
		part, err := m.measure(child, level+1)
		if err != nil {
			return extent{}, err
		}
		sum.nodes = min(sum.nodes+part.nodes, maxNodes+1)
		sum.bytes = min(sum.bytes+part.bytes, maxExpanded+1)
		sum.depth = max(sum.depth, part.depth+1)
	}
	if n.Anchor != "" {
		m[n] = &sum
	}
	return sum, nil
}

// invalidUTF8 is the line of the first byte that is not UTF-8, 0 when there is none.
func invalidUTF8(data []byte) int {
	if utf8.Valid(data) {
		return 0
	}
	line := 1
	for len(data) > 0 {
		r, width := utf8.DecodeRune(data)
		if r == utf8.RuneError && width == 1 {
			return line
		}
		if r == '\n' {
			line++
		}
		data = data[width:]
	}
	return 0
}

// parseNodes reads all documents of a file as nodes, as far as they can be read. Line numbers are
// those of the file.
func parseNodes(data []byte) ([]*yaml.Node, error) {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var docs []*yaml.Node
	for {
		var doc yaml.Node
		err := dec.Decode(&doc)
		if errors.Is(err, io.EOF) {
			return docs, nil
		}
		if err != nil {
			return docs, err
		}
		docs = append(docs, &doc)
	}
}

// findSyntaxError is the line and the problem of a file that is not YAML. The reader names the line
// at which what it was reading began, or none: the line that spoils the document is looked for.
func findSyntaxError(data []byte, err error) (int, string) {
	line, message := syntax(err)
	const longest = 1 << 20 // each try reads the document again
	for _, c := range splitDocuments(data) {
		if len(c.text) > longest {
			continue
		}
		if _, err := parseNodes(c.text); err == nil {
			continue
		}
		lines := bytes.SplitAfter(c.text, []byte("\n"))
		spoiled := sort.Search(len(lines), func(n int) bool {
			_, err := parseNodes(bytes.Join(lines[:n+1], nil))
			return err != nil
		})
		return c.offset + min(spoiled+1, len(lines)), message
	}
	return max(line, 1), message
}
