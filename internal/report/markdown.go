package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/mergegate/mergegate/internal/manifest"
	"github.com/mergegate/mergegate/internal/plan"
)

// scope says where things are that a report links to. Each may be empty.
type scope struct {
	base    string // base branch
	details string // address of the page with everything
	blob    string // address of the head's files, to which a path is added
}

// How much of one thing a comment or check run shows.
const (
	maxName    = 200  // bytes of one name
	maxMessage = 1000 // bytes of one message
	maxNames   = 5    // names in a list
	maxSame    = 10   // names of applications with the same change
	maxAlike   = 3    // findings of one policy in a comment
)

func name(s string) string { return code(brief(s, maxName)) }

// where is a location as a link, and empty without one.
func (s scope) where(l *manifest.Location) string {
	if at := place(l); at != "" {
		return s.at(at, l)
	}
	return ""
}

// at is a text that links to a location.
func (s scope) at(text string, l *manifest.Location) string { return link(name(text), s.address(l)) }

// address is where a location is to be seen, and empty when that is not known.
func (s scope) address(l *manifest.Location) string {
	if s.blob == "" {
		return ""
	}
	address := strings.TrimSuffix(s.blob, "/") + "/" + filePath(l.File)
	if l.Line > 0 {
		address += fmt.Sprintf("#L%d", l.Line)
	}
	return address
}

// whole says where everything is.
func (s scope) whole() string {
	if webAddress(s.details) == "" {
		return "`mergegate plan` shows everything"
	}
	return link("the full plan", s.details) + " shows everything"
}

// branch names the base branch.
func (s scope) branch() string {
	if s.base == "" {
		return "the base branch"
	}
	return name(s.base)
}

// title is the verdict with its sign.
func (v view) title() string {
	sign := "❌ "
	if v.plan.Verdict == plan.Pass {
		sign = "✅ "
	}
	return sign + v.headline()
}

// facts are what was planned and what comes of it, without what the title says already.
func (v view) facts(s scope, title string) []string {
	parts := []string{fmt.Sprintf("%s into %s at %s", code(short(v.plan.Head)), s.branch(), code(short(v.plan.Base)))}
	parts = append(parts, v.scale(title)...)
	if webAddress(s.details) != "" {
		parts = append(parts, link("full plan", s.details))
	}
	return parts
}

func factLine(parts []string) string { return strings.Join(parts, " · ") + "\n" }

// identity is the machine's part: hidden, and first, so that no cut drops it.
func (v view) identity() string {
	return fmt.Sprintf("<!-- plan %s base %s head %s -->\n", comment(v.plan.Digest), comment(v.plan.Base), comment(v.plan.Head))
}

// warning names what the change deletes or replaces that may hold state or matters beyond a namespace.
func (v view) warning() string {
	var lost []string
	for _, c := range v.changes {
		lost = append(lost, c.losses(markdownPen)...)
	}
	if len(lost) == 0 {
		return ""
	}
	return "> [!WARNING]\n> This " + list(lost, maxNames, plain) + ". Check what is lost with it.\n\n"
}

// blockers lists what stands against a pass, one block each.
func (v view) blockers(s scope, terse bool) []item {
	if v.plan.Verdict == plan.Pass {
		return nil
	}
	var out []item
	for _, r := range v.reasons() {
		out = append(out, item{"- " + sentence(r, maxMessage) + "\n", 1})
	}
	return slices.Concat(out, v.refusalItems(s, terse), v.failureItems(s), findingItems(v.blocking(), s, terse))
}

func (v view) failureItems(s scope) []item {
	var out []item
	for _, f := range v.failures {
		out = append(out, item{failureItem(f, s), len(f.apps)})
	}
	return out
}

// findingItems lists findings, in the order in which they are. Where it is terse, it shows a few of each
// policy and counts the others.
func findingItems(findings []finding, s scope, terse bool) []item {
	kind := func(f finding) string { return severity(f.Severity) + "\x00" + f.Policy }
	total, shown := map[string]int{}, map[string]int{}
	for _, f := range findings {
		total[kind(f)]++
	}
	var out []item
	for _, f := range findings {
		k := kind(f)
		shown[k]++
		switch {
		case !terse || shown[k] <= maxAlike || total[k] == maxAlike+1:
			out = append(out, item{findingItem(f, s), 1})
		case shown[k] == total[k]:
			more := total[k] - maxAlike
			out = append(out, item{fmt.Sprintf("- **%s** %s: %s more: %s\n", severity(f.Severity), name(f.Policy), number(more), s.whole()), more})
		}
	}
	return out
}

