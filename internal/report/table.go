package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/mergegate/mergegate/internal/plan"
)

// row is a line of the table: applications that fare alike, over all environments.
type row struct {
	names []string
	cells []string
	worst int // 0 error, 1 danger, 2 denied, 3 changed, 4 nothing
	key   string
}

const (
	maxRows         = 30 // of the table; more of them are grouped
	maxEnvironments = 6  // as columns of their own
)

// addTable shows what happens where, and counts the applications that read a changed file and render
// the same.
func (v view) addTable(d *document, s scope) {
	var shown []plan.Application
	var same []string
	for _, a := range v.plan.Applications {
		if a.Status == plan.Unchanged && len(a.Changes) == 0 && !failed(a) && !hasNew(a) && len(a.Drifted) == 0 {
			same = append(same, a.Name)
			continue
		}
		shown = append(shown, a)
	}
	if len(shown) > 0 {
		head, rows := v.rows(shown)
		slices.SortStableFunc(rows, func(a, b row) int { return cmp.Compare(a.worst, b.worst) })
		d.add("| " + strings.Join(head, " | ") + " |\n|" + strings.Repeat("---|", len(head)) + "\n")
		d.addRows(rows, s)
		d.add("\n")
	}
	if len(same) > 0 {
		verb := "read"
		if len(same) == 1 {
			verb = "reads"
		}
		d.add(fmt.Sprintf("No change in %s that %s a changed file: %s\n\n", plural(len(same), "application"), verb, list(same, maxNames, name)))
	}
}

// addRows adds rows, those that fare alike as one when there are many, up to half of what a document holds.
func (d *document) addRows(rows []row, s scope) {
	most := len(rows)
	if d.limit > 0 && len(rows) > maxRows {
		rows, most = fold(rows), maxRows
	}
	var items []item
	for _, r := range rows {
		items = append(items, item{"| " + r.label() + " | " + strings.Join(r.cells, " | ") + " |\n", len(r.names)})
	}
	if left := d.addAll(items, most, d.limit/2); len(left) > 0 {
		d.add(fmt.Sprintf("\n%s not in the table: %s.\n", plural(things(left), "more row is", "more rows are"), s.whole()))
	}
}

func hasNew(a plan.Application) bool {
	return slices.ContainsFunc(a.Findings, func(f plan.Finding) bool { return finding{Finding: f}.counts() && f.Severity != plan.Info })
}

func (r row) label() string {
	names := list(r.names, 3, func(n string) string { return cell(brief(n, maxName)) })
	if len(r.names) <= 3 {
		return names
	}
	return number(len(r.names)) + " alike: " + names
}

// rows makes one row for each service with a column for each environment where names allow it, and
// one row for each application otherwise.
func (v view) rows(apps []plan.Application) (head []string, rows []row) {
	touched := map[string]string{}
	for i, c := range v.changes {
		for _, m := range c.members {
			touched[m.app] += fmt.Sprint(i, " ")
		}
	}
	if environments, ok := grid(apps); ok {
		head = []string{"Application"}
		for _, e := range environments {
			head = append(head, cell(brief(e, maxName)))
		}
		return head, gridRows(apps, environments, touched)
	}
	head = []string{"Application", "Environment", "Result"}
	asked := slices.ContainsFunc(apps, wasAsked)
	if asked {
		head = append(head, "In the cluster")
	}
	for _, a := range apps {
		text, worst := result(a)
		environment := "–"
		if a.Environment != "" {
			environment = cell(brief(a.Environment, maxName))
		}
		cells := []string{environment, text}
		if asked {
			live, rank := liveResult(a)
			cells, worst = append(cells, cmp.Or(live, "–")), min(worst, rank)
		}
		rows = append(rows, row{[]string{a.Name}, cells, worst, touched[a.Name]})
	}
	return head, rows
}

