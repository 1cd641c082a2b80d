package diff

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// yamlLines writes an object as the lines of canonical YAML: keys sorted, at the top in the order in
// which people read an object; lists not indented, as kubectl prints them; text of several lines as
// one line each, so that a change inside it shows as a change of that line.
func yamlLines(content map[string]any) []string {
	w := yamlWriter{}
	if len(content) == 0 {
		return []string{"{}"}
	}
	keys := slices.SortedFunc(maps.Keys(content), func(a, b string) int {
		if d := topLevelRank(a) - topLevelRank(b); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	for _, key := range keys {
		w.value(yamlString(key)+":", 0, content[key])
	}
	return w.lines
}

func topLevelRank(key string) int {
	switch key {
	case "apiVersion":
		return 0
	case "kind":
		return 1
	case "metadata":
		return 2
	case "spec":
		return 3
	case "data":
		return 4
	case "stringData":
		return 5
	case "status":
		return 7
	}
	return 6
}

// yamlWriter collects lines. In its methods head is what already stands on the current line and
// depth the column of the enclosing node.
type yamlWriter struct{ lines []string }

func (w *yamlWriter) line(text string) { w.lines = append(w.lines, text) }

// value writes what follows a key or a dash.
func (w *yamlWriter) value(head string, depth int, v any) {
	switch v := v.(type) {
	case map[string]any:
		if len(v) == 0 {
			w.line(head + " {}")
			return
		}
		w.line(head)
		w.mapping(indent(depth+2), depth+2, v)
	case []any:
		if len(v) == 0 {
			w.line(head + " []")
			return
		}
		w.line(head)
		w.sequence(indent(depth), depth, v)
	case string:
		w.text(head, depth, v)
	case nil:
		w.line(head + " null")
	default:
		if number, ok := numberText(v); ok {
			w.line(head + " " + plainNumber(number))
			return
		}
		w.line(head + " " + fmt.Sprint(v))
	}
}

func (w *yamlWriter) mapping(head string, depth int, m map[string]any) {
	for _, key := range slices.Sorted(maps.Keys(m)) {
		w.value(head+yamlString(key)+":", depth, m[key])
		head = indent(depth)
	}
}

func (w *yamlWriter) sequence(head string, depth int, list []any) {
	for _, item := range list {
		switch v := item.(type) {
		case map[string]any:
			if len(v) > 0 {
				w.mapping(head+"- ", depth+2, v)
				break
			}
			w.line(head + "- {}")
		case []any:
			if len(v) > 0 {
				w.sequence(head+"- ", depth+2, v)
				break
			}
			w.line(head + "- []")
		default:
			w.value(head+"-", depth, item)
		}
		head = indent(depth)
	}
}

// text writes a string: plain or quoted on one line, text of several lines as a block.
func (w *yamlWriter) text(head string, depth int, s string) {
	switch {
	case !strings.Contains(s, "\n") || strings.Trim(s, "\n") == "":
		w.line(head + " " + yamlString(s))
	case strings.ContainsFunc(s, notLiteral) || !utf8.ValidString(s):
		w.quotedBlock(head, depth, s)
	default:
		w.literalBlock(head, depth, s)
	}
}

// literalBlock writes a block scalar.
func (w *yamlWriter) literalBlock(head string, depth int, s string) {
	header := " |"
	if first := s[0]; first == ' ' || first == '\n' || first == '\t' {
		header += "2"
	}
	body, closed := strings.CutSuffix(s, "\n")
	switch {
	case !closed:
		header += "-"
	case strings.HasSuffix(body, "\n"):
		header += "+"
	}
	w.line(head + header)
	for line := range strings.SplitSeq(body, "\n") {
		if line != "" {
			line = indent(depth+2) + line
		}
		w.line(line)
	}
}

// quotedBlock writes text that a block scalar cannot hold as one double-quoted scalar with an
// escaped line break after each line.
func (w *yamlWriter) quotedBlock(head string, depth int, s string) {
	parts := strings.SplitAfter(s, "\n")
	if parts[len(parts)-1] == "" {
		parts = parts[:len(parts)-1]
	}
	for i, part := range parts {
		quoted := strconv.Quote(part)
		quoted = quoted[1 : len(quoted)-1]
		if i == 0 {
			quoted = head + ` "` + quoted
		} else {
			if quoted[0] == ' ' {
				quoted = `\` + quoted
			}
			quoted = indent(depth+2) + quoted
		}
		if i == len(parts)-1 {
			w.line(quoted + `"`)
		} else {
			w.line(quoted + `\`)
		}
	}
}

// notLiteral says whether a block scalar cannot hold a character.
func notLiteral(r rune) bool {
	switch r {
	case '\n', '\t':
		return false
	case '\u2028', '\u2029', '\uFEFF':
		return true
	}
	return !unicode.IsPrint(r) && r != '\u00a0'
}

// yamlString is a string on one line, plain where no reader could take it for anything else.
func yamlString(s string) string {
	if isPlain(s) {
		return s
	}
	return strconv.Quote(s)
}

func isPlain(s string) bool {
	if s == "" || s[len(s)-1] == ' ' || s[len(s)-1] == ':' || isOther(s) {
		return false
	}
	first := s[0]
	if !isAlphanumeric(first) && !strings.ContainsRune("/.$(_+^-", rune(first)) || s == "-" || strings.HasPrefix(s, "- ") {
		return false
	}
	for i, r := range s {
		switch {
		case r == ':' && s[i+1] == ' ', r == '#' && s[i-1] == ' ':
			return false
		case r >= utf8.RuneSelf && (notLiteral(r) || r == utf8.RuneError || r == '\u00a0'), r < ' ', r == 0x7f:
			return false
		}
	}
	return true
}

func isAlphanumeric(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9'
}

// numberLike finds what some YAML reader takes for a number or a time: sexagesimal numbers, dates,
// underscores, octal.
var numberLike = regexp.MustCompile(`^[-+]?(\d[\d_]*(:[0-5]?\d)+(\.[\d_]*)?|0[oxbOXB][\da-fA-F_]*|\.?\d[\d_]*(\.[\d_]*)?([eE][-+]?\d*)?|\.(inf|Inf|INF|nan|NaN|NAN)|\d{4}-\d\d?-\d\d?.*)$`)

// isOther says whether a plain scalar would be read as something that is no string.
func isOther(s string) bool {
	switch strings.ToLower(s) {
	case "null", "true", "false", "yes", "no", "on", "off", "y", "n", "---", "...":
		return true
	}
	switch s[0] {
	case '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '.', '+', '-':
		if _, err := strconv.ParseFloat(s, 64); err == nil {
			return true
		}
		return numberLike.MatchString(s)
	}
	return false
}

// indent is n spaces.
func indent(n int) string {
	const spaces = "                                                                                "
	if n <= len(spaces) {
		return spaces[:n]
	}
	return strings.Repeat(" ", n)
}
