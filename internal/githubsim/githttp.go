package githubsim

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/mergegate/mergegate/internal/githubsim/bare"
)

// gitPath matches the URLs of git's smart HTTP protocol; the suffix .git is optional, as on GitHub.
func gitPath() *regexp.Regexp {
	return regexp.MustCompile(`^/([^/]+)/([^/]+?)(?:\.git)?/(info/refs|git-upload-pack|git-receive-pack)$`)
}

func isGit(path string) bool { return gitPath().MatchString(path) }

func newGitHandler(dir string) (http.Handler, error) {
	git, err := exec.LookPath("git")
	if err != nil {
		return nil, fmt.Errorf("find git: %w", err)
	}
	root, err := filepath.Abs(filepath.Join(dir, "repositories"))
	if err != nil {
		return nil, fmt.Errorf("resolve directory %s: %w", dir, err)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := &cgi.Handler{
			Path: git, Args: []string{"http-backend"}, Dir: root, Stderr: io.Discard,
			Env: append(bare.Environ(), "GIT_PROJECT_ROOT="+root, "GIT_HTTP_EXPORT_ALL=1", "GIT_PROTOCOL="+r.Header.Get("Git-Protocol"),
				"REMOTE_USER="+r.Header.Get(remoteUser), protectedEnv+"="+r.Header.Get(protectedEnv)),
		}
		h.ServeHTTP(w, r)
	}), nil
}

// The names under which serveGit tells the backend who pushes and which branches are closed to the pusher.
const (
	remoteUser   = "X-Githubsim-User"
	protectedEnv = "GITHUBSIM_PROTECTED"
)

// installUpdateHook makes a repository refuse pushes to protected branches, with GitHub's words.
func installUpdateHook(dir string) error {
	const script = `#!/bin/sh
# Refuses a push to a protected branch. The list holds "ref:sha" entries; a commit that is listed passed all checks.
case " $GITHUBSIM_PROTECTED " in
*" $1:$3 "*) exit 0 ;;
*" $1:"*)
	echo "error: GH006: Protected branch update failed for $1." >&2
	echo "error: Required status checks are expected." >&2
	exit 1 ;;
esac
`
	if err := os.MkdirAll(filepath.Join(dir, "hooks"), 0o755); err != nil {
		return fmt.Errorf("make hook directory: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "hooks", "update"), []byte(script), 0o755); err != nil {
		return fmt.Errorf("write update hook: %w", err)
	}
	return nil
}

func (s *Server) serveGit(w http.ResponseWriter, r *http.Request) {
	m := gitPath().FindStringSubmatch(r.URL.Path)
	push := m[3] == "git-receive-pack" || r.URL.Query().Get("service") == "git-receive-pack"
	s.effects.before(r.Method, r.URL.Path)
	if fault := s.effects.fault(r.Method, r.URL.Path); fault != nil { // git's answers are lost before the effect only
		s.effects.record(Request{Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, Status: fault.write(w, s.clock())})
		return
	}
	repo, by, code := s.gitAccess(r, m[1], m[2], push)
	s.effects.record(Request{Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, Status: code})
	if code != http.StatusOK {
		if code == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", `Basic realm="GitHub"`)
		}
		http.Error(w, gitRefusal(code), code)
		return
	}
	in := r.Clone(r.Context())
	in.URL.Path = "/" + repo.owner.login + "/" + repo.name + ".git/" + m[3]
	in.Header.Del("Authorization")
	in.Header.Del("Accept-Encoding")
	in.Header.Set(remoteUser, by.name())
	if m[3] != "git-receive-pack" {
		s.git.ServeHTTP(w, in)
		return
	}
	in.Header.Set(protectedEnv, s.closedTo(repo, by))
	s.receive(w, in, repo, by)
}

// receive holds the backend's answer back until the push's consequences are in place, so that whoever pushed sees them.
func (s *Server) receive(w http.ResponseWriter, in *http.Request, repo *repository, by *principal) {
	out := httptest.NewRecorder()
	out.Body = &bytes.Buffer{}
	s.git.ServeHTTP(out, in)
	s.mu.Lock()
	s.syncRefs(repo, by.user())
	s.mu.Unlock()
	for k, v := range out.Header() {
		w.Header()[k] = v
	}
	w.WriteHeader(out.Code)
	w.Write(out.Body.Bytes()) //nolint:errcheck // a client that went away is no concern of the server
}

func gitRefusal(code int) string {
	switch code {
	case http.StatusUnauthorized:
		return "Invalid username or token. Password authentication is not supported for Git operations."
	case http.StatusForbidden:
		return "Write access to repository not granted."
	default:
		return "Repository not found."
	}
}

// gitAccess decides like GitHub: a private repository is not found for the wrong token and asks for one without any.
func (s *Server) gitAccess(r *http.Request, owner, name string, push bool) (*repository, *principal, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	repo := s.repository(owner, name)
	who, refused := s.authenticate(r)
	if refused != nil || who.jwt() {
		return nil, nil, http.StatusUnauthorized
	}
	if who.anonymous() && (repo == nil || repo.private || push) {
		return nil, nil, http.StatusUnauthorized
	}
	if repo == nil {
		return nil, nil, http.StatusNotFound
	}
	if who.installation() != nil {
		return repo, who, who.token.gitCode(repo, push)
	}
	switch level := repo.level(who.person()); {
	case level < levelRead:
		return nil, nil, http.StatusNotFound
	case push && level < levelWrite:
		return nil, nil, http.StatusForbidden
	}
	return repo, who, http.StatusOK
}

func (t *token) gitCode(r *repository, push bool) int {
	access := accessLevel(t.permissions["contents"])
	switch {
	case !t.reaches(r):
		return http.StatusNotFound
	case access < 1 || (push && access < 2):
		return http.StatusForbidden
	}
	return http.StatusOK
}

func (p *principal) name() string {
	if u := p.user(); u != nil {
		return u.login
	}
	return ""
}

// closedTo lists the branches whose protection holds for the pusher, with the commits that satisfy it.
func (s *Server) closedTo(r *repository, by *principal) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for branch, rule := range r.protection {
		admin := by.person() != nil && r.level(by.person()) == levelAdmin
		if admin && !rule.enforceAdmins {
			continue
		}
		ref := "refs/heads/" + branch
		out = append(out, ref+":-")
		if rule.hasReviews {
			continue // a branch that wants reviews takes no direct push
		}
		for _, sha := range r.checkedCommits() {
			if r.satisfies(rule, sha) {
				out = append(out, ref+":"+sha)
			}
		}
	}
	return strings.Join(out, " ")
}

func (r *repository) checkedCommits() []string {
	seen := map[string]bool{}
	var out []string
	for _, suite := range r.suites {
		if !seen[suite.sha] {
			seen[suite.sha] = true
			out = append(out, suite.sha)
		}
	}
	return out
}

func (r *repository) satisfies(rule *protection, sha string) bool {
	for _, check := range rule.checks {
		if r.checkState(sha, check) != "passed" {
			return false
		}
	}
	return true
}
