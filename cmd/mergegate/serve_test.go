package main

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/mergegate/mergegate/internal/githubsim"
	"github.com/mergegate/mergegate/internal/githubsim/hook"
)

const shopBase = "apps/shop/base/kustomization.yaml"

// kustomization is the shop's base with another image tag, and more at its end.
func kustomization(tag, more string) map[string]string {
	return map[string]string{shopBase: `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
  - deployment.yaml
  - service.yaml
images:
  - name: registry.example.com/shop/web
    newTag: ` + tag + `
configMapGenerator:
  - name: shop-config
    literals:
      - LOG_LEVEL=info
` + more}
}

// privileged is a patch of checkout in production that no policy lets pass.
func privileged() map[string]string {
	return map[string]string{"apps/checkout/overlays/production/kustomization.yaml": `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: checkout-production
resources:
  - ../../base
  - namespace.yaml
components:
  - ../../../../components/hardened
patches:
  - path: debug.yaml
`, "apps/checkout/overlays/production/debug.yaml": `apiVersion: apps/v1
kind: Deployment
metadata:
  name: checkout
spec:
  template:
    spec:
      containers:
        - name: checkout
          securityContext:
            privileged: true
`}
}

// merge asks GitHub to merge a pull request as ann would.
func (w *world) merge(number int) (code int, message string) {
	w.t.Helper()
	var answer struct{ Message string }
	code = w.as("ann-token", "PUT", "/repos/"+repository+"/pulls/"+strconv.Itoa(number)+"/merge", map[string]any{}, &answer)
	return code, answer.Message
}

func (w *world) expect(sha string, runs int, plan, policy string) {
	w.t.Helper()
	gotPlan, gotPolicy := w.settled(sha, runs)
	if gotPlan.Conclusion != plan || gotPolicy.Conclusion != policy {
		w.t.Errorf("plan %s, policy %s; want %s, %s\n%s\n%s\n%s", gotPlan.Conclusion, gotPolicy.Conclusion, plan, policy,
			gotPlan.Output.Summary, gotPlan.Output.Text, gotPolicy.Output.Summary)
	}
}

// count is how many check runs a commit has, by name.
func (w *world) count(sha string) map[string]int {
	w.t.Helper()
	count := map[string]int{}
	for _, c := range w.checks(sha) {
		count[c.Name]++
	}
	return count
}

func (w *world) expectRuns(sha string, want int) {
	w.t.Helper()
	for name, n := range w.count(sha) {
		if n != want {
			w.t.Errorf("%d runs of %s on %s, want %d", n, name, sha[:8], want)
		}
	}
}

func TestPullRequestGetsItsChecksAndComment(t *testing.T) {
	w := newWorld(t)
	w.serve()
	number, head := w.change("bump", kustomization("1.9.0", ""))
	w.expect(head, 1, "success", "success")
	body := w.commented(number, "shop-production", "shop-staging", "1.9.0")
	if strings.Contains(body, "mailer") {
		t.Errorf("the comment speaks of applications that are not affected:\n%s", body)
	}
	plan, _ := w.settled(head, 1)
	res, err := http.Get(plan.DetailsURL)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Errorf("the page behind the check: %s", res.Status)
	}
	if code, message := w.merge(number); code != http.StatusOK {
		t.Errorf("merge of a pull request that passed: %d %s", code, message)
	}
	w.expectRuns(head, 1)
}

func TestPolicyViolationBlocksUntilItIsMended(t *testing.T) {
	w := newWorld(t)
	w.serve()
	number, head := w.change("debug", privileged())
	w.expect(head, 1, "success", "failure")
	_, policy := w.settled(head, 1)
	var annotations []struct {
		Path      string
		StartLine int    `json:"start_line"`
		Level     string `json:"annotation_level"`
		Message   string
	}
	w.as("ann-token", "GET", fmt.Sprintf("/repos/%s/check-runs/%d/annotations", repository, policy.ID), nil, &annotations)
	at := slices.IndexFunc(annotations, func(a struct {
		Path      string
		StartLine int    `json:"start_line"`
		Level     string `json:"annotation_level"`
		Message   string
	},
	) bool {
		return a.Path == "apps/checkout/overlays/production/debug.yaml" && a.StartLine == 11 && a.Level == "failure"
	})
	if at < 0 {
		t.Errorf("no annotation on the line that makes the container privileged: %+v", annotations)
	}
	if code, message := w.merge(number); code != http.StatusMethodNotAllowed {
		t.Errorf("merge of a pull request that fails: %d %s", code, message)
	}
	fixed := w.push(githubsim.Push{Branch: "debug", Remove: []string{"apps/checkout/overlays/production/debug.yaml"}, Write: map[string]string{
		"apps/checkout/overlays/production/kustomization.yaml": strings.ReplaceAll(privileged()["apps/checkout/overlays/production/kustomization.yaml"], "patches:\n  - path: debug.yaml\n", ""),
	}})
	w.expect(fixed, 1, "success", "success")
	w.commented(number, "checkout-production") // before the merge, after which nothing is said any more
	if code, message := w.merge(number); code != http.StatusOK {
		t.Errorf("merge of a pull request that was mended: %d %s", code, message)
	}
}

