package githubsim

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/mergegate/mergegate/internal/githubsim/hook"
)

// Config says how a simulator runs. The zero value of each field but Dir has a default.
type Config struct {
	// Dir holds the git repositories and the generated App keys. It must be given.
	Dir string
	// Seed is the state to start with.
	Seed Seed
	// Now is the clock; the default is the time of day. Advance moves it.
	Now func() time.Time
	// LongTokens mints installation tokens in the newer form of about 520 characters.
	LongTokens bool
	// HookTimeout is how long a webhook receiver may take; the default is GitHub's 10 seconds.
	HookTimeout time.Duration
	// HookTransport carries webhook deliveries.
	HookTransport http.RoundTripper
	// Observe sees every webhook that is sent, before any fault; it must not call the server.
	Observe func(event string, header http.Header, body []byte)
	// Wrap is put around the handler by Start, for validating middleware.
	Wrap func(http.Handler) http.Handler
}

// Server is one simulated GitHub. It is an http.Handler and may be used by many goroutines.
type Server struct {
	config   Config
	routes   *router
	git      http.Handler
	listener net.Listener
	http     *http.Server

	effects effects // faults and the request log: they have their own lock

	mu       sync.Mutex // guards all that follows
	url      string
	offset   time.Duration
	lastID   int64
	users    []*user
	repos    []*repository
	apps     []*app
	installs []*installation
	tokens   map[string]*token
	limits   map[string]*budget
	limit    int
	unknown  int // how many reads after a change answer mergeable: null
}

// New makes a simulator with the seed's state. Close it to stop its webhook deliveries.
func New(config Config) (*Server, error) {
	if config.Dir == "" {
		return nil, errors.New("githubsim: no directory given")
	}
	if err := config.Seed.Validate(); err != nil {
		return nil, err
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.HookTimeout == 0 {
		config.HookTimeout = 10 * time.Second
	}
	s := &Server{config: config, tokens: map[string]*token{}, limits: map[string]*budget{}, limit: 5000, lastID: 1_000_000}
	s.routes = newRouter(table())
	handler, err := newGitHandler(config.Dir)
	if err != nil {
		return nil, err
	}
	s.git = handler
	if err := s.load(config.Seed); err != nil {
		s.closeHooks()
		return nil, err
	}
	return s, nil
}

// Start listens on addr and serves until Close.
func (s *Server) Start(addr string) error {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", addr, err)
	}
	s.listener = listener
	s.SetURL("http://" + listener.Addr().String())
	var handler http.Handler = s
	if s.config.Wrap != nil {
		handler = s.config.Wrap(handler)
	}
	s.http = &http.Server{Handler: handler, ReadHeaderTimeout: 30 * time.Second}
	go s.http.Serve(listener) //nolint:errcheck // it returns when Close shuts the server down
	return nil
}

// URL is the root of the server, without a slash at the end. REST is at URL()+"/api/v3".
func (s *Server) URL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.url
}

// SetURL says under which root the server is reached when it was not started by Start.
func (s *Server) SetURL(url string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.url = url
}

// Close stops serving and delivering. Deliveries that are still queued are lost; Flush first to keep them.
func (s *Server) Close() error {
	var err error
	if s.http != nil {
		err = s.http.Close()
	}
	s.closeHooks()
	return err
}

func (s *Server) closeHooks() {
	for _, a := range s.apps {
		a.hooks.Close()
	}
}

// Advance moves the simulator's clock, for tokens that expire and merge references that grow old.
func (s *Server) Advance(by time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.offset += by
}

// now is the simulator's time in whole seconds, as GitHub shows it; the caller holds the lock.
func (s *Server) now() time.Time {
	return s.config.Now().Add(s.offset).UTC().Truncate(time.Second)
}

// nextID numbers everything that has an id; the caller holds the lock.
func (s *Server) nextID() int64 {
	s.lastID++
	return s.lastID
}

// Flush returns when every webhook has been delivered or has failed, or when ctx ends.
func (s *Server) Flush(ctx context.Context) error {
	s.mu.Lock()
	apps := s.apps
	s.mu.Unlock()
	for _, a := range apps {
		if err := a.hooks.Flush(ctx); err != nil {
			return fmt.Errorf("app %s: %w", a.slug, err)
		}
	}
	return nil
}

// PrivateKeyFile is where the key of an App lies that the seed gave no key for.
func (s *Server) PrivateKeyFile(slug string) string {
	return filepath.Join(s.config.Dir, "keys", slug+".pem")
}

// PrivateKey is the key of an App in PEM.
func (s *Server) PrivateKey(slug string) ([]byte, error) {
	key, err := os.ReadFile(s.PrivateKeyFile(slug))
	if err != nil {
		return nil, fmt.Errorf("read private key of app %s: %w", slug, err)
	}
	return key, nil
}

// Deliveries lists an App's webhook deliveries, oldest first.
func (s *Server) Deliveries(slug string) []hook.Delivery {
	if a := s.appNamed(slug); a != nil {
		return a.hooks.Log()
	}
	return nil
}

// SetHookURL changes where an App's webhooks go.
func (s *Server) SetHookURL(slug, url string) error {
	a := s.appNamed(slug)
	if a == nil {
		return fmt.Errorf("set webhook url: no app %s", slug)
	}
	target := a.hooks.Target()
	target.URL = url
	a.hooks.SetTarget(target)
	return nil
}

func (s *Server) appNamed(slug string) *app {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.apps {
		if a.slug == slug {
			return a
		}
	}
	return nil
}
