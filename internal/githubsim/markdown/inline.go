package markdown

import (
	"html"
	"regexp"
	"strings"
)

// spans are the inline forms, each at the start of the rest of the text.
var (
	strong   = regexp.MustCompile(`^\*\*(\S(?s:.*?\S)?)\*\*`)
	emphasis = regexp.MustCompile(`^\*([^\s*](?:[^*]*[^\s*])?)\*`)
	struck   = regexp.MustCompile(`^~~(\S(?s:.*?\S)?)~~`)
	link     = regexp.MustCompile(`^\[((?:[^\[\]]|\\.)*)\]\(([^()\s]+)\)`)
	address  = regexp.MustCompile(`^https?://[^\s<>"'` + "`" + `)]+`)
	entity   = regexp.MustCompile(`^&(#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});`)
	tag      = regexp.MustCompile(`^</?(?:b|i|em|strong|code|sub|sup|kbd|del|ins)>|^<br ?/?>`)
)

// inline renders the text inside a block.
func inline(text string) string {
	var out strings.Builder
	for text != "" {
		n, rendered := span(text, out.Len() > 0 && isWord(out.String()[out.Len()-1]))
		out.WriteString(rendered)
		text = text[n:]
	}
	return balanced(out.String())
}

func isWord(b byte) bool {
	return b == '_' || b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z'
}

// span renders what the text starts with and tells how long it is.
func span(text string, inWord bool) (n int, rendered string) {
	switch text[0] {
	case '\\':
		if len(text) > 1 && strings.IndexByte("\\`*_{}[]()#+-.!|<>~&", text[1]) >= 0 {
			return 2, html.EscapeString(text[1:2])
		}
	case '`':
		return code(text)
	case '*', '~':
		return emphasised(text)
	case '[':
		if m := link.FindStringSubmatch(text); m != nil && safe(m[2]) {
			return len(m[0]), `<a href="` + html.EscapeString(m[2]) + `">` + inline(m[1]) + "</a>"
		}
	case 'h':
		if m := address.FindString(text); m != "" && !inWord {
			m = strings.TrimRight(m, ".,;:!?")
			return len(m), `<a href="` + html.EscapeString(m) + `">` + html.EscapeString(m) + "</a>"
		}
	case '&':
		if m := entity.FindString(text); m != "" {
			return len(m), m
		}
	case '<':
		if m := tag.FindString(text); m != "" {
			return len(m), m
		}
	case '\n':
		return 1, "<br>\n"
	}
	return 1, escapeByte(text[0])
}

// escapeByte escapes one byte; bytes of longer runes pass as they are.
func escapeByte(b byte) string {
	if b >= 0x80 {
		return string([]byte{b})
	}
	return html.EscapeString(string(rune(b)))
}

func code(text string) (int, string) {
	ticks := len(text) - len(strings.TrimLeft(text, "`"))
	end := -1
	for from := ticks; from < len(text); {
		at := strings.Index(text[from:], text[:ticks])
		if at < 0 {
			break
		}
		run := len(text[from+at:]) - len(strings.TrimLeft(text[from+at:], "`"))
		if run == ticks {
			end = from + at
			break
		}
		from += at + run
	}
	if end < 0 {
		return ticks, text[:ticks]
	}
	body := text[ticks:end]
	if strings.HasPrefix(body, " ") && strings.HasSuffix(body, " ") && strings.TrimSpace(body) != "" {
		body = body[1 : len(body)-1]
	}
	return end + ticks, "<code>" + html.EscapeString(body) + "</code>"
}

func emphasised(text string) (int, string) {
	for _, f := range []struct {
		pattern *regexp.Regexp
		tag     string
	}{{strong, "strong"}, {emphasis, "em"}, {struck, "del"}} {
		if m := f.pattern.FindStringSubmatch(text); m != nil {
			return len(m[0]), "<" + f.tag + ">" + inline(m[1]) + "</" + f.tag + ">"
		}
	}
	return 1, text[:1]
}

// safe admits links to pages only.
func safe(url string) bool {
	for _, prefix := range []string{"http://", "https://", "/", "#"} {
		if strings.HasPrefix(url, prefix) && !strings.HasPrefix(url, "//") {
			return true
		}
	}
	return false
}

var anyTag = regexp.MustCompile(`<(/?)([a-z]+)(?: href="[^"]*")?>`)

// balanced closes what a text leaves open and drops closing tags that nothing opened.
func balanced(text string) string {
	var open []string
	out := anyTag.ReplaceAllStringFunc(text, func(m string) string {
		parts := anyTag.FindStringSubmatch(m)
		switch {
		case parts[2] == "br":
			return m
		case parts[1] == "":
			open = append(open, parts[2])
			return m
		case len(open) > 0 && open[len(open)-1] == parts[2]:
			open = open[:len(open)-1]
			return m
		default:
			return ""
		}
	})
	for i := len(open) - 1; i >= 0; i-- {
		out += "</" + open[i] + ">"
	}
	return out
}
