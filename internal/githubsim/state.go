package githubsim

import (
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"github.com/mergegate/mergegate/internal/githubsim/bare"
	"github.com/mergegate/mergegate/internal/githubsim/hook"
)

type user struct {
	id      int64
	login   string
	kind    string // User, Organization or Bot
	name    string
	email   string
	created time.Time
}

func (u *user) signature(when time.Time) bare.Signature {
	name := u.name
	if name == "" {
		name = u.login
	}
	email := u.email
	if email == "" {
		email = fmt.Sprintf("%d+%s@users.noreply.github.com", u.id, u.login)
	}
	return bare.Signature{Name: name, Email: email, When: when}
}

type repository struct {
	id            int64
	owner         *user
	name          string
	defaultBranch string
	private       bool
	parent        *repository // of a fork
	roles         map[string]string
	protection    map[string]*protection
	git           *bare.Repo
	refs          map[string]string // as last seen, to find out what a push moved
	created       time.Time
	pushed        time.Time
	nextNumber    int
	pulls         []*pull
	comments      []*comment
	runs          []*checkRun
	suites        []*checkSuite
	statuses      []*status
	labels        []*label
	queue         []*queueEntry
}

func (r *repository) fullName() string { return r.owner.login + "/" + r.name }

type protection struct {
	branch        string
	strict        bool
	enforceAdmins bool
	hasChecks     bool // false: required_status_checks is null
	checks        []requiredCheck
	reviews       int
	hasReviews    bool
}

// requiredCheck is pinned to an App unless appID is 0.
type requiredCheck struct {
	context string
	appID   int64
}

type app struct {
	id          int64
	slug        string
	name        string
	owner       *user
	bot         *user
	key         *rsa.PrivateKey
	permissions map[string]string
	events      []string
	created     time.Time
	hooks       *hook.Queue
}

type installation struct {
	id          int64
	app         *app
	account     *user
	repos       map[int64]bool // nil: all of the account's
	permissions map[string]string
	created     time.Time
	suspended   *time.Time
}

func (in *installation) covers(r *repository) bool {
	if r.owner != in.account {
		return false
	}
	return in.repos == nil || in.repos[r.id]
}

type token struct {
	value       string
	in          *installation // of an App's token
	user        *user         // of a person's token
	repos       map[int64]bool
	permissions map[string]string
	expires     time.Time // zero: never
	revoked     bool
}

type pull struct {
	id           int64
	number       int
	repo         *repository
	headRepo     *repository // nil after the fork was deleted
	headRef      string
	headLabel    string
	headSHA      string
	baseRef      string
	baseSHA      string
	user         *user
	title        string
	body         string
	draft        bool
	state        string // open or closed
	created      time.Time
	updated      time.Time
	closed       *time.Time
	merged       *time.Time
	mergedBy     *user
	mergeCommit  string // the test merge while open, the result after the merge
	tested       testMerge
	stat         diffStat
	unknownPolls int // how many more reads answer mergeable: null
	labels       []*label
	reviews      []*review
}

func (p *pull) open() bool { return p.state == "open" }

// testMerge is what refs/pull/N/merge was made of. It grows stale when only the base moves.
type testMerge struct {
	base string
	when time.Time
}

// diffStat caches a pull request's diff and its numbers for one pair of commits.
type diffStat struct {
	base, head string
	facts      pullFacts
	files      []bare.Change
}

// fork tells whether the head is not in the base repository.
func (p *pull) fork() bool { return p.headRepo != p.repo }

type comment struct {
	id        int64
	number    int
	user      *user
	app       *app
	body      string
	created   time.Time
	updated   time.Time
	minimized string // classifier, empty when shown
	reactions []*reaction
}

type reaction struct {
	id      int64
	user    *user
	content string
	created time.Time
}

type review struct {
	id        int64
	user      *user
	body      string
	state     string
	commit    string
	submitted time.Time
}

type label struct {
	id    int64
	name  string
	color string
}

type checkSuite struct {
	id      int64
	app     *app
	sha     string
	branch  string
	before  string
	created time.Time
	updated time.Time
}

type checkRun struct {
	id          int64
	suite       *checkSuite
	name        string
	status      string
	conclusion  string
	detailsURL  string
	externalID  string
	started     *time.Time
	completed   *time.Time
	title       *string
	summary     *string
	text        *string
	annotations []annotation
	actions     []runAction
}

type status struct {
	id          int64
	sha         string
	state       string
	context     string
	description *string
	target      *string
	creator     *user
	app         *app
	created     time.Time
}

type queueEntry struct {
	pull    *pull
	by      *user
	headSHA string
	headRef string
	baseSHA string
}

// nodeID is the global id of an object; GraphQL takes it back.
func nodeID(kind string, id int64) string {
	return kind + "_" + base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%s:%d", kind, id))
}

func sameLogin(a, b string) bool { return strings.EqualFold(a, b) }

func (s *Server) userNamed(login string) *user {
	for _, u := range s.users {
		if sameLogin(u.login, login) {
			return u
		}
	}
	return nil
}

func (s *Server) repository(owner, name string) *repository {
	for _, r := range s.repos {
		if sameLogin(r.owner.login, owner) && sameLogin(r.name, name) {
			return r
		}
	}
	return nil
}

func (s *Server) repositoryNamed(full string) *repository {
	owner, name, _ := strings.Cut(full, "/")
	return s.repository(owner, name)
}

func (r *repository) pull(number int) *pull {
	for _, p := range r.pulls {
		if p.number == number {
			return p
		}
	}
	return nil
}

func (r *repository) comment(id int64) *comment {
	for _, c := range r.comments {
		if c.id == id {
			return c
		}
	}
	return nil
}

func (r *repository) run(id int64) *checkRun {
	for _, c := range r.runs {
		if c.id == id {
			return c
		}
	}
	return nil
}

// installationsFor lists the installations that cover a repository and are not suspended.
func (s *Server) installationsFor(r *repository) []*installation {
	var out []*installation
	for _, in := range s.installs {
		if in.suspended == nil && in.covers(r) {
			out = append(out, in)
		}
	}
	return out
}