func failureItem(f failure, s scope) string {
	item := fmt.Sprintf("- **error** %s could not be planned: %s", list(f.apps, maxNames, name), sentence(f.message, maxMessage))
	if at := s.where(f.location); at != "" {
		item += "<br>" + at
	}
	return item + "\n"
}

// findingItem is one finding as an item of a list.
func findingItem(f finding, s scope) string {
	item := fmt.Sprintf("- **%s** %s: %s", severity(f.Severity), link(name(f.Policy), f.URL), sentence(f.Message, maxMessage))
	var parts []string
	if at := s.where(f.Location); at != "" {
		parts = append(parts, at)
	}
	if about := f.about(); about != "" {
		parts = append(parts, about)
	}
	if len(f.apps) > 0 {
		parts = append(parts, "in "+list(f.apps, maxNames, name))
	}
	if f.WaivedBy != "" {
		parts = append(parts, "waived by "+name(f.WaivedBy))
	}
	if len(parts) > 0 {
		item += "<br>" + strings.Join(parts, " · ")
	}
	return item + "\n"
}

// about names what a finding is about. A namespace that is called like the application beside it says
// nothing more.
func (f finding) about() string {
	switch {
	case len(f.objects) == 0:
		return ""
	case len(f.objects) > 1:
		return plural(len(f.objects), "object")
	case len(f.apps) == 1 && f.apps[0] == f.objects[0].Namespace:
		return name(kindName(f.objects[0]))
	default:
		return name(f.objects[0].String())
	}
}

func severity(s plan.Severity) string {
	if weight(s) < 0 {
		return string(plan.SeverityError)
	}
	return string(s)
}

// clearing says who can clear what blocks.
func (v view) clearing(s scope) string {
	var parts []string
	blocking := v.blocking()
	broken := slices.ContainsFunc(blocking, finding.broken)
	denied := slices.ContainsFunc(blocking, func(f finding) bool { return !f.broken() })
	if len(v.failures) > 0 || denied {
		author := "the author, by changing this pull request"
		if denied {
			author += ", or the owners of the policies, by an exception on " + s.branch()
		}
		parts = append(parts, author)
	}
	if broken {
		parts = append(parts, "for policy errors their owners, by repairing them on "+s.branch())
	}
	parts = append(v.clearers(markdownPen), parts...)
	if v.unjudged() {
		parts = append(parts, "the owners of the policies, by adding some on "+s.branch())
	}
	if len(parts) == 0 {
		return ""
	}
	return "\n**Who can clear it:** " + strings.Join(parts, "; ") + ".\n"
}

// unjudged says whether the plan is an error because no policy was there.
func (v view) unjudged() bool {
	return v.plan.Verdict == plan.Error && len(v.plan.Policies) == 0 && len(v.failures) == 0 && len(v.refusals) == 0 && len(v.some(finding.broken)) == 0
}

// noteItems lists what a reader should know beside.
func (v view) noteItems() []item {
	var out []item
	for _, n := range v.notes {
		text := sentence(n.text, maxMessage)
		if len(n.apps) > 0 {
			text = list(n.apps, maxNames, name) + ": " + text
		}
		out = append(out, item{"- " + text + "\n", 1})
	}
	return out
}

// diffBlock is a change as a folding block. lines is how many lines of the diff it may show, 0 all.
func (c change) diffBlock(s scope, open bool, lines int) string {
	var b strings.Builder
	b.WriteString("<details" + opened(open) + "><summary>" + c.summaryHTML() + "</summary>\n\n")
	b.WriteString(c.about(s) + c.liveList(s, lines))
	if c.Diff == "" {
		b.WriteString(c.fieldList(lines))
	} else {
		b.WriteString(c.fencedDiff(s, lines))
	}
	b.WriteString("\n</details>\n\n")
	return b.String()
}

