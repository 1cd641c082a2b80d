package githubsim_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-github/v60/github"

	"github.com/mergegate/mergegate/internal/githubsim"
)

const commentsPath = "/repos/acme/gitops/issues/1/comments"

func (w *world) inject(f githubsim.Fault) {
	w.t.Helper()
	if err := w.sim.Inject(f); err != nil {
		w.t.Fatal(err)
	}
}

// comments tells how many comments there are and how many requests tried to make one.
func (w *world) comments() (made, tried int) {
	w.t.Helper()
	list, _, err := w.as("alice").Issues.ListComments(context.Background(), "acme", "gitops", 1, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return len(list), len(w.sim.Requests("POST", commentsPath))
}

func TestRequestFaults(t *testing.T) {
	for name, tt := range map[string]struct {
		fault githubsim.Fault
		code  int
		made  int
		check func(*testing.T, *http.Response, string)
	}{
		"before the effect": {githubsim.Fault{Kind: githubsim.BeforeEffect}, 502, 0, nil},
		"503":               {githubsim.Fault{Kind: githubsim.BeforeEffect, Status: 503}, 503, 0, nil},
		"after the effect":  {githubsim.Fault{Kind: githubsim.AfterEffect, Status: 500}, 500, 1, nil},
		"primary limit": {githubsim.Fault{Kind: githubsim.PrimaryLimit}, 403, 0, func(t *testing.T, r *http.Response, _ string) {
			if r.Header.Get("X-RateLimit-Remaining") != "0" || r.Header.Get("X-RateLimit-Reset") == "" {
				t.Errorf("headers = %v", r.Header)
			}
		}},
		"secondary limit": {githubsim.Fault{Kind: githubsim.SecondaryLimit, RetryAfter: 7}, 403, 0, func(t *testing.T, r *http.Response, body string) {
			if r.Header.Get("Retry-After") != "7" || !strings.Contains(body, "secondary rate limit") {
				t.Errorf("headers = %v, body %s", r.Header, body)
			}
		}},
		"secondary limit as 429": {githubsim.Fault{Kind: githubsim.SecondaryLimit, Status: 429}, 429, 0, func(t *testing.T, r *http.Response, _ string) {
			if r.Header.Get("Retry-After") != "" {
				t.Errorf("Retry-After = %s, want none", r.Header.Get("Retry-After"))
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.open("bump", "a.txt", "a\n")
			tt.fault.Method, tt.fault.Path = "POST", "/repos/*/*/issues/*/comments"
			w.inject(tt.fault)
			resp, body := w.send("POST", "/api/v3"+commentsPath, http.Header{"Authorization": {"Bearer alice-token"}}, `{"body":"x"}`)
			if resp.StatusCode != tt.code {
				t.Errorf("status %d, want %d", resp.StatusCode, tt.code)
			}
			if tt.check != nil {
				tt.check(t, resp, body)
			}
			if made, tried := w.comments(); made != tt.made || tried != 1 {
				t.Errorf("%d comments by %d requests, want %d by 1", made, tried, tt.made)
			}
			if code, _ := w.do("POST", "/api/v3"+commentsPath, "Bearer alice-token", `{"body":"x"}`); code != 201 {
				t.Errorf("the next request: %d, want 201", code)
			}
		})
	}
}

// TestLimitsAsGoGithubSeesThem makes sure that the faults look like GitHub's to a client.
func TestLimitsAsGoGithubSeesThem(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	w.open("bump", "a.txt", "a\n")
	w.inject(githubsim.Fault{Kind: githubsim.SecondaryLimit, RetryAfter: 3})
	var abuse *github.AbuseRateLimitError
	if _, _, err := w.as("alice").PullRequests.Get(ctx, "acme", "gitops", 1); !errors.As(err, &abuse) || abuse.GetRetryAfter().Seconds() != 3 {
		t.Errorf("secondary limit: %v", err)
	}
	w.inject(githubsim.Fault{Kind: githubsim.PrimaryLimit})
	var primary *github.RateLimitError
	if _, _, err := w.as("alice").PullRequests.Get(ctx, "acme", "gitops", 1); !errors.As(err, &primary) {
		t.Errorf("primary limit: %v", err)
	}
}

func TestTruncatedBody(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	w.open("bump", "a.txt", "a\n")
	w.inject(githubsim.Fault{Kind: githubsim.Truncate, Method: "POST"})
	if _, _, err := w.as("alice").Issues.CreateComment(ctx, "acme", "gitops", 1, &github.IssueComment{Body: github.String("x")}); err == nil {
		t.Error("a cut body was accepted")
	}
	if made, _ := w.comments(); made != 1 {
		t.Errorf("%d comments, want the effect", made)
	}
}

func TestFaultTimes(t *testing.T) {
	w := newWorld(t)
	w.inject(githubsim.Fault{Kind: githubsim.BeforeEffect, Path: "/meta", Times: 2})
	var codes []int
	for range 3 {
		code, _ := w.get("/api/v3/meta", "")
		codes = append(codes, code)
	}
	if codes[0] != 502 || codes[1] != 502 || codes[2] != 200 {
		t.Errorf("codes = %v, want two faults", codes)
	}
	w.inject(githubsim.Fault{Kind: githubsim.BeforeEffect, Times: -1})
	w.sim.ClearFaults()
	if code, _ := w.get("/api/v3/meta", ""); code != 200 {
		t.Errorf("after ClearFaults: %d", code)
	}
	if err := w.sim.Inject(githubsim.Fault{Kind: "explode"}); err == nil {
		t.Error("an unknown kind was accepted")
	}
}

// TestBefore moves the head between two calls of a client.
func TestBefore(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	pr := w.open("bump", "a.txt", "a\n")
	w.sim.Before("POST", "/repos/acme/gitops/check-runs", func() { w.branch("bump", "b.txt", "b\n") })
	w.complete(w.asInstallation(), "mergegate / plan", pr.GetHead().GetSHA(), "success")
	w.complete(w.asInstallation(), "mergegate / plan", pr.GetHead().GetSHA(), "success")
	got, _, err := w.as("alice").PullRequests.Get(ctx, "acme", "gitops", 1)
	if err != nil || got.GetHead().GetSHA() == pr.GetHead().GetSHA() || got.GetCommits() != 2 {
		t.Errorf("head = %s with %d commits, %v; want it moved once", got.GetHead().GetSHA(), got.GetCommits(), err)
	}
}

func TestRevokedInTheMiddle(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	w.open("bump", "a.txt", "a\n")
	bot := w.asInstallation()
	if _, _, err := bot.PullRequests.Get(ctx, "acme", "gitops", 1); err != nil {
		t.Fatal(err)
	}
	w.sim.Before("POST", "", func() { w.sim.RevokeTokens(70) })
	if _, resp, err := bot.Issues.CreateComment(ctx, "acme", "gitops", 1, &github.IssueComment{Body: github.String("x")}); statusOf(t, resp, err) != 401 {
		t.Errorf("%v, want 401", err)
	}
}
