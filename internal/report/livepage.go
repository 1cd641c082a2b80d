package report

import (
	"slices"
	"strings"
)

// These types are what the page's template shows of clusters.
type (
	pageLive struct {
		Asked           bool // a cluster was asked
		Clear, Clusters []string
		Differ          string // how far the clusters agree
		Matrix, Drift   pageGrid
	}
	pageGrid struct {
		Title string
		Head  []string
		Rows  [][]string
	}
)

func (v view) pageLive() pageLive {
	out := pageLive{Asked: slices.ContainsFunc(v.plan.Applications, wasAsked), Clear: v.clearers(pagePen), Clusters: v.clusterLines(pagePen)}
	if m := v.matrix; m.differs() {
		out.Differ, out.Matrix = m.heading(pagePen), m.grid()
	}
	out.Drift = pageGrid{Title: driftHeading, Head: []string{"Object", "Field", "In the cluster", "After the merge", "Changed by"}}
	for _, d := range v.drifts {
		objects, where := d.object(pagePen)
		label := strings.Join(append([]string{objects + " " + where}, d.remarks(pagePen)...), "; ")
		for _, r := range d.rows(pagePen, everything) {
			out.Drift.Rows = append(out.Drift.Rows, []string{label, r.at, r.live, r.base, r.by})
			label = ""
		}
	}
	return out
}

// grid is the matrix as a table, with every cluster of its columns named.
func (m matrix) grid() pageGrid {
	out := pageGrid{Head: []string{"Change"}}
	for _, c := range m.shown() {
		out.Head = append(out.Head, pagePen.list(c.clusters))
	}
	for i, c := range m.rows {
		row := []string{visible(c.subject) + " in " + pagePen.list(c.apps)}
		for _, x := range m.shown() {
			row = append(row, x.cells[i])
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}

// pageRefusals are what clusters refuse.
func (s scope) pageRefusals(v view) []pageFinding {
	var out []pageFinding
	for _, r := range v.refusals {
		at := r.objects[0].at
		out = append(out, pageFinding{
			Severity: "error", Policy: r.title(), Message: blockText(r.reason), Objects: pagePen.list(r.names()),
			Apps: pagePen.list(r.apps()), Location: s.pageLink(place(at), at),
		})
	}
	return out
}

// pageLines are lines of which some say more of the one above them.
func pageLines(lines []string) []string {
	var out []string
	for _, l := range lines {
		if more, ok := strings.CutPrefix(l, below); ok {
			l = "– " + more
		}
		out = append(out, l)
	}
	return out
}
