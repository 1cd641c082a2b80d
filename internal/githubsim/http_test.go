package githubsim_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-github/v60/github"
)

func TestEntityTags(t *testing.T) {
	w := newWorld(t)
	const path = "/api/v3/repos/acme/gitops"
	resp, _ := w.send("GET", path, http.Header{"Authorization": {"Bearer alice-token"}}, "")
	tag := resp.Header.Get("ETag")
	again := func(login string) *http.Response {
		resp, _ := w.send("GET", path, http.Header{"Authorization": {"Bearer " + login + "-token"}, "If-None-Match": {tag}}, "")
		return resp
	}
	same := again("alice")
	if same.StatusCode != 304 || same.Header.Get("X-RateLimit-Used") != resp.Header.Get("X-RateLimit-Used") {
		t.Errorf("same token: %d, used %s; want 304 for free", same.StatusCode, same.Header.Get("X-RateLimit-Used"))
	}
	if other := again("root"); other.StatusCode != 200 {
		t.Errorf("another token: %d, want 200: tags are per token", other.StatusCode)
	}
	w.branch("x", "x", "x")
	w.sim.Advance(time.Minute)
	w.branch("y", "y", "y")
	if changed := again("alice"); changed.StatusCode != 200 {
		t.Errorf("after a change: %d, want 200", changed.StatusCode)
	}
}

func TestHeaders(t *testing.T) {
	w := newWorld(t)
	resp, _ := w.send("GET", "/api/v3/repos/acme/gitops", http.Header{"Authorization": {"Bearer alice-token"}}, "")
	for _, name := range []string{"X-GitHub-Request-Id", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "X-RateLimit-Used", "X-RateLimit-Resource", "ETag"} {
		if resp.Header.Get(name) == "" {
			t.Errorf("%s is missing", name)
		}
	}
}

func TestPrimaryRateLimit(t *testing.T) {
	w := newWorld(t)
	w.sim.SetRateLimit(3)
	for i := range 4 {
		code, body := w.get("/api/v3/repos/acme/gitops", "Bearer alice-token")
		if want := []int{200, 200, 200, 403}[i]; code != want {
			t.Errorf("request %d: %d %s, want %d", i, code, body, want)
		}
	}
	if code, _ := w.get("/api/v3/repos/acme/gitops", "Bearer root-token"); code != 200 {
		t.Errorf("another caller: %d, want 200", code)
	}
	w.sim.Advance(time.Hour)
	if code, _ := w.get("/api/v3/repos/acme/gitops", "Bearer alice-token"); code != 200 {
		t.Errorf("an hour later: %d, want 200", code)
	}
}

func TestPages(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	w.open("bump", "a.txt", "a\n")
	for i := range 7 {
		if _, _, err := w.as("alice").Issues.CreateComment(ctx, "acme", "gitops", 1, &github.IssueComment{Body: github.String(fmt.Sprint(i))}); err != nil {
			t.Fatal(err)
		}
	}
	var got strings.Builder
	options := &github.IssueListCommentsOptions{ListOptions: github.ListOptions{PerPage: 3}}
	for {
		page, resp, err := w.asInstallation().Issues.ListComments(ctx, "acme", "gitops", 1, options)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range page {
			got.WriteString(c.GetBody())
		}
		fmt.Fprintf(&got, "(%d/%d) ", resp.NextPage, resp.LastPage)
		if resp.NextPage == 0 {
			break
		}
		options.Page = resp.NextPage
	}
	if want := "012(2/3) 345(3/3) 6(0/0) "; got.String() != want {
		t.Errorf("pages = %q, want %q", got.String(), want)
	}
}

func TestBadBodies(t *testing.T) {
	w := newWorld(t)
	w.open("bump", "a.txt", "a\n")
	if code, _ := w.do("POST", "/api/v3/graphql", "Bearer alice-token", `{"query":`); code != 400 {
		t.Errorf("broken JSON: %d, want 400", code)
	}
	if code, _ := w.get("/api/v3/repos/acme/gitops/nothing", "Bearer alice-token"); code != 404 {
		t.Errorf("unknown operation: %d, want 404", code)
	}
	if code, _ := w.get("/api/v3/repos/acme/gitops/pulls/99", "Bearer alice-token"); code != 404 {
		t.Errorf("unknown pull request: %d, want 404", code)
	}
}

// TestManyFiles pins that the list of files stops at 3000 without saying so.
func TestManyFiles(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	files := map[string]string{}
	for i := range 3001 {
		files[fmt.Sprintf("many/%04d.yaml", i)] = fmt.Sprintln(i)
	}
	if _, err := w.sim.Push(ctx, push("many", files)); err != nil {
		t.Fatal(err)
	}
	pr, _, err := w.as("alice").PullRequests.Create(ctx, "acme", "gitops", &github.NewPullRequest{
		Title: github.String("many"), Head: github.String("many"), Base: github.String("main"),
	})
	if err != nil || pr.GetChangedFiles() != 3001 {
		t.Fatalf("changed files = %d, %v", pr.GetChangedFiles(), err)
	}
	last, resp, err := w.asInstallation().PullRequests.ListFiles(ctx, "acme", "gitops", 1, &github.ListOptions{PerPage: 100, Page: 30})
	if err != nil || len(last) != 100 || resp.NextPage != 0 {
		t.Errorf("page 30 has %d files, next %d, %v", len(last), resp.NextPage, err)
	}
}
