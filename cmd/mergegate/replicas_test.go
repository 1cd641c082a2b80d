package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/mergegate/mergegate/internal/audit"
	"github.com/mergegate/mergegate/internal/githubsim"
	"github.com/mergegate/mergegate/internal/store/storetest"
)

func TestPostgresKilledOnce(t *testing.T) {
	w := newWorld(t)
	database := "MERGEGATE_DATABASE=" + storetest.Postgres(t)
	number, head := w.change("bump", kustomization("1.9.0", ""))
	killed := make(chan struct{})
	patches := 0
	w.intercept(func(next http.Handler, rw http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPatch && strings.Contains(r.URL.Path, "/check-runs/") {
			if patches++; patches == 3 {
				w.crash()
				close(killed)
				panic(http.ErrAbortHandler)
			}
		}
		next.ServeHTTP(rw, r)
	})
	w.start(database)
	<-killed
	w.process.Wait() //nolint:errcheck // it was killed
	w.serve(database)
	w.expect(head, 1, "success", "success")
	w.commented(number, "1.9.0", head[:7])
	next := w.push(githubsim.Push{Branch: "bump", Write: kustomization("1.9.1", "")})
	w.expect(next, 1, "success", "success")
	w.commented(number, "1.9.1", next[:7])
	w.expectRuns(head, 1)
	w.expectRuns(next, 1)
}

// replica is another mergegate on the same database, of which GitHub does not know.
func (w *world) replica(settings ...string) *world {
	w.t.Helper()
	address := freeAddress(w.t)
	second := &world{Server: w.Server, t: w.t, address: address, dir: filepath.Join(w.dir, "replica"), log: &syncBuffer{}}
	second.env = slices.Concat(w.env, []string{"MERGEGATE_LISTEN=" + address, "MERGEGATE_DATA_DIR=" + filepath.Join(second.dir, "data")})
	second.serve(settings...)
	w.t.Cleanup(func() {
		if second.process != nil {
			second.stop()
		}
		if w.t.Failed() {
			log := second.log.String()
			w.t.Logf("the replica's log:\n%s", log[max(0, len(log)-20000):])
		}
	})
	return second
}

func TestTwoReplicasShareTheWorkAndOneDies(t *testing.T) {
	w := newWorld(t)
	database := "MERGEGATE_DATABASE=" + storetest.Postgres(t)
	w.serve(database)
	second := w.replica(database)
	const pulls = 8
	numbers, heads := make([]int, pulls), make([]string, pulls)
	worked := func(r *world) bool { return strings.Contains(r.log.String(), "job done\" job=plan/") }
	for i := range pulls {
		numbers[i], heads[i] = w.change(fmt.Sprintf("bump-%d", i), kustomization(fmt.Sprintf("2.%d.0", i), ""))
	}
	for i, head := range heads {
		w.expect(head, 1, "success", "success")
		w.commented(numbers[i], fmt.Sprintf("2.%d.0", i))
	}
	w.until("both have worked", func() bool { return worked(w) && worked(second) })
	for i := range pulls {
		heads[i] = w.push(githubsim.Push{Branch: fmt.Sprintf("bump-%d", i), Write: kustomization(fmt.Sprintf("2.%d.1", i), "")})
	}
	before := strings.Count(second.log.String(), "/git-upload-pack\"") + strings.Count(second.log.String(), "GitHub request\"")
	w.until("the replica is at work again", func() bool {
		return strings.Count(second.log.String(), "/git-upload-pack\"")+strings.Count(second.log.String(), "GitHub request\"") > before+3
	})
	second.kill()
	for i, head := range heads {
		w.expect(head, 1, "success", "success")
		w.commented(numbers[i], fmt.Sprintf("2.%d.1", i), head[:7])
		w.expectRuns(head, 1)
	}
}

