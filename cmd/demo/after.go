package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mergegate/mergegate/internal/githubsim"
)

// repair has ann take back what policies deny; the checks and the comment follow, and the merge is accepted.
func (d *demo) repair(ctx context.Context, p *pullRequest) error {
	d.heading("ann repairs #%d", p.number)
	edits := []edit{{checkoutProduction, "patches:\n", `configMapGenerator:
  - name: checkout-config
    behavior: merge
    literals:
      - LOG_LEVEL=debug
patches:
`}}
	write, err := d.written(edits)
	if err != nil {
		return err
	}
	before := p.said.ID
	p.kind = "repaired"
	p.took, p.said, p.opened = 0, comment{}, time.Now()
	p.head, err = d.world.github.Push(ctx, githubsim.Push{
		Repository: d.repository, Branch: p.branch, By: d.ann.login, Write: write, Remove: []string{debugPatch},
		Message: "Raise the log level instead",
	})
	if err != nil {
		return fmt.Errorf("push %s: %w", p.branch, err)
	}
	d.step("ann pushed a commit to #%d: no privileged container, a higher log level instead", p.number)
	if err := d.await(ctx, p); err != nil {
		return err
	}
	d.line("")
	d.presentComment(p, maxFollowUp)
	d.presentChecks(p)
	d.line("")
	d.conclusions(p, "success", "success")
	d.claims.add(fmt.Sprintf("#%d %s: the same comment, with the new plan", p.number, p.kind), p.said.ID == before && strings.Contains(p.said.Body, "LOG_LEVEL"),
		fmt.Sprintf("comment %d, before %d", p.said.ID, before))
	if err := d.outage(ctx, p); err != nil {
		return err
	}
	return d.accepted(ctx, p)
}

// commands has ann ask for help and for a new plan in a comment, on the main that has moved since.
func (d *demo) commands(ctx context.Context, p *pullRequest) error {
	d.heading("ann comments on #%d", p.number)
	tip, err := d.ann.tip(ctx, "main")
	if err != nil {
		return err
	}
	asked, err := d.ann.say(ctx, p.number, "Main has moved.\n\n/plan\n/help\n")
	if err != nil {
		return err
	}
	d.step("ann wrote /plan and /help in a comment")
	before := p.plan.ID
	var reactions []string
	err = d.world.wait(ctx, fmt.Sprintf("mergegate has answered the comment on #%d", p.number), func(ctx context.Context) (bool, error) {
		if reactions, err = d.ann.reactions(ctx, asked.ID); err != nil || len(reactions) == 0 {
			return false, err
		}
		p.said = comment{}
		lacks, err := d.look(ctx, p)
		return lacks == "" && p.plan.ID != before && strings.Contains(p.said.Body, "base "+tip) && strings.Contains(p.said.Body, "/help"), err
	})
	if err != nil {
		return err
	}
	d.step("mergegate reacted with %s, planned #%d again on the new main, and answered in its one comment:", strings.Join(reactions, ", "), p.number)
	body := markdown(p.said.Body, d.width-2)
	d.block(dim("│")+" ", cut(body[max(0, slices.Index(body, "▾ Commands")):], maxFollowUp, p.said.HTMLURL))
	d.claims.add(fmt.Sprintf("#%d %s: /plan and /help acknowledged, answered", p.number, p.kind), slices.Equal(reactions, []string{"eyes"}),
		"reaction: "+strings.Join(reactions, ", "))
	return nil
}

// claimOneComment records how many comments mergegate wrote on each pull request in the end.
func (d *demo) claimOneComment(ctx context.Context, all []*pullRequest) error {
	one, saw := true, []string{}
	for _, p := range all {
		comments, err := d.ann.botComments(ctx, p.number)
		if err != nil {
			return err
		}
		one = one && len(comments) == 1
		saw = append(saw, fmt.Sprintf("#%d has %d", p.number, len(comments)))
	}
	d.claims.add("mergegate keeps one comment per pull request", one, strings.Join(saw, ", "))
	return nil
}
