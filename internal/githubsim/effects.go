package githubsim

import (
	"fmt"
	"net/http"
	"path"
	"strconv"
	"sync"
	"time"

	"github.com/mergegate/mergegate/internal/githubsim/hook"
)

// Request is one entry of the request log.
type Request struct {
	Method string `json:"method"`
	// Path is without the /api/v3 prefix; git's requests have theirs, as in /acme/gitops.git/info/refs.
	Path  string `json:"path"`
	Query string `json:"query,omitempty"`
	Body  string `json:"body,omitempty"`
	// Status is what was sent; 0 while the request is under way or when the connection was cut.
	Status int `json:"status"`
}

// FaultKind is what goes wrong with a request.
type FaultKind string

// The kinds of request faults.
const (
	// BeforeEffect answers Status (default 502) and does nothing.
	BeforeEffect FaultKind = "before"
	// AfterEffect does the work and answers Status (default 502): the response is lost.
	AfterEffect FaultKind = "after"
	// Truncate does the work and cuts the body in the middle.
	Truncate FaultKind = "truncate"
	// PrimaryLimit answers 403 (or Status) with no calls remaining.
	PrimaryLimit FaultKind = "primary"
	// SecondaryLimit answers 403 (or Status, 429) with the secondary limit's text.
	SecondaryLimit FaultKind = "secondary"
)

// Fault hits the next Times requests that match.
type Fault struct {
	Kind FaultKind `json:"kind"`
	// Method and Path select requests; empty means any. Path is a pattern of path.Match without /api/v3, as in
	// /repos/*/*/check-runs or /acme/gitops.git/git-upload-pack. For git only faults before the effect exist.
	Method string `json:"method,omitempty"`
	Path   string `json:"path,omitempty"`
	// Times is how many requests are hit; 0 means one, a negative number means all.
	Times int `json:"times,omitempty"`
	// Status overrides the answer's code.
	Status int `json:"status,omitempty"`
	// RetryAfter is sent as a header in seconds; 0 sends none.
	RetryAfter int `json:"retry_after,omitempty"`
}

// Validate refuses a kind or pattern that does not exist.
func (f Fault) Validate() error {
	switch f.Kind {
	case BeforeEffect, AfterEffect, Truncate, PrimaryLimit, SecondaryLimit:
	default:
		return fmt.Errorf("request fault %q: want before, after, truncate, primary or secondary", f.Kind)
	}
	if _, err := path.Match(f.Path, ""); err != nil {
		return fmt.Errorf("request fault path %q: %w", f.Path, err)
	}
	return nil
}

// effects holds what surrounds request handling: the log, faults and hooks.
type effects struct {
	mu     sync.Mutex
	log    []Request
	faults []*Fault
	hooks  []*requestHook
}

type requestHook struct {
	method, path string
	do           func()
}

func (e *effects) record(r Request) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.log = append(e.log, r)
	return len(e.log) - 1
}

func (e *effects) finish(id, status int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if id < len(e.log) {
		e.log[id].Status = status
	}
}

func matches(method, pattern string, r [2]string) bool {
	if method != "" && method != r[0] {
		return false
	}
	if pattern == "" {
		return true
	}
	hit, err := path.Match(pattern, r[1])
	return err == nil && hit
}

// before runs the hooks of a request, each once, before anything else happens to it.
func (e *effects) before(method, at string) {
	for {
		h := e.takeHook(method, at)
		if h == nil {
			return
		}
		h.do()
	}
}

func (e *effects) takeHook(method, at string) *requestHook {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i, h := range e.hooks {
		if matches(h.method, h.path, [2]string{method, at}) {
			e.hooks = append(e.hooks[:i:i], e.hooks[i+1:]...)
			return h
		}
	}
	return nil
}

func (e *effects) fault(method, at string) *Fault {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i, f := range e.faults {
		if !matches(f.Method, f.Path, [2]string{method, at}) {
			continue
		}
		f.Times--
		if f.Times == 0 {
			e.faults = append(e.faults[:i:i], e.faults[i+1:]...)
		}
		hit := *f
		return &hit
	}
	return nil
}

