package main

import (
	"regexp"
	"strings"
)

var dividerRow = regexp.MustCompile(`^[\s|:-]+$`)

// table renders the table that starts with the line first.
func (r *renderer) table(first string) {
	rows := [][]string{cells(first)}
	for len(r.lines) > 0 && strings.HasPrefix(r.lines[0], "|") {
		l := r.next()
		if !dividerRow.MatchString(l) {
			rows = append(rows, cells(l))
		}
	}
	for _, l := range grid(rows, r.width) {
		r.emit(l)
	}
}

// cells splits a row of a Markdown table. A pipe within a cell is escaped.
func cells(row string) []string {
	const pipe = "\x00"
	row = strings.ReplaceAll(strings.TrimSpace(row), `\|`, pipe)
	row = strings.TrimSuffix(strings.TrimPrefix(row, "|"), "|")
	var out []string
	for _, cell := range strings.Split(row, "|") {
		out = append(out, inline(strings.ReplaceAll(strings.TrimSpace(cell), pipe, "|")))
	}
	return out
}

const gap = "   "

// grid lays out rows in columns, the first row above a rule. Cells are wrapped where they do not fit.
func grid(rows [][]string, width int) []string {
	widths := fit(naturalWidths(rows), width)
	var out []string
	for i, row := range rows {
		out = append(out, gridRow(row, widths)...)
		if i == 0 {
			rule := make([]string, len(widths))
			for c, w := range widths {
				rule[c] = strings.Repeat("─", w)
			}
			out = append(out, strings.Join(rule, strings.ReplaceAll(gap, " ", "─")))
		}
	}
	return out
}

func naturalWidths(rows [][]string) []int {
	var widths []int
	for _, row := range rows {
		for c, cell := range row {
			if c == len(widths) {
				widths = append(widths, 0)
			}
			for _, l := range strings.Split(cell, "\n") {
				widths[c] = max(widths[c], columns(l))
			}
		}
	}
	return widths
}

// fit narrows the widest columns until all fit.
func fit(widths []int, width int) []int {
	room := width - len(gap)*(len(widths)-1)
	for {
		sum, widest := 0, 0
		for c, w := range widths {
			sum += w
			if w > widths[widest] {
				widest = c
			}
		}
		if sum <= room || widths[widest] <= 10 {
			return widths
		}
		widths[widest]--
	}
}

func gridRow(row []string, widths []int) []string {
	wrapped := make([][]string, len(widths))
	height := 1
	for c, cell := range row {
		for _, l := range strings.Split(cell, "\n") {
			wrapped[c] = append(wrapped[c], wrap(l, widths[c])...)
		}
		height = max(height, len(wrapped[c]))
	}
	out := make([]string, height)
	for i := range out {
		var b strings.Builder
		for c, w := range widths {
			text := ""
			if i < len(wrapped[c]) {
				text = wrapped[c][i]
			}
			b.WriteString(text + strings.Repeat(" ", max(0, w-columns(text))))
			if c < len(widths)-1 {
				b.WriteString(gap)
			}
		}
		out[i] = strings.TrimRight(b.String(), " ")
	}
	return out
}
