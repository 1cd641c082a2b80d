// Package github talks to GitHub as a GitHub App and turns its webhook payloads into values of ours.
// It knows GitHub's REST API, its authentication, limits and faults, and is the only user of go-github and ghinstallation.
// It must not know what a plan is, when something is to be published, or how anything is stored.
//
// go-github builds the requests and ghinstallation authenticates them. Responses and payloads are decoded into structs
// with only the fields that are used here: a body that disagrees with go-github's types in any other field is no error.
package github

import (
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/bradleyfalzon/ghinstallation/v2"
	"github.com/golang-jwt/jwt/v4"
	"github.com/google/go-github/v60/github"
)

// Config is what an App needs.
type Config struct {
	// BaseURL is the REST API's address: https://api.github.com (the default), https://HOST/api/v3 of an Enterprise
	// Server, https://api.NAME.ghe.com. Endpoints derives it from the address that people use.
	BaseURL string
	// GitURL is where repositories are cloned from; by default what belongs to BaseURL.
	GitURL     string
	AppID      int64
	PrivateKey []byte // PEM
	// Transport carries the requests; nil is a transport of our own with the system's proxy settings.
	Transport http.RoundTripper
	Logger    *slog.Logger // nil discards
	Clock     Clock        // nil is the system's
	Limits    Limits
}

// Limits bounds the requests of one installation, whatever their role.
type Limits struct {
	Concurrency int           // requests at a time; 0 is 10
	WriteEvery  time.Duration // the pace of writes in the long run; 0 is no pace. Writes are always one at a time
	WriteBurst  int           // writes that may go out of pace; 0 is 1
	MaxWait     time.Duration // longest wait for a limit within a call; longer ones are RateLimited errors; 0 is 3 s
	Timeout     time.Duration // for one request; 0 is 30 s
}

// ProductionLimits keeps writes well below GitHub's 80 content-creating requests a minute.
func ProductionLimits() Limits {
	return Limits{Concurrency: 10, WriteEvery: time.Second, WriteBurst: 10, MaxWait: 3 * time.Second, Timeout: 30 * time.Second}
}

func (l Limits) withDefaults() Limits {
	if l.Concurrency <= 0 {
		l.Concurrency = 10
	}
	if l.WriteBurst <= 0 {
		l.WriteBurst = 1
	}
	if l.MaxWait <= 0 {
		l.MaxWait = 3 * time.Second
	}
	if l.Timeout <= 0 {
		l.Timeout = 30 * time.Second
	}
	return l
}

// Clock is time as the package sees it.
type Clock interface {
	Now() time.Time
	// Wait returns after d, or with the context's error when that ends first.
	Wait(ctx context.Context, d time.Duration) error
}

type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

func (systemClock) Wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// App is the GitHub App. It is safe for concurrent use.
type App struct {
	id     int64
	key    *rsa.PrivateKey
	git    *url.URL
	api    *github.Client // builds requests; never sends one
	base   http.RoundTripper
	clock  Clock
	log    *slog.Logger
	limits Limits
	sender *sender // as the App itself

	mu       sync.Mutex
	clients  map[int64]*Client
	identity *Identity
}

// New returns an App. It sends nothing.
func New(cfg Config) (*App, error) {
	if cfg.AppID <= 0 {
		return nil, errors.New("configure GitHub App: no App id")
	}
	api, git, err := addresses(cfg)
	if err != nil {
		return nil, fmt.Errorf("configure GitHub App: %w", err)
	}
	key, err := jwt.ParseRSAPrivateKeyFromPEM(cfg.PrivateKey)
	if err != nil {
		return nil, fmt.Errorf("configure GitHub App: parse private key (PEM, as GitHub offers it for download): %w", err)
	}
	a := &App{
		id: cfg.AppID, key: key, git: git, clock: cfg.Clock, log: cfg.Logger,
		limits: cfg.Limits.withDefaults(), clients: map[int64]*Client{},
	}
	if a.clock == nil {
		a.clock = systemClock{}
	}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	a.base = cfg.Transport
	if a.base == nil {
		a.base = transport()
	}
	a.base = pin(api, a.base)
	a.api = github.NewClient(nil)
	a.api.BaseURL = api
	a.api.UserAgent = "mergegate"
	a.sender = a.newSender(pin(api, a.appsTransport()), newLimiter(a.clock, a.limits))
	return a, nil
}

// transport is like net/http's default one, with room for our concurrency towards one host.
func transport() http.RoundTripper {
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		ForceAttemptHTTP2:     true,
		MaxIdleConnsPerHost:   20,
		IdleConnTimeout:       90 * time.Second,
		TLSHandshakeTimeout:   10 * time.Second,
		ExpectContinueTimeout: time.Second,
	}
}

// appsTransport authenticates as the App. Every user gets one of its own: ghinstallation writes to it while refreshing
// an installation's token.
func (a *App) appsTransport() *ghinstallation.AppsTransport {
	return ghinstallation.NewAppsTransportFromPrivateKey(mint{next: a.base}, a.id, a.key)
}

func (a *App) newSender(authenticated http.RoundTripper, l *limiter) *sender {
	return &sender{
		api: a.api, clock: a.clock, log: a.log, limiter: l, timeout: a.limits.Timeout,
		http: &http.Client{Transport: authenticated, CheckRedirect: checkRedirect},
	}
}

// Installation is the client for one installation. There is one per installation, so that its limits are counted once.
func (a *App) Installation(id int64) *Client {
	a.mu.Lock()
	defer a.mu.Unlock()
	if c, ok := a.clients[id]; ok {
		return c
	}
	c := a.newClient(id)
	a.clients[id] = c
	return c
}

// Forget drops an installation's client and with it its tokens; for an installation that was deleted or suspended.
func (a *App) Forget(id int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.clients, id)
}
