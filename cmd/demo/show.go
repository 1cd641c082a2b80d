package main

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// How much is shown of each part, in lines.
const (
	maxPatch    = 26
	maxSummary  = 12
	maxNotes    = 10
	maxComment  = 50
	maxOutage   = 22
	maxFollowUp = 22 // of a comment that was shown before
)

// present prints a pull request as its readers see it.
func (d *demo) present(ctx context.Context, p *pullRequest) error {
	files, err := d.ann.files(ctx, p.number)
	if err != nil {
		return err
	}
	d.heading("Pull request #%d: %s", p.number, clean(p.title))
	d.line("by ann, branch %s into main · %s", clean(p.branch), d.page(p))
	if p.body != "" {
		d.line("%s", clean(p.body))
	}
	d.line("")
	d.block("  ", cut(patches(files), maxPatch, d.page(p)))
	d.line("")
	d.presentComment(p, maxComment)
	d.presentChecks(p)
	return nil
}

// patches is what the files of a pull request change, as a diff.
func patches(files []changedFile) []string {
	var out []string
	for _, f := range files {
		out = append(out, bold(clean(f.Filename))+dim(" ("+f.Status+")"))
		for _, l := range strings.Split(strings.TrimRight(f.Patch, "\n"), "\n") {
			if l = clean(l); !strings.HasPrefix(l, "@@") && l != "" {
				out = append(out, "  "+diffLine(l))
			}
		}
	}
	return out
}

// hash is a whole digest or commit, of which a reader needs the start.
var hash = regexp.MustCompile(`\b([0-9a-f]{12})[0-9a-f]{28,52}\b`)

// presentChecks prints both checks: their titles, what their summaries say beyond the comment, and their
// annotations.
func (d *demo) presentChecks(p *pullRequest) {
	said := map[string]bool{}
	for _, l := range markdown(p.said.Body, d.width-2) {
		said[l] = true
	}
	d.line("")
	for _, run := range []checkRun{p.plan, p.policy} {
		sign := red("✗ " + run.Conclusion)
		if run.Conclusion == "success" {
			sign = green("✓ " + run.Conclusion)
		}
		d.line("Check %s  %s  %s", bold(fmt.Sprintf("%-18s", clean(run.Name))), sign, clean(run.Output.Title))
		summary := markdown(hash.ReplaceAllString(run.Output.Summary, "$1…"), d.width-2)
		d.block("  ", cut(beyond(said, summary, run.HTMLURL), maxSummary, run.HTMLURL))
	}
	if len(p.notes) > 0 {
		d.line("\nAnnotations on the changed lines")
		d.block("  ", cut(noteLines(p.notes, d.width-2), maxNotes, d.page(p)))
	}
}

// beyond is what of the lines has not been said. What was said is counted, with where to find it all.
func beyond(said map[string]bool, lines []string, where string) []string {
	var out []string
	again := 0
	for _, l := range lines {
		switch {
		case l == "":
		case said[l]:
			again++
		default:
			out = append(out, l)
		}
	}
	if again > 0 {
		out = append(out, dim(fmt.Sprintf("… and %s that the comment has too, see %s", plural(again, "line"), where)))
	}
	return out
}

// noteLines is a line for each annotation: where it stands, and its title. What it says more is in the comment.
func noteLines(notes []annotation, width int) []string {
	var out []string
	for _, n := range notes {
		where := code(fmt.Sprintf("%s:%d", clean(n.Path), n.Line))
		out = append(out, wrap(fmt.Sprintf("%s  %s  %s", where, n.Level, clean(n.Title)), width)...)
	}
	return out
}

func (d *demo) presentComment(p *pullRequest, most int) {
	d.line("Comment by %s", bold(p.said.User.Login))
	d.block(dim("│")+" ", cut(markdown(p.said.Body, d.width-2), most, p.said.HTMLURL))
}

// summary prints what was checked and what it took.
func (d *demo) summary(ctx context.Context) error {
	if err := d.world.github.Flush(ctx); err != nil {
		return fmt.Errorf("wait for the last webhooks: %w", err)
	}
	taken := 0
	deliveries := d.world.github.Deliveries(slug)
	for _, one := range deliveries {
		if one.OK() {
			taken++
		}
	}
	d.claims.add("mergegate accepts every webhook", taken == len(deliveries), fmt.Sprintf("%d of %d", taken, len(deliveries)))
	d.heading("What was shown, and checked")
	d.block("", d.claims.table(d.width))
	reads, writes, git := d.world.traffic.counts()
	d.line("\nIn %.1f s mergegate got %s and made %d calls of GitHub's API (%d read, %d write) and %s.",
		time.Since(d.started).Seconds(), plural(len(deliveries), "webhook"), reads+writes, reads, writes, plural(git, "git request"))
	return nil
}
