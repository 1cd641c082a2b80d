package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/mergegate/mergegate/internal/plan"
)

// clusterLines say which clusters were asked and which of them did not answer.
func (v view) clusterLines(p pen) []string {
	versions := newGroups[versionGroup]()
	asked := 0
	silent := newGroups[versionGroup]()
	for _, c := range v.plan.Clusters {
		if c.Error != "" {
			g := silent.get(c.Error, func() *versionGroup { return &versionGroup{text: c.Error} })
			g.clusters = append(g.clusters, c.Name)
			continue
		}
		asked++
		g := versions.get(c.Version, func() *versionGroup { return &versionGroup{text: c.Version} })
		g.clusters = append(g.clusters, c.Name)
	}
	var parts, out []string
	for _, g := range versions.values() {
		part := clusterNames(g.clusters, p)
		if g.text != "" {
			part += " (" + p.text(g.text) + ")"
		}
		parts = append(parts, part)
	}
	if asked > 0 {
		line := "Compared with the live state of " + list(parts, p.most, plain)
		if v.sameEverywhere() {
			line += "; the same on all of them"
		}
		out = append(out, line)
	}
	for _, g := range silent.values() {
		line := clusterNames(g.clusters, p) + " did not answer"
		if !v.saysSilence(g.text) {
			line += ": " + p.text(g.text)
		}
		out = append(out, line)
	}
	return out
}

// versionGroup are clusters of one version, or with one error.
type versionGroup struct {
	text     string
	clusters []string
}

// saysSilence says whether what blocks has the reason why a cluster did not answer.
func (v view) saysSilence(reason string) bool {
	return slices.ContainsFunc(v.refusals, func(r refusal) bool { return r.silent && r.reason == reason })
}

// addClusters lists the clusters that were asked.
func (v view) addClusters(d *document) {
	lines := v.clusterLines(markdownPen)
	if len(lines) == 0 {
		return
	}
	inner := d.inner()
	var items []item
	for _, l := range lines {
		items = append(items, item{l + ".<br>\n", 1})
	}
	if left := inner.addAll(items, d.most(items, maxBlockers), 250); len(left) > 0 {
		inner.add("and " + plural(things(left), "more line") + " like this.\n")
	}
	d.add(strings.TrimSuffix(inner.String(), "<br>\n") + "\n\n")
}

// column are clusters that do the same to everything.
type column struct {
	clusters []string
	cells    map[int]string // what they do, by row
	key      string
}

// matrix says what which clusters do: clusters that agree on everything are one column.
type matrix struct {
	columns []column
	rows    []matrixRow
	alike   int // changes that are the same on all their clusters
}

// matrixRow is a change in applications of which several clusters say the same.
type matrixRow struct {
	subject string
	apps    []string
}

// matrixOf compares the answers of the clusters of applications that are on several.
func matrixOf(changes []change) matrix {
	var m matrix
	byCluster := newGroups[column]()
	for _, c := range changes {
		for _, x := range c.parts {
			cells := distinct(x.answers, func(a plan.ClusterLive) string { return answerCell(a.Live) })
			switch {
			case !x.several:
			case len(cells) < 2:
				m.alike++
			default:
				m.add(byCluster, x)
				m.rows = append(m.rows, matrixRow{c.subject(), x.apps()})
			}
		}
	}
	alike := newGroups[column]()
	for _, x := range byCluster.values() {
		g := alike.get(x.key, func() *column { return &column{cells: x.cells} })
		g.clusters = append(g.clusters, x.clusters...)
	}
	m.columns = alike.values()
	slices.SortStableFunc(m.columns, func(a, b column) int { return cmp.Compare(len(b.clusters), len(a.clusters)) })
	return m
}

// add puts the next row's cells into the columns of their clusters.
func (m matrix) add(byCluster *groups[column], x part) {
	row := len(m.rows)
	for _, a := range x.answers {
		text := answerCell(a.Live)
		for _, name := range a.Clusters {
			c := byCluster.get(name, func() *column { return &column{clusters: []string{name}, cells: map[int]string{}} })
			c.cells[row] = text
			c.key += fmt.Sprint(row, text, "\x00")
		}
	}
}

// differs says whether there is something to show: a change that is not the same on all clusters.
func (m matrix) differs() bool { return len(m.rows) > 0 && len(m.columns) > 1 }

// shown are the columns that have room side by side; with each change stands what all clusters say.
func (m matrix) shown() []column { return m.columns[:min(len(m.columns), maxColumns)] }

// answerCell is what a cluster does, in words of ours.
func answerCell(l plan.Live) string {
	text := word(l.Result)
	if s := resultSign(known(l.Result)); s != "" {
		text = s + " " + text
	}
	if l.Restarts {
		text += ", pods restart"
	}
	if len(l.Drift) > 0 {
		text += ", drifted"
	}
	return text
}

// sameEverywhere says whether several clusters were asked of the same changes and agree on all of them.
func (v view) sameEverywhere() bool {
	return v.matrix.alike > 0 && len(v.matrix.rows) == 0
}

// heading says how far the clusters agree.
func (m matrix) heading(p pen) string {
	var rest []string
	for _, c := range m.columns[1:] {
		rest = append(rest, c.clusters...)
	}
	most := m.columns[0].clusters
	return fmt.Sprintf("The same on %s, %s: %s", clusterCount(most, p), plural(len(rest), "differs", "differ"), p.list(rest))
}

// clusterCount names one cluster and counts several.
func clusterCount(clusters []string, p pen) string {
	if len(clusters) == 1 {
		return p.name(clusters[0])
	}
	return plural(len(clusters), "cluster")
}

// How much of the matrix a comment shows.
const (
	maxColumns = 6
	maxMatrix  = 10 // rows
)

// addMatrix shows where the clusters differ.
func (v view) addMatrix(d *document, s scope) {
	m := v.matrix
	if !m.differs() {
		return
	}
	columns := m.shown()
	head := []string{"Change"}
	for _, c := range columns {
		head = append(head, clusterCellName(c.clusters))
	}
	inner := d.inner()
	inner.add("| " + strings.Join(head, " | ") + " |\n|" + strings.Repeat("---|", len(head)) + "\n")
	var items []item
	for i, c := range m.rows {
		row := "| " + tablePen.name(c.subject) + "<br>in " + tablePen.list(c.apps)
		for _, x := range columns {
			row += " | " + cmp.Or(x.cells[i], "–")
		}
		items = append(items, item{row + " |\n", 1})
	}
	left := inner.addAll(items, d.most(items, maxMatrix), 250)
	d.add("**" + m.heading(markdownPen) + "**\n\n" + inner.String() + "\n")
	for _, line := range m.left(things(left)) {
		d.add(line + ": " + s.whole() + ".\n\n")
	}
	if m.alike > 0 {
		d.add(plural(m.alike, "other change is", "other changes are") + " the same on all clusters.\n\n")
	}
}

// left counts what a table without so many of the rows leaves out.
func (m matrix) left(rows int) []string {
	var out []string
	if n := len(m.columns) - len(m.shown()); n > 0 {
		out = append(out, plural(n, "more group of clusters is", "more groups of clusters are")+" not in this table")
	}
	if rows > 0 {
		out = append(out, plural(rows, "more change is", "more changes are")+" not in this table")
	}
	return out
}

func clusterCellName(clusters []string) string {
	if len(clusters) <= tablePen.most {
		return tablePen.list(clusters)
	}
	return plural(len(clusters), "cluster")
}
