package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mergegate/mergegate/internal/githubsim"
)

// kills is how often mergegate is killed in the middle of its work.
const kills = 50

// TestKilledAtAnyMoment kills mergegate at random moments while pull requests keep changing, and
// then lets it finish: every head that is left has each check exactly once, none is left open, and
// each pull request has one comment.
func TestKilledAtAnyMoment(t *testing.T) {
	w := newWorld(t)
	const pulls = 3
	numbers, heads := make([]int, pulls), make([]string, pulls)
	old := map[string]bool{}
	for i := range pulls {
		numbers[i], heads[i] = w.change(fmt.Sprintf("bump-%d", i), kustomization(fmt.Sprintf("2.%d.0", i), ""))
	}
	for n := range kills {
		w.start()
		i := n % pulls
		old[heads[i]] = true
		heads[i] = w.push(githubsim.Push{Branch: fmt.Sprintf("bump-%d", i), Write: kustomization(fmt.Sprintf("2.%d.%d", i, n+1), "")})
		moment := time.NewTimer(time.Duration(rand.Int64N(int64(1500 * time.Millisecond))))
		select {
		case <-moment.C:
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		}
		w.kill()
	}
	w.serve()
	for i, head := range heads {
		w.expect(head, 1, "success", "success")
		w.commented(numbers[i], fmt.Sprintf("2.%d.", i), head[:7])
		w.expectRuns(head, 1)
	}
	for head := range old {
		w.until("no check of an old head is left open", func() bool {
			return !slices.ContainsFunc(w.checks(head), func(c check) bool { return c.Status != "completed" })
		})
		for name, n := range w.count(head) {
			if n > 1 {
				t.Errorf("%d runs of %s on %s", n, name, head[:8])
			}
		}
	}
}

// TestKilledAtEveryWrite kills mergegate at its first write to GitHub, at its second, and so on;
// once before GitHub has done anything, and once when GitHub has done it and nobody hears of it.
// Nothing of it is missing afterwards, and nothing is there twice.
func TestKilledAtEveryWrite(t *testing.T) {
	for _, done := range []bool{false, true} {
		writes := 0
		for n := 1; n <= writes+1; n++ {
			t.Run(fmt.Sprintf("write %d, done %t", n, done), func(t *testing.T) {
				if killAtWrite(t, n, done) {
					writes = n
				}
			})
		}
		if writes < 6 {
			t.Errorf("a pull request is published with %d writes only: the test looks at the wrong requests", writes)
		}
	}
}

// killAtWrite tells whether there was an n-th write.
func killAtWrite(t *testing.T, n int, done bool) (reached bool) {
	w := newWorld(t)
	number, head := w.change("bump", kustomization("1.9.0", ""))
	killed := make(chan struct{})
	var seen atomic.Int64
	w.intercept(func(next http.Handler, rw http.ResponseWriter, r *http.Request) {
		write := r.Header.Get("User-Agent") != "" && r.Method != http.MethodGet && r.Method != http.MethodDelete && strings.Contains(r.URL.Path, "/repos/")
		if !write || seen.Add(1) != int64(n) {
			next.ServeHTTP(rw, r)
			return
		}
		if done {
			next.ServeHTTP(httptest.NewRecorder(), r)
		}
		w.crash()
		close(killed)
		panic(http.ErrAbortHandler)
	})
	w.start()
	w.until("mergegate is killed or done", func() bool {
		select {
		case <-killed:
			reached = true
			return true
		default:
			return strings.Contains(w.log.String(), "job done\" job=plan/100/1")
		}
	})
	if reached {
		w.process.Wait()
		w.serve()
	}
	w.expect(head, 1, "success", "success")
	w.commented(number, "1.9.0", head[:7])
	w.expectRuns(head, 1)
	return reached
}
