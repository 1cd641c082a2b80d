package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// The files of the sample repository that the story changes.
const (
	shopBase           = "apps/shop/base/kustomization.yaml"
	checkoutProduction = "apps/checkout/overlays/production/kustomization.yaml"
	debugPatch         = "apps/checkout/overlays/production/debug.yaml"
	mailerProduction   = "apps/mailer/overlays/production/kustomization.yaml"
)

// samplePulls are the pull requests of the story: one that is fine, one that policies deny and a cluster
// refuses, one that is broken.
func samplePulls() (release, debug, broken *pullRequest) {
	release = &pullRequest{
		kind: "image bump", branch: "release-shop-1.9.0", title: "Release shop 1.9.0",
		body:  "A one-line change in the base that staging and production share.",
		edits: []edit{{shopBase, "newTag: 1.8.2", "newTag: 1.9.0"}},
	}
	debug = &pullRequest{
		kind: "privileged", branch: "debug-checkout", title: "Look into slow payments in production",
		body: "Adds a privileged container with the node's file system to production.",
		edits: []edit{
			{checkoutProduction, "patches:\n", "patches:\n  - path: debug.yaml\n"},
			{debugPatch, "", `apiVersion: apps/v1
kind: Deployment
metadata:
  name: checkout
spec:
  template:
    spec:
      containers:
        - name: debug
          image: registry.example.com/tools/debug:latest
          securityContext:
            privileged: true
          volumeMounts:
            - name: node
              mountPath: /node
      volumes:
        - name: node
          hostPath:
            path: /
`},
		},
	}
	broken = &pullRequest{
		kind: "broken", branch: "mailer-memory", title: "Give mailer more memory in production",
		body:  "Names a patch file that was never committed.",
		edits: []edit{{mailerProduction, "patches:\n", "patches:\n  - path: memory.yaml\n"}},
	}
	return release, debug, broken
}

// sampleStory is the demo with the sample repository.
func (d *demo) sampleStory(ctx context.Context) error {
	d.line("%s", bold("mergegate demo"))
	d.line("A pull request on a GitOps repository gets its plan, what it would do to the clusters, its policy verdict and its checks.\nAll on this machine.\n")
	if err := d.begin(ctx, "shop-gitops", d.sample); err != nil {
		return err
	}
	d.step("Pushed %s to %s: three services, for staging and production", d.sample, bold(d.repository))
	if err := d.clusters(ctx); err != nil {
		return err
	}
	if err := d.serve(ctx); err != nil {
		return err
	}
	release, debug, broken := samplePulls()
	all := []*pullRequest{release, debug, broken}
	if err := d.openSamples(ctx, all); err != nil {
		return err
	}
	if err := d.await(ctx, all...); err != nil {
		return err
	}
	for _, p := range all {
		if err := d.present(ctx, p); err != nil {
			return err
		}
	}
	d.claimRelease(release)
	d.claimDebug(debug)
	d.claimBroken(broken)
	if err := d.merges(ctx, release, debug, broken); err != nil {
		return err
	}
	if d.claims.broken() != nil {
		d.step("Not as expected: the rest of the story is left out")
		return d.summary(ctx)
	}
	if err := d.repair(ctx, debug); err != nil {
		return err
	}
	if err := d.commands(ctx, broken); err != nil {
		return err
	}
	if err := d.claimOneComment(ctx, all); err != nil {
		return err
	}
	return d.summary(ctx)
}

func (d *demo) openSamples(ctx context.Context, all []*pullRequest) error {
	for _, p := range all {
		write, err := d.written(p.edits)
		if err != nil {
			return err
		}
		if err := d.open(ctx, p, write); err != nil {
			return err
		}
		d.step("ann opened #%d: %s", p.number, p.title)
	}
	return nil
}

