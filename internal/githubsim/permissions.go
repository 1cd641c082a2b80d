package githubsim

import (
	"net/http"
	"strings"
)

// need says who may call an operation.
type need struct {
	// app lists alternatives of an installation's permission, as in "pull_requests=write; issues=write".
	// Empty means that installations may not call it.
	app string
	// person is the role that a person needs in the repository; levelApps means that no person may call it.
	person int
	// other is set for operations that are not on a repository.
	other scope
}

type scope int

const (
	onRepository scope = iota
	onApp              // App JWT
	onInstallation
	onAnything
)

const levelApps = levelAdmin + 1

// authorize applies a need; the second result is true when the call is refused.
func (c *call) authorize(n need) (answer, bool) {
	switch n.other {
	case onAnything:
		return answer{}, false
	case onApp:
		if !c.who.jwt() {
			return fail(http.StatusUnauthorized, "A JSON web token could not be decoded"), true
		}
		return answer{}, false
	case onInstallation:
		if c.who.installation() == nil {
			return fail(http.StatusForbidden, "You must authenticate with an installation access token in order to list repositories for an installation."), true
		}
		return answer{}, false
	}
	if c.who.jwt() {
		return c.authorizeJWT(n)
	}
	if in := c.who.installation(); in != nil {
		return c.authorizeToken(n)
	}
	return c.authorizePerson(n)
}

// authorizeJWT lets an App's JWT only look up its installation on a repository, which the table marks by "jwt".
func (c *call) authorizeJWT(n need) (answer, bool) {
	if n.app == "jwt" {
		return answer{}, false
	}
	return fail(http.StatusForbidden, "Resource not accessible by integration"), true
}

func (c *call) authorizeToken(n need) (answer, bool) {
	t := c.who.token
	if c.repo == nil || !t.reaches(c.repo) {
		return notFound(), true
	}
	if n.app == "" || n.app == "jwt" || !t.satisfies(n.app) {
		if n.app != "" && n.app != "jwt" {
			c.out.Set("X-Accepted-GitHub-Permissions", n.app)
		}
		return fail(http.StatusForbidden, "Resource not accessible by integration"), true
	}
	return answer{}, false
}

// reaches tells whether the token covers a repository now: one removed from the installation is out at once.
func (t *token) reaches(r *repository) bool {
	return t.in.covers(r) && (t.repos == nil || t.repos[r.id])
}

// satisfies tests alternatives separated by ";" of conditions separated by ",".
func (t *token) satisfies(alternatives string) bool {
	for alternative := range strings.SplitSeq(alternatives, ";") {
		all := true
		for condition := range strings.SplitSeq(alternative, ",") {
			name, access, _ := strings.Cut(strings.TrimSpace(condition), "=")
			all = all && accessLevel(t.permissions[name]) >= accessLevel(access)
		}
		if all {
			return true
		}
	}
	return false
}

func (c *call) authorizePerson(n need) (answer, bool) {
	level := levelNone
	if c.repo != nil {
		level = c.repo.level(c.who.person())
	}
	if level < levelRead {
		return notFound(), true
	}
	if c.who.anonymous() && c.r.Method != http.MethodGet {
		return fail(http.StatusUnauthorized, "Requires authentication"), true
	}
	switch {
	case n.person == levelApps:
		return fail(http.StatusForbidden, "You must authenticate via a GitHub App."), true
	case level < n.person && n.person >= levelAdmin:
		return notFound(), true
	case level < n.person:
		return fail(http.StatusForbidden, "Resource not accessible by personal access token"), true
	}
	return answer{}, false
}
