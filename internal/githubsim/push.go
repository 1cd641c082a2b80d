package githubsim

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/mergegate/mergegate/internal/githubsim/bare"
)

// Push is a commit to make on a branch, without a clone.
type Push struct {
	// Repository is the full name, as in acme/gitops.
	Repository string `json:"repository"`
	Branch     string `json:"branch"`
	// By is the login that pushes; empty means the repository's owner.
	By string `json:"by"`
	// From is where a new branch starts, and with Force where an existing one restarts; empty means the default branch.
	From string `json:"from"`
	// Force makes the branch restart at From instead of adding to it.
	Force bool `json:"force"`
	// Write maps paths to contents, Remove lists paths to delete.
	Write   map[string]string `json:"write"`
	Remove  []string          `json:"remove"`
	Message string            `json:"message"`
}

// Push makes a commit, moves the branch to it and sends the events of a push. It returns the commit's id.
func (s *Server) Push(ctx context.Context, p Push) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", fmt.Errorf("push to %s: %w", p.Repository, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.repositoryNamed(p.Repository)
	if r == nil {
		return "", fmt.Errorf("push: no repository %s", p.Repository)
	}
	by := r.owner
	if p.By != "" {
		if by = s.userNamed(p.By); by == nil {
			return "", fmt.Errorf("push to %s: no user %s", p.Repository, p.By)
		}
	}
	id, err := s.commit(r, p, by)
	if err != nil {
		return "", fmt.Errorf("push to %s: %w", p.Repository, err)
	}
	s.syncRefs(r, by)
	return id, nil
}

func (s *Server) commit(r *repository, p Push, by *user) (string, error) {
	tip, exists := r.git.Branch(p.Branch)
	parent := tip
	if !exists || p.Force {
		from := p.From
		if from == "" {
			from = "refs/heads/" + r.defaultBranch
		}
		parent, _ = r.git.Commit(from)
	}
	if parent == "" && p.From != "" {
		return "", fmt.Errorf("start branch %s: no commit %s", p.Branch, p.From)
	}
	tree, err := r.git.EditTree(parent, bare.Edit{Write: p.Write, Remove: p.Remove})
	if err != nil {
		return "", err
	}
	who := by.signature(s.now())
	spec := bare.CommitSpec{Tree: tree, Message: p.Message, Author: who, Committer: who}
	if parent != "" {
		spec.Parents = []string{parent}
	}
	id, err := r.git.WriteCommit(spec)
	if err != nil {
		return "", err
	}
	if !exists {
		tip = bare.Zero
	}
	return id, r.git.Update("refs/heads/"+p.Branch, id, tip)
}

// Import copies a revision of a git repository on disk to a branch and sends the events of a push.
func (s *Server) Import(ctx context.Context, full, dir, rev, branch string) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", fmt.Errorf("import to %s: %w", full, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.repositoryNamed(full)
	if r == nil {
		return "", fmt.Errorf("import: no repository %s", full)
	}
	if err := r.git.Fetch(dir, rev, "refs/heads/"+branch); err != nil {
		return "", err
	}
	s.syncRefs(r, r.owner)
	return r.refs["refs/heads/"+branch], nil
}

// DeleteBranch removes a branch and sends the events of a push.
func (s *Server) DeleteBranch(ctx context.Context, full, branch string) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("delete branch of %s: %w", full, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.repositoryNamed(full)
	if r == nil {
		return fmt.Errorf("delete branch: no repository %s", full)
	}
	if err := r.git.Update("refs/heads/"+branch, bare.Zero, ""); err != nil {
		return err
	}
	s.syncRefs(r, r.owner)
	return nil
}

// syncRefs compares the refs with those last seen and plays out what each moved branch or tag means.
func (s *Server) syncRefs(r *repository, by *user) {
	now, err := r.git.Refs()
	if err != nil {
		return // the next sync sees the same difference again
	}
	names := map[string]bool{}
	for name := range r.refs {
		names[name] = true
	}
	for name := range now {
		names[name] = true
	}
	before := r.refs
	r.refs = now
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if strings.HasPrefix(name, "refs/pull/") || before[name] == now[name] {
			continue
		}
		s.moved(r, move{ref: name, before: orZero(before[name]), after: orZero(now[name]), by: by})
	}
}

func orZero(id string) string {
	if id == "" {
		return bare.Zero
	}
	return id
}

// move is one ref that changed.
type move struct {
	ref    string
	before string
	after  string
	by     *user
}

func (m move) created() bool { return m.before == bare.Zero }
func (m move) deleted() bool { return m.after == bare.Zero }

// moved sends the push, opens check suites, and moves the pull requests whose head or base it was.
func (s *Server) moved(r *repository, m move) {
	r.pushed = s.now()
	s.emit(event{name: "push", repo: r, sender: m.by, body: s.pushBody(r, m)})
	branch, isBranch := strings.CutPrefix(m.ref, "refs/heads/")
	if !isBranch {
		return
	}
	if !m.deleted() {
		s.requestSuites(r, branch, m)
	}
	for _, repo := range s.repos {
		for _, p := range repo.pulls {
			if p.open() && p.headRepo == r && p.headRef == branch {
				s.headMoved(p, m)
			}
		}
	}
	s.baseMoved(r, branch, m)
}

