// Package markdown renders a small part of GitHub's Markdown as HTML: headings, paragraphs, lists, tables, fences, quotes,
// <details>, links, emphasis and code. Everything else is shown as text, escaped.
//
// It knows text only. It is for looking at comments, not for reproducing GitHub's renderer; it must never let markup
// through that it does not know.
package markdown

import (
	"fmt"
	"html"
	"html/template"
	"regexp"
	"strings"
)

// Render turns Markdown into HTML that is safe to show.
func Render(text string) template.HTML {
	r := &renderer{lines: strings.Split(dropComments(strings.ReplaceAll(text, "\r\n", "\n")), "\n")}
	r.blocks()
	for ; r.details > 0; r.details-- {
		r.out.WriteString("</details>\n")
	}
	return template.HTML(r.out.String()) //nolint:gosec // everything that reaches out is escaped or a known tag
}

var (
	comment = regexp.MustCompile(`(?s)<!--.*?-->`)
	heading = regexp.MustCompile(`^(#{1,6})\s+(.*?)\s*#*$`)
	fence   = regexp.MustCompile("^ {0,3}(`{3,}|~{3,})\\s*([A-Za-z0-9_+-]*)\\s*$")
	item    = regexp.MustCompile(`^(\s*)([-*+]|\d+[.)])\s+(.*)$`)
	rule    = regexp.MustCompile(`^ {0,3}([-*_])(\s*[-*_]){2,}\s*$`)
	divider = regexp.MustCompile(`^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$`)
	opening = regexp.MustCompile(`^\s*<details( open)?>\s*(.*)$`)
	closing = regexp.MustCompile(`^\s*</details>\s*$`)
	summary = regexp.MustCompile(`^\s*<summary>(.*)</summary>\s*$`)
)

// dropComments removes HTML comments outside code fences.
func dropComments(text string) string {
	parts := regexp.MustCompile("(?m)^ {0,3}(`{3,}|~{3,}).*$").Split(text, -1)
	if len(parts) == 1 {
		return comment.ReplaceAllString(text, "")
	}
	return comment.ReplaceAllStringFunc(text, func(c string) string {
		if strings.Contains(c, "\n```") || strings.Contains(c, "\n~~~") {
			return c
		}
		return ""
	})
}

type renderer struct {
	lines   []string
	at      int
	details int
	out     strings.Builder
}

func (r *renderer) more() bool { return r.at < len(r.lines) }

func (r *renderer) next() string {
	l := r.lines[r.at]
	r.at++
	return l
}

func (r *renderer) writef(format string, args ...any) { fmt.Fprintf(&r.out, format, args...) }

func (r *renderer) blocks() {
	for r.more() {
		r.block()
	}
}

// block renders the block that starts at the current line.
func (r *renderer) block() {
	l := r.lines[r.at]
	switch {
	case strings.TrimSpace(l) == "":
		r.at++
	case fence.MatchString(l):
		r.fence()
	case heading.MatchString(l):
		m := heading.FindStringSubmatch(r.next())
		r.writef("<h%d>%s</h%d>\n", len(m[1]), inline(m[2]), len(m[1]))
	case rule.MatchString(l):
		r.at++
		r.writef("<hr>\n")
	case opening.MatchString(l), closing.MatchString(l), summary.MatchString(l):
		r.detail()
	case strings.HasPrefix(strings.TrimSpace(l), ">"):
		r.quote()
	case item.MatchString(l):
		r.list()
	case r.isTable():
		r.table()
	default:
		r.paragraph()
	}
}

func (r *renderer) fence() {
	m := fence.FindStringSubmatch(r.next())
	var body []string
	for r.more() {
		l := r.next()
		if t := strings.TrimSpace(l); strings.HasPrefix(t, m[1]) && strings.Trim(t, m[1][:1]) == "" {
			break
		}
		body = append(body, l)
	}
	r.writef("<pre class=\"code %s\">", html.EscapeString(m[2]))
	for _, l := range body {
		r.writef("<span class=\"%s\">%s</span>\n", lineClass(m[2], l), html.EscapeString(l))
	}
	r.writef("</pre>\n")
}

// lineClass colours the lines of a diff.
func lineClass(language, l string) string {
	switch {
	case language != "diff" || l == "":
		return "line"
	case l[0] == '+':
		return "line add"
	case l[0] == '-':
		return "line del"
	case l[0] == '@':
		return "line hunk"
	default:
		return "line"
	}
}