func TestAuditRecordIsWholeAndSaysWho(t *testing.T) {
	w := newWorld(t)
	w.serve()
	number, head := w.change("bump", kustomization("1.9.0", ""))
	w.expect(head, 1, "success", "success")
	w.say("eve-token", number, "/plan")
	w.commented(number, "write permission")
	w.say("ann-token", number, "/plan")
	w.expect(head, 2, "success", "success")
	plan, _ := w.settled(head, 2)
	for _, who := range []string{"eve", "ann"} {
		if err := w.PressButton(repository, plan.ID, "plan", who); err != nil && who == "ann" {
			t.Fatal(err)
		}
	}
	w.expect(head, 3, "success", "success")
	w.say("eve-token", number, "/help")
	w.commented(number, "Who may use it")
	s := w.shut()
	if _, err := s.VerifyAudit(t.Context()); err != nil {
		t.Fatal(err)
	}
	events, err := s.Audit(t.Context(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for _, e := range events {
		var detail struct{ Login, Permission, Digest, Verdict, Head, Base string }
		if err := json.Unmarshal([]byte(e.Detail), &detail); err != nil {
			t.Fatalf("event %+v: %v", e, err)
		}
		got[strings.Join([]string{e.Actor, e.Action, e.Subject, detail.Login, detail.Permission, detail.Verdict}, " ")]++
		if e.Action == "plan.published" && (detail.Head != head || len(detail.Base) != 40 || !strings.HasPrefix(detail.Digest, "sha256:")) {
			t.Errorf("event does not say what was published: %s", e.Detail)
		}
	}
	want := map[string]int{
		"mergegate plan.published pull/100/1   pass":             3,
		"user/3 command.denied pull/100/1 eve read ":             1,
		"user/2 command.run pull/100/1 ann maintain ":            1,
		"user/2 button.pressed pull/100/1 ann maintain ":         1,
		"user/3 command.run pull/100/1 eve read ":                1,
		"user/3 button.denied commit/100/" + head + " eve read ": 1,
	}
	for what, n := range want {
		if got[what] != n {
			t.Errorf("%d times %q, want %d", got[what], what, n)
		}
	}
	if t.Failed() {
		t.Logf("%v", got)
	}
	if err := audit.Verify(events); err != nil {
		t.Error(err)
	}
}

func TestSecondaryLimitWithoutRetryAfter(t *testing.T) {
	t.Parallel() // it waits for a minute, as GitHub demands
	w := newWorld(t)
	for _, f := range []githubsim.Fault{
		{Kind: githubsim.SecondaryLimit, Method: "PATCH", Path: "/repos/*/*/check-runs/*"},
		{Kind: githubsim.SecondaryLimit, Method: "POST", Path: "/repos/*/*/issues/*/comments", Status: 429, RetryAfter: 2},
	} {
		if err := w.Inject(f); err != nil {
			t.Fatal(err)
		}
	}
	var mu sync.Mutex
	last, longest := time.Now(), time.Duration(0)
	w.intercept(func(next http.Handler, rw http.ResponseWriter, r *http.Request) {
		if auth := r.Header.Get("Authorization"); !strings.Contains(auth, "ann-token") {
			mu.Lock()
			longest = max(longest, time.Since(last))
			last = time.Now()
			mu.Unlock()
		}
		next.ServeHTTP(rw, r)
	})
	w.serve()
	number, head := w.change("bump", kustomization("1.9.0", ""))
	w.expect(head, 1, "success", "success")
	w.commented(number, "1.9.0")
	w.expectRuns(head, 1)
	mu.Lock()
	defer mu.Unlock()
	if longest < 55*time.Second {
		t.Errorf("mergegate was silent for %s at most, after a limit that does not say for how long", longest)
	}
}

// TestReplicaThatFreezes stops a replica in the middle of a plan for so long that another one takes
// the job over, and then lets it go on: it notices, and does nothing more.
func TestReplicaThatFreezes(t *testing.T) {
	w := newWorld(t)
	database := "MERGEGATE_DATABASE=" + storetest.Postgres(t)
	number, head := w.change("bump", kustomization("1.9.0", ""))
	frozen := make(chan struct{})
	var second *world
	started := make(chan struct{})
	w.Before("POST", "/acme/gitops.git/git-upload-pack", func() {
		<-started
		if err := second.process.Process.Signal(syscall.SIGSTOP); err != nil {
			t.Error(err)
		}
		close(frozen)
	})
	second = w.replica(database) // it finds the pull request by itself
	close(started)
	<-frozen
	w.serve(database)
	w.expect(head, 1, "success", "success")
	w.commented(number, "1.9.0")
	if err := second.process.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	w.until("the replica has noticed", func() bool { return strings.Contains(second.log.String(), "taken over by another process") })
	w.expectRuns(head, 1)
	w.commented(number, "1.9.0")
	for _, r := range w.Requests("PATCH", "/repos/acme/gitops/check-runs/*") {
		if r.Status != http.StatusOK {
			t.Errorf("update of a check run: %d", r.Status)
		}
	}
}

func TestEveryPushIsRecorded(t *testing.T) {
	w := newWorld(t)
	w.serve()
	for n := range 3 {
		w.push(githubsim.Push{Branch: "main", Write: map[string]string{"README.md": strconv.Itoa(n)}})
	}
	w.until("all are looked at", func() bool { return strings.Count(w.log.String(), "job done\" job=delivery/") >= 3 })
	if err := w.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.until("all are looked at", func() bool {
		return strings.Count(w.log.String(), "job done\" job=delivery/") >= strings.Count(w.log.String(), "webhook saved")
	})
	pushes, err := w.shut().Pushes(t.Context(), 100, "refs/heads/main", 10)
	if err != nil || len(pushes) != 3 {
		t.Errorf("%d pushes are recorded, want 3 (%v)", len(pushes), err)
	}
}
