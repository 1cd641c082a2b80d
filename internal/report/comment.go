package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mergegate/mergegate/internal/plan"
)

// CommentOptions says what a comment needs to know besides the plan. Everything but Answer is escaped.
type CommentOptions struct {
	Marker     string   // what the hidden first line holds after "mergegate:"
	BaseName   string   // base branch
	DetailsURL string   // page with the whole plan
	BlobURL    string   // address of the head's files, to which /path#L1 is added
	Notices    []string // what people should know about how this plan came to be, plain text
	Answer     string   // answer to a command, in trusted Markdown
}

func (o CommentOptions) scope() scope {
	return scope{base: o.BaseName, details: o.DetailsURL, blob: o.BlobURL}
}

// MarkerLine is the hidden first line by which a comment is found again.
func MarkerLine(marker string) string { return "<!-- mergegate:" + comment(marker) + " -->" }

// Comment is the one comment on a pull request: what the change does, what blocks it and who can clear
// that. It fits GitHub's limit; what does not is counted and linked.
func Comment(p plan.Plan, o CommentOptions) string {
	return commentBody(p, o, maxComment)
}

// Markdown is the plan in Markdown, all of it.
func Markdown(p plan.Plan) string {
	return commentBody(p, CommentOptions{}, 0)
}

// How much a comment shows of each part, in blocks, and what it keeps free.
const (
	maxBlockers = 10
	maxFindings = 20
	openNotes   = 3    // more of them are folded
	countRoom   = 2500 // for the count of what does not fit
)

func commentBody(p plan.Plan, o CommentOptions, limit int) string {
	v, s := newView(p), o.scope()
	d := &document{limit: limit, terse: limit > 0}
	if o.Marker != "" {
		d.add(MarkerLine(o.Marker) + "\n")
	}
	d.add(v.identity())
	d.add("### " + v.title() + "\n\n" + factLine(v.facts(s, v.headline())) + "\n")
	d.add(v.warning())
	rest := v.addBlockers(d, s)
	v.addTable(d, s)
	v.addLive(d, s)
	d.add(o.notices() + o.answer())
	v.addNotes(d, s)
	end := ""
	if o.Marker != "" {
		end = "<sub>mergegate · plan " + code(short(p.Digest)) + " · comment `/help` for the commands</sub>\n"
	}
	v.addFindings(d, s, rest)
	v.addChanges(d, s, len(end))
	d.add(end)
	return d.String()
}

// How many notices are shown and how long an answer may be, in bytes, and how much of them is open.
const (
	maxNotices = 10
	maxAnswer  = 8000
	openAnswer = 1500
)

// notices is one in sight, more of them folded.
func (o CommentOptions) notices() string {
	switch len(o.Notices) {
	case 0:
		return ""
	case 1:
		return "> [!NOTE]\n> " + sentence(o.Notices[0], maxMessage) + "\n\n"
	}
	var items []item
	for _, n := range o.Notices {
		items = append(items, item{"- " + sentence(n, maxMessage) + "\n", 1})
	}
	inner := (&document{limit: maxComment}).inner()
	if left := inner.addAll(items, maxNotices, 250); len(left) > 0 {
		inner.add("- and " + plural(len(left), "more notice") + "\n")
	}
	return fmt.Sprintf("<details%s><summary>%s</summary>\n\n%s\n</details>\n\n", opened(len(items) <= openNotes), plural(len(items), "notice"), inner)
}

// answer is the answer to a command, open when it is short.
func (o CommentOptions) answer() string {
	if o.Answer == "" {
		return ""
	}
	return "<details" + opened(len(o.Answer) <= openAnswer) + "><summary>Commands</summary>\n\n" + cutMarkdown(o.Answer, maxAnswer) + "\n</details>\n\n"
}

// opened is the attribute of <details> that are open.
func opened(open bool) string {
	if open {
		return " open"
	}
	return ""
}

// addBlockers lists what blocks and returns what did not fit.
func (v view) addBlockers(d *document, s scope) (rest []item) {
	blockers := v.blockers(s, d.terse)
	if len(blockers) == 0 {
		return nil
	}
	d.add("**What blocks this**\n\n")
	rest = d.addAll(blockers, d.most(blockers, maxBlockers), d.limit*2/3)
	if len(rest) > 0 {
		d.add(fmt.Sprintf("- and %s more below\n", number(things(rest))))
	}
	d.add(v.clearing(s) + "\n")
	return rest
}

