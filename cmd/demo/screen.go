package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// screen prints for a reader: text with marks of style, which become colours on a terminal and nothing elsewhere.
type screen struct {
	out     io.Writer
	width   int
	started time.Time
	styles  *strings.Replacer
}

// The marks of style. Text from outside is cleaned of them, as of all control characters.
const (
	markBold  = "\x01"
	markCode  = "\x02"
	markRed   = "\x03"
	markGreen = "\x04"
	markDim   = "\x05"
	markEnd   = "\x06"
)

func bold(s string) string  { return markBold + s + markEnd }
func code(s string) string  { return markCode + s + markEnd }
func red(s string) string   { return markRed + s + markEnd }
func green(s string) string { return markGreen + s + markEnd }
func dim(s string) string   { return markDim + s + markEnd }

// defaultWidth is how many columns are used where nothing says how many there are.
const defaultWidth = 110

// newScreen prints to a file, with colours when that is a terminal that wants them.
func newScreen(out *os.File) *screen {
	info, err := out.Stat()
	terminal := err == nil && info.Mode()&os.ModeCharDevice != 0
	colour := terminal && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	width, err := strconv.Atoi(os.Getenv("COLUMNS"))
	if err != nil {
		width = defaultWidth
	}
	s := plainScreen(out)
	s.width = min(max(width, 60), 140)
	if colour {
		s.styles = strings.NewReplacer(markBold, "\x1b[1m", markCode, "\x1b[36m", markRed, "\x1b[31m", markGreen, "\x1b[32m",
			markDim, "\x1b[2m", markEnd, "\x1b[0m")
	}
	return s
}

// plainScreen prints without colours.
func plainScreen(out io.Writer) *screen {
	return &screen{out: out, width: defaultWidth, started: time.Now(), styles: strings.NewReplacer(
		markBold, "", markCode, "", markRed, "", markGreen, "", markDim, "", markEnd, "")}
}

// line prints one line, or several.
func (s *screen) line(format string, args ...any) {
	s.styles.WriteString(s.out, fmt.Sprintf(format, args...)+"\n") //nolint:errcheck // a reader who has gone away sees nothing
}

// step prints what has happened, and when.
func (s *screen) step(format string, args ...any) {
	prefix := fmt.Sprintf("%6.1fs  ", time.Since(s.started).Seconds())
	for i, l := range wrap(fmt.Sprintf(format, args...), s.width-len(prefix)) {
		if i > 0 {
			prefix = strings.Repeat(" ", len(prefix))
		}
		s.line("%s%s", dim(prefix), l)
	}
}

// heading opens a part of the story.
func (s *screen) heading(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	s.line("\n%s %s", bold(text), dim(strings.Repeat("─", max(3, s.width-columns(text)-1))))
}

// block prints lines behind a margin.
func (s *screen) block(margin string, lines []string) {
	for _, l := range lines {
		s.line("%s", strings.TrimRight(margin+l, " "))
	}
}

// cut shortens a block to the most lines, and says where the rest is.
func cut(lines []string, most int, where string) []string {
	if len(lines) <= most+1 {
		return lines
	}
	return append(lines[:most:most], dim(fmt.Sprintf("… %s, see %s", plural(len(lines)-most, "more line"), where)))
}

// clean takes out of a line from outside what could drive a terminal or reorder what is read.
func clean(line string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r) && r != '\u200d', unicode.Is(unicode.Co, r):
			return unicode.ReplacementChar
		}
		return r
	}, line)
}

// wide are the runes that take two columns, as far as they are met here: East Asian scripts and emoji.
var wide = &unicode.RangeTable{
	R16: []unicode.Range16{
		{Lo: 0x1100, Hi: 0x115f, Stride: 1},
		{Lo: 0x23e9, Hi: 0x23f3, Stride: 1},
		{Lo: 0x26d4, Hi: 0x26d4, Stride: 1},
		{Lo: 0x2705, Hi: 0x2705, Stride: 1},
		{Lo: 0x274c, Hi: 0x274c, Stride: 1},
		{Lo: 0x2e80, Hi: 0xa4cf, Stride: 1},
		{Lo: 0xac00, Hi: 0xd7a3, Stride: 1},
		{Lo: 0xf900, Hi: 0xfaff, Stride: 1},
		{Lo: 0xfe30, Hi: 0xfe6f, Stride: 1},
		{Lo: 0xff00, Hi: 0xff60, Stride: 1},
	},
	R32: []unicode.Range32{{Lo: 0x1f300, Hi: 0x1faff, Stride: 1}, {Lo: 0x20000, Hi: 0x3fffd, Stride: 1}},
}

// columns is how wide a line is on a terminal.
func columns(line string) int {
	n := 0
	for _, r := range line {
		switch {
		case r < ' ', unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		case unicode.Is(wide, r):
			n += 2
		default:
			n++
		}
	}
	return n
}

// wrap breaks a line at spaces so that it fits, and within a word only where that alone does not fit.
func wrap(line string, width int) []string {
	width = max(width, 10)
	if columns(line) <= width {
		return []string{line}
	}
	var lines []string
	now := ""
	for _, word := range strings.Split(line, " ") {
		if now != "" && columns(now)+1+columns(word) > width {
			lines, now = append(lines, now), ""
		}
		if now != "" {
			now += " "
		}
		now += word
		for columns(now) > width {
			head, rest := splitAt(now, width)
			lines, now = append(lines, head), rest
		}
	}
	return keepStyles(append(lines, now))
}

// splitAt splits a line behind the last rune that still fits.
func splitAt(line string, width int) (head, rest string) {
	n := 0
	for i, r := range line {
		if n += columns(string(r)); n > width && i > 0 {
			return line[:i], line[i:]
		}
	}
	return line, ""
}

// keepStyles ends a style at the end of a line and takes it up again on the next one.
func keepStyles(lines []string) []string {
	open := ""
	for i, l := range lines {
		starts := open
		for _, r := range l {
			switch mark := string(r); {
			case mark == markEnd:
				open = ""
			case r < ' ':
				open = mark
			}
		}
		if open != "" {
			l += markEnd
		}
		lines[i] = starts + l
	}
	return lines
}
