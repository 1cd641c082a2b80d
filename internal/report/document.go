package report

import "strings"

// GitHub's limits, in bytes.
const (
	maxOutput  = 65535 // summary and text of a check run
	maxComment = 60000 // of 65,536 characters, with room for a platform that counts otherwise
)

// document collects blocks, each complete in itself, up to a limit in bytes; 0 is no limit.
type document struct {
	body  strings.Builder
	limit int
	terse bool // it shows a few of each kind
}

// fits says whether a block of n bytes still fits when reserve bytes are kept for what follows it.
func (d *document) fits(n, reserve int) bool {
	return d.limit == 0 || d.body.Len()+n+reserve <= d.limit
}

// add appends a block.
func (d *document) add(block string) { d.body.WriteString(block) }

// inner is a document that goes into this one: of an eighth of its size, less where less is left.
func (d *document) inner() *document {
	if d.limit == 0 {
		return &document{}
	}
	return &document{limit: max(leastInner, min(d.limit/8, d.limit-d.body.Len()-2*countRoom))}
}

const leastInner = 600 // bytes, enough to count what does not fit

// item is a block that stands for a number of things.
type item struct {
	text   string
	counts int
}

// addAll appends the items that fit, up to the first that does not and at most the given number of
// them, and returns those that were left out.
func (d *document) addAll(items []item, most, reserve int) (left []item) {
	for i, b := range items {
		if i == most || !d.fits(len(b.text), reserve) {
			return items[i:]
		}
		d.add(b.text)
	}
	return nil
}

// things counts what items stand for.
func things(items []item) int {
	n := 0
	for _, b := range items {
		n += b.counts
	}
	return n
}

// most is how many items a document shows: all of them unless it is terse.
func (d *document) most(items []item, terse int) int {
	if d.terse {
		return terse
	}
	return len(items)
}

// String is what was added. Blocks are made to fit; where they did not, they are cut at the end of a
// line and what is open is closed.
func (d *document) String() string {
	s := d.body.String()
	if d.limit == 0 || len(s) <= d.limit {
		return s
	}
	return cutMarkdown(s, d.limit)
}

const cutNote = "\n**The rest was cut: it does not fit here.**\n"

// cutMarkdown cuts s to at most limit bytes: at the end of a line, with open fences and <details> closed,
// and says that it did.
func cutMarkdown(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for room := len(cutNote); ; {
		kept := cutRunes(s, max(0, limit-room))
		kept = kept[:strings.LastIndexByte(kept, '\n')+1]
		end := closing(kept) + cutNote
		if len(kept)+len(end) <= limit || kept == "" {
			return kept + end
		}
		room = max(room+1, len(end), limit-len(kept)+1)
	}
}

// closing is what ends the fence and the <details> that are open at the end of s. Only lines that begin
// with a tag open or close <details>: other tags are text that was escaped.
func closing(s string) string {
	fence, details := "", 0
	for line := range strings.Lines(s) {
		ticks := line[:len(line)-len(strings.TrimLeft(line, "`"))]
		rest := line[len(ticks):]
		switch {
		case fence != "":
			if len(ticks) >= len(fence) && strings.TrimSpace(rest) == "" {
				fence = ""
			}
		case len(ticks) >= 3 && !strings.Contains(rest, "`"):
			fence = ticks
		case strings.HasPrefix(line, "<details"):
			details++
		case strings.HasPrefix(line, "</details>"):
			details--
		}
	}
	end := strings.Repeat("\n</details>\n", max(0, details))
	if fence != "" {
		end = fence + "\n" + end
	}
	return end
}