// faultHeader marks an answer that a fault made, so that a validator of answers can leave it alone.
const faultHeader = "X-Githubsim-Fault"

// write answers instead of the handler.
func (f *Fault) write(w http.ResponseWriter, now time.Time) int {
	h := w.Header()
	h.Set(faultHeader, string(f.Kind))
	h.Set("Content-Type", "application/json; charset=utf-8")
	if f.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(f.RetryAfter))
	}
	code, text := http.StatusBadGateway, `{"message":"Server Error"}`
	switch f.Kind {
	case PrimaryLimit:
		code, text = http.StatusForbidden, `{"message":"API rate limit exceeded for installation.","documentation_url":"https://docs.github.com/rest/overview/rate-limits-for-the-rest-api"}`
		h.Set("X-RateLimit-Limit", "5000")
		h.Set("X-RateLimit-Remaining", "0")
		h.Set("X-RateLimit-Used", "5000")
		h.Set("X-RateLimit-Resource", "core")
		h.Set("X-RateLimit-Reset", strconv.FormatInt(now.Unix()+int64(max(f.RetryAfter, 1)), 10))
	case SecondaryLimit:
		code, text = http.StatusForbidden, `{"message":"You have exceeded a secondary rate limit. Please wait a few minutes before you try again.","documentation_url":"https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits"}`
	}
	if f.Status != 0 {
		code = f.Status
	}
	w.WriteHeader(code)
	w.Write([]byte(text)) //nolint:errcheck // a client that went away is no concern of the server
	return code
}

// spoil sends what the handler made, but lost or cut.
func (f *Fault) spoil(w http.ResponseWriter, out response) int {
	if f.Kind == AfterEffect {
		return f.write(w, time.Time{})
	}
	out.header.Set(faultHeader, string(f.Kind))
	out.header.Set("Content-Length", strconv.Itoa(len(out.body)))
	out.body = out.body[:len(out.body)/2]
	out.send(w)
	return out.status
}

// Inject adds a request fault behind those that are there.
func (s *Server) Inject(f Fault) error {
	if err := f.Validate(); err != nil {
		return err
	}
	if f.Times == 0 {
		f.Times = 1
	}
	s.effects.mu.Lock()
	defer s.effects.mu.Unlock()
	s.effects.faults = append(s.effects.faults, &f)
	return nil
}

// InjectDelivery adds a fault to the webhook deliveries of an App.
func (s *Server) InjectDelivery(slug string, f hook.Fault) error {
	a := s.appNamed(slug)
	if a == nil {
		return fmt.Errorf("inject delivery fault: no app %s", slug)
	}
	if err := f.Validate(); err != nil {
		return err
	}
	a.hooks.Inject(f)
	return nil
}

// ReleaseDeliveries sends what a fault holds back.
func (s *Server) ReleaseDeliveries(slug string) {
	if a := s.appNamed(slug); a != nil {
		a.hooks.Release()
	}
}

// ClearDeliveryFaults removes the delivery faults of every App.
func (s *Server) ClearDeliveryFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.apps {
		a.hooks.ClearFaults()
	}
}

// ClearFaults removes all request faults and hooks.
func (s *Server) ClearFaults() {
	s.effects.mu.Lock()
	defer s.effects.mu.Unlock()
	s.effects.faults, s.effects.hooks = nil, nil
}

// Before runs do once, right before the next REST or git request that matches, so that the world can change between two calls.
// It may use every method of the server.
func (s *Server) Before(method, pattern string, do func()) {
	s.effects.mu.Lock()
	defer s.effects.mu.Unlock()
	s.effects.hooks = append(s.effects.hooks, &requestHook{method, pattern, do})
}

// Requests lists the REST, GraphQL and git requests so far, whose method and path match; empty matches all.
func (s *Server) Requests(method, pattern string) []Request {
	s.effects.mu.Lock()
	defer s.effects.mu.Unlock()
	var out []Request
	for _, r := range s.effects.log {
		if matches(method, pattern, [2]string{r.Method, r.Path}) {
			out = append(out, r)
		}
	}
	return out
}
