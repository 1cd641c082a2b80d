package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// notInName is what a repository's name on GitHub cannot have.
var notInName = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// ownStory is the demo with a repository of whoever runs it: one pull request from head into base.
func (d *demo) ownStory(ctx context.Context) error {
	dir, err := filepath.Abs(d.repo)
	if err != nil {
		return fmt.Errorf("find %s: %w", d.repo, err)
	}
	base, err := resolve(ctx, dir, d.base)
	if err != nil {
		return err
	}
	head, err := resolve(ctx, dir, d.head)
	if err != nil {
		return err
	}
	d.line("%s", bold("mergegate demo"))
	d.line("One pull request on a copy of %s, from %s into %s. The repository itself is only read.\n", dir, d.head, d.base)
	name := strings.Trim(notInName.ReplaceAllString(strings.TrimSuffix(filepath.Base(dir), ".git"), "-"), "-.")
	if name == "" {
		name = "repository"
	}
	if err := d.begin(ctx, name, ""); err != nil {
		return err
	}
	if err := d.serve(ctx); err != nil {
		return err
	}
	p := &pullRequest{branch: "proposal", title: subject(ctx, dir, head)}
	if _, err := d.world.github.Import(ctx, d.repository, dir, base, "main"); err != nil {
		return err
	}
	if p.head, err = d.world.github.Import(ctx, d.repository, dir, head, p.branch); err != nil {
		return err
	}
	d.step("Pushed %s as main and %s as branch %s to %s", short(base), short(head), p.branch, bold(d.repository))
	if err := d.propose(ctx, p); err != nil {
		return err
	}
	d.step("ann opened #%d: %s", p.number, clean(p.title))
	if err := d.await(ctx, p); err != nil {
		return err
	}
	if err := d.present(ctx, p); err != nil {
		return err
	}
	d.claims.add("both checks are completed", p.plan.Status == "completed" && p.policy.Status == "completed",
		fmt.Sprintf("plan %s, policy %s, after %.1f s", p.plan.Conclusion, p.policy.Conclusion, p.took.Seconds()))
	return d.summary(ctx)
}

// resolve is the commit that a revision names.
func resolve(ctx context.Context, dir, rev string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", "-C", dir, "rev-parse", "--verify", "--quiet", "--end-of-options", rev+"^{commit}")
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s has no commit %q (git rev-parse: %w)", dir, rev, err)
	}
	return strings.TrimSpace(string(out)), nil
}

// subject is the first line of a commit's message, as the title of the pull request.
func subject(ctx context.Context, dir, commit string) string {
	out, err := exec.CommandContext(ctx, "git", "-C", dir, "log", "-1", "--format=%s", commit).Output()
	if title := strings.TrimSpace(string(out)); err == nil && title != "" {
		return title
	}
	return "Proposal " + short(commit)
}

func short(commit string) string { return commit[:min(len(commit), 12)] }
