package githubsim

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/mergegate/mergegate/internal/githubsim/bare"
)

// mergeRequest is the body of a merge.
type mergeRequest struct {
	Title   string `json:"commit_title"`
	Message string `json:"commit_message"`
	SHA     string `json:"sha"`
	Method  string `json:"merge_method"`
}

func mergePull(c *call) answer {
	p := c.pull()
	if p == nil {
		return notFound()
	}
	in := mergeRequest{Method: "merge"}
	if out, ok := c.decode(&in); !ok {
		return out
	}
	id, refusal := c.s.merge(p, in, c.who.user())
	if refusal != nil {
		return *refusal
	}
	return ok(object{"sha": id, "merged": true, "message": "Pull Request successfully merged"})
}

func refuse(code int, format string, args ...any) *answer {
	out := answer{code, object{"message": fmt.Sprintf(format, args...), "documentation_url": docs + "/pulls/pulls#merge-a-pull-request"}}
	return &out
}

// merge merges a pull request if its state and the branch's protection allow it.
func (s *Server) merge(p *pull, in mergeRequest, by *user) (string, *answer) {
	if in.SHA != "" && in.SHA != p.headSHA {
		return "", refuse(http.StatusConflict, "Head branch was modified. Review and try the merge again.")
	}
	switch {
	case !p.open():
		return "", refuse(http.StatusMethodNotAllowed, "Pull Request is not mergeable")
	case p.draft:
		return "", refuse(http.StatusMethodNotAllowed, "Pull Request is still a draft")
	}
	if blocks := s.blockers(p, by); len(blocks) > 0 {
		return "", refuse(http.StatusMethodNotAllowed, "%s", strings.Join(blocks, " "))
	}
	tip, known := p.repo.git.Branch(p.baseRef)
	if !known {
		return "", refuse(http.StatusMethodNotAllowed, "Base branch does not exist")
	}
	id, err := s.result(p, in, tip, by)
	if errors.Is(err, bare.ErrConflict) {
		return "", refuse(http.StatusMethodNotAllowed, "Pull Request is not mergeable")
	}
	if err != nil {
		return "", refuse(http.StatusMethodNotAllowed, "Merge failed: %v", err)
	}
	if err := p.repo.git.Update("refs/heads/"+p.baseRef, id, tip); err != nil {
		return "", refuse(http.StatusConflict, "Base branch was modified. Review and try the merge again.")
	}
	s.merged(p, id, tip, by)
	return id, nil
}

// result makes the commit that the base branch shall name.
func (s *Server) result(p *pull, in mergeRequest, tip string, by *user) (string, error) {
	git, when := p.repo.git, s.now()
	committer := bare.Signature{Name: "GitHub", Email: "noreply@github.com", When: when}
	if in.Method == "rebase" {
		return git.Rebase(tip, p.headSHA, by.signature(when))
	}
	tree, err := git.Merge(tip, p.headSHA)
	if err != nil {
		return "", err
	}
	spec := bare.CommitSpec{Tree: tree, Parents: []string{tip, p.headSHA}, Author: by.signature(when), Committer: committer}
	title := fmt.Sprintf("Merge pull request #%d from %s", p.number, strings.Replace(p.headLabel, ":", "/", 1))
	body := p.title
	if in.Method == "squash" {
		spec.Parents = spec.Parents[:1]
		spec.Author = p.user.signature(when)
		title, body = fmt.Sprintf("%s (#%d)", p.title, p.number), ""
	}
	if in.Title != "" {
		title = in.Title
	}
	if in.Message != "" {
		body = in.Message
	}
	spec.Message = strings.TrimSpace(title + "\n\n" + body)
	return git.WriteCommit(spec)
}

// merged records a merge and sends its events: the push to the base first, then the closed pull request.
func (s *Server) merged(p *pull, id, tip string, by *user) {
	s.markMerged(p, id, tip, by)
	s.syncRefs(p.repo, by)
	s.emitPull(p, "closed", by, nil)
}

func (s *Server) markMerged(p *pull, id, base string, by *user) {
	now := s.now()
	p.state, p.closed, p.merged, p.updated, p.mergedBy = "closed", &now, &now, now, by
	p.mergeCommit, p.baseSHA = id, base
}
