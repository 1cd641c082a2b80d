package diff

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	contextLines = 3
	maxText      = 64 << 10 // bytes of one object's diff
	maxLine      = 4 << 10  // bytes of one line
)

// unified writes a unified diff with headers that name neither files nor times, and says how many
// lines of it are left out or shortened because they do not fit. What is left out is counted in its
// last line, together with its SHA-256, so that the text still tells two contents apart.
func unified(base, head []string) (text string, omitted int) {
	w := limitedWriter{}
	w.text.WriteString("--- base\n+++ proposed\n")
	for _, h := range hunks(align(base, head), len(base)) {
		w.line("@@ -" + lineRange(h.first.base, h.last.baseEnd) + " +" + lineRange(h.first.head, h.last.headEnd) + " @@")
		at := h.first.base
		for _, b := range h.blocks {
			for ; at < b.base; at++ {
				w.line(" " + base[at])
			}
			for ; at < b.baseEnd; at++ {
				w.line("-" + base[at])
			}
			for i := b.head; i < b.headEnd; i++ {
				w.line("+" + head[i])
			}
		}
		for ; at < h.last.baseEnd; at++ {
			w.line(" " + base[at])
		}
	}
	return w.finish()
}

func lineRange(from, to int) string {
	if from == to {
		return strconv.Itoa(from) + ",0"
	}
	if to-from == 1 {
		return strconv.Itoa(from + 1)
	}
	return strconv.Itoa(from+1) + "," + strconv.Itoa(to-from)
}

// hunk is a group of blocks whose contexts meet. Its first and last say where it begins and ends,
// context included.
type hunk struct {
	first, last block
	blocks      []block
}

func hunks(blocks []block, baseLines int) []hunk {
	var all []hunk
	for _, b := range blocks {
		if n := len(all); n > 0 && b.base-all[n-1].blocks[len(all[n-1].blocks)-1].baseEnd <= 2*contextLines {
			all[n-1].blocks = append(all[n-1].blocks, b)
			continue
		}
		all = append(all, hunk{blocks: []block{b}})
	}
	for i := range all {
		h := &all[i]
		first, last := h.blocks[0], h.blocks[len(h.blocks)-1]
		before := min(contextLines, first.base)
		after := min(contextLines, baseLines-last.baseEnd)
		h.first = block{base: first.base - before, head: first.head - before}
		h.last = block{baseEnd: last.baseEnd + after, headEnd: last.headEnd + after}
	}
	return all
}

// limitedWriter keeps the first lines as far as they fit and counts and hashes the rest.
type limitedWriter struct {
	text      strings.Builder
	rest      strings.Builder
	full      bool
	left      int
	shortened int
}

func (w *limitedWriter) line(line string) {
	if !w.full {
		shown := shorten(line)
		if w.text.Len()+len(shown) < maxText {
			if len(shown) != len(line) {
				w.shortened++
			}
			w.text.WriteString(shown)
			w.text.WriteByte('\n')
			return
		}
		w.full = true
	}
	w.left++
	w.rest.WriteString(line)
	w.rest.WriteByte('\n')
}

func (w *limitedWriter) finish() (text string, omitted int) {
	if w.left > 0 {
		w.text.WriteString("… " + strconv.Itoa(w.left) + " more lines (sha256 " + digest(w.rest.String()) + ")\n")
	}
	return w.text.String(), w.left + w.shortened
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// shorten cuts a line that is too long for people at a character's boundary.
func shorten(line string) string {
	if len(line) <= maxLine {
		return line
	}
	cut := maxLine - 128
	for cut > 0 && !utf8.RuneStart(line[cut]) {
		cut--
	}
	rest := line[cut:]
	return line[:cut] + "… " + strconv.Itoa(len(rest)) + " more bytes (sha256 " + digest(rest) + ")"
}
