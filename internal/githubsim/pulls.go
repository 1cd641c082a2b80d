package githubsim

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/mergegate/mergegate/internal/githubsim/bare"
)

// The lengths that GitHub enforces for a pull request's title and for any body of text.
const (
	maxTitle = 256
	maxText  = 65536
)

func (c *call) pull() *pull {
	return c.repo.pull(int(c.id("number")))
}

func listPulls(c *call) answer {
	state := c.query("state")
	var out []*pull
	for _, p := range slices.Backward(c.repo.pulls) {
		if state == "all" || p.state == state || (state == "" && p.open()) {
			out = append(out, p)
		}
	}
	if base := c.query("base"); base != "" {
		out = slices.DeleteFunc(out, func(p *pull) bool { return p.baseRef != base })
	}
	if head := c.query("head"); strings.Contains(head, ":") { // GitHub ignores a head without an owner
		out = slices.DeleteFunc(out, func(p *pull) bool { return p.headLabel != head })
	}
	if sort := c.query("sort"); sort == "updated" {
		slices.SortStableFunc(out, func(a, b *pull) int { return b.updated.Compare(a.updated) })
	}
	if c.query("direction") == "asc" {
		slices.Reverse(out)
	}
	return ok(render(page(c, out), c.s.pullSummary))
}

func getPull(c *call) answer {
	p := c.pull()
	if p == nil {
		return notFound()
	}
	c.s.ageMerge(p)
	out := ok(c.s.pullShape(p, c.s.facts(p)))
	p.unknownPolls = max(p.unknownPolls-1, 0)
	return out
}

// newPull is the body of a request to open a pull request.
type newPull struct {
	Title string  `json:"title"`
	Head  string  `json:"head"`
	Base  string  `json:"base"`
	Body  *string `json:"body"`
	Draft bool    `json:"draft"`
}

func createPull(c *call) answer {
	var in newPull
	if out, ok := c.decode(&in); !ok {
		return out
	}
	p, errs := c.s.openPull(c.repo, in, c.who.user())
	if len(errs) > 0 {
		return invalid(errs...)
	}
	return created(c.s.pullShape(p, c.s.facts(p)))
}

// openPull checks what GitHub checks, makes the pull request with its refs, and sends its event.
func (s *Server) openPull(r *repository, in newPull, by *user) (*pull, []fieldError) {
	p := &pull{repo: r, user: by, title: in.Title, draft: in.Draft, baseRef: in.Base, state: "open", created: s.now(), updated: s.now()}
	if in.Body != nil {
		p.body = *in.Body
	}
	if errs := textErrors("PullRequest", &p.title, &p.body); len(errs) > 0 {
		return nil, errs
	}
	if errs := s.resolveEnds(p, in.Head); len(errs) > 0 {
		return nil, errs
	}
	p.id, _ = s.nextID(), s.nextID() // the second id is the issue's
	r.nextNumber++
	p.number = r.nextNumber
	if err := s.takeHead(p); err != nil {
		return nil, []fieldError{{Resource: "PullRequest", Code: "custom", Message: err.Error()}}
	}
	r.pulls = append(r.pulls, p)
	s.refreshMerge(p)
	s.emitPull(p, "opened", by, nil)
	return p, nil
}

func textErrors(resource string, title, body *string) []fieldError {
	var errs []fieldError
	if title != nil && *title == "" {
		errs = append(errs, fieldError{Resource: resource, Code: "missing_field", Field: "title"})
	}
	if title != nil && utf8.RuneCountInString(*title) > maxTitle {
		errs = append(errs, fieldError{Resource: resource, Code: "custom", Field: "title", Message: "title is too long (maximum is 256 characters)"})
	}
	if body != nil && utf8.RuneCountInString(*body) > maxText {
		errs = append(errs, fieldError{Resource: resource, Code: "custom", Field: "body", Message: "body is too long (maximum is 65536 characters)"})
	}
	return errs
}

// resolveEnds finds head and base and refuses a pull request without commits or one that exists.
func (s *Server) resolveEnds(p *pull, head string) []fieldError {
	owner, branch, qualified := strings.Cut(head, ":")
	p.headRepo = p.repo
	if !qualified {
		owner, branch = p.repo.owner.login, head
	} else {
		p.headRepo = s.forkOf(p.repo, owner)
	}
	invalidField := func(field string) []fieldError {
		return []fieldError{{Resource: "PullRequest", Code: "invalid", Field: field}}
	}
	if p.headRepo == nil {
		return invalidField("head")
	}
	known := false
	if p.headSHA, known = p.headRepo.git.Branch(branch); !known {
		return invalidField("head")
	}
	if p.baseSHA, known = p.repo.git.Branch(p.baseRef); !known {
		return invalidField("base")
	}
	p.headRef, p.headLabel = branch, owner+":"+branch
	for _, other := range p.repo.pulls {
		if other.open() && other.headLabel == p.headLabel && other.baseRef == p.baseRef {
			return []fieldError{{Resource: "PullRequest", Code: "custom", Message: fmt.Sprintf("A pull request already exists for %s.", p.headLabel)}}
		}
	}
	if p.headRepo.git.IsAncestor(p.headSHA, p.baseSHA) {
		return []fieldError{{Resource: "PullRequest", Code: "custom", Message: fmt.Sprintf("No commits between %s and %s", p.baseRef, branch)}}
	}
	return nil
}

