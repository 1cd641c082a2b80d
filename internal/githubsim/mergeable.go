package githubsim

import (
	"fmt"
	"time"

	"github.com/mergegate/mergegate/internal/githubsim/bare"
)

// facts computes what GitHub's background job would: the size of the diff and whether it merges.
func (s *Server) facts(p *pull) pullFacts {
	s.measure(p)
	f := p.stat.facts
	f.state = s.mergeState(p, f.mergeable == true)
	if p.unknownPolls > 0 || !p.open() {
		f.mergeable, f.state = nil, "unknown"
	}
	return f
}

// files is the three-dot diff of a pull request.
func (s *Server) files(p *pull) []bare.Change {
	s.measure(p)
	return p.stat.files
}

// measure compares base and head once for each pair of commits. An unreadable diff shows as empty, as after a
// background job that failed.
func (s *Server) measure(p *pull) {
	base := s.diffBase(p)
	if p.stat.base == base && p.stat.head == p.headSHA {
		return
	}
	p.stat = diffStat{base: base, head: p.headSHA}
	git, f := p.repo.git, &p.stat.facts
	from, known := git.MergeBase(base, p.headSHA)
	if !known {
		from = base
	}
	if files, err := git.Diff(from, p.headSHA); err == nil {
		p.stat.files, f.files = files, len(files)
	}
	for _, file := range p.stat.files {
		f.additions += file.Additions
		f.deletions += file.Deletions
	}
	if n, err := git.Count(base + ".." + p.headSHA); err == nil {
		f.commits = n
	}
	_, err := git.Merge(base, p.headSHA)
	f.mergeable = err == nil
}

func (s *Server) mergeState(p *pull, mergeable bool) string {
	blocks := s.blockers(p, nil)
	switch {
	case !mergeable:
		return "dirty"
	case p.draft:
		return "draft"
	case len(blocks) == 1 && blocks[0] == behindMessage:
		return "behind"
	case len(blocks) > 0:
		return "blocked"
	case !s.allGreen(p):
		return "unstable"
	default:
		return "clean"
	}
}

// allGreen tells whether every latest check on the head passed, required or not.
func (s *Server) allGreen(p *pull) bool {
	for _, run := range latestRuns(p.repo.runsAt(p.headSHA)) {
		if !run.passes() {
			return false
		}
	}
	for _, st := range p.repo.statuses {
		if st.sha == p.headSHA && st.state != "success" {
			return false
		}
	}
	return true
}

// refreshMerge makes refs/pull/N/merge anew. GitHub does so when the head or the merge base moves, when the pull request
// is retargeted, and when the reference is old; not when only the base moves.
func (s *Server) refreshMerge(p *pull) {
	p.unknownPolls = s.unknown
	tip, known := p.repo.git.Branch(p.baseRef)
	if !known || !p.open() {
		return
	}
	p.tested = testMerge{base: tip, when: s.now()}
	ref := fmt.Sprintf("refs/pull/%d/merge", p.number)
	id, err := s.mergeCommit(p, tip, s.now())
	if err != nil { // a conflict: GitHub leaves no merge reference
		p.mergeCommit = ""
		p.repo.git.Update(ref, bare.Zero, "") //nolint:errcheck // there may be none to delete
		return
	}
	if err := p.repo.git.Update(ref, id, ""); err == nil {
		p.mergeCommit = id
	}
}

func (s *Server) mergeCommit(p *pull, tip string, when time.Time) (string, error) {
	tree, err := p.repo.git.Merge(tip, p.headSHA)
	if err != nil {
		return "", err
	}
	by := bare.Signature{Name: "GitHub", Email: "noreply@github.com", When: when}
	return p.repo.git.WriteCommit(bare.CommitSpec{
		Tree: tree, Parents: []string{tip, p.headSHA}, Author: by, Committer: by,
		Message: fmt.Sprintf("Merge %s into %s", p.headSHA, tip),
	})
}

// ageMerge refreshes a merge reference that is older than twelve hours.
func (s *Server) ageMerge(p *pull) {
	tip, known := p.repo.git.Branch(p.baseRef)
	if known && p.open() && p.tested.base != tip && s.now().Sub(p.tested.when) > 12*time.Hour {
		s.refreshMerge(p)
	}
}

// SetMergeableUnknown makes the next n reads of a pull request, after each change of its head or base, answer
// mergeable: null, as GitHub does while its background job runs.
func (s *Server) SetMergeableUnknown(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unknown = n
	for _, r := range s.repos {
		for _, p := range r.pulls {
			p.unknownPolls = n
		}
	}
}