// about says where else the change is the same and what set its values.
func (c change) about(s scope) string {
	var parts []string
	if len(c.members) > 1 {
		same := "Same in " + list(c.apps(), maxSame, name)
		if c.varies {
			same += "; the lines around it are those of " + name(c.members[0].app)
		}
		parts = append(parts, same+".")
	}
	if at := c.sources(s); at != "" {
		parts = append(parts, "Set at "+at+".")
	}
	if len(parts) == 0 {
		return ""
	}
	return strings.Join(parts, " ") + "\n\n"
}

// summaryHTML is the title of a change: what happens to what, where, and to which value.
func (c change) summaryHTML() string {
	effect, pods := c.liveTitle()
	out := "<b>" + string(c.Action) + arrow(effect) + "</b> "
	if mark := c.mark(); mark != "" {
		out = mark + " " + out
	}
	out += codeHTML(brief(c.subject(), maxName))
	if g := c.gist(); g != "" {
		out += " · " + codeHTML(brief(g, maxName))
	}
	if r := c.restart(func(s string) string { return codeHTML(brief(s, maxName)) }); r != "" {
		out += " · " + r
	}
	if pods != "" {
		out += " · " + pods
	}
	if apps := c.apps(); len(apps) > 1 {
		return out + " · " + plural(len(apps), "application")
	}
	return out + " · " + codeHTML(brief(c.members[0].app, maxName))
}

// setting is what set changed fields, with its places in one file.
type setting struct {
	via    string
	places []*manifest.Location
}

// settings are what set the changed fields, each place once.
func (c change) settings() []setting {
	byFile, seen := newGroups[setting](), map[string]bool{}
	for _, f := range c.Fields {
		at := place(f.Source)
		if at == "" || seen[at] {
			continue
		}
		seen[at] = true
		g := byFile.get(f.Source.File+"\x00"+f.Source.Via, func() *setting { return &setting{via: f.Source.Via} })
		g.places = append(g.places, f.Source)
	}
	return byFile.values()
}

// place names one of the places: the file only once.
func (g setting) place(i int) string {
	at := place(g.places[i])
	if i > 0 {
		return strings.TrimPrefix(at, g.places[i].File)
	}
	return at
}

// sources lists the places that set the changed fields, each file once: a.yaml:9 and :16 (patch).
func (c change) sources(s scope) string {
	var out []string
	for _, g := range c.settings() {
		var places []string
		for i, l := range g.places {
			places = append(places, s.at(g.place(i), l))
		}
		where := list(places, 3, plain)
		if g.via != "" {
			where += " (" + name(g.via) + ")"
		}
		out = append(out, where)
	}
	return list(out, 3, plain)
}

// fieldList lists the changed fields of a change that has no diff.
func (c change) fieldList(most int) string {
	if len(c.Fields) == 0 {
		return "No fields are shown for this object.\n"
	}
	var b strings.Builder
	for i, f := range c.Fields {
		if most > 0 && i == most {
			fmt.Fprintf(&b, "- and %s\n", plural(len(c.Fields)-i, "more field"))
			break
		}
		before, after := "nothing", "nothing"
		if f.Before != nil {
			before = code(brief(value(f.Before), maxName))
		}
		if f.After != nil {
			after = code(brief(value(f.After), maxName))
		}
		fmt.Fprintf(&b, "- %s: %s → %s\n", code(brief(cmp.Or(f.At, f.Path), 2*maxName)), before, after)
	}
	return b.String()
}

// maxLine is how long a line of a diff may be, in bytes, where the number of lines is limited.
const maxLine = 400

func (c change) fencedDiff(s scope, most int) string {
	lines := strings.Split(strings.TrimRight(diffBody(c.Diff), "\n"), "\n")
	if most == 0 {
		return fenced(strings.Join(lines, "\n"), "diff")
	}
	more := len(lines) - most
	if more > 0 {
		lines = lines[:most]
		more += c.Omitted
	}
	for i, l := range lines {
		lines[i] = clip(visibleLine(l), maxLine)
	}
	out := fenced(strings.Join(lines, "\n"), "diff")
	if more > 0 {
		out += fmt.Sprintf("\n%s of this diff: %s.\n", plural(more, "more line"), s.whole())
	}
	return out
}
