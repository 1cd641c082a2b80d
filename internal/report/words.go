package report

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/mergegate/mergegate/internal/manifest"
	"github.com/mergegate/mergegate/internal/plan"
)

// number writes 12345 as 12,345.
func number(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// plural counts things: "1 object", "2,000 objects". The plural of what is not regular is given too.
func plural(n int, one string, many ...string) string {
	if n == 1 {
		return "1 " + one
	}
	if len(many) > 0 {
		return number(n) + " " + many[0]
	}
	return number(n) + " " + one + "s"
}

// short is the short form of a commit or digest.
func short(sha string) string {
	sha = strings.TrimPrefix(sha, "sha256:")
	return cutRunes(sha, 7)
}

// tally counts changes by what happens.
type tally struct{ created, updated, deleted, replaced int }

func (t *tally) add(a plan.Action) {
	switch a {
	case plan.Create:
		t.created++
	case plan.Delete:
		t.deleted++
	case plan.Replace:
		t.replaced++
	default:
		t.updated++
	}
}

func tallyOf(changes []plan.Change) tally {
	var t tally
	for _, c := range changes {
		t.add(c.Action)
	}
	return t
}

func (t tally) sum() int { return t.created + t.updated + t.deleted + t.replaced }

// words says the counts that are not zero, losses first: "1 deleted, 2 updated".
func (t tally) words() string {
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{{t.deleted, "deleted"}, {t.replaced, "replaced"}, {t.updated, "updated"}, {t.created, "created"}} {
		if p.n > 0 {
			parts = append(parts, number(p.n)+" "+p.what)
		}
	}
	return strings.Join(parts, ", ")
}

// total counts the changes of a plan from its summary.
func total(p plan.Plan) tally {
	return tally{p.Summary.Create, p.Summary.Update, p.Summary.Delete, p.Summary.Replace}
}

// headline is the verdict in one line of plain text that holds nothing of a manifest or policy.
func (v view) headline() string {
	if v.plan.Verdict == plan.Pass {
		return "Passes: " + v.effect()
	}
	var parts []string
	apps := 0
	for _, f := range v.failures {
		apps += len(f.apps)
	}
	if apps > 0 {
		parts = append(parts, plural(apps, "application")+" could not be planned")
	}
	parts = append(parts, liveTally(v.plan.Applications...).refused()...)
	if n := len(v.some(finding.broken)); n > 0 {
		parts = append(parts, plural(n, "policy error"))
	}
	if denied := v.denied(); denied != "" {
		parts = append(parts, denied)
	}
	if len(parts) == 0 && v.plan.Verdict == plan.Fail && v.plan.Summary.Warn > 0 {
		parts = append(parts, plural(v.plan.Summary.Warn, "policy warning"))
	}
	switch {
	case len(parts) == 0 && v.plan.Verdict == plan.Fail:
		return "Blocked"
	case len(parts) == 0 && v.unjudged():
		return "Blocked: no policy was evaluated"
	case len(parts) == 0:
		return "Blocked: the plan could not be evaluated"
	}
	return "Blocked: " + strings.Join(parts, ", ")
}

// denied counts the policies that deny, and where: "denied by 1 policy in 2 applications".
func (v view) denied() string {
	policies, apps := map[string]bool{}, map[string]bool{}
	for _, f := range v.some(func(f finding) bool { return f.Severity == plan.Deny && f.blocks() }) {
		policies[f.Policy] = true
		for _, a := range f.apps {
			apps[a] = true
		}
	}
	if len(policies) == 0 {
		return ""
	}
	out := "denied by " + plural(len(policies), "policy", "policies")
	if len(apps) > 0 {
		out += " in " + plural(len(apps), "application")
	}
	return out
}

// effect says what the change does: "2 objects updated in 2 of 40 applications".
func (v view) effect() string {
	t := total(v.plan)
	switch {
	case t.sum() > 0:
		return fmt.Sprintf("%s in %s", t.objects(), v.of(v.changing()))
	case len(v.failures) > 0:
		return "changes unknown"
	default:
		return "no object changes"
	}
}

// changing counts the applications whose objects change.
func (v view) changing() int {
	n := 0
	for _, a := range v.plan.Applications {
		if len(a.Changes) > 0 {
			n++
		}
	}
	return n
}

// of is a number of all applications, be they there before or after: "2 of 40 applications".
func (v view) of(n int) string {
	all := v.plan.Summary.Applications
	for _, a := range v.plan.Applications {
		if a.Status == plan.Removed {
			all++
		}
	}
	return number(n) + " of " + plural(max(n, all), "application")
}

// extent is what the change does, without what the title says already. How many applications were
// affected is said only where none of them changes: the table shows the others.
func (v view) extent(title string) []string {
	var parts []string
	if effect := v.effect(); !strings.Contains(title, effect) {
		parts = append(parts, effect)
	}
	if v.changing() == 0 {
		parts = append(parts, v.of(v.plan.Summary.Affected)+" affected")
	}
	return parts
}

// scale is the extent and by how many policies it was judged.
func (v view) scale(title string) []string {
	parts := append(v.extent(title), v.liveScale(title)...)
	if n := len(v.plan.Policies); n > 0 && !strings.Contains(title, evaluated(n)) {
		parts = append(parts, evaluated(n))
	}
	return parts
}

// evaluated counts the policies.
func evaluated(n int) string { return plural(n, "policy", "policies") + " evaluated" }

// objects is words with its noun: "1 object deleted, 2 updated".
func (t tally) objects() string {
	w := t.words()
	n, rest, _ := strings.Cut(w, " ")
	noun := "objects"
	if n == "1" {
		noun = "object"
	}
	return n + " " + noun + " " + rest
}

// kindName names an object without its namespace.
func kindName(id manifest.ID) string { return id.Kind + "/" + id.Name }

// subject names what a change is about: the object, or how many of its kind.
func (c change) subject() string {
	name := kindName(c.Object)
	for _, m := range c.members {
		if kindName(m.object) != name {
			return plural(len(c.members), c.Object.Kind+" object")
		}
	}
	return name
}

// apps names the applications of a change, each one once.
func (c change) apps() []string {
	var out []string
	for _, m := range c.members {
		if len(out) == 0 || out[len(out)-1] != m.app {
			out = append(out, m.app)
		}
	}
	return out
}

// list joins the first few names and counts the rest. write gives the form of one name.
func list(names []string, most int, write func(string) string) string {
	var parts []string
	for i, n := range names {
		if i == most && len(names) > most+1 {
			return strings.Join(parts, ", ") + " and " + number(len(names)-most) + " more"
		}
		parts = append(parts, write(n))
	}
	if len(parts) < 2 {
		return strings.Join(parts, "")
	}
	return strings.Join(parts[:len(parts)-1], ", ") + " and " + parts[len(parts)-1]
}
