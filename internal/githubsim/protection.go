package githubsim

import (
	"fmt"
	"slices"
	"strings"
)

const behindMessage = "The head branch is not up to date with the base branch."

// passes tells whether a run satisfies a required check: neutral and skipped count as passed.
func (run *checkRun) passes() bool {
	switch run.conclusion {
	case "success", "neutral", "skipped":
		return run.status == "completed"
	}
	return false
}

// blockers lists why protection refuses a merge, in GitHub's words. By may be nil for "anybody".
func (s *Server) blockers(p *pull, by *user) []string {
	rule := p.repo.protection[p.baseRef]
	if rule == nil {
		return nil
	}
	if by != nil && !rule.enforceAdmins && p.repo.level(by) == levelAdmin {
		return nil
	}
	var out []string
	for _, check := range rule.checks {
		if message := s.unmet(p, check); message != "" {
			out = append(out, message)
		}
	}
	if rule.hasChecks && rule.strict && !s.upToDate(p) {
		out = append(out, behindMessage)
	}
	if rule.reviews > p.approvals() {
		out = append(out, fmt.Sprintf("At least %d approving review is required by reviewers with write access.", rule.reviews))
	}
	return out
}

func (s *Server) upToDate(p *pull) bool {
	tip, known := p.repo.git.Branch(p.baseRef)
	return known && p.repo.git.IsAncestor(tip, p.headSHA)
}

// unmet checks one required check on the head, or on the test merge when that has the check: then it decides.
func (s *Server) unmet(p *pull, check requiredCheck) string {
	if p.mergeCommit != "" && p.merged == nil {
		if state := p.repo.checkState(p.mergeCommit, check); state != "missing" {
			return checkMessage(check, state)
		}
	}
	return checkMessage(check, p.repo.checkState(p.headSHA, check))
}

func checkMessage(check requiredCheck, state string) string {
	switch state {
	case "passed":
		return ""
	case "pending":
		return fmt.Sprintf("Required status check %q is in progress.", check.context)
	case "failed":
		return fmt.Sprintf("Required status check %q is failing.", check.context)
	case "foreign":
		return fmt.Sprintf("Required status check %q was not set by the expected GitHub App.", check.context)
	default:
		return fmt.Sprintf("Required status check %q is expected.", check.context)
	}
}

// checkState combines check runs and commit statuses of the required name; when both exist, both must pass.
func (r *repository) checkState(sha string, check requiredCheck) string {
	found, foreign := r.verdicts(sha, check)
	switch {
	case slices.Contains(found, "failed"):
		return "failed"
	case slices.Contains(found, "pending"):
		return "pending"
	case len(found) > 0:
		return "passed"
	case foreign:
		return "foreign"
	default:
		return "missing"
	}
}

// verdicts are those that count for a required check; foreign tells that another App set a run of that name.
func (r *repository) verdicts(sha string, check requiredCheck) (found []string, foreign bool) {
	for _, run := range latestRuns(r.runsAt(sha)) {
		if run.name != check.context {
			continue
		}
		if check.appID != 0 && run.suite.app.id != check.appID {
			foreign = true
			continue
		}
		found = append(found, run.verdict())
	}
	if st := r.latestStatus(sha, check); st != nil {
		found = append(found, map[string]string{"success": "passed", "pending": "pending", "failure": "failed", "error": "failed"}[st.state])
	}
	return found, foreign
}

func (run *checkRun) verdict() string {
	switch {
	case run.status != "completed":
		return "pending"
	case run.passes():
		return "passed"
	default:
		return "failed"
	}
}

func (r *repository) runsAt(sha string) []*checkRun {
	var out []*checkRun
	for _, run := range r.runs {
		if run.suite.sha == sha {
			out = append(out, run)
		}
	}
	return out
}

// latestStatus finds the newest commit status of a context, which is compared without case.
func (r *repository) latestStatus(sha string, check requiredCheck) *status {
	for i := len(r.statuses) - 1; i >= 0; i-- {
		st := r.statuses[i]
		if st.sha != sha || !strings.EqualFold(st.context, check.context) {
			continue
		}
		if check.appID == 0 || (st.app != nil && st.app.id == check.appID) {
			return st
		}
	}
	return nil
}

// approvals counts writers whose latest opinion is an approval.
func (p *pull) approvals() int {
	latest := map[*user]string{}
	for _, v := range p.reviews {
		if v.state == "APPROVED" || v.state == "CHANGES_REQUESTED" || v.state == "DISMISSED" {
			latest[v.user] = v.state
		}
	}
	n := 0
	for u, state := range latest {
		if state == "APPROVED" && p.repo.level(u) >= levelWrite && u != p.user {
			n++
		}
	}
	return n
}
