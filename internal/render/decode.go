package render

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
	sigsyaml "sigs.k8s.io/yaml"

	"github.com/mergegate/mergegate/internal/manifest"
)

// Decode reads the Kubernetes objects of a manifest file, YAML or JSON, with several documents and
// lists expanded. YAML is read as kubectl reads it (yes and on are booleans), numbers stay as they
// are written. A file in which no document has both apiVersion and kind holds no objects and is no
// error. An object that only has metadata.generateName has that, followed by "*", as its ID's name.
// The error is an [*Error] and quotes no values.
func Decode(name string, data []byte) ([]manifest.Object, error) {
	documents, err := decodeFile(name, data)
	if err != nil {
		return nil, err
	}
	if !anyObject(documents) {
		return nil, nil
	}
	var objects []manifest.Object
	for i, doc := range documents {
		if doc.value == nil {
			continue
		}
		found, err := expand(doc.value, nil, 0)
		if err != nil {
			return nil, &Error{Class: ClassInput, File: name, Line: doc.line, Message: fmt.Sprintf("document %d: %s", i+1, err)}
		}
		objects = append(objects, found...)
	}
	return objects, nil
}

// document is one decoded document of a file.
type document struct {
	line  int // of its kind, else its first
	value any // nil: nothing but comments
}

// decodeFile decodes all documents of a file.
func decodeFile(name string, data []byte) ([]document, error) {
	if line := invalidUTF8(data); line > 0 {
		return nil, &Error{Class: ClassInput, File: name, Line: line, Message: "not valid UTF-8: save the file as UTF-8"}
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")) {
		documents, err := decodeJSON(name, data)
		if err == nil || strings.HasSuffix(name, ".json") {
			return documents, err
		}
	}
	var documents []document
	for _, c := range splitDocuments(data) {
		doc, err := c.decode(name)
		if err != nil {
			return nil, err
		}
		documents = append(documents, doc)
	}
	return documents, nil
}

// chunk is the text of one YAML document.
type chunk struct {
	text   []byte
	offset int // lines of the file before it
}

// splitDocuments cuts at the lines that begin with "---".
func splitDocuments(data []byte) []chunk {
	chunks := []chunk{{}}
	line := 0
	for len(data) > 0 {
		end := bytes.IndexByte(data, '\n') + 1
		if end == 0 {
			end = len(data)
		}
		if text := data[:end]; isSeparator(text) {
			chunks = append(chunks, chunk{offset: line})
			chunks[len(chunks)-1].text = append([]byte("   "), text[3:]...)
		} else {
			last := &chunks[len(chunks)-1]
			last.text = append(last.text, text...)
		}
		data = data[end:]
		line++
	}
	if len(bytes.TrimSpace(chunks[0].text)) == 0 && len(chunks) > 1 {
		chunks = chunks[1:]
	}
	return chunks
}

func isSeparator(line []byte) bool {
	return bytes.HasPrefix(line, []byte("---")) && (len(line) == 3 || strings.ContainsRune(" \t\r\n", rune(line[3])))
}

// decode decodes the one document of the chunk.
func (c chunk) decode(name string) (document, error) {
	doc := document{line: c.offset + 1}
	nodes, err := parseNodes(c.text)
	if err != nil {
		return doc, c.syntaxError(name, err)
	}
	if len(nodes) > 1 {
		return doc, &Error{Class: ClassInput, File: name, Line: nodes[1].Line + c.offset, Message: "a second document begins in the middle of a line: begin it on a line of its own"}
	}
	if len(nodes) == 0 {
		return doc, nil
	}
	doc.line = c.offset + max(kindLine(nodes[0]), 1)
	if err := checkExtent(name, c.offset, nodes[0]); err != nil {
		return doc, err
	}
	text, err := sigsyaml.YAMLToJSONStrict(c.text)
	if err != nil {
		return doc, c.syntaxError(name, err)
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	if err := dec.Decode(&doc.value); err != nil {
		return doc, &Error{Class: ClassInput, File: name, Line: doc.line, Message: "the document cannot be read as JSON values"}
	}
	return doc, nil
}

// kindLine is the line of the top-level key kind, else of the first node, within the chunk.
func kindLine(doc *yaml.Node) int {
	if len(doc.Content) == 0 {
		return doc.Line
	}
	top := doc.Content[0]
	if at, _ := mapEntry(top, "kind"); at != nil {
		return at.Line
	}
	return top.Line
}

// mapEntry is the key and value of a mapping, nil when there is none.
func mapEntry(n *yaml.Node, key string) (k, v *yaml.Node) {
	n = dealias(n)
	if n == nil || n.Kind != yaml.MappingNode {
		return nil, nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i], dealias(n.Content[i+1])
		}
	}
	return nil, nil
}

