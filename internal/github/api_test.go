package github

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// pagesOf answers with n pages of one open pull request each.
func pagesOf(t *testing.T, n int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		page := 1
		if text := r.URL.Query().Get("page"); text != "" {
			if _, err := fmt.Sscan(text, &page); err != nil {
				t.Error(err)
			}
		}
		if r.URL.Query().Get("state") != "open" {
			t.Errorf("request for %s", r.URL)
		}
		if page < n {
			w.Header().Set("Link", fmt.Sprintf(`<https://evil.example.com/repositories/42/pulls?state=open&page=%d>; rel="next", <https://x/?page=%d>; rel="last"`, page+1, n))
		}
		write(w, http.StatusOK, fmt.Sprintf(`[{"number":%d,"head":{"ref":"t","sha":%q,"repo":null},"base":{"ref":"main","sha":%q,"repo":{"id":42,"full_name":"octo/gitops"}},"draft":null,"user":null,"labels":null,"unknown":{"x":[]}}]`, page, headSHA, mergeSHA))
	}
}

func TestPagesAreFollowed(t *testing.T) {
	f := newFake(t, pagesOf(t, 3))
	open, err := f.client(t).OpenPullRequests(t.Context(), repo)
	if err != nil || len(open) != 3 {
		t.Fatalf("%d pull requests, %v; want 3", len(open), err)
	}
	for i, request := range open {
		if request.Number != i+1 || !request.Fork || request.Repository.CloneURL != f.URL+"/octo/gitops.git" {
			t.Errorf("pull request %+v", request)
		}
	}
}

func TestEndlessPagesEnd(t *testing.T) {
	f := newFake(t, pagesOf(t, mostPages+10))
	if _, err := f.client(t).OpenPullRequests(t.Context(), repo); err == nil || !strings.Contains(err.Error(), "pages") {
		t.Errorf("got %v, want an error about pages", err)
	}
}

func TestBrokenPageIsNoShorterList(t *testing.T) {
	f := newFake(t, answers(
		says(200, `[]`, "Link", `<https://x/?state=open&page=2>; rel="next"`), says(200, `{"message":"odd"}`)))
	_, err := f.client(t).OpenPullRequests(t.Context(), repo)
	if bad := new(PayloadError); !errors.As(err, &bad) {
		t.Errorf("got %v, want PayloadError", err)
	}
}

func TestAnswersAboutSomethingElse(t *testing.T) {
	c := newFake(t, says(200, `{"id":43,"full_name":"octo/gitops","number":1,"ref":"refs/heads/x","head":{"sha":"`+headSHA+`"},
		"base":{"ref":"main","sha":"`+mergeSHA+`","repo":{"id":43,"full_name":"octo/gitops"}}}`)).client(t)
	if _, err := c.Repository(t.Context(), repo); !errors.Is(err, ErrNotFound) {
		t.Errorf("repository: %v", err)
	}
	bad := new(PayloadError)
	if _, err := c.PullRequest(t.Context(), repo, 1); !errors.As(err, &bad) {
		t.Errorf("pull request: %v", err)
	}
	if _, err := c.BranchHead(t.Context(), repo, "main"); !errors.As(err, &bad) {
		t.Errorf("branch: %v", err)
	}
}