func TestBrokenRenderIsAnErrorThatNamesFileAndKey(t *testing.T) {
	w := newWorld(t)
	w.serve()
	number, head := w.change("broken", kustomization("1.9.0", "pathes:\n  - path: x.yaml\n"))
	w.expect(head, 1, "failure", "failure")
	w.commented(number, shopBase, "pathes")
	if code, _ := w.merge(number); code != http.StatusMethodNotAllowed {
		t.Errorf("merge of a pull request that does not render: %d", code)
	}
}

func TestConflictNamesTheFiles(t *testing.T) {
	w := newWorld(t)
	w.serve()
	number, head := w.change("conflicting", kustomization("1.9.0", ""))
	w.expect(head, 1, "success", "success")
	w.push(githubsim.Push{Branch: "main", Write: kustomization("1.8.9", "")})
	w.commented(number, "conflict", shopBase)
	w.expect(head, 2, "failure", "failure")
}

func TestNewerCommitSupersedes(t *testing.T) {
	w := newWorld(t)
	w.serve()
	number, first := w.change("bump", kustomization("1.9.0", ""))
	second := w.push(githubsim.Push{Branch: "bump", Write: kustomization("1.9.1", "")})
	third := w.push(githubsim.Push{Branch: "bump", Write: kustomization("1.9.2", "")})
	w.expect(third, 1, "success", "success")
	w.commented(number, "1.9.2")
	for _, old := range []string{first, second} {
		w.until("no check of an old head is left open", func() bool {
			return !slices.ContainsFunc(w.checks(old), func(c check) bool { return c.Status != "completed" })
		})
	}
	w.expectRuns(third, 1)
}

func TestMovedBaseIsPlannedAgainAndShownOnlyIfItMatters(t *testing.T) {
	w := newWorld(t)
	w.serve()
	number, head := w.change("bump", kustomization("1.9.0", ""))
	w.expect(head, 1, "success", "success")
	before := w.commented(number, "1.9.0")
	w.push(githubsim.Push{Branch: "main", Write: map[string]string{"README.md": "nothing that anything reads\n"}})
	w.push(githubsim.Push{Branch: "main", Write: map[string]string{"apps/shop/overlays/staging/namespace.yaml": "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop-staging\n  labels:\n    team: shop\n"}})
	w.push(githubsim.Push{Branch: "main", Write: map[string]string{"apps/shop/base/service.yaml": strings.Replace(sampleFile(t, "apps/shop/base/service.yaml"), "port: 80", "port: 81", 1)}})
	w.until("the pull request is planned on the newest base", func() bool { return strings.Count(w.log.String(), "job done\" job=plan/100/1") >= 2 })
	w.expectRuns(head, 1)
	if after := w.commented(number, "1.9.0"); after != before {
		t.Errorf("the comment was edited though nothing changed:\n%s\n%s", before, after)
	}
	w.push(githubsim.Push{Branch: "main", Write: map[string]string{shopBase: strings.Replace(sampleFile(t, shopBase), "newTag: 1.8.2", "newTag: 1.8.2 # pinned", 1)}})
	w.expect(head, 2, "failure", "failure") // a conflict now
}

