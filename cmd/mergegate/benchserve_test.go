//go:build linux

package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mergegate/mergegate/internal/github"
	"github.com/mergegate/mergegate/internal/githubsim"
	"github.com/mergegate/mergegate/internal/store/storetest"
)

// stage is a local GitHub and mergegate as a process of its own, like the world of the tests, but
// without what holds every request to GitHub's description: that would be measured, too.
type stage struct {
	*githubsim.Server
	b       *testing.B
	address string
	process *exec.Cmd
	log     *syncBuffer

	mu        sync.Mutex
	sent      time.Time   // when GitHub last told of a new head
	done      []time.Time // when a check was completed since
	commented bool        // since the checks were completed
}

func newStage(b *testing.B, settings ...string) *stage {
	b.Helper()
	dir := b.TempDir()
	s := &stage{b: b, address: localAddress(b), log: &syncBuffer{}}
	app := githubsim.SeedApp{
		ID: appID, Slug: "mergegate", Name: "mergegate", Owner: "acme", Permissions: github.Permissions(), Events: github.Events(),
		Installations: []githubsim.SeedInstallation{{ID: 77, Account: "acme"}},
	}
	app.Webhook.URL, app.Webhook.Secret = "http://"+s.address+"/webhook", hookSecret
	sim, err := githubsim.New(githubsim.Config{Dir: filepath.Join(dir, "github"), Wrap: s.watch, Observe: s.heard, Seed: githubsim.Seed{
		Users:        []githubsim.SeedUser{{ID: 1, Login: "acme", Type: "Organization"}, {ID: 2, Login: "ann", Tokens: []string{"ann-token"}}},
		Repositories: []githubsim.SeedRepository{{ID: 100, Owner: "acme", Name: "gitops", From: "../../testdata/sample", Collaborators: map[string]string{"ann": "maintain"}}},
		Apps:         []githubsim.SeedApp{app},
	}})
	if err == nil {
		s.Server, err = sim, sim.Start("127.0.0.1:0")
	}
	if err != nil {
		b.Fatal(err)
	}
	key, err := sim.PrivateKey("mergegate")
	if err != nil {
		b.Fatal(err)
	}
	s.process = exec.CommandContext(context.Background(), built(b, "mergegate"), "serve")
	s.process.Env = append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + b.TempDir(),
		"MERGEGATE_LISTEN=" + s.address, "MERGEGATE_PUBLIC_URL=http://" + s.address, "MERGEGATE_DATA_DIR=" + filepath.Join(dir, "data"),
		"MERGEGATE_GITHUB_URL=" + sim.URL(), "MERGEGATE_GITHUB_API_URL=" + sim.URL() + "/api/v3", "MERGEGATE_GITHUB_APP_ID=" + strconv.Itoa(appID),
		"MERGEGATE_GITHUB_PRIVATE_KEY=" + string(key), "MERGEGATE_GITHUB_WEBHOOK_SECRETS=" + hookSecret,
	}, settings...)
	s.process.Stdout, s.process.Stderr = s.log, s.log
	if err := s.process.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(s.end)
	s.until("mergegate answers", func() bool {
		res, err := http.Get("http://" + s.address + "/readyz")
		return err == nil && res.Body.Close() == nil && res.StatusCode == http.StatusOK
	})
	return s
}

func (s *stage) end() {
	err := s.process.Process.Signal(os.Interrupt)
	if err := errors.Join(err, s.process.Wait(), s.Close()); err != nil {
		s.b.Errorf("end: %v", err)
	}
	if log := s.log.String(); s.b.Failed() {
		s.b.Logf("mergegate's log:\n%s", log[max(0, len(log)-5000):])
	}
}

// heard notes when GitHub tells of a pull request's new head.
func (s *stage) heard(event string, _ http.Header, body []byte) {
	if event != "pull_request" || !bytes.Contains(body, []byte(`"action":"synchronize"`)) && !bytes.Contains(body, []byte(`"action":"opened"`)) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent, s.done, s.commented = time.Now(), nil, false
}

// watch notes when a check is completed, and when the comment is written after that.
func (s *stage) watch(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			s.b.Errorf("read request: %v", err)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(w, r)
		var change struct{ Status string }
		s.mu.Lock()
		defer s.mu.Unlock()
		switch {
		case r.Method == http.MethodGet:
		case strings.Contains(r.URL.Path, "/check-runs/") && json.Unmarshal(body, &change) == nil && change.Status == "completed":
			s.done = append(s.done, time.Now())
		case strings.Contains(r.URL.Path, "/comments") && len(s.done) >= 2:
			s.commented = true
		}
	})
}

func (s *stage) until(what string, true func() bool) {
	s.b.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for !true() {
		select {
		case <-tick.C:
		case <-deadline:
			s.b.Fatalf("waited %s in vain until %s", patience, what)
		}
	}
}

