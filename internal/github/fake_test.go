package github

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mergegate/mergegate/internal/pull"
)

const (
	appID        = 4242
	installation = 7
	oldToken     = "ghs_16C7e42F292c6912E7710c838347Ae178B4a"
	mergeSHA     = "6dcb09b5b57875f334f61aebed695e2e4193db5e"
)

// newKey is generated once: it takes a while.
var newKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

func privateKey(t *testing.T) []byte {
	t.Helper()
	key, err := newKey()
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
}

// repo is the repository of the tests.
var repo = pull.Repository{ID: 42, InstallationID: installation, Owner: "octo", Name: "gitops"}

// fakeClock is at the system's time at first; waiting moves it.
type fakeClock struct {
	mu    sync.Mutex
	now   time.Time
	waits []time.Duration
}

func newFakeClock() *fakeClock { return &fakeClock{now: time.Now().Truncate(time.Second)} }

func (c *fakeClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *fakeClock) Wait(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	c.waits = append(c.waits, d)
	return ctx.Err()
}

func (c *fakeClock) waited() []time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.waits)
}

// fakeGitHub hands out tokens and leaves all other requests to answer. It records them.
type fakeGitHub struct {
	*httptest.Server
	clock  *fakeClock
	answer http.HandlerFunc
	mint   http.HandlerFunc // nil hands out tokens

	mu     sync.Mutex
	seen   []string // METHOD path of the requests that are not for tokens
	minted []string // bodies of the requests for tokens
}

func newFake(t *testing.T, answer http.HandlerFunc) *fakeGitHub {
	f := &fakeGitHub{clock: newFakeClock(), answer: answer}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	return f
}

func (f *fakeGitHub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.HasSuffix(r.URL.Path, "/access_tokens") {
		f.mu.Lock()
		f.seen = append(f.seen, r.Method+" "+r.URL.Path)
		f.mu.Unlock()
		f.answer(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	f.mu.Lock()
	f.minted = append(f.minted, string(body))
	n := len(f.minted)
	f.mu.Unlock()
	if f.mint != nil {
		f.mint(w, r)
		return
	}
	write(w, http.StatusCreated, fmt.Sprintf(`{"token":"%s%d","expires_at":%q,"permissions":[],"repositories":"odd"}`,
		oldToken, n, time.Now().Add(time.Hour).UTC().Format(time.RFC3339)))
}

func (f *fakeGitHub) requests() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.seen)
}

func (f *fakeGitHub) tokens() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.minted)
}

// app is an App of the fake; change may alter its configuration.
func (f *fakeGitHub) app(t *testing.T, change func(*Config)) *App {
	t.Helper()
	cfg := Config{BaseURL: f.URL, GitURL: f.URL, AppID: appID, PrivateKey: privateKey(t), Clock: f.clock}
	if change != nil {
		change(&cfg)
	}
	a, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (f *fakeGitHub) client(t *testing.T) *Client { return f.app(t, nil).Installation(installation) }

func write(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	io.WriteString(w, body) // a client that is gone is the client's test
}

// answers gives one answer after the other, the last one for ever.
func answers(all ...http.HandlerFunc) http.HandlerFunc {
	var mu sync.Mutex
	n := 0
	return func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		answer := all[min(n, len(all)-1)]
		n++
		mu.Unlock()
		answer(w, r)
	}
}

// says answers with a status, a body and headers as name, value, name, value.
func says(status int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		write(w, status, body)
	}
}

func truncated(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "100")
	write(w, http.StatusOK, `{"id":`)
}

func hangUp(w http.ResponseWriter, _ *http.Request) {
	if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
		conn.Close()
	}
}
