package policy

import (
	"strconv"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// pointer gives the JSON pointer that a result's field means in an object, or "" when it means none.
func pointer(field ast.Value, content any) string {
	switch f := field.(type) {
	case ast.String:
		if strings.HasPrefix(string(f), "/") {
			return string(f)
		}
		return encodePointer(dotted(string(f), content))
	case *ast.Array:
		segments := make([]string, 0, f.Len())
		for i := range f.Len() {
			switch s := f.Elem(i).Value.(type) {
			case ast.String:
				segments = append(segments, string(s))
			case ast.Number:
				segments = append(segments, s.String())
			default:
				return ""
			}
		}
		return encodePointer(segments)
	}
	return ""
}

func encodePointer(segments []string) string {
	var b strings.Builder
	for _, s := range segments {
		b.WriteString("/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(s))
	}
	return b.String()
}

func decodePointer(p string) []string {
	if !strings.HasPrefix(p, "/") {
		return nil
	}
	segments := strings.Split(p[1:], "/")
	for i, s := range segments {
		segments[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(s)
	}
	return segments
}

// dotted reads spec.containers[0].image, spec.containers[name=web].image and metadata["a.b/c"].
func dotted(text string, content any) []string {
	var segments []string
	add := func(segment string) {
		segments = append(segments, segment)
		content = child(content, segment)
	}
	text = strings.TrimPrefix(strings.TrimPrefix(text, "$"), ".")
	for text != "" {
		if text[0] == '.' {
			text = text[1:]
			continue
		}
		if text[0] != '[' {
			end := strings.IndexAny(text, ".[")
			if end < 0 {
				end = len(text)
			}
			add(text[:end])
			text = text[end:]
			continue
		}
		inner, rest, ok := bracket(text)
		if !ok {
			return segments // the part that can be understood is still the right place
		}
		text = rest
		segment, ok := item(inner, content)
		if !ok {
			return segments
		}
		add(segment)
	}
	return segments
}

// bracket cuts the first [...] off; a quoted one may have brackets and dots inside.
func bracket(text string) (inner, rest string, ok bool) {
	closing := "]"
	if len(text) > 1 && (text[1] == '"' || text[1] == '\'') {
		closing = string(text[1]) + "]"
		inner, rest, ok = strings.Cut(text[2:], closing)
		return `"` + inner, rest, ok
	}
	return cutBracket(text[1:], closing)
}

func cutBracket(text, closing string) (string, string, bool) {
	inner, rest, ok := strings.Cut(text, closing)
	return inner, rest, ok && inner != ""
}

// item resolves the inside of brackets: a quoted key, an index, or key=value of a list's item.
func item(inner string, content any) (string, bool) {
	if quoted, ok := strings.CutPrefix(inner, `"`); ok {
		return quoted, true
	}
	key, value, selects := strings.Cut(inner, "=")
	if !selects {
		return inner, true
	}
	list, ok := content.([]any)
	if !ok {
		return "", false
	}
	for i, element := range list {
		if m, ok := element.(map[string]any); ok && m[key] == any(value) {
			return strconv.Itoa(i), true
		}
	}
	return "", false
}

func child(content any, segment string) any {
	switch c := content.(type) {
	case map[string]any:
		return c[segment]
	case []any:
		if i, err := strconv.Atoi(segment); err == nil && i >= 0 && i < len(c) {
			return c[i]
		}
	}
	return nil
}

// stableField is a pointer with the items of lists by their name, so that it stays when others come and go.
func stableField(p string, content any) string {
	var b strings.Builder
	for _, segment := range decodePointer(p) {
		_, inList := content.([]any)
		content = child(content, segment)
		if m, ok := content.(map[string]any); ok && inList {
			if name, ok := m["name"].(string); ok {
				segment = "name=" + name
			}
		}
		b.WriteString("/" + segment)
	}
	return b.String()
}