func gridRows(apps []plan.Application, environments []string, touched map[string]string) []row {
	services := newGroups[row]()
	for _, a := range apps {
		name := service(a)
		r := services.get(name, func() *row {
			return &row{names: []string{name}, cells: make([]string, len(environments)), worst: worstNothing}
		})
		i := slices.Index(environments, a.Environment)
		text, worst := result(a)
		if live, rank := liveResult(a); live != "" {
			text, worst = text+"<br>in the cluster: "+live, min(worst, rank)
		}
		r.cells[i] = text
		r.worst = min(r.worst, worst)
		r.key += touched[a.Name]
	}
	return services.values()
}

// grid returns the environments as columns, if each application is one service in one environment.
func grid(apps []plan.Application) ([]string, bool) {
	var environments []string
	taken := map[string]bool{}
	services := map[string]bool{}
	for _, a := range apps {
		key := service(a) + "\x00" + a.Environment
		if a.Environment == "" || taken[key] {
			return nil, false
		}
		taken[key], services[service(a)] = true, true
		if !slices.Contains(environments, a.Environment) {
			environments = append(environments, a.Environment)
		}
		if len(environments) > maxEnvironments {
			return nil, false
		}
	}
	slices.SortFunc(environments, func(a, b string) int {
		return cmp.Or(cmp.Compare(stage(a), stage(b)), strings.Compare(a, b))
	})
	return environments, len(environments) > 1 && len(services) < len(apps)
}

// service is an application's name without its environment.
func service(a plan.Application) string {
	for _, sep := range []string{"-", "/", "_", "."} {
		if s, ok := strings.CutSuffix(a.Name, sep+a.Environment); ok && s != "" {
			return s
		}
		if s, ok := strings.CutPrefix(a.Name, a.Environment+sep); ok && s != "" {
			return s
		}
	}
	return a.Name
}

// stage orders environments as changes usually pass through them, by what their names begin with.
func stage(environment string) int {
	environment = strings.ToLower(environment)
	for i, names := range [][]string{
		{"dev", "sandbox", "local"}, {"test", "qa", "int", "ci"}, {"stag", "stg", "uat", "preprod", "pre-prod"}, {}, {"prod", "prd", "live"},
	} {
		if slices.ContainsFunc(names, func(n string) bool { return strings.HasPrefix(environment, n) }) {
			return i
		}
	}
	return 3
}

// The ranks of rows.
const (
	worstError = iota
	worstDanger
	worstDenied
	worstChanged
	worstNothing
)

// result is what becomes of an application, for a cell of the table.
func result(a plan.Application) (text string, worst int) {
	if failed(a) {
		return "❌ error", worstError
	}
	t := tallyOf(a.Changes)
	text, worst = t.words(), worstChanged
	switch {
	case t.sum() == 0:
		text, worst = "no change", worstNothing
	case a.Status == plan.Removed:
		text, worst = "⚠️ removed: "+text, worstDanger
	case t.deleted+t.replaced > 0:
		text, worst = "⚠️ "+text, worstDanger
	case a.Status == plan.Added:
		text = "new: " + text
	}
	var broken, denied, warned int
	for _, f := range a.Findings {
		switch f := (finding{Finding: f}); {
		case f.broken():
			broken++
		case f.blocks():
			denied++
		case f.Severity == plan.Warn && f.counts():
			warned++
		}
	}
	if broken > 0 {
		text += fmt.Sprintf(", ❌ **%s**", plural(broken, "policy error"))
		worst = worstError
	}
	if denied > 0 {
		text += fmt.Sprintf(", ⛔ **%s denied**", number(denied))
		worst = min(worst, worstDenied)
	}
	if warned > 0 {
		text += ", " + plural(warned, "warning")
	}
	return text, worst
}

// fold groups the rows that fare alike.
func fold(rows []row) []row {
	alike := newGroups[row]()
	for _, r := range rows {
		key := strings.Join(r.cells, "\x00") + "\x00" + r.key
		g := alike.get(key, func() *row { return &row{cells: r.cells, worst: r.worst} })
		g.names = append(g.names, r.names...)
	}
	return alike.values()
}