func localAddress(b *testing.B) string {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // the address was all there was to it
	return l.Addr().String()
}

// BenchmarkWebhook sends signed deliveries to a server and counts those that it accepted: 202 means
// that the delivery and the job that looks at it are on disk.
func BenchmarkWebhook(b *testing.B) {
	bodies, events := payloads(b)
	count := setting(b, "BENCH_DELIVERIES", 2000)
	t := table{
		title:  "Webhook intake",
		text:   fmt.Sprintf("%d deliveries per row, of %d recorded payloads of %s.", count, len(bodies), sizes(bodies)),
		header: []string{"database", "connections", "deliveries/s", "p50 ms", "p99 ms", "server CPU ms per delivery"},
	}
	for _, database := range []string{"SQLite", "PostgreSQL"} {
		b.Run(database, func(b *testing.B) {
			settings := []string{"MERGEGATE_LOG_LEVEL=warn", "MERGEGATE_SWEEP_INTERVAL=1h"}
			if database == "PostgreSQL" {
				settings = append(settings, "MERGEGATE_DATABASE="+storetest.DurablePostgres(b))
			}
			s := newStage(b, settings...)
			s.flood(bodies, events, rush{connections: 8, count: 200}) // warm
			for _, connections := range []int{1, 8, 32} {
				b.Run(strconv.Itoa(connections), func(b *testing.B) {
					var took []time.Duration
					var wall, cpu time.Duration
					for b.Loop() {
						before, started := s.cpu(), time.Now()
						took = s.flood(bodies, events, rush{connections, count})
						wall, cpu = time.Since(started), s.cpu()-before
					}
					rate := float64(count) / wall.Seconds()
					b.ReportMetric(rate, "deliveries/s")
					t.add(database, connections, int(rate), millis(quantile(took, 0.5)), millis(quantile(took, 0.99)), millis(cpu/time.Duration(count)))
				})
			}
		})
	}
	t.print(b)
}

// rush is how many deliveries are sent, over how many connections.
type rush struct{ connections, count int }

// flood sends deliveries and returns how long each took to be accepted, sorted.
func (s *stage) flood(bodies [][]byte, events []string, r rush) []time.Duration {
	s.b.Helper()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: r.connections}}
	defer client.CloseIdleConnections()
	signatures := make([]string, len(bodies))
	for i, body := range bodies {
		mac := hmac.New(sha256.New, []byte(hookSecret))
		mac.Write(body)
		signatures[i] = "sha256=" + hex.EncodeToString(mac.Sum(nil))
	}
	run := rand.Text()
	took := make([]time.Duration, r.count)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range r.connections {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < r.count; i = int(next.Add(1)) - 1 {
				which := i % len(bodies)
				req, err := http.NewRequestWithContext(s.b.Context(), http.MethodPost, "http://"+s.address+"/webhook", bytes.NewReader(bodies[which]))
				if err != nil {
					s.b.Error(err)
					return
				}
				maps.Copy(req.Header, http.Header{
					"Content-Type": {"application/json"}, "X-Github-Event": {events[which]},
					"X-Github-Delivery": {fmt.Sprintf("%s-%d", run, i)}, "X-Hub-Signature-256": {signatures[which]},
				})
				started := time.Now()
				res, err := client.Do(req)
				if err == nil {
					_, err = io.Copy(io.Discard, res.Body)
					err = errors.Join(err, res.Body.Close())
				}
				if err != nil || res.StatusCode != http.StatusAccepted {
					s.b.Errorf("delivery: %v %v", res, err)
					return
				}
				took[i] = time.Since(started)
			}
		})
	}
	wg.Wait()
	slices.Sort(took)
	return took
}

// payloads are recorded webhooks that mergegate keeps and then has nothing to do for.
func payloads(b *testing.B) (bodies [][]byte, events []string) {
	b.Helper()
	file, err := os.Open("../../internal/github/testdata/webhooks-examples.jsonl.gz")
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close() //nolint:errcheck // it was only read
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		b.Fatal(err)
	}
	for lines := json.NewDecoder(unzipped); lines.More(); {
		var example struct {
			Event   string
			Payload json.RawMessage
		}
		if err := lines.Decode(&example); err != nil {
			b.Fatal(err)
		}
		if _, err := github.Parse(example.Event, example.Payload); errors.Is(err, github.ErrIgnored) && example.Event != "ping" {
			bodies, events = append(bodies, example.Payload), append(events, example.Event)
		}
	}
	return bodies, events
}

func sizes(bodies [][]byte) string {
	kb := func(n int) string { return strconv.FormatFloat(float64(n)/1000, 'f', 1, 64) }
	lengths := make([]int, len(bodies))
	for i, body := range bodies {
		lengths[i] = len(body)
	}
	slices.Sort(lengths)
	return fmt.Sprintf("%s to %s kB (median %s kB)", kb(lengths[0]), kb(lengths[len(lengths)-1]), kb(lengths[len(lengths)/2]))
}

