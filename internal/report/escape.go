package report

import (
	"fmt"
	"html"
	"net/url"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Everything that comes from a manifest, a policy, a file name or a person goes through this file
// before it is written anywhere.

// visible replaces what does not show as itself (control and bidirectional characters, invisible
// letters and spaces, bytes that are no UTF-8) by its escape: \u202e. Line ends and tabs are replaced too.
func visible(s string) string {
	if !strings.ContainsFunc(s, invisible) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[0])
		case !invisible(r):
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		s = s[size:]
	}
	return b.String()
}

// invisible says whether a character does not show as itself. U+FFFD is what decoding makes of bytes
// that are no UTF-8.
func invisible(r rune) bool {
	switch {
	case r == ' ':
		return false
	case r < 0x7f:
		return r < ' '
	case r == 0x115f, r == 0x1160, r == 0x2800, r == 0x3164, r == 0xffa0, r == utf8.RuneError: // blank letters
		return true
	case r >= 0xe0100 && r <= 0xe01ef: // variation selectors, which can carry data
		return true
	}
	return !unicode.IsGraphic(r) || unicode.Is(unicode.Zs, r)
}

// brief is s made visible and cut to about limit bytes.
func brief(s string, limit int) string { return clip(visible(s), limit) }

// clip cuts s to at most limit bytes, at the end of a rune, and says that it did.
func clip(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	return cutRunes(s, max(0, limit-len(clipped))) + clipped
}

const clipped = " … (cut)"

// cutRunes is the longest start of s of at most limit bytes that does not end within a rune.
func cutRunes(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}

// code is s as an inline code span: no mention, reference or markup in it is active.
func code(s string) string {
	s = visible(s)
	if strings.TrimSpace(s) == "" {
		return "(empty)"
	}
	ticks := strings.Repeat("`", longestRun(s, '`')+1)
	if s[0] == '`' || s[len(s)-1] == '`' || s[0] == ' ' || s[len(s)-1] == ' ' {
		s = " " + s + " "
	}
	return ticks + s + ticks
}

// cell is code for the cell of a table, which a pipe would end wherever it stands.
func cell(s string) string { return code(strings.ReplaceAll(s, "|", `\u007c`)) }

// codeHTML is s as code within a line of HTML, where Markdown does not hold.
func codeHTML(s string) string { return "<code>" + html.EscapeString(visible(s)) + "</code>" }

// A plain word has nothing that Markdown, or what GitHub does after it, takes for markup: letters,
// digits and marks that mean nothing within a line. The exceptions are words of these characters that
// GitHub turns into links.
var (
	plainWord = regexp.MustCompile(`^["'(]?[\pL\pN][\pL\pN"'()%,;:./+?!=…-]*$`)
	linked    = regexp.MustCompile(`(?i)\b[0-9a-f]{7,40}\b|\bgh-[0-9]|://|www\.|:[\w+-]+:|mailto:|xmpp:|^[0-9]+[.)]$`)
)

// prose is s as text within a line of Markdown. Words that hold anything but letters, digits and
// harmless marks become code, the others stay as they are.
func prose(s string) string {
	words := strings.Fields(visible(strings.Join(strings.Fields(s), " ")))
	for i, w := range words {
		if !plainWord.MatchString(w) || linked.MatchString(w) {
			end := len(strings.TrimRight(w, `.,;:`))
			if end == 0 {
				end = len(w)
			}
			words[i] = code(w[:end]) + w[end:]
		}
	}
	return strings.Join(words, " ")
}

// sentence is prose of at most about limit bytes.
func sentence(s string, limit int) string {
	return prose(brief(strings.Join(strings.Fields(s), " "), limit))
}

// fenced is s as a fenced block that nothing in s can end.
func fenced(s, language string) string {
	lines := strings.Split(strings.TrimRight(s, "\n"), "\n")
	for i, l := range lines {
		lines[i] = visibleLine(l)
	}
	s = strings.Join(lines, "\n")
	fence := strings.Repeat("`", max(3, longestRun(s, '`')+1))
	return fence + language + "\n" + s + "\n" + fence + "\n"
}

// visibleLine is visible for a line of a block, where a tab is harmless and a carriage return is not.
func visibleLine(s string) string {
	parts := strings.Split(s, "\t")
	for i, p := range parts {
		parts[i] = visible(p)
	}
	return strings.Join(parts, "\t")
}

func longestRun(s string, c byte) int {
	longest, run := 0, 0
	for i := range len(s) {
		if s[i] != c {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	return longest
}

// link is a Markdown link. The text is Markdown already; an address that is not http or https is left out.
func link(text, address string) string {
	address = webAddress(address)
	if address == "" {
		return text
	}
	return "[" + text + "](" + address + ")"
}

// webAddress is address when it is an absolute http or https URL, with everything that means something
// to Markdown or HTML percent-encoded, and empty otherwise.
func webAddress(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil {
		return ""
	}
	var b strings.Builder
	for _, c := range []byte(u.String()) {
		if c > ' ' && c < 0x7f && !strings.ContainsRune("()<>[]{}|\\^`\"'*", rune(c)) {
			b.WriteByte(c)
			continue
		}
		fmt.Fprintf(&b, "%%%02X", c)
	}
	return b.String()
}

// filePath is a path of the repository as part of a URL.
func filePath(path string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		parts[i] = strings.ReplaceAll(url.PathEscape(p), ":", "%3A")
	}
	return strings.Join(parts, "/")
}

// comment is s as the content of an HTML comment.
func comment(s string) string {
	return strings.NewReplacer("--", `\u002d\u002d`, ">", `\u003e`, "<", `\u003c`).Replace(visible(s))
}

// terminal is a line of text for a terminal or a log: no escape sequence, no line end, and no start
// that GitHub Actions takes for a workflow command.
func terminal(s string) string {
	s = strings.ReplaceAll(visibleLine(s), "##[", `\u0023#[`)
	if body := strings.TrimLeft(s, " \t"); strings.HasPrefix(body, "::") {
		return s[:len(s)-len(body)] + `\u003a` + body[1:]
	}
	return s
}

// workflowData is s as the message of a GitHub Actions workflow command.
func workflowData(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(blockText(s))
}

// workflowProperty is s as the value of a property of a workflow command.
func workflowProperty(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C").Replace(visible(s))
}

// blockText is plain text of several lines: only its line ends and tabs are left of what is invisible.
// It is also valid in XML.
func blockText(s string) string {
	lines := strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
	for i, l := range lines {
		lines[i] = visibleLine(l)
	}
	return strings.Join(lines, "\n")
}
