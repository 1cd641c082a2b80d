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

// addAll appends the blocks that fit, up to the first that does not, and returns how many were left out.
func (d *document) addAll(blocks []string, reserve int) (left int) {
	for i, b := range blocks {
		if !d.fits(len(b), reserve) {
			return len(blocks) - i
		}
		d.add(b)
	}
	return 0
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
	const room = 512 // for what closes
	s = cutRunes(s, max(0, limit-len(cutNote)-room))
	s = s[:strings.LastIndexByte(s, '\n')+1]
	fence, details := "", 0
	for line := range strings.Lines(s) {
		ticks := line[:len(line)-len(strings.TrimLeft(line, "`"))]
		switch {
		case fence != "":
			if len(ticks) >= len(fence) && strings.TrimSpace(line[len(ticks):]) == "" {
				fence = ""
			}
		case len(ticks) >= 3:
			fence = ticks
		default:
			details += strings.Count(line, "<details") - strings.Count(line, "</details>")
		}
	}
	if fence != "" {
		s += fence + "\n"
	}
	return s + strings.Repeat("\n</details>\n", max(0, details)) + cutNote
}
