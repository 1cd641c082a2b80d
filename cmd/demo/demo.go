package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/mergegate/mergegate/internal/githubsim"
)

// demo is one run: what was asked for, the world it happens in, and what it found.
type demo struct {
	options
	*screen
	world      *world
	repository string // its full name
	ann, ben   person
	pulls      []*pullRequest // in the order in which they were opened
	claims     claims
}

// pullRequest is one that the demo opens, and what came of it.
type pullRequest struct {
	kind                string // in a word or two
	branch, title, body string
	edits               []edit

	number int
	head   string
	opened time.Time
	took   time.Duration // from the push or its opening to its checks and comment; 0: not yet
	plan   checkRun
	policy checkRun
	said   comment
	notes  []annotation
}

// edit changes a file of the repository: old becomes new; without old, the file is new.
type edit struct{ file, old, new string }

// begin starts the world with a repository of that name, which holds the files of the directory from.
func (d *demo) begin(ctx context.Context, name, from string) error {
	if err := d.world.startGitHub(ctx, name, from); err != nil {
		return err
	}
	d.repository = owner + "/" + name
	api := d.world.github.URL() + "/api/v3/repos/" + d.repository
	d.ann, d.ben = person{"ann", "ann-token", api}, person{"ben", "ben-token", api}
	d.step("Started a local GitHub: REST, git, branch protection, webhooks: at %s", d.world.github.URL())
	return nil
}

func (d *demo) serve(ctx context.Context) error {
	d.step("Branch main is protected: a merge needs the checks %s and %s", bold(planCheck), bold(judgeCheck))
	if err := d.world.startMergegate(ctx); err != nil {
		return err
	}
	d.step("Started %s as the GitHub App that sets them, process %d", bold(d.binary+" serve"), d.world.process.Process.Pid)
	d.step("Its log is %s", d.world.logFile())
	return nil
}

// open has ann push the branch and open the pull request.
func (d *demo) open(ctx context.Context, p *pullRequest, write map[string]string) error {
	var err error
	p.head, err = d.world.github.Push(ctx, githubsim.Push{
		Repository: d.repository, Branch: p.branch, By: d.ann.login, From: "main", Write: write, Message: p.title,
	})
	if err != nil {
		return fmt.Errorf("push %s: %w", p.branch, err)
	}
	return d.propose(ctx, p)
}

// propose opens the pull request for a branch that is there.
func (d *demo) propose(ctx context.Context, p *pullRequest) error {
	p.opened = time.Now()
	var err error
	if p.number, err = d.ann.open(ctx, p.branch, p.title, p.body); err != nil {
		return fmt.Errorf("open a pull request for %s: %w", p.branch, err)
	}
	d.pulls = append(d.pulls, p)
	return nil
}

func (d *demo) page(p *pullRequest) string {
	return fmt.Sprintf("%s/%s/pull/%d", d.world.github.URL(), d.repository, p.number)
}

// await waits until each pull request has both checks completed and a comment that is about its head.
func (d *demo) await(ctx context.Context, all ...*pullRequest) error {
	missing := ""
	err := d.world.wait(ctx, "every pull request has its checks and its comment", func(ctx context.Context) (bool, error) {
		done := true
		for _, p := range all {
			if p.took != 0 {
				continue
			}
			lacks, err := d.look(ctx, p)
			if err != nil {
				return false, err
			}
			if lacks != "" {
				done, missing = false, lacks
				continue
			}
			p.took = time.Since(p.opened)
			d.step("#%d has its checks and its comment, after %.1f s", p.number, p.took.Seconds())
		}
		return done, nil
	})
	if err != nil && missing != "" && ctx.Err() == nil {
		return fmt.Errorf("%w; the last thing missing: %s", err, missing)
	}
	return err
}

// look reads what GitHub shows of a pull request and says what is still missing.
func (d *demo) look(ctx context.Context, p *pullRequest) (lacks string, err error) {
	runs, err := d.ann.checks(ctx, p.head)
	if err != nil {
		return "", err
	}
	p.plan, p.policy = runs[planCheck], runs[judgeCheck]
	for name, run := range map[string]checkRun{planCheck: p.plan, judgeCheck: p.policy} {
		if run.Status != "completed" {
			return fmt.Sprintf("#%d: check run %q is %s", p.number, name, orNone(run.Status)), nil
		}
	}
	comments, err := d.ann.botComments(ctx, p.number)
	if err != nil {
		return "", err
	}
	for _, c := range comments {
		if strings.Contains(c.Body, "head "+p.head) && !strings.Contains(c.Body, "⏳") {
			p.said = c
		}
	}
	if p.said.ID == 0 {
		return fmt.Sprintf("#%d: a comment about its head", p.number), nil
	}
	p.notes = nil
	for _, run := range []checkRun{p.plan, p.policy} {
		notes, err := d.ann.annotations(ctx, run.ID)
		if err != nil {
			return "", err
		}
		p.notes = append(p.notes, notes...)
	}
	return "", nil
}

func orNone(status string) string {
	if status == "" {
		return "not there"
	}
	return status
}

// keepOpen says where to look, and waits.
func (d *demo) keepOpen(ctx context.Context) {
	d.heading("Everything keeps running: look around")
	d.line("  GitHub's pages   %s/%s", d.world.github.URL(), d.repository)
	for _, p := range d.pulls {
		d.line("  plan of #%-7d %s", p.number, p.plan.DetailsURL)
	}
	d.line("  clone, push      git clone %s/%s.git", strings.Replace(d.world.github.URL(), "://", "://ann:ann-token@", 1), d.repository)
	d.line("  mergegate's log  %s", d.world.logFile())
	d.line("Press Ctrl-C to stop and remove everything.")
	select {
	case <-ctx.Done():
	case <-d.world.ended:
		if interrupted(ctx) == nil {
			d.claims.add("mergegate keeps running", false, d.world.endError().Error())
		}
	}
	d.line("\nStopping everything.")
}