func (r *renderer) detail() {
	l := r.next()
	if m := opening.FindStringSubmatch(l); m != nil {
		r.details++
		r.writef("<details%s>\n", m[1])
		if s := summary.FindStringSubmatch(m[2]); s != nil {
			r.writef("<summary>%s</summary>\n", inline(s[1]))
		} else if m[2] != "" {
			r.writef("%s\n", inline(m[2]))
		}
		return
	}
	if m := summary.FindStringSubmatch(l); m != nil {
		r.writef("<summary>%s</summary>\n", inline(m[1]))
		return
	}
	if r.details > 0 { // a closing tag without an opening one is dropped
		r.details--
		r.writef("</details>\n")
	}
}

func (r *renderer) quote() {
	var body []string
	for r.more() && strings.HasPrefix(strings.TrimSpace(r.lines[r.at]), ">") {
		l := strings.TrimPrefix(strings.TrimSpace(r.next()), ">")
		body = append(body, strings.TrimPrefix(l, " "))
	}
	r.writef("<blockquote>%s</blockquote>\n", Render(strings.Join(body, "\n")))
}

// list renders items; a deeper indent opens a list inside.
func (r *renderer) list() {
	first := item.FindStringSubmatch(r.lines[r.at])
	tag := "ul"
	if first[2][0] >= '0' && first[2][0] <= '9' {
		tag = "ol"
	}
	indent := len(first[1])
	r.writef("<%s>\n", tag)
	for r.more() {
		m := item.FindStringSubmatch(r.lines[r.at])
		if m == nil || len(m[1]) < indent {
			break
		}
		if len(m[1]) > indent {
			r.list()
			continue
		}
		r.at++
		r.writef("<li>%s</li>\n", inline(m[3]+r.continuation()))
	}
	r.writef("</%s>\n", tag)
}

// continuation takes the indented lines that belong to an item.
func (r *renderer) continuation() string {
	var more strings.Builder
	for r.more() {
		l := r.lines[r.at]
		if strings.TrimSpace(l) == "" || !strings.HasPrefix(l, "  ") || item.MatchString(l) || fence.MatchString(l) {
			break
		}
		more.WriteString(" " + strings.TrimSpace(r.next()))
	}
	return more.String()
}

func (r *renderer) isTable() bool {
	return r.at+1 < len(r.lines) && strings.Contains(r.lines[r.at], "|") && divider.MatchString(r.lines[r.at+1]) && strings.Contains(r.lines[r.at+1], "-")
}

func (r *renderer) table() {
	head := cells(r.next())
	r.at++
	r.writef("<table><thead><tr>")
	for _, c := range head {
		r.writef("<th>%s</th>", inline(c))
	}
	r.writef("</tr></thead><tbody>\n")
	for r.more() && strings.Contains(r.lines[r.at], "|") {
		r.writef("<tr>")
		row := cells(r.next())
		for i := range head {
			var c string
			if i < len(row) {
				c = row[i]
			}
			r.writef("<td>%s</td>", inline(c))
		}
		r.writef("</tr>\n")
	}
	r.writef("</tbody></table>\n")
}

// cells splits a row at bars that are not escaped.
func cells(l string) []string {
	l = strings.TrimSpace(l)
	l = strings.TrimPrefix(l, "|")
	if strings.HasSuffix(l, "|") && !strings.HasSuffix(l, `\|`) {
		l = strings.TrimSuffix(l, "|")
	}
	parts := strings.Split(strings.ReplaceAll(l, `\|`, "\x00"), "|")
	for i, p := range parts {
		parts[i] = strings.ReplaceAll(strings.TrimSpace(p), "\x00", "|")
	}
	return parts
}

func (r *renderer) paragraph() {
	var body []string
	for r.more() {
		l := r.lines[r.at]
		if strings.TrimSpace(l) == "" || (len(body) > 0 && r.startsBlock(l)) {
			break
		}
		body = append(body, r.next())
	}
	r.writef("<p>%s</p>\n", inline(strings.Join(body, "\n")))
}

func (r *renderer) startsBlock(l string) bool {
	for _, p := range []*regexp.Regexp{fence, heading, opening, closing, summary, item} {
		if p.MatchString(l) {
			return true
		}
	}
	return r.isTable()
}
