package githubsim

import (
	"net/http"

	"github.com/mergegate/mergegate/internal/githubsim/bare"
)

// requestSuites opens one suite for every App with checks:write and tells the App so.
func (s *Server) requestSuites(r *repository, branch string, m move) {
	for _, in := range s.installationsFor(r) {
		if in.permissions["checks"] != "write" {
			continue
		}
		suite := s.suite(r, in.app, m.after)
		suite.branch, suite.before = branch, m.before
		s.emitSuite(r, suite, "requested", m.by)
	}
}

// suite finds or makes the suite of an App on a commit.
func (s *Server) suite(r *repository, a *app, sha string) *checkSuite {
	for _, suite := range r.suites {
		if suite.app == a && suite.sha == sha {
			return suite
		}
	}
	suite := &checkSuite{id: s.nextID(), app: a, sha: sha, created: s.now(), updated: s.now(), branch: r.branchAt(sha)}
	r.suites = append(r.suites, suite)
	return suite
}

// branchAt names a branch of this repository whose tip is the commit; empty for the head of a fork.
func (r *repository) branchAt(sha string) string {
	for _, p := range r.pulls {
		if p.headSHA == sha && !p.fork() {
			return p.headRef
		}
	}
	return ""
}

func (s *Server) emitSuite(r *repository, suite *checkSuite, action string, by *user) {
	head, err := r.git.Show(suite.sha)
	if err != nil {
		return // the commit was read when the suite was made
	}
	body := s.suiteShape(r, suite, head)
	delete(body, "repository")
	s.emit(event{name: "check_suite", action: action, repo: r, sender: by, only: suite.app, body: object{"check_suite": body}})
}

func listCheckSuites(c *call) answer {
	id, known := c.repo.git.Commit(c.path["ref"])
	if !known {
		return noCommit(c.path["ref"])
	}
	head, err := c.repo.git.Show(id)
	if err != nil {
		return broken(err)
	}
	var out []*checkSuite
	for _, suite := range c.repo.suites {
		if suite.sha == id && c.matchesApp(suite.app) && c.suiteHas(suite, c.query("check_name")) {
			out = append(out, suite)
		}
	}
	return ok(object{
		"total_count":  len(out),
		"check_suites": render(page(c, out), func(v *checkSuite) object { return c.s.suiteShape(c.repo, v, head) }),
	})
}

func (c *call) suiteHas(suite *checkSuite, name string) bool {
	for _, run := range c.repo.runsOf(suite) {
		if run.name == name {
			return true
		}
	}
	return name == ""
}

func createCheckSuite(c *call) answer {
	var in struct {
		SHA string `json:"head_sha"`
	}
	if out, ok := c.decode(&in); !ok {
		return out
	}
	head, out, ok := c.checkCommit(in.SHA)
	if !ok {
		return out
	}
	before := len(c.repo.suites)
	suite := c.s.suite(c.repo, c.who.asApp(), head.ID)
	code := http.StatusOK
	if len(c.repo.suites) > before {
		code = http.StatusCreated
	}
	return answer{code, c.s.suiteShape(c.repo, suite, head)}
}

func rerequestCheckSuite(c *call) answer {
	for _, suite := range c.repo.suites {
		if suite.id == c.id("id") {
			c.s.emitSuite(c.repo, suite, "rerequested", c.who.user())
			return created(object{})
		}
	}
	return notFound()
}

// checkCommit demands a full commit id that the repository has, as the checks API does.
func (c *call) checkCommit(sha string) (bare.Commit, answer, bool) {
	if sha == "" {
		return bare.Commit{}, missing("head_sha"), false
	}
	id, known := c.repo.git.Commit(sha)
	if !known || id != sha {
		return bare.Commit{}, noCommit(sha), false
	}
	head, err := c.repo.git.Show(id)
	if err != nil {
		return bare.Commit{}, broken(err), false
	}
	return head, answer{}, true
}

func missing(field string) answer {
	return fail(http.StatusUnprocessableEntity, "Invalid request.\n\n%q wasn't supplied.", field)
}
