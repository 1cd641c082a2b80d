package main

import (
	"encoding/base64"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mergegate/mergegate/internal/github"
	"github.com/mergegate/mergegate/internal/githubsim"
)

// granted are the permissions that the App asks for.
func (w *world) granted() map[string]string { return maps.Clone(github.Permissions()) }

// page reads one of mergegate's pages.
func (w *world) page(address string) string {
	w.t.Helper()
	res, err := http.Get(address)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		w.t.Fatalf("page: %d %v", res.StatusCode, err)
	}
	return string(body)
}

// database is all of mergegate's database as bytes, and its plans, which are packed there.
func (w *world) database() string {
	w.t.Helper()
	s := w.shut()
	var all strings.Builder
	for id := int64(1); id < 20; id++ {
		if plan, err := s.Plan(w.t.Context(), id); err == nil {
			all.Write(plan)
		}
	}
	files, err := filepath.Glob(filepath.Join(w.dir, "data", "mergegate.db*"))
	if err != nil || len(files) == 0 {
		w.t.Fatalf("no database: %v", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			w.t.Fatal(err)
		}
		all.Write(data)
	}
	return all.String()
}

func secretFile(value string) string {
	return "apiVersion: v1\nkind: Secret\nmetadata:\n  name: shop-token\nstringData:\n  token: " + value + "\n---\n" +
		"apiVersion: v1\nkind: Secret\nmetadata:\n  name: shop-key\ndata:\n  key: " + base64.StdEncoding.EncodeToString([]byte(value+"-key")) + "\n"
}

func TestSecretsStayInTheRepository(t *testing.T) {
	const before, after, broken = "correct-horse-7141", "battery-staple-9265", "paper-clip-3589"
	w := newWorld(t)
	withSecret := func(more string) string {
		return strings.Replace(kustomization("1.9.0", more)[shopBase], "  - service.yaml\n", "  - service.yaml\n  - secret.yaml\n", 1)
	}
	w.push(githubsim.Push{Branch: "main", Write: map[string]string{shopBase: withSecret(""), "apps/shop/base/secret.yaml": secretFile(before)}})
	w.serve()
	number, head := w.change("rotate", map[string]string{"apps/shop/base/secret.yaml": secretFile(after)})
	w.settled(head, 1)
	w.commented(number, "shop-token", "(secret #0001)")
	bad := w.push(githubsim.Push{Branch: "rotate", Write: map[string]string{
		"apps/shop/base/secret.yaml": secretFile(broken) + "---\napiVersion: v1\nkind: Secret\nmetadata: [" + broken + "\n",
		shopBase:                     withSecret("patches:\n  - patch: |\n      - op: test\n        path: /stringData/token\n        value: other\n    target: {kind: Secret}\n"),
	}})
	w.settled(bad, 1)
	plan, _ := w.settled(head, 1)
	places := map[string]string{"log": w.log.String(), "page": w.page(plan.DetailsURL)}
	failed, _ := w.settled(bad, 1)
	places["page of the one that fails"] = w.page(failed.DetailsURL)
	for _, r := range w.Requests("", "") {
		if !strings.HasPrefix(r.Path, "/acme/gitops.git") {
			places["requests"] += r.Path + r.Query + r.Body + "\n"
		}
	}
	places["database"] = w.database()
	for place, text := range places {
		for _, value := range []string{before, after, broken} {
			for _, form := range []string{value, base64.StdEncoding.EncodeToString([]byte(value))[:12], base64.StdEncoding.EncodeToString([]byte(value + "-key"))} {
				if at := strings.Index(text, form); at >= 0 {
					t.Errorf("%s shows %s: %q", place, form, text[max(0, at-80):min(len(text), at+80)])
				}
			}
		}
	}
}

// tokens collects the credentials that mergegate uses.
type tokens struct {
	mu   sync.Mutex
	seen map[string]bool
}

func (s *tokens) hear(r *http.Request) {
	scheme, value, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if value == "" || strings.HasPrefix(value, "ann-") || strings.HasPrefix(value, "eve-") {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen[value] = true
	if strings.EqualFold(scheme, "basic") {
		if plain, err := base64.StdEncoding.DecodeString(value); err == nil {
			_, token, _ := strings.Cut(string(plain), ":")
			s.seen[token] = true
		}
	}
}

// commandLines collects the arguments of every process until stop is closed.
func commandLines(stop <-chan struct{}) string {
	seen := map[string]bool{}
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return strings.Join(slices.Collect(maps.Keys(seen)), "\n")
		case <-tick.C:
		}
		files, err := filepath.Glob("/proc/[0-9]*/cmdline")
		if err != nil {
			return ""
		}
		for _, file := range files {
			if line, err := os.ReadFile(file); err == nil { // it may have ended
				seen[strings.ReplaceAll(string(line), "\x00", " ")] = true
			}
		}
	}
}

func TestTokensShowNowhere(t *testing.T) {
	for name, long := range map[string]bool{"short": false, "long": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorldWith(t, func(c *githubsim.Config) { c.LongTokens = long })
			used := &tokens{seen: map[string]bool{}}
			w.intercept(func(next http.Handler, rw http.ResponseWriter, r *http.Request) {
				used.hear(r)
				next.ServeHTTP(rw, r)
			})
			if err := w.Inject(githubsim.Fault{Kind: githubsim.BeforeEffect, Path: "/acme/gitops.git/info/refs", Times: 1}); err != nil {
				t.Fatal(err)
			}
			stop, lines := make(chan struct{}), make(chan string)
			go func() { lines <- commandLines(stop) }()
			w.serve()
			number, head := w.change("bump", kustomization("1.9.0", ""))
			w.expect(head, 1, "success", "success")
			w.commented(number, "1.9.0")
			close(stop)
			places := map[string]string{"log": w.log.String(), "process arguments": <-lines}
			if !strings.Contains(places["process arguments"], "fetch") {
				t.Error("no git fetch was seen: the test looks at nothing")
			}
			places["database"] = w.database()
			used.mu.Lock()
			defer used.mu.Unlock()
			if len(used.seen) < 4 {
				t.Fatalf("only %d credentials were seen", len(used.seen))
			}
			for place, text := range places {
				for token := range used.seen {
					if strings.Contains(text, token) {
						t.Errorf("%s shows %.12s...", place, token)
					}
				}
				if strings.Contains(text, "PRIVATE KEY") || strings.Contains(text, hookSecret) {
					t.Errorf("%s shows the App's own secrets", place)
				}
			}
		})
	}
}
