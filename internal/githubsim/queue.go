package githubsim

import (
	"errors"
	"fmt"
	"slices"

	"github.com/mergegate/mergegate/internal/githubsim/bare"
)

// Enqueue puts a pull request into the merge queue of its base branch: a group of one, whose head is the merge of the
// pull request onto the base and the groups before it. When the required checks pass on that head, it is merged.
func (s *Server) Enqueue(full string, number int, login string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, by, err := s.actor(full, number, login)
	if err != nil {
		return fmt.Errorf("enqueue: %w", err)
	}
	if !p.open() || p.draft {
		return fmt.Errorf("enqueue %s#%d: the pull request is not open or is a draft", full, number)
	}
	base, known := p.repo.git.Branch(p.baseRef)
	if !known {
		return fmt.Errorf("enqueue %s#%d: no branch %s", full, number, p.baseRef)
	}
	if n := len(p.repo.queue); n > 0 {
		base = p.repo.queue[n-1].headSHA
	}
	head, err := s.mergeCommit(p, base, s.now())
	if err != nil {
		return fmt.Errorf("enqueue %s#%d: %w", full, number, err)
	}
	entry := &queueEntry{
		pull: p, by: by, headSHA: head, baseSHA: base,
		headRef: fmt.Sprintf("refs/heads/gh-readonly-queue/%s/pr-%d-%s", p.baseRef, p.number, base),
	}
	if err := p.repo.git.Update(entry.headRef, head, ""); err != nil {
		return err
	}
	p.repo.queue = append(p.repo.queue, entry)
	s.emitPull(p, "enqueued", by, nil)
	s.syncRefs(p.repo, by)
	s.emitGroup(entry, "checks_requested", "")
	s.queueProgress(p.repo)
	return nil
}

// actor resolves a pull request and a person.
func (s *Server) actor(full string, number int, login string) (*pull, *user, error) {
	r := s.repositoryNamed(full)
	if r == nil {
		return nil, nil, fmt.Errorf("no repository %s", full)
	}
	p := r.pull(number)
	if p == nil {
		return nil, nil, fmt.Errorf("no pull request %s#%d", full, number)
	}
	by := s.userNamed(login)
	if by == nil {
		return nil, nil, fmt.Errorf("no user %s", login)
	}
	return p, by, nil
}

func (s *Server) emitGroup(e *queueEntry, action, reason string) {
	head, err := e.pull.repo.git.Show(e.headSHA)
	if err != nil {
		return // the group's head was made a moment ago
	}
	body := object{"merge_group": object{
		"head_sha": e.headSHA, "head_ref": e.headRef, "base_sha": e.baseSHA, "base_ref": "refs/heads/" + e.pull.baseRef,
		"head_commit": simpleCommit(head),
	}}
	if reason != "" {
		body["reason"] = reason
	}
	s.emit(event{name: "merge_group", action: action, repo: e.pull.repo, sender: e.by, body: body})
}

// queueProgress merges or evicts the first group once its checks have a result.
func (s *Server) queueProgress(r *repository) {
	for len(r.queue) > 0 {
		first := r.queue[0]
		switch s.groupState(first) {
		case "passed":
			s.mergeGroup(first)
		case "failed":
			s.evict(first, "CI_FAILURE", "invalidated")
		default:
			return
		}
	}
}

func (s *Server) groupState(e *queueEntry) string {
	rule := e.pull.repo.protection[e.pull.baseRef]
	if rule == nil {
		return "passed"
	}
	state := "passed"
	for _, check := range rule.checks {
		switch e.pull.repo.checkState(e.headSHA, check) {
		case "failed":
			return "failed"
		case "passed":
		default:
			state = "pending"
		}
	}
	return state
}

func (s *Server) mergeGroup(e *queueEntry) {
	r := e.pull.repo
	if err := r.git.Update("refs/heads/"+e.pull.baseRef, e.headSHA, e.baseSHA); err != nil {
		s.evict(e, "BRANCH_PROTECTIONS", "invalidated") // somebody pushed to the base meanwhile
		return
	}
	r.queue = r.queue[1:]
	s.markMerged(e.pull, e.headSHA, e.baseSHA, e.by)
	s.emitGroup(e, "destroyed", "merged")
	s.dropRef(e)
	s.emitPull(e.pull, "closed", e.by, nil)
}

// evict removes a group and rebuilds those behind it, which contained it.
func (s *Server) evict(e *queueEntry, reason, destroyed string) {
	r := e.pull.repo
	at := slices.Index(r.queue, e)
	behind := slices.Clone(r.queue[at+1:])
	r.queue = r.queue[:at]
	s.emitGroup(e, "destroyed", destroyed)
	s.emitPull(e.pull, "dequeued", e.by, object{"reason": reason})
	s.dropRef(e)
	for _, next := range behind {
		s.emitGroup(next, "destroyed", "invalidated")
		s.dropRef(next)
	}
	for _, next := range behind {
		s.requeue(next)
	}
}

func (s *Server) requeue(e *queueEntry) {
	r := e.pull.repo
	base, _ := r.git.Branch(e.pull.baseRef)
	if n := len(r.queue); n > 0 {
		base = r.queue[n-1].headSHA
	}
	head, err := s.mergeCommit(e.pull, base, s.now())
	if err != nil {
		s.emitPull(e.pull, "dequeued", e.by, object{"reason": "MERGE_CONFLICT"})
		return
	}
	e.baseSHA, e.headSHA = base, head
	e.headRef = fmt.Sprintf("refs/heads/gh-readonly-queue/%s/pr-%d-%s", e.pull.baseRef, e.pull.number, base)
	if err := r.git.Update(e.headRef, head, ""); err != nil {
		s.emitPull(e.pull, "dequeued", e.by, object{"reason": "GIT_TREE_INVALID"})
		return
	}
	r.queue = append(r.queue, e)
	s.syncRefs(r, e.by)
	s.emitGroup(e, "checks_requested", "")
}

func (s *Server) dropRef(e *queueEntry) {
	if err := e.pull.repo.git.Update(e.headRef, bare.Zero, ""); err != nil {
		return // the branch is gone already
	}
	s.syncRefs(e.pull.repo, e.by)
}

// Dequeue takes a pull request out of the merge queue by hand.
func (s *Server) Dequeue(full string, number int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.repositoryNamed(full)
	if r == nil {
		return fmt.Errorf("dequeue: no repository %s", full)
	}
	for _, e := range r.queue {
		if e.pull.number == number {
			s.evict(e, "MANUAL", "dequeued")
			return nil
		}
	}
	return errors.New("dequeue: the pull request is not in the queue")
}
