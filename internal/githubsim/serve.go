package githubsim

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/mergegate/mergegate/internal/githubsim/hook"
)

// maxBody is more than GitHub takes for any call that is simulated here.
const maxBody = 8 << 20

// ServeHTTP dispatches to the control API, git, REST, GraphQL and the HTML pages.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.learnURL(r)
	path := r.URL.Path
	switch {
	case strings.HasPrefix(path, "/_control/"):
		s.serveControl(w, r)
	case isGit(path):
		s.serveGit(w, r)
	default:
		if rest, ok := restPath(r.URL.EscapedPath()); ok {
			s.serveREST(w, r, rest)
			return
		}
		s.serveHTML(w, r)
	}
}

// learnURL takes the root from the first request when nobody has said it.
func (s *Server) learnURL(r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.url == "" {
		s.url = "http://" + r.Host
	}
}

// restPath strips the prefixes of GitHub Enterprise Server; at the root, only the first segments of REST are REST.
func restPath(path string) (string, bool) {
	if rest, ok := strings.CutPrefix(path, "/api/v3"); ok {
		return "/" + strings.TrimPrefix(rest, "/"), true
	}
	if path == "/api/graphql" {
		return "/graphql", true
	}
	first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	switch first {
	case "app", "app-manifests", "installation", "repos", "orgs", "users", "user", "rate_limit", "meta", "graphql":
		return path, true
	}
	return "", false
}

func (s *Server) serveREST(w http.ResponseWriter, r *http.Request, path string) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, `{"message":"Payload too big"}`, http.StatusRequestEntityTooLarge)
		return
	}
	id := s.effects.record(Request{Method: r.Method, Path: path, Query: r.URL.RawQuery, Body: string(body)})
	s.effects.before(r.Method, path)
	fault := s.effects.fault(r.Method, path)
	if fault != nil && fault.Kind != AfterEffect && fault.Kind != Truncate {
		s.effects.finish(id, fault.write(w, s.clock()))
		return
	}
	out := s.handle(r, path, body)
	if fault != nil {
		s.effects.finish(id, fault.spoil(w, out))
		return
	}
	s.effects.finish(id, out.status)
	out.send(w)
}

// response is an answer with its headers, ready to be sent.
type response struct {
	status int
	header http.Header
	body   []byte
}

func (o response) send(w http.ResponseWriter) {
	for k, v := range o.header {
		w.Header()[k] = v
	}
	w.WriteHeader(o.status)
	w.Write(o.body) //nolint:errcheck // a client that went away is no concern of the server
}

// handle runs one REST call under the lock.
func (s *Server) handle(r *http.Request, path string, body []byte) response {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &call{s: s, r: r, body: body, out: http.Header{}}
	c.out.Set("X-GitHub-Request-Id", requestID())
	c.out.Set("X-GitHub-Media-Type", "github.v3; format=json")
	c.out.Set("X-GitHub-Api-Version-Selected", "2022-11-28")
	return c.finish(c.dispatch(path))
}

// dispatch authenticates, routes and checks permissions, then calls the handler.
func (c *call) dispatch(path string) answer {
	found, params := c.s.routes.find(c.r.Method, path)
	who, refused := c.s.authenticate(c.r)
	if refused != nil {
		return *refused
	}
	c.who, c.path = who, params
	if out, limited := c.spend(); limited {
		return out
	}
	if found == nil {
		return notFound()
	}
	if name, ok := params["repo"]; ok {
		c.repo = c.s.repository(params["owner"], name)
	}
	if out, refused := c.authorize(found.need); refused {
		return out
	}
	return found.handle(c)
}

// finish renders the answer, with an entity tag for reads. Tags depend on the token, as GitHub's do.
func (c *call) finish(a answer) response {
	out := response{status: a.status, header: c.out}
	if a.body != nil {
		text, err := json.Marshal(a.body)
		if err != nil {
			a.status, text = http.StatusInternalServerError, []byte(`{"message":"githubsim: the answer cannot be rendered"}`)
		}
		out.status, out.body = a.status, append(text, '\n')
		out.header.Set("Content-Type", "application/json; charset=utf-8")
	}
	if c.r.Method != http.MethodGet || a.status != http.StatusOK {
		return out
	}
	sum := sha256.Sum256(append(out.body, c.r.Header.Get("Authorization")...))
	tag := hex.EncodeToString(sum[:])
	out.header.Set("ETag", `W/"`+tag+`"`)
	out.header.Set("Cache-Control", "private, max-age=60, s-maxage=60")
	out.header.Set("Vary", "Accept, Authorization, Cookie, X-GitHub-OTP")
	if strings.Contains(c.r.Header.Get("If-None-Match"), tag) {
		c.refund()
		out.status, out.body = http.StatusNotModified, nil
		out.header.Del("Content-Type")
	}
	return out
}

func requestID() string {
	guid := strings.ToUpper(strings.ReplaceAll(hook.NewGUID(), "-", ""))
	return guid[:4] + ":" + guid[4:9] + ":" + guid[9:16] + ":" + guid[16:23] + ":" + guid[23:31]
}

// budget is one caller's primary rate limit.
type budget struct {
	used  int
	reset int64
}

// spend counts the call against the caller's hourly limit.
func (c *call) spend() (answer, bool) {
	if c.who.jwt() {
		return answer{}, false // minting has its own bucket, which is not simulated
	}
	b := c.s.budget(c.who.key())
	if b.used >= c.s.limit {
		c.rateHeaders(b)
		return fail(http.StatusForbidden, "API rate limit exceeded for %s.", c.who.key()), true
	}
	b.used++
	c.rateHeaders(b)
	return answer{}, false
}

func (c *call) refund() {
	if c.who == nil || c.who.jwt() {
		return
	}
	b := c.s.budget(c.who.key())
	b.used = max(b.used-1, 0)
	c.rateHeaders(b)
}

func (s *Server) budget(key string) *budget {
	now := s.now().Unix()
	b := s.limits[key]
	if b == nil || now >= b.reset {
		b = &budget{reset: now + 3600}
		s.limits[key] = b
	}
	return b
}

func (c *call) rateHeaders(b *budget) {
	c.out.Set("X-RateLimit-Limit", strconv.Itoa(c.s.limit))
	c.out.Set("X-RateLimit-Remaining", strconv.Itoa(c.s.limit-b.used))
	c.out.Set("X-RateLimit-Used", strconv.Itoa(b.used))
	c.out.Set("X-RateLimit-Reset", strconv.FormatInt(b.reset, 10))
	c.out.Set("X-RateLimit-Resource", "core")
}

// SetRateLimit changes how many calls an hour each caller has. Calls already made stay counted.
func (s *Server) SetRateLimit(perHour int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limit = perHour
}