func TestCommands(t *testing.T) {
	w := newWorld(t)
	w.serve()
	number, head := w.change("bump", kustomization("1.9.0", ""))
	w.expect(head, 1, "success", "success")

	help := w.say("eve-token", number, "/help")
	w.commented(number, "`/plan`", "`/help`")
	again := w.say("ann-token", number, "Once more, please.\n\n/plan\n")
	w.expect(head, 2, "success", "success")
	denied := w.say("eve-token", number, "/plan")
	w.commented(number, "write permission")
	quoted := w.say("ann-token", number, "> /plan\n\n```\n/plan\n```\n    /plan\n and /plan")
	for id, want := range map[int64]string{help: "eyes", again: "eyes", denied: "confused"} {
		w.until("comment is acknowledged with "+want, func() bool { return slices.Contains(w.reactions(id), want) })
	}
	if err := w.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := w.reactions(quoted); len(got) > 0 {
		t.Errorf("a quoted command got the reactions %v", got)
	}
	w.expectRuns(head, 2)
}

func TestButtonAndRerequest(t *testing.T) {
	w := newWorld(t)
	w.serve()
	_, head := w.change("bump", kustomization("1.9.0", ""))
	plan, _ := w.settled(head, 1)
	if err := w.PressButton(repository, plan.ID, "plan", "ann"); err != nil {
		t.Fatal(err)
	}
	w.expect(head, 2, "success", "success")
	if code := w.as("ann-token", "POST", fmt.Sprintf("/repos/%s/check-runs/%d/rerequest", repository, plan.ID), nil, nil); code != http.StatusCreated {
		t.Fatalf("re-run: %d", code)
	}
	w.expect(head, 3, "success", "success")
	w.expectRuns(head, 3)
}

func TestSweepAloneIsEnough(t *testing.T) {
	w := newWorld(t)
	if err := w.InjectDelivery("mergegate", hook.Fault{Kind: hook.Drop, Times: -1}); err != nil {
		t.Fatal(err)
	}
	w.serve("MERGEGATE_SWEEP_INTERVAL=1s")
	number, head := w.change("bump", kustomization("1.9.0", ""))
	w.expect(head, 1, "success", "success")
	next := w.push(githubsim.Push{Branch: "bump", Write: kustomization("1.9.1", "")})
	w.expect(next, 1, "success", "success")
	w.commented(number, "1.9.1")
	w.push(githubsim.Push{Branch: "main", Write: kustomization("1.8.9", "")})
	w.expect(next, 2, "failure", "failure")
	if strings.Contains(w.log.String(), "webhook saved") {
		t.Error("a webhook arrived after all")
	}
}

func TestDeliveriesTwiceAndInAnyOrder(t *testing.T) {
	w := newWorld(t)
	for _, kind := range []hook.Kind{hook.Duplicate, hook.Reorder} {
		if err := w.InjectDelivery("mergegate", hook.Fault{Kind: kind, Times: -1}); err != nil {
			t.Fatal(err)
		}
	}
	w.serve()
	number, _ := w.change("bump", kustomization("1.9.0", ""))
	head := w.push(githubsim.Push{Branch: "bump", Write: kustomization("1.9.1", "")})
	w.ReleaseDeliveries("mergegate")
	w.expect(head, 1, "success", "success")
	w.commented(number, "1.9.1")
	w.expectRuns(head, 1)
}

// forkChange pushes a branch to eve's fork and opens a pull request for it.
func (w *world) forkChange(branch string, write map[string]string) (number int, head string) {
	w.t.Helper()
	head, err := w.Push(w.t.Context(), githubsim.Push{Repository: "eve/gitops", Branch: branch, By: "eve", Write: write})
	if err != nil {
		w.t.Fatal(err)
	}
	var made struct{ Number int }
	if code := w.as("eve-token", "POST", "/repos/"+repository+"/pulls", map[string]any{"title": "From a fork", "head": "eve:" + branch, "base": "main"}, &made); code != 201 {
		w.t.Fatalf("open pull request from a fork: %d", code)
	}
	return made.Number, head
}

func TestForkAndItsDeletion(t *testing.T) {
	w := newWorld(t)
	w.serve()
	number, head := w.forkChange("bump", kustomization("1.9.0", ""))
	w.expect(head, 1, "success", "success")
	if err := w.DeleteRepository("eve/gitops"); err != nil {
		t.Fatal(err)
	}
	w.say("ann-token", number, "/plan")
	w.expect(head, 2, "success", "success") // refs/pull/N/head outlives the fork
}

