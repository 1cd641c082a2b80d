package github

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	comment1  = `{"id":1,"body":"x"}`
	secondary = `{"message":"You have exceeded a secondary rate limit. Please wait a few minutes before you try again.","documentation_url":"https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits"}`
	primary   = `{"message":"API rate limit exceeded for installation ID 7."}`
)

func getComment(t *testing.T, c *Client) error {
	_, err := c.Comment(t.Context(), repo, 1)
	return err
}

func postComment(t *testing.T, c *Client) error {
	_, err := c.CreateComment(t.Context(), repo, 1, "x")
	return err
}

func patchComment(t *testing.T, c *Client) error {
	_, err := c.UpdateComment(t.Context(), repo, 1, "x")
	return err
}

func TestLimitsAreRecognised(t *testing.T) {
	inAnHour := func(c *fakeClock) string { return strconv.FormatInt(c.Now().Add(30*time.Minute).Unix(), 10) }
	for name, test := range map[string]struct {
		status  int
		body    string
		headers func(c *fakeClock) []string
		want    time.Duration
	}{
		"primary 403": {403, primary, func(c *fakeClock) []string {
			return []string{"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", inAnHour(c)}
		}, 30*time.Minute + time.Second},
		"primary 429": {429, primary, func(c *fakeClock) []string {
			return []string{"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", inAnHour(c)}
		}, 30*time.Minute + time.Second},
		"secondary 403 with Retry-After": {403, secondary, func(*fakeClock) []string { return []string{"Retry-After", "120"} }, 2 * time.Minute},
		"secondary 429 with Retry-After": {429, secondary, func(*fakeClock) []string { return []string{"Retry-After", "120"} }, 2 * time.Minute},
		"Retry-After as a date": {429, secondary, func(c *fakeClock) []string {
			return []string{"Retry-After", c.Now().Add(5 * time.Minute).UTC().Format(http.TimeFormat)}
		}, 5 * time.Minute},
		"Retry-After before reset": {403, secondary, func(c *fakeClock) []string {
			return []string{"Retry-After", "90", "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", inAnHour(c)}
		}, 90 * time.Second},
		"secondary 403 by its text alone": {403, secondary, func(*fakeClock) []string { return nil }, time.Minute},
		"429 that says nothing":           {429, `not JSON`, func(*fakeClock) []string { return nil }, time.Minute},
		"reset that is over": {429, primary, func(*fakeClock) []string {
			return []string{"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "1700000000"}
		}, time.Minute},
		"absurd Retry-After": {429, primary, func(*fakeClock) []string { return []string{"Retry-After", "999999999999"} }, time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, nil)
			start := f.clock.Now()
			f.answer = says(test.status, test.body, test.headers(f.clock)...)
			c := f.client(t)
			var limit *RateLimited
			if err := postComment(t, c); !errors.As(err, &limit) {
				t.Fatalf("got %v, want RateLimited", err)
			}
			if got := limit.Until.Sub(start); got != test.want {
				t.Errorf("limited for %s, want %s", got, test.want)
			}
			if err := getComment(t, c); !errors.As(err, &limit) {
				t.Errorf("the next request: got %v, want RateLimited", err)
			}
			if n := len(f.requests()); n != 1 {
				t.Errorf("%d requests were sent, want 1", n)
			}
		})
	}
}

func TestPermissionDeniedIsNotALimit(t *testing.T) {
	f := newFake(t, says(403, `{"message":"Resource not accessible by integration"}`, "X-Accepted-GitHub-Permissions", "issues=write", "X-GitHub-Request-Id", "AB:1"))
	err := postComment(t, f.client(t))
	if !errors.Is(err, ErrForbidden) || !strings.Contains(err.Error(), "issues=write") || !strings.Contains(err.Error(), "AB:1") {
		t.Errorf("got %v, want ErrForbidden with the permission and the request id", err)
	}
	if n := len(f.requests()); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
}

func TestShortLimitIsWaitedFor(t *testing.T) {
	f := newFake(t, answers(says(429, secondary, "Retry-After", "2"), says(201, comment1)))
	if err := postComment(t, f.client(t)); err != nil {
		t.Fatal(err)
	}
	if got := f.clock.waited(); !slices.Equal(got, []time.Duration{2 * time.Second}) {
		t.Errorf("waited %v, want 2s", got)
	}
	if n := len(f.requests()); n != 2 {
		t.Errorf("%d requests, want 2", n)
	}
}