func (s *Server) headMoved(p *pull, m move) {
	if m.deleted() {
		s.closePull(p, m.by)
		return
	}
	p.headSHA, p.updated = m.after, s.now()
	if err := s.takeHead(p); err != nil {
		return // the fork's objects cannot be read; the pull request keeps its old head reference
	}
	if tip, known := p.repo.git.Branch(p.baseRef); known {
		p.baseSHA = tip
	}
	s.refreshMerge(p)
	s.emitPull(p, "synchronize", m.by, object{"before": m.before, "after": m.after})
}

// baseMoved marks pull requests merged whose head the push contains, and refreshes merge references whose merge base
// changed. Other merge references stay as they are.
func (s *Server) baseMoved(r *repository, branch string, m move) {
	tip, known := r.git.Branch(branch)
	if !known {
		return
	}
	for _, p := range r.pulls {
		if !p.open() || p.baseRef != branch || p.tested.base == "" {
			continue
		}
		p.unknownPolls = s.unknown
		was, _ := r.git.MergeBase(p.tested.base, p.headSHA)
		is, _ := r.git.MergeBase(tip, p.headSHA)
		switch {
		case is == p.headSHA:
			s.markMerged(p, tip, m.before, m.by)
			s.emitPull(p, "closed", m.by, nil)
		case was != is:
			s.refreshMerge(p)
		}
	}
}

// pushBody is the payload of a push; its repository differs from that of all other events in two fields.
func (s *Server) pushBody(r *repository, m move) object {
	repo := s.repositoryShape(r)
	repo["created_at"], repo["pushed_at"], repo["url"] = r.created.Unix(), r.pushed.Unix(), s.repoPage(r, "")
	repo["stargazers"], repo["master_branch"] = 0, r.defaultBranch
	owner := s.userShape(r.owner)
	owner["name"], owner["email"] = r.owner.login, nil
	repo["owner"] = owner
	if r.owner.kind == "Organization" {
		repo["organization"] = r.owner.login
	}
	who := m.by.signature(s.now())
	body := object{
		"ref": m.ref, "before": m.before, "after": m.after, "created": m.created(), "deleted": m.deleted(),
		"forced": s.forced(r, m), "base_ref": nil, "compare": s.repoPage(r, "/compare/%.12s...%.12s", m.before, m.after),
		"pusher": object{"name": m.by.login, "email": who.Email}, "repository": repo,
		"commits": []object{}, "head_commit": nil,
	}
	if m.deleted() {
		return body
	}
	commits := s.pushedCommits(r, m)
	body["commits"] = commits
	if len(commits) > 0 {
		body["head_commit"] = commits[len(commits)-1]
	} else if head, err := r.git.Show(m.after); err == nil {
		body["head_commit"] = s.pushedCommit(r, head)
	}
	return body
}

func (s *Server) forced(r *repository, m move) bool {
	return !m.created() && !m.deleted() && !r.git.IsAncestor(m.before, m.after)
}

// pushedCommits lists at most 2048 new commits, oldest first.
func (s *Server) pushedCommits(r *repository, m move) []object {
	selection := m.before + ".." + m.after
	if m.created() {
		selection = "refs/heads/" + r.defaultBranch + ".." + m.after
	}
	commits, err := r.git.Log("--reverse", "--max-count=2048", selection)
	if err != nil {
		return []object{} // no default branch yet
	}
	return render(commits, func(k bare.Commit) object { return s.pushedCommit(r, k) })
}

func (s *Server) pushedCommit(r *repository, k bare.Commit) object {
	actor := func(sig bare.Signature) object {
		out := object{"name": sig.Name, "email": sig.Email, "date": stamp(sig.When)}
		if u := s.userByEmail(sig.Email); u != nil {
			out["username"] = u.login
		}
		return out
	}
	out := object{
		"id": k.ID, "tree_id": k.Tree, "distinct": true, "message": k.Message, "timestamp": stamp(k.Committer.When),
		"url": s.repoPage(r, "/commit/%s", k.ID), "author": actor(k.Author), "committer": actor(k.Committer),
	}
	added, removed, modified := []string{}, []string{}, []string{}
	changes, err := r.git.Names(firstParent(k), k.ID)
	if err != nil {
		changes = nil // a commit that cannot be compared shows no files
	}
	for _, f := range changes {
		switch f.Status {
		case "added":
			added = append(added, f.Path)
		case "removed":
			removed = append(removed, f.Path)
		default:
			modified = append(modified, f.Path)
		}
	}
	out["added"], out["removed"], out["modified"] = added, removed, modified
	return out
}

// emptyTree is git's id of the tree without entries.
const emptyTree = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"

func firstParent(k bare.Commit) string {
	if len(k.Parents) > 0 {
		return k.Parents[0]
	}
	return emptyTree
}