func TestHeadThatMovesWhileItIsPlanned(t *testing.T) {
	w := newWorld(t)
	w.serve()
	var second string
	// The head is read again right before the plan is published; it moves just then.
	reads := 0
	var move func()
	move = func() {
		if reads++; reads < 3 {
			w.Before("GET", "/repos/acme/gitops/pulls/1", move)
			return
		}
		sha, err := w.Push(t.Context(), githubsim.Push{Repository: repository, Branch: "bump", By: "ann", From: "main", Force: true, Write: kustomization("2.0.0", ""), Message: "rewritten"})
		if err != nil {
			t.Error(err)
		}
		second = sha
	}
	w.Before("GET", "/repos/acme/gitops/pulls/1", move)
	number, first := w.change("bump", kustomization("1.9.0", ""))
	w.until("the head has moved", func() bool { return len(w.Requests("GET", "/repos/acme/gitops/pulls/1")) > 3 })
	w.commented(number, "2.0.0")
	w.expect(second, 1, "success", "success")
	for _, c := range w.checks(first) {
		if c.Conclusion == "success" {
			t.Errorf("%s of the head that was replaced is %s", c.Name, c.Conclusion)
		}
	}
}

func TestRetargetedPullRequestGetsChecksOfItsNewBase(t *testing.T) {
	w := newWorld(t)
	w.serve()
	w.push(githubsim.Push{Branch: "release-1", From: "main", Write: map[string]string{"README.md": "release\n"}})
	number, head := w.change("bump", kustomization("1.9.0", ""))
	w.expect(head, 1, "success", "success")
	if code := w.as("ann-token", "PATCH", "/repos/"+repository+"/pulls/"+strconv.Itoa(number), map[string]any{"base": "release-1"}, nil); code != http.StatusOK {
		t.Fatalf("retarget: %d", code)
	}
	w.until("the checks name the new base", func() bool {
		return w.count(head)["mergegate / plan (release-1)"] == 1 && w.count(head)["mergegate / policy (release-1)"] == 1
	})
}

func TestMergeGroupIsPlanned(t *testing.T) {
	w := newWorld(t)
	w.serve()
	number, head := w.change("bump", kustomization("1.9.0", ""))
	w.expect(head, 1, "success", "success")
	if err := w.Enqueue(repository, number, "ann"); err != nil {
		t.Fatal(err)
	}
	w.until("the merge queue merges", func() bool {
		var now struct{ Merged bool }
		w.as("ann-token", "GET", "/repos/"+repository+"/pulls/"+strconv.Itoa(number), nil, &now)
		return now.Merged
	})
}

func TestFaultsOfGitHubLoseAndDoubleNothing(t *testing.T) {
	w := newWorld(t)
	for _, f := range []githubsim.Fault{
		{Kind: githubsim.AfterEffect, Method: "POST", Path: "/repos/*/*/check-runs"},
		{Kind: githubsim.BeforeEffect, Method: "POST", Path: "/repos/*/*/check-runs"},
		{Kind: githubsim.Truncate, Method: "POST", Path: "/repos/*/*/issues/*/comments"},
		{Kind: githubsim.SecondaryLimit, Method: "PATCH", Path: "/repos/*/*/check-runs/*", Status: 429, RetryAfter: 1},
		{Kind: githubsim.AfterEffect, Method: "PATCH", Path: "/repos/*/*/check-runs/*"},
		{Kind: githubsim.BeforeEffect, Method: "GET", Path: "/repos/*/*/pulls/*", Times: 2},
	} {
		if err := w.Inject(f); err != nil {
			t.Fatal(err)
		}
	}
	w.serve()
	number, head := w.change("bump", kustomization("1.9.0", ""))
	w.expect(head, 1, "success", "success")
	w.commented(number, "1.9.0")
	w.expectRuns(head, 1)
}

func TestDeletedCommentIsWrittenAgain(t *testing.T) {
	w := newWorld(t)
	w.serve()
	number, head := w.change("bump", kustomization("1.9.0", ""))
	w.expect(head, 1, "success", "success")
	w.commented(number, "1.9.0")
	if code := w.as("ann-token", "DELETE", fmt.Sprintf("/repos/%s/issues/comments/%d", repository, w.ours(number)[0].ID), nil, nil); code != http.StatusNoContent {
		t.Fatalf("delete comment: %d", code)
	}
	next := w.push(githubsim.Push{Branch: "bump", Write: kustomization("1.9.1", "")})
	w.expect(next, 1, "success", "success")
	w.commented(number, "1.9.1")
}
