package githubsim_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-github/v60/github"

	"github.com/mergegate/mergegate/internal/githubsim"
	"github.com/mergegate/mergegate/internal/githubsim/hook"
)

func TestDeliveryHeaders(t *testing.T) {
	w := newWorld(t)
	w.open("bump", "a.txt", "a\n")
	w.flush()
	all := w.inbox.all()
	if len(all) != 3 {
		t.Fatalf("%d deliveries, want push, check_suite and pull_request", len(all))
	}
	for _, r := range all {
		for name, pattern := range map[string]string{
			"X-GitHub-Delivery":                      `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`,
			"X-GitHub-Event":                         `^(push|check_suite|pull_request)$`,
			"X-GitHub-Hook-ID":                       `^\d+$`,
			"X-GitHub-Hook-Installation-Target-Type": `^integration$`,
			"X-GitHub-Hook-Installation-Target-ID":   `^7$`,
			"X-Hub-Signature":                        `^sha1=[0-9a-f]{40}$`,
			"User-Agent":                             `^GitHub-Hookshot/[0-9a-f]+$`,
			"Content-Type":                           `^application/json$`,
		} {
			if !regexp.MustCompile(pattern).MatchString(r.header.Get(name)) {
				t.Errorf("%s: %q does not match %s", name, r.header.Get(name), pattern)
			}
		}
		if err := github.ValidateSignature(r.header.Get("X-Hub-Signature-256"), r.body, []byte("It's a Secret to Everybody")); err != nil {
			t.Error(err)
		}
	}
}

func TestRedelivery(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	w.inbox.answer(http.StatusInternalServerError)
	w.open("bump", "a.txt", "a\n")
	w.flush()
	w.inbox.answer(0)
	app := w.asApp()
	list, _, err := app.Apps.ListHookDeliveries(ctx, &github.ListCursorOptions{PerPage: 2})
	if err != nil || len(list) != 2 || list[0].GetStatusCode() != 500 || list[0].GetEvent() != "pull_request" || list[0].GetInstallationID() != 70 {
		t.Fatalf("deliveries = %v, %v", list, err)
	}
	one, _, err := app.Apps.GetHookDelivery(ctx, list[0].GetID())
	if err != nil || one.Request.Headers["X-Github-Delivery"] != list[0].GetGUID() {
		t.Errorf("delivery = %v, %v", one, err)
	}
	before := len(w.inbox.all())
	if _, _, err := app.Apps.RedeliverHookDelivery(ctx, list[0].GetID()); err != nil && !strings.Contains(err.Error(), "job scheduled") {
		t.Error(err)
	}
	w.flush()
	again := w.inbox.all()[before:]
	if len(again) != 1 || again[0].header.Get("X-GitHub-Delivery") != list[0].GetGUID() {
		t.Errorf("redelivered %d, want one with the same GUID", len(again))
	}
	code, body := w.get("/api/v3/app/hook/deliveries?status=failure", "Bearer "+w.jwt("RS256", map[string]any{"iss": "7", "iat": time.Now().Unix(), "exp": time.Now().Unix() + 60}))
	if code != 200 || strings.Count(body, `"guid"`) != 3 {
		t.Errorf("failed deliveries: %d %s", code, body)
	}
	var seen int
	options := &github.ListCursorOptions{PerPage: 1}
	for {
		page, resp, err := app.Apps.ListHookDeliveries(ctx, options)
		if err != nil {
			t.Fatal(err)
		}
		seen += len(page)
		if resp.Cursor == "" {
			break
		}
		options.Cursor = resp.Cursor
	}
	if seen != 4 {
		t.Errorf("paging by cursor saw %d deliveries, want 4", seen)
	}
}