// dealias is the node itself or the one that an alias stands for.
func dealias(n *yaml.Node) *yaml.Node {
	for range maxLinks {
		if n == nil || n.Kind != yaml.AliasNode {
			return n
		}
		n = n.Alias
	}
	return nil
}

// syntaxError names file and line of what a YAML reader complains of, without what it quotes.
func (c chunk) syntaxError(name string, err error) *Error {
	line, message := findSyntaxError(c.text, err)
	return &Error{Class: ClassInput, File: name, Line: c.offset + line, Message: message}
}

var (
	errorLine    = regexp.MustCompile(`line (\d+)`)
	duplicateKey = regexp.MustCompile(`key "?([^"\s]+)"? already (?:set in map|defined)|mapping key "([^"]+)" already defined`)
	unknownAlias = regexp.MustCompile(`unknown anchor '([^']*)' referenced`)
)

// syntax is the line and the problem that a YAML reader's error names.
func syntax(err error) (int, string) {
	text := err.Error()
	line := 0
	if m := errorLine.FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[1]) // digits; 0 when they are too many
	}
	if m := duplicateKey.FindStringSubmatch(text); m != nil {
		return line, fmt.Sprintf("the key %q is there twice: remove one", m[1]+m[2])
	}
	if unknownAlias.MatchString(text) {
		return line, "an alias (*) names an anchor (&) that is not there: define it before it is used, or put the value in quotes"
	}
	if strings.Contains(text, "expected <document start>") {
		return line, `a second document begins without a line "---": add that line`
	}
	text = strings.TrimPrefix(text, "error converting YAML to JSON: ")
	text = strings.TrimPrefix(text, "yaml: ")
	if rest, ok := strings.CutPrefix(text, "unmarshal errors:\n"); ok {
		text = strings.TrimSpace(rest)
	}
	text = strings.TrimLeft(errorLine.ReplaceAllString(text, ""), ": ")
	return line, "not valid YAML: " + firstLine(text)
}

func firstLine(text string) string {
	first, _, _ := strings.Cut(text, "\n")
	return first
}

// decodeJSON reads one JSON value after the other.
func decodeJSON(name string, data []byte) ([]document, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var documents []document
	for {
		start := dec.InputOffset()
		value, err := jsonValue(dec, 0)
		if errors.Is(err, io.EOF) && len(bytes.TrimSpace(data[start:])) == 0 {
			return documents, nil
		}
		if err != nil {
			return nil, &Error{Class: ClassInput, File: name, Line: lineAt(data, dec.InputOffset()), Message: "not valid JSON: " + err.Error()}
		}
		rest := data[start:]
		begin := start + int64(len(rest)-len(bytes.TrimLeft(rest, " \t\r\n")))
		documents = append(documents, document{line: lineAt(data, begin), value: value})
	}
}

func lineAt(data []byte, offset int64) int {
	return 1 + bytes.Count(data[:min(max(offset, 0), int64(len(data)))], []byte("\n"))
}

// jsonValue reads one value and refuses deep nesting and keys that occur twice.
func jsonValue(dec *json.Decoder, depth int) (any, error) {
	token, err := dec.Token()
	if err != nil {
		return nil, err
	}
	delim, ok := token.(json.Delim)
	if !ok {
		return token, nil
	}
	if depth > maxDepth {
		return nil, fmt.Errorf("it nests deeper than %d levels", maxDepth)
	}
	if delim == '[' {
		return jsonArray(dec, depth)
	}
	return jsonObject(dec, depth)
}

func jsonArray(dec *json.Decoder, depth int) (any, error) {
	list := []any{}
	for dec.More() {
		item, err := jsonValue(dec, depth+1)
		if err != nil {
			return nil, unexpectedEnd(err)
		}
		list = append(list, item)
	}
	_, err := dec.Token()
	return list, unexpectedEnd(err)
}

func jsonObject(dec *json.Decoder, depth int) (any, error) {
	object := map[string]any{}
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return nil, unexpectedEnd(err)
		}
		key, _ := token.(string) // the decoder allows nothing else here
		if _, twice := object[key]; twice {
			return nil, fmt.Errorf("the key %q is there twice", key)
		}
		if object[key], err = jsonValue(dec, depth+1); err != nil {
			return nil, unexpectedEnd(err)
		}
	}
	_, err := dec.Token()
	return object, unexpectedEnd(err)
}

func unexpectedEnd(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