func TestUnspecifiedLimitsGrow(t *testing.T) {
	f := newFake(t, says(429, secondary))
	c := f.client(t)
	for _, want := range []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute} {
		var limit *RateLimited
		if err := getComment(t, c); !errors.As(err, &limit) {
			t.Fatalf("got %v, want RateLimited", err)
		}
		if got := limit.Until.Sub(f.clock.Now()); got != want {
			t.Errorf("limited for %s, want %s", got, want)
		}
		if err := f.clock.Wait(t.Context(), want); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLastRequestOfTheHourPausesTheNext(t *testing.T) {
	f := newFake(t, nil)
	reset := strconv.FormatInt(f.clock.Now().Add(10*time.Minute).Unix(), 10)
	f.answer = says(200, comment1, "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", reset)
	c := f.client(t)
	if err := getComment(t, c); err != nil {
		t.Fatal(err)
	}
	var limit *RateLimited
	if err := getComment(t, c); !errors.As(err, &limit) || len(f.requests()) != 1 {
		t.Errorf("got %v after %d requests, want RateLimited after 1", err, len(f.requests()))
	}
}

func TestLimitsAreOfOneInstallation(t *testing.T) {
	f := newFake(t, answers(says(429, secondary), says(200, comment1)))
	a := f.app(t, nil)
	var limit *RateLimited
	if err := getComment(t, a.Installation(1)); !errors.As(err, &limit) {
		t.Fatalf("got %v, want RateLimited", err)
	}
	if err := getComment(t, a.Installation(2)); err != nil {
		t.Error(err)
	}
}

func TestReadsAreRepeated(t *testing.T) {
	for name, bad := range map[string]http.HandlerFunc{
		"502": says(502, "<html>"), "500": says(500, "{}"), "hang-up": hangUp, "truncated": truncated, "not JSON": says(200, "<html>"),
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, answers(bad, bad, says(200, comment1)))
			if err := getComment(t, f.client(t)); err != nil {
				t.Fatal(err)
			}
			want := []time.Duration{500 * time.Millisecond, time.Second}
			if name == "hang-up" { // net/http itself repeats a read on a connection that it had kept open
				want = want[:1]
			}
			if got := f.clock.waited(); !slices.Equal(got, want) || len(f.requests()) != 3 {
				t.Errorf("waited %v with %d requests", got, len(f.requests()))
			}
		})
	}
}

func TestReadsAreGivenUp(t *testing.T) {
	f := newFake(t, says(503, `{"message":"down"}`))
	err := getComment(t, f.client(t))
	var uncertain *Uncertain
	if !errors.Is(err, ErrUnavailable) || errors.As(err, &uncertain) || len(f.requests()) != maxAttempts {
		t.Errorf("got %v after %d requests", err, len(f.requests()))
	}
}

func TestWritesWithoutAnswerAreUncertain(t *testing.T) {
	for name, bad := range map[string]http.HandlerFunc{
		"502": says(502, "<html>"), "500": says(500, "{}"), "hang-up": hangUp, "truncated": truncated, "not JSON": says(201, "<html>"),
		"no id": says(201, "{}"), "odd id": says(201, `{"id":"x"}`),
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, answers(bad, says(201, comment1)))
			var uncertain *Uncertain
			if err := postComment(t, f.client(t)); !errors.As(err, &uncertain) {
				t.Errorf("got %v, want Uncertain", err)
			}
			if n := len(f.requests()); n != 1 {
				t.Errorf("%d requests, want 1: a write is not repeated blindly", n)
			}
		})
	}
}

func TestIdempotentWritesAreRepeated(t *testing.T) {
	f := newFake(t, answers(says(502, ""), hangUp, says(200, comment1)))
	if err := patchComment(t, f.client(t)); err != nil {
		t.Fatal(err)
	}
	f = newFake(t, says(502, ""))
	var uncertain *Uncertain
	if err := patchComment(t, f.client(t)); !errors.As(err, &uncertain) || !errors.Is(err, ErrUnavailable) || len(f.requests()) != maxAttempts {
		t.Errorf("got %v after %d requests, want Uncertain", err, len(f.requests()))
	}
}

func TestUpdateWithAnnotationsIsNotRepeated(t *testing.T) {
	run := CheckRun{ID: 1, Name: "x", HeadSHA: mergeSHA, Status: InProgress, Title: "t", Summary: "s"}
	f := newFake(t, answers(says(502, ""), says(200, `{"id":1}`)))
	if _, err := f.client(t).UpdateCheckRun(t.Context(), repo, run); err != nil {
		t.Error(err)
	}
	run.Annotations = []Annotation{{Path: "a", StartLine: 1, EndLine: 1, Level: Warning, Message: "m"}}
	f = newFake(t, answers(says(502, ""), says(200, `{"id":1}`)))
	var uncertain *Uncertain
	if _, err := f.client(t).UpdateCheckRun(t.Context(), repo, run); !errors.As(err, &uncertain) || len(f.requests()) != 1 {
		t.Errorf("got %v after %d requests, want Uncertain after 1", err, len(f.requests()))
	}
}

