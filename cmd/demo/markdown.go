package main

import (
	"html"
	"regexp"
	"strings"
)

// markdown renders the part of GitHub's Markdown that checks and comments use as lines for a terminal.
// Folded details stay folded.
func markdown(text string, width int) []string {
	r := &renderer{width: width}
	for _, l := range strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n") {
		r.lines = append(r.lines, strings.ReplaceAll(l, "\t", "    "))
	}
	for len(r.lines) > 0 {
		r.block()
	}
	return strings.Split(strings.Trim(strings.Join(r.out, "\n"), "\n"), "\n")
}

var (
	headingLine = regexp.MustCompile(`^#{1,6}\s+(.*)$`)
	fenceLine   = regexp.MustCompile("^(`{3,}|~{3,})\\s*([A-Za-z0-9_+-]*)\\s*$")
	itemLine    = regexp.MustCompile(`^(\s*)(?:[-*+]|\d+[.)])\s+(.*)$`)
	openLine    = regexp.MustCompile(`^<details( open)?>\s*(?:<summary>(.*)</summary>)?\s*$`)
	hiddenLine  = regexp.MustCompile(`^<!--.*-->$`)
)

// renderer turns lines of Markdown into lines for a terminal, block by block.
type renderer struct {
	width int
	lines []string
	out   []string
}

func (r *renderer) next() string {
	l := r.lines[0]
	r.lines = r.lines[1:]
	return l
}

// emit adds a line; of several empty ones only the first.
func (r *renderer) emit(line string) {
	if line == "" && (len(r.out) == 0 || r.out[len(r.out)-1] == "") {
		return
	}
	r.out = append(r.out, line)
}

// paragraph adds text, its first line behind first and the others indented as far.
func (r *renderer) paragraph(first, text string) {
	indent := strings.Repeat(" ", columns(first))
	for _, part := range strings.Split(text, "\n") {
		for _, l := range wrap(part, r.width-columns(first)) {
			r.emit(first + l)
			first = indent
		}
	}
}

func (r *renderer) block() {
	l := strings.TrimRight(r.next(), " ")
	switch {
	case hiddenLine.MatchString(l):
	case openLine.MatchString(l):
		r.details(openLine.FindStringSubmatch(l))
	case fenceLine.MatchString(l):
		r.fence(fenceLine.FindStringSubmatch(l))
	case headingLine.MatchString(l):
		r.emit("")
		r.paragraph("", bold(strings.NewReplacer(markBold, "", markEnd, "", markCode, "").Replace(inline(headingLine.FindStringSubmatch(l)[1]))))
	case strings.HasPrefix(l, "|"):
		r.table(l)
	case strings.HasPrefix(l, ">"):
		r.quote(l)
	case itemLine.MatchString(l):
		item := itemLine.FindStringSubmatch(l)
		r.paragraph(strings.ReplaceAll(item[1], "\t", "  ")+"• ", inline(item[2]))
	default:
		r.paragraph("", inline(l))
	}
}

// details renders what can be folded: its summary, and when it is open what is in it.
func (r *renderer) details(opening []string) {
	var inside []string
	fence := ""
	for depth := 1; len(r.lines) > 0; {
		l := r.next()
		fence = fenceAfter(fence, l)
		if fence == "" && openLine.MatchString(l) {
			depth++
		}
		if fence == "" && strings.TrimSpace(l) == "</details>" {
			depth--
		}
		if depth == 0 {
			break
		}
		inside = append(inside, l)
	}
	sign := "▸ "
	if opening[1] != "" {
		sign = "▾ "
	}
	r.emit("")
	r.paragraph(sign, inline(opening[2]))
	if opening[1] == "" {
		return
	}
	for _, l := range markdown(strings.Join(inside, "\n"), r.width-2) {
		r.emit(strings.TrimRight("  "+l, " "))
	}
}

// fenceAfter is the fence that is open after a line.
func fenceAfter(fence, line string) string {
	found := fenceLine.FindStringSubmatch(line)
	switch {
	case found == nil:
		return fence
	case fence == "":
		return found[1]
	case strings.HasPrefix(found[1], fence) && found[2] == "":
		return ""
	}
	return fence
}

func (r *renderer) fence(opening []string) {
	for fence := opening[1]; len(r.lines) > 0; {
		l := r.next()
		if fenceAfter(fence, l) == "" {
			break
		}
		l = clean(l)
		if head, rest := splitAt(l, r.width-3); rest != "" {
			l = head + "…"
		}
		if opening[2] == "diff" {
			l = diffLine(l)
		}
		r.out = append(r.out, "  "+l)
	}
}

// diffLine colours a line of a diff by its sign.
func diffLine(l string) string {
	switch {
	case strings.HasPrefix(l, "+"):
		return green(l)
	case strings.HasPrefix(l, "-"):
		return red(l)
	case strings.HasPrefix(l, "@@"):
		return dim(l)
	}
	return l
}

// quote renders quoted lines, and GitHub's alerts with their word.
func (r *renderer) quote(l string) {
	quoted := []string{strings.TrimPrefix(l[1:], " ")}
	for len(r.lines) > 0 && strings.HasPrefix(r.lines[0], ">") {
		quoted = append(quoted, strings.TrimPrefix(r.next()[1:], " "))
	}
	if word, is := strings.CutPrefix(quoted[0], "[!"); is {
		quoted[0] = "**" + strings.TrimSuffix(word, "]") + "**"
	}
	for _, l := range markdown(strings.Join(quoted, "\n"), r.width-2) {
		r.emit("┃ " + l)
	}
}

// inline renders the markup within a line. <br> breaks it. Code stands aside, as a rune of the private use
// area, while the rest is rendered: nothing in it is markup.
func inline(text string) string {
	const aside, room = '\ue000', 6400
	var spans []string
	text = codeSpan.ReplaceAllStringFunc(clean(text), func(span string) string {
		if len(spans) == room {
			return span
		}
		spans = append(spans, code(strings.TrimSpace(strings.Trim(span, "`"))))
		return string(rune(aside + len(spans) - 1))
	})
	var b strings.Builder
	for _, r := range markup(text) {
		if i := int(r - aside); i >= 0 && i < len(spans) {
			b.WriteString(spans[i])
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

var (
	codeSpan  = regexp.MustCompile("`[^`]+`|`` ?.+? ?``|``` ?.+? ?```")
	lineBreak = regexp.MustCompile(`<br ?/?>`)
	strong    = regexp.MustCompile(`\*\*(.+?)\*\*|<b>(.*?)</b>`)
	codeTag   = regexp.MustCompile(`<code>(.*?)</code>`)
	link      = regexp.MustCompile(`\[([^\]]*)\]\([^) ]*\)`)
	otherTag  = regexp.MustCompile(`</?[a-z]+>`)
	escaped   = regexp.MustCompile(`\\([!-/:-@\[-` + "`" + `{-~])`)
	entity    = regexp.MustCompile(`&#?[A-Za-z0-9]+;`)
)

// markup renders what is left when code spans are out of the way.
func markup(text string) string {
	text = lineBreak.ReplaceAllString(text, "\n")
	text = link.ReplaceAllString(text, "$1")
	text = strong.ReplaceAllString(text, markBold+"$1$2"+markEnd)
	text = codeTag.ReplaceAllString(text, markCode+"$1"+markEnd)
	text = otherTag.ReplaceAllString(text, "")
	text = escaped.ReplaceAllString(text, "$1")
	return entity.ReplaceAllStringFunc(text, func(e string) string { return clean(html.UnescapeString(e)) })
}