// addNotes lists what a reader should know beside, folded when it is much.
func (v view) addNotes(d *document, s scope) {
	items := v.noteItems()
	if len(items) == 0 {
		return
	}
	inner := d.inner()
	if left := inner.addAll(items, d.most(items, maxFindings), 250); len(left) > 0 {
		inner.add(fmt.Sprintf("- and %s: %s\n", plural(things(left), "more note"), s.whole()))
	}
	if len(items) <= openNotes {
		d.add("**Notes**\n\n" + inner.String() + "\n")
		return
	}
	d.add(fmt.Sprintf("<details><summary>%s</summary>\n\n%s\n</details>\n\n", plural(len(items), "note"), inner))
}

// addFindings lists the findings that do not block: warnings in sight, what is known or waived folded.
func (v view) addFindings(d *document, s scope, blockers []item) {
	var open, info []finding
	for _, f := range v.open() {
		if f.Severity == plan.Info {
			info = append(info, f)
		} else {
			open = append(open, f)
		}
	}
	shown := slices.Concat(blockers, v.letPass(s, d.terse), findingItems(open, s, d.terse))
	if len(shown) > 0 {
		d.add("**Findings**\n\n")
		if left := d.addAll(shown, d.most(shown, maxFindings), d.limit/4); len(left) > 0 {
			d.add(fmt.Sprintf("- and %s: %s\n", plural(things(left), "more finding"), s.whole()))
		}
		d.add("\n")
	}
	v.addFolded(d, s, folded{"that the base branch has too, not blocking", v.some(func(f finding) bool { return !f.New && f.WaivedBy == "" && !f.broken() })})
	v.addFolded(d, s, folded{"waived", v.some(func(f finding) bool { return f.WaivedBy != "" && !f.broken() })})
	v.addFolded(d, s, folded{"for information", info})
}

// folded are findings that a reader has to ask for.
type folded struct {
	what  string
	found []finding
}

func (v view) addFolded(d *document, s scope, f folded) {
	if len(f.found) == 0 {
		return
	}
	items := findingItems(f.found, s, d.terse)
	inner := d.inner()
	if left := inner.addAll(items, d.most(items, maxFindings), 250); len(left) > 0 {
		inner.add(fmt.Sprintf("- and %s more: %s\n", number(things(left)), s.whole()))
	}
	d.add(fmt.Sprintf("<details><summary>%s %s</summary>\n\n%s\n</details>\n\n", plural(len(f.found), "finding"), f.what, inner))
}

// Diffs are open up to this many lines together, and cut at this many lines each.
const (
	openLines = 30
	maxLines  = 150
)

// addChanges adds the diffs, most dangerous first, as many as fit with reserve bytes kept free.
func (v view) addChanges(d *document, s scope, reserve int) {
	if len(v.changes) == 0 {
		return
	}
	d.add("**Changes**\n\n")
	open, lines := 0, maxLines
	if d.limit == 0 {
		lines = 0
	}
	for i, c := range v.changes {
		n := strings.Count(c.Diff, "\n") + len(c.Fields) + len(c.said(markdownPen))
		restart := len(c.restarts) > 0
		block := c.diffBlock(s, open+n <= openLines && !restart, lines)
		if !restart {
			open += n
		}
		if !d.fits(len(block), countRoom+reserve) {
			d.add(leftOut(v.changes[i:], s))
			return
		}
		d.add(block)
	}
}

// leftOut counts the changes whose diffs are not shown.
func leftOut(changes []change, s scope) string {
	var t tally
	kinds := map[string]int{}
	for _, c := range changes {
		for range c.members {
			t.add(c.Action)
		}
		kinds[c.Object.Kind] += len(c.members)
	}
	var names []string
	for k := range kinds {
		names = append(names, k)
	}
	slices.SortFunc(names, func(a, b string) int {
		if kinds[a] != kinds[b] {
			return kinds[b] - kinds[a]
		}
		return strings.Compare(a, b)
	})
	of := list(names, maxNames, func(k string) string { return number(kinds[k]) + " " + name(k) })
	return fmt.Sprintf("**%s do not fit here** (%s: %s): %s.\n\n", plural(len(changes), "more diff"), t.words(), of, s.whole())
}
