package command

import (
	"regexp"
	"strings"
)

// line is a line of a comment, without its end.
type line struct {
	number int
	text   string
}

// commandLines returns the lines that start with a slash and that every reading of the Markdown shows
// as plain text at the left margin. It goes through the body once.
//
// It does not parse Markdown: it keeps a few states, each of which may claim too much and never too
// little, and takes a line only where none of them holds.
func commandLines(body string) []line {
	var (
		found  []line
		strict = fence{}
		loose  = fence{}
		hide   hiding
		para   paragraph
		lost   bool // a fence stands where it may be one or not: what follows cannot be told
	)
	for i, text := range splitLines(body) {
		if blank(text) {
			para = paragraph{}
			continue
		}
		before := strict.length + loose.length
		inStrict, inLoose := strict.step(text), loose.step(unwrap(text))
		inFence := inStrict || inLoose
		if strict.length+loose.length != before && (hide.comment || para.tagged) {
			lost = true
		}
		if quoted(text) {
			para.quoted = true
		}
		if strings.HasPrefix(text, "/") && !lost && !inFence && !hide.active() && para.plain() {
			found = append(found, line{i + 1, text})
		}
		hide.step(text, inFence)
		if inStrict { // a fence ends the paragraph above it
			para = paragraph{quoted: para.quoted, tagged: para.tagged}
			continue
		}
		para.step(text)
	}
	return found
}

// splitLines splits at the three line ends of Markdown: \n, \r\n and \r.
func splitLines(body string) []string {
	return strings.Split(strings.ReplaceAll(strings.ReplaceAll(body, "\r\n", "\n"), "\r", "\n"), "\n")
}

func blank(s string) bool { return strings.Trim(s, " \t") == "" }

// unwrap removes what a list or a quote puts before a line's own text.
func unwrap(s string) string {
	for {
		s = strings.TrimLeft(s, " \t>")
		rest := strings.TrimLeft(s, "0123456789")
		numbered := len(rest) < len(s) && rest != "" && (rest[0] == '.' || rest[0] == ')')
		if !numbered && (s == "" || !strings.ContainsRune("-*+", rune(s[0]))) {
			return s
		}
		if !numbered {
			rest = s
		}
		if rest = rest[1:]; rest == "" || rest[0] != ' ' && rest[0] != '\t' {
			return s
		}
		s = rest
	}
}

// quoted says whether a line is in a block quote, in a list or not.
func quoted(s string) bool {
	own := unwrap(s)
	return strings.Contains(s[:len(s)-len(own)], ">")
}

// fence follows fenced code. Its zero value is outside.
type fence struct {
	char   byte
	length int
}

// step takes the next line and says whether it is fenced code or a fence itself.
func (f *fence) step(text string) bool {
	indent := len(text) - len(strings.TrimLeft(text, " "))
	text = text[indent:]
	length := 0
	for length < len(text) && text[length] == text[0] && (text[0] == '`' || text[0] == '~') {
		length++
	}
	isFence := length >= 3 && indent <= 3
	if f.length == 0 {
		if !isFence || text[0] == '`' && strings.Contains(text[length:], "`") {
			return false
		}
		f.char, f.length = text[0], length
		return true
	}
	if isFence && text[0] == f.char && length >= f.length && blank(text[length:]) {
		f.length = 0
	}
	return true
}

// hiding follows HTML that hides or quotes what stands in it: comments and the elements of container.
type hiding struct {
	comment bool
	depth   int
}

const container = `details|pre|code|blockquote|script|style|textarea|template|samp|kbd|del|s|strike|title|iframe|noframes|noembed|plaintext|xmp`

// These are compiled patterns, never changed.
var (
	opener = regexp.MustCompile(`(?i)<(` + container + `)([\s/>]|$)`)
	closer = regexp.MustCompile(`(?i)</(` + container + `)\s*>`)
)

func (h *hiding) active() bool { return h.comment || h.depth > 0 }

// step takes the next line. An opening tag counts wherever it stands, a closing one only where it
// cannot be anything else.
func (h *hiding) step(text string, inFence bool) {
	h.depth += len(opener.FindAllStringIndex(text, -1))
	sure := !inFence && !h.comment && !strings.ContainsAny(text, "`\"\\") &&
		!strings.HasPrefix(text, "    ") && !strings.Contains(text, "\t") && !strings.Contains(text, "<!--")
	if sure {
		h.depth = max(0, h.depth-len(closer.FindAllStringIndex(text, -1)))
	}
	for {
		mark := "<!--"
		if h.comment {
			mark = "-->"
		}
		at := strings.Index(text, mark)
		if at < 0 {
			return
		}
		text = text[at+len(mark):]
		h.comment = !h.comment
	}
}

// paragraph follows what the lines above, down from the last empty one, leave open: a quote (which
// goes on without its mark), a code span, a tag, a link or its definition, mathematics.
type paragraph struct {
	quoted bool
	open   bool // something that may reach into the next line
	ticks  int  // length of the run of backticks that opened a code span
	spans  bool // there is a backtick
	tagged bool // there is a tag: this may be HTML, where Markdown does not hold
}

// These are compiled patterns, never changed.
var (
	tag        = regexp.MustCompile(`<[A-Za-z/!?]`)
	simpleLink = regexp.MustCompile(`\]\([^\s"'()<>` + "`" + `\\]*\)`)
)

func (p *paragraph) plain() bool { return !p.quoted && !p.open && p.ticks == 0 }

func (p *paragraph) step(text string) {
	p.codeSpans(text)
	if tag.MatchString(text) {
		p.tagged = true
		rest := text[strings.LastIndexByte(text, '<'):]
		p.open = p.open || p.spans || !strings.Contains(rest, ">") || strings.ContainsAny(text, `"'`)
	}
	if strings.Contains(simpleLink.ReplaceAllString(text, ""), "](") || strings.Contains(text, "]:") || strings.Contains(text, "$$") {
		p.open = true
	}
}

// codeSpans follows the runs of backticks: a run opens a span, the next one of the same length ends it.
func (p *paragraph) codeSpans(text string) {
	for i := 0; i < len(text); {
		if text[i] == '\\' && p.ticks == 0 {
			i += 2
			continue
		}
		run := len(text[i:]) - len(strings.TrimLeft(text[i:], "`"))
		switch {
		case run == 0:
			i++
			continue
		case p.ticks == 0:
			p.ticks = run
		case p.ticks == run:
			p.ticks = 0
		}
		p.spans = true
		i += run
	}
}