// cpu is what the server has taken so far, without its children.
func (s *stage) cpu() time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.process.Process.Pid))
	if err != nil {
		s.b.Fatal(err)
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	ticks := 0
	for _, field := range fields[11:13] { // user, system
		n, err := strconv.Atoi(field)
		if err != nil {
			s.b.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// BenchmarkPullRequest pushes to a pull request again and again, and waits each time until both
// checks are completed and GitHub has heard the last word.
func BenchmarkPullRequest(b *testing.B) {
	t := table{
		title:  "From a push to both checks",
		text:   "From GitHub's webhook about the push until GitHub has taken the second completed check.",
		header: []string{"pace of writes", "pushes", "p50 ms", "p99 ms", "API calls per push", "of them tokens"},
	}
	calls := table{title: "API calls of one push", text: "As the local GitHub logged them, mean of the pushes of the last row above, without git's own requests.", header: []string{"call", "per push"}}
	for _, pace := range []struct {
		name, setting string
		pushes        int
	}{{"none (what mergegate takes by itself)", "0s", setting(b, "BENCH_PUSHES", 20)}, {"1 s (the default, GitHub's rule)", "1s", setting(b, "BENCH_PUSHES", 20) / 4}} {
		b.Run(pace.setting, func(b *testing.B) {
			for b.Loop() {
				s := newStage(b, "MERGEGATE_GITHUB_WRITE_INTERVAL="+pace.setting, "MERGEGATE_LOG_LEVEL=debug", "MERGEGATE_SWEEP_INTERVAL=1h")
				took, log := s.pushAgain(pace.pushes)
				log = slices.DeleteFunc(log, func(r githubsim.Request) bool { return strings.Contains(r.Path, ".git/") })
				tokens := 0
				for _, r := range log {
					if strings.Contains(r.Path, "access_tokens") || strings.HasPrefix(r.Path, "/installation/token") {
						tokens++
					}
				}
				each := func(n int) string { return strconv.FormatFloat(float64(n)/float64(pace.pushes), 'f', 1, 64) }
				b.ReportMetric(float64(len(log))/float64(pace.pushes), "calls/push")
				t.add(pace.name, pace.pushes, millis(quantile(took, 0.5)), millis(quantile(took, 0.99)), each(len(log)), each(tokens))
				calls.rows = nil
				count := map[string]int{}
				for _, r := range log {
					count["`"+r.Method+" "+numbers.ReplaceAllString(r.Path, "/N")+"`"]++
				}
				for _, call := range slices.Sorted(maps.Keys(count)) {
					calls.add(call, each(count[call]))
				}
			}
		})
	}
	t.print(b)
	calls.print(b)
}

var numbers = regexp.MustCompile(`/[0-9]+\b`)

// pushAgain opens a pull request and pushes to it. It returns how long the checks took, sorted, and
// the requests that GitHub saw of mergegate since the first push.
func (s *stage) pushAgain(pushes int) ([]time.Duration, []githubsim.Request) {
	s.b.Helper()
	s.commit("1.9.0", "main")
	s.open()
	s.settle()
	seen := len(s.Requests("", ""))
	var took []time.Duration
	for i := range pushes {
		s.commit(fmt.Sprintf("1.9.%d", i+1), "")
		s.settle()
		took = append(took, s.done[1].Sub(s.sent))
	}
	slices.Sort(took)
	return took, s.Requests("", "")[seen:]
}

func (s *stage) commit(tag, from string) {
	s.b.Helper()
	_, err := s.Push(s.b.Context(), githubsim.Push{Repository: repository, Branch: "bump", By: "ann", From: from, Message: "bump", Write: kustomization(tag, "")})
	if err != nil {
		s.b.Fatal(err)
	}
}

func (s *stage) open() {
	s.b.Helper()
	req, err := http.NewRequestWithContext(s.b.Context(), http.MethodPost, s.URL()+"/api/v3/repos/"+repository+"/pulls", strings.NewReader(`{"title":"Bump","head":"bump","base":"main"}`))
	if err != nil {
		s.b.Fatal(err)
	}
	req.Header.Set("Authorization", "token ann-token")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.b.Fatal(err)
	}
	if err := res.Body.Close(); err != nil || res.StatusCode != http.StatusCreated {
		s.b.Fatalf("open pull request: %s %v", res.Status, err)
	}
}

// settle waits until the checks are completed, the comment is written, and nothing moves any more.
func (s *stage) settle() {
	s.b.Helper()
	length, since := 0, time.Now()
	s.until("the pull request is planned", func() bool {
		if now := len(s.log.String()); now != length {
			length, since = now, time.Now()
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.done) >= 2 && s.commented && time.Since(since) > 300*time.Millisecond
	})
}