// forkOf finds an account's repository in the same network.
func (s *Server) forkOf(r *repository, owner string) *repository {
	if sameLogin(r.owner.login, owner) {
		return r
	}
	for _, other := range s.repos {
		if other.parent == r && sameLogin(other.owner.login, owner) {
			return other
		}
	}
	return nil
}

// takeHead brings the head's objects into the base repository and points refs/pull/N/head at them.
func (s *Server) takeHead(p *pull) error {
	ref := fmt.Sprintf("refs/pull/%d/head", p.number)
	if p.fork() && p.headRepo != nil {
		return p.repo.git.Fetch(p.headRepo.git.Dir, p.headSHA, ref)
	}
	return p.repo.git.Update(ref, p.headSHA, "")
}

func patchPull(c *call) answer {
	p := c.pull()
	if p == nil {
		return notFound()
	}
	var in pullPatch
	if out, ok := c.decode(&in); !ok {
		return out
	}
	if person := c.who.person(); person != nil && person != p.user && c.repo.level(person) < levelWrite {
		return fail(http.StatusForbidden, "You must be the author or have write access to edit a pull request.")
	}
	if errs := c.s.editPull(p, in, c.who.user()); len(errs) > 0 {
		return invalid(errs...)
	}
	return ok(c.s.pullShape(p, c.s.facts(p)))
}

// pullPatch is the body of a request to edit a pull request; nil leaves a field alone.
type pullPatch struct {
	Title *string `json:"title"`
	Body  *string `json:"body"`
	State *string `json:"state"`
	Base  *string `json:"base"`
}

func (s *Server) editPull(p *pull, in pullPatch, by *user) []fieldError {
	if errs := textErrors("PullRequest", in.Title, in.Body); len(errs) > 0 {
		return errs
	}
	changes := object{}
	if in.Title != nil && *in.Title != p.title {
		changes["title"] = object{"from": p.title}
		p.title = *in.Title
	}
	if in.Body != nil && *in.Body != p.body {
		changes["body"] = object{"from": p.body}
		p.body = *in.Body
	}
	if in.Base != nil && *in.Base != p.baseRef {
		change, errs := s.retarget(p, *in.Base)
		if len(errs) > 0 {
			return errs
		}
		changes["base"] = change
	}
	p.updated = s.now()
	if len(changes) > 0 {
		s.emitPull(p, "edited", by, object{"changes": changes})
	}
	return s.setState(p, in.State, by)
}

func (s *Server) retarget(p *pull, base string) (object, []fieldError) {
	tip, known := p.repo.git.Branch(base)
	if !known || !p.open() {
		return nil, []fieldError{{Resource: "PullRequest", Code: "invalid", Field: "base"}}
	}
	change := object{"ref": object{"from": p.baseRef}, "sha": object{"from": p.baseSHA}}
	p.baseRef, p.baseSHA = base, tip
	s.refreshMerge(p)
	return change, nil
}

func (s *Server) setState(p *pull, state *string, by *user) []fieldError {
	if state == nil || *state == p.state {
		return nil
	}
	switch {
	case *state == "closed":
		s.closePull(p, by)
	case *state == "open" && p.merged == nil && p.headRepo != nil:
		p.state, p.closed = "open", nil
		s.refreshMerge(p)
		s.emitPull(p, "reopened", by, nil)
	default:
		return []fieldError{{Resource: "PullRequest", Code: "invalid", Field: "state"}}
	}
	return nil
}

func (s *Server) closePull(p *pull, by *user) {
	now := s.now()
	p.state, p.closed, p.updated = "closed", &now, now
	s.emitPull(p, "closed", by, nil)
}

func listPullFiles(c *call) answer {
	p := c.pull()
	if p == nil {
		return notFound()
	}
	files := c.s.files(p)
	const most = 3000
	return ok(render(page(c, files[:min(len(files), most)]), func(f bare.Change) object { return c.s.fileShape(p.repo, p.headSHA, f) }))
}

// diffBase is the base branch's tip while the pull request is open, and what it was when it was closed or merged.
func (s *Server) diffBase(p *pull) string {
	if tip, known := p.repo.git.Branch(p.baseRef); known && p.open() {
		return tip
	}
	return p.baseSHA
}

func listPullCommits(c *call) answer {
	p := c.pull()
	if p == nil {
		return notFound()
	}
	commits, err := p.repo.git.Log("--reverse", c.s.diffBase(p)+".."+p.headSHA)
	if err != nil {
		return broken(err)
	}
	const most = 250
	return ok(render(page(c, commits[:min(len(commits), most)]), func(k bare.Commit) object { return c.s.commitShape(p.repo, k) }))
}

func listCommitPulls(c *call) answer {
	id, known := c.repo.git.Commit(c.path["ref"])
	if !known {
		return noCommit(c.path["ref"])
	}
	var out []*pull
	for _, p := range c.repo.pulls {
		inHead := p.headSHA == id || (c.repo.git.IsAncestor(id, p.headSHA) && !c.repo.git.IsAncestor(id, c.s.diffBase(p)))
		if inHead || (p.merged != nil && p.mergeCommit == id) {
			out = append(out, p)
		}
	}
	return ok(render(page(c, out), c.s.pullSummary))
}

func noCommit(ref string) answer {
	return fail(http.StatusUnprocessableEntity, "No commit found for SHA: %s", ref)
}