func TestDeliveryFaults(t *testing.T) {
	events := func(t *testing.T, f hook.Fault) string {
		w := newWorld(t)
		if err := w.sim.InjectDelivery("mergegate", f); err != nil {
			t.Fatal(err)
		}
		w.open("bump", "a.txt", "a\n")
		w.flush()
		return strings.Join(w.inbox.names(t), " ")
	}
	for name, tt := range map[string]struct {
		fault hook.Fault
		want  string
	}{
		"drop":      {hook.Fault{Kind: hook.Drop, Event: "pull_request"}, "push check_suite.requested"},
		"drop all":  {hook.Fault{Kind: hook.Drop, Times: -1}, ""},
		"duplicate": {hook.Fault{Kind: hook.Duplicate, Event: "pull_request"}, "push check_suite.requested pull_request.opened pull_request.opened"},
		"reorder":   {hook.Fault{Kind: hook.Reorder, Event: "push"}, "check_suite.requested push pull_request.opened"},
		"delay":     {hook.Fault{Kind: hook.Delay, By: 300 * time.Millisecond, Event: "push"}, "check_suite.requested pull_request.opened push"},
		"hold":      {hook.Fault{Kind: hook.Hold, Event: "push"}, "check_suite.requested pull_request.opened"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := events(t, tt.fault); got != tt.want {
				t.Errorf("webhooks = %q, want %q", got, tt.want)
			}
		})
	}
}

func TestHeldDeliveryIsReleased(t *testing.T) {
	w := newWorld(t)
	if err := w.sim.InjectDelivery("mergegate", hook.Fault{Kind: hook.Hold, Event: "pull_request"}); err != nil {
		t.Fatal(err)
	}
	w.open("bump", "a.txt", "a\n")
	w.flush()
	w.sim.ReleaseDeliveries("mergegate")
	w.flush()
	if got := w.inbox.names(t); got[len(got)-1] != "pull_request.opened" {
		t.Errorf("webhooks = %v", got)
	}
}

func TestSlowReceiver(t *testing.T) {
	stop := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-stop }))
	w := newWorldWith(t, func(c *githubsim.Config) { c.HookTimeout = 50 * time.Millisecond })
	t.Cleanup(slow.Close)
	t.Cleanup(func() { close(stop) })
	if err := w.sim.SetHookURL("mergegate", slow.URL); err != nil {
		t.Fatal(err)
	}
	w.branch("bump", "a.txt", "a\n")
	w.flush()
	for _, d := range w.sim.Deliveries("mergegate") {
		if d.StatusCode != 0 || d.Status != "timed out" {
			t.Errorf("delivery = %d %s, want a timeout", d.StatusCode, d.Status)
		}
	}
}

func TestInstallationEvents(t *testing.T) {
	w := newWorld(t)
	for _, err := range []error{
		w.sim.Select(70, "acme/other", true), w.sim.Select(70, "acme/other", false), w.sim.Suspend(70, true), w.sim.Suspend(70, false),
		w.sim.Grant(70, map[string]string{"checks": "write"}), w.sim.Uninstall(70),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	w.flush()
	want := "installation_repositories.added installation_repositories.removed installation.suspend installation.unsuspend installation.new_permissions_accepted installation.deleted"
	if got := strings.Join(w.inbox.names(t), " "); got != want {
		t.Errorf("webhooks = %s, want %s", got, want)
	}
}

func TestReviewEvents(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	w.open("bump", "a.txt", "a\n")
	review, _, err := w.as("root").PullRequests.CreateReview(ctx, "acme", "gitops", 1, &github.PullRequestReviewRequest{Event: github.String("APPROVE"), Body: github.String("fine")})
	if err != nil {
		t.Fatal(err)
	}
	if got, _, err := w.as("root").PullRequests.DismissReview(ctx, "acme", "gitops", 1, review.GetID(), &github.PullRequestReviewDismissalRequest{Message: github.String("no")}); err != nil || got.GetState() != "DISMISSED" {
		t.Errorf("dismissed = %v, %v", got, err)
	}
	if list, _, err := w.asInstallation().PullRequests.ListReviews(ctx, "acme", "gitops", 1, nil); err != nil || len(list) != 1 {
		t.Errorf("reviews = %v, %v", list, err)
	}
	w.flush()
	if got, want := strings.Join(w.inbox.names(t), " "), "pull_request_review.submitted pull_request_review.dismissed"; !strings.HasSuffix(got, want) {
		t.Errorf("webhooks = %s, want ... %s", got, want)
	}
}