// written is the content of the files after the edits.
func (d *demo) written(edits []edit) (map[string]string, error) {
	out := map[string]string{}
	for _, e := range edits {
		if e.old == "" {
			out[e.file] = e.new
			continue
		}
		text, err := os.ReadFile(filepath.Join(d.sample, filepath.FromSlash(e.file)))
		if err != nil {
			return nil, fmt.Errorf("read the sample: %w", err)
		}
		if strings.Count(string(text), e.old) != 1 {
			return nil, fmt.Errorf("edit the sample: %s should have %q once", e.file, e.old)
		}
		out[e.file] = strings.Replace(string(text), e.old, e.new, 1)
	}
	return out, nil
}

// conclusions records how both checks of a pull request must have ended.
func (d *demo) conclusions(p *pullRequest, plan, policy string) {
	d.claims.add(fmt.Sprintf("#%d %s: plan %s, policy %s", p.number, p.kind, plan, policy),
		p.plan.Conclusion == plan && p.policy.Conclusion == policy,
		fmt.Sprintf("plan %s, policy %s, after %.1f s", p.plan.Conclusion, p.policy.Conclusion, p.took.Seconds()))
}

func (d *demo) claimRelease(p *pullRequest) {
	d.conclusions(p, "success", "success")
	d.claims.has("#1 image bump: comment shows the new image in both", p.said.Body, "shop", "staging", "production", "1.8.2", "1.9.0")
	others := slices.DeleteFunc([]string{"checkout", "mailer"}, func(name string) bool { return !strings.Contains(p.said.Body, name) })
	d.claims.add("#1 image bump: comment leaves others out", len(others) == 0, orNeither(others))
	d.claimDrift(p)
}

func orNeither(list []string) string {
	if len(list) == 0 {
		return "neither checkout nor mailer is in it"
	}
	return "it speaks of " + strings.Join(list, " and ")
}

func (d *demo) claimDebug(p *pullRequest) {
	d.conclusions(p, "failure", "failure")
	d.claimRefused(p)
	line := 1 + strings.Count(p.edits[1].new[:strings.Index(p.edits[1].new, "privileged: true")], "\n")
	i := slices.IndexFunc(p.notes, func(n annotation) bool { return n.Path == debugPatch && n.Line == line && n.Level == "failure" })
	if i < 0 {
		d.claims.add("#2 privileged: annotation on that very line", false, fmt.Sprintf("none at %s:%d", debugPatch, line))
		return
	}
	d.claims.add("#2 privileged: annotation on that very line", true, fmt.Sprintf("%s:%d, %s", filepath.Base(debugPatch), line, p.notes[i].Title))
}

func (d *demo) claimBroken(p *pullRequest) {
	d.conclusions(p, "failure", "failure")
	d.claims.has("#3 broken: comment names the missing file", p.said.Body, "mailer", "memory.yaml")
}

// merges has ben merge: what the checks refuse is refused, what they let pass is merged.
func (d *demo) merges(ctx context.Context, release, debug, broken *pullRequest) error {
	d.heading("ben, who maintains the repository, merges")
	for _, p := range []*pullRequest{debug, broken} {
		if err := d.refused(ctx, p); err != nil {
			return err
		}
	}
	return d.accepted(ctx, release)
}

func (d *demo) refused(ctx context.Context, p *pullRequest) error {
	status, said, err := d.ben.merge(ctx, p.number)
	if err != nil {
		return err
	}
	merged, err := d.ben.merged(ctx, p.number)
	d.step("#%d: GitHub answers %d: %s", p.number, status, clean(said))
	d.claims.add(fmt.Sprintf("#%d %s: GitHub refuses the merge", p.number, p.kind), status == http.StatusMethodNotAllowed && !merged, fmt.Sprintf("%d", status))
	return err
}

func (d *demo) accepted(ctx context.Context, p *pullRequest) error {
	status, said, err := d.ben.merge(ctx, p.number)
	if err != nil {
		return err
	}
	merged, err := d.ben.merged(ctx, p.number)
	d.step("#%d: GitHub answers %d: %s", p.number, status, clean(said))
	d.claims.add(fmt.Sprintf("#%d %s: GitHub merges it", p.number, p.kind), status == http.StatusOK && merged, fmt.Sprintf("%d", status))
	return err
}