func TestUnsentWriteIsNotUncertain(t *testing.T) {
	f := newFake(t, says(201, comment1))
	c := f.app(t, func(cfg *Config) { cfg.Transport = &http.Transport{DisableKeepAlives: true} }).Installation(installation)
	if err := postComment(t, c); err != nil {
		t.Fatal(err)
	}
	f.Close()
	err := postComment(t, c)
	var uncertain *Uncertain
	if err == nil || errors.As(err, &uncertain) {
		t.Errorf("got %v, want an error that is not Uncertain: nobody was listening", err)
	}
}

func TestTimeoutOfAWriteIsUncertain(t *testing.T) {
	release := make(chan struct{})
	f := newFake(t, func(http.ResponseWriter, *http.Request) { <-release })
	c := f.app(t, func(cfg *Config) { cfg.Limits.Timeout = 50 * time.Millisecond }).Installation(installation)
	var uncertain *Uncertain
	if err := postComment(t, c); !errors.As(err, &uncertain) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want Uncertain for the deadline", err)
	}
	close(release)
}

func TestCancelledWriteIsUncertain(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	release := make(chan struct{})
	f := newFake(t, func(http.ResponseWriter, *http.Request) { cancel(); <-release })
	_, err := f.client(t).CreateComment(ctx, repo, 1, "x")
	var uncertain *Uncertain
	if !errors.As(err, &uncertain) || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want Uncertain for the cancellation", err)
	}
	close(release)
}

func TestWritesAreSerialAndReadsAreBounded(t *testing.T) {
	var writes, reads, most atomic.Int32
	f := newFake(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			n := reads.Add(1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			}
			reads.Add(-1)
		} else if writes.Add(1) > 1 {
			t.Error("two writes at a time")
		} else {
			writes.Add(-1)
		}
		write(w, http.StatusOK, comment1)
	})
	c := f.app(t, func(cfg *Config) { cfg.Limits.Concurrency = 2 }).Installation(installation)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if err := errors.Join(getComment(t, c), postComment(t, c)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if most.Load() > 2 {
		t.Errorf("%d requests at a time, want at most 2", most.Load())
	}
}

func TestPaceOfWrites(t *testing.T) {
	f := newFake(t, says(200, comment1))
	c := f.app(t, func(cfg *Config) { cfg.Limits.WriteEvery, cfg.Limits.WriteBurst = time.Second, 3 }).Installation(installation)
	for range 5 {
		if err := postComment(t, c); err != nil {
			t.Fatal(err)
		}
	}
	if got := f.clock.waited(); !slices.Equal(got, []time.Duration{time.Second, time.Second}) {
		t.Errorf("waited %v, want 1s before each write after a burst of 3", got)
	}
}

func TestCancelledWhileWaitingForItsTurn(t *testing.T) {
	l := newLimiter(newFakeClock(), Limits{Concurrency: 1}.withDefaults())
	leave, err := l.enter(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, write := range []bool{true, false} {
		if _, err := l.enter(ctx, write); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want the cancellation", err)
		}
	}
	leave()
	if leave, err = l.enter(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	leave()
}

func TestErrorsAndLogsHaveNoToken(t *testing.T) {
	var log strings.Builder
	f := newFake(t, says(422, `{"message":"bad token `+oldToken+`"}`))
	c := f.app(t, func(cfg *Config) { cfg.Logger = testLogger(&log) }).Installation(installation)
	err := postComment(t, c)
	if !errors.Is(err, ErrInvalid) || strings.Contains(err.Error(), oldToken) || strings.Contains(log.String(), oldToken) {
		t.Errorf("error %v, log %s", err, log.String())
	}
}

func TestRedirects(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("a request reached another host with Authorization %q", r.Header.Get("Authorization"))
	}))
	defer other.Close()
	f := newFake(t, nil)
	to := func(status int, address string) http.HandlerFunc { return says(status, "{}", "Location", address) }

	f.answer = answers(to(301, "/repositories/42/issues/comments/1"), says(200, comment1))
	if err := getComment(t, f.client(t)); err != nil {
		t.Errorf("renamed repository: %v", err)
	}
	f.answer = answers(to(307, "/repositories/42/issues/1/comments"), says(201, comment1))
	if err := postComment(t, f.client(t)); err != nil {
		t.Errorf("write in a renamed repository: %v", err)
	}
	var uncertain *Uncertain
	f.answer = to(302, "/repositories/42/issues/1/comments")
	if err := postComment(t, f.client(t)); !errors.Is(err, errRedirect) || errors.As(err, &uncertain) {
		t.Errorf("write that would become a read: got %v", err)
	}
	for _, status := range []int{302, 307} {
		f.answer = to(status, other.URL+"/x")
		if err := getComment(t, f.client(t)); !errors.Is(err, ErrForeignHost) {
			t.Errorf("%d to another host: got %v, want ErrForeignHost", status, err)
		}
	}
}
