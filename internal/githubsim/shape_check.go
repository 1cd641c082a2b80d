package githubsim

import "github.com/mergegate/mergegate/internal/githubsim/bare"

func (s *Server) runShape(r *repository, run *checkRun) object {
	self := s.repoAPI(r, "/check-runs/%d", run.id)
	return object{
		"id": run.id, "node_id": nodeID("CR", run.id), "head_sha": run.suite.sha, "external_id": run.externalID,
		"url": self, "html_url": s.repoPage(r, "/runs/%d", run.id), "details_url": run.detailsURL,
		"status": run.status, "conclusion": textOrNil(run.conclusion),
		"started_at": stampOrNil(run.started), "completed_at": stampOrNil(run.completed),
		"output": object{
			"title": pointed(run.title), "summary": pointed(run.summary), "text": pointed(run.text),
			"annotations_count": len(run.annotations), "annotations_url": self + "/annotations",
		},
		"name": run.name, "check_suite": object{"id": run.suite.id}, "app": s.appShape(run.suite.app),
		"pull_requests": s.pullReferences(r, run.suite),
	}
}

// pullReferences lists the open pull requests of a suite's commit. For a head in a fork it is empty, as on GitHub.
func (s *Server) pullReferences(r *repository, suite *checkSuite) []object {
	out := []object{}
	for _, p := range r.pulls {
		if p.open() && p.headSHA == suite.sha && !p.fork() {
			out = append(out, s.pullReference(p))
		}
	}
	return out
}

// runEventShape is a run inside a webhook: it carries its whole suite.
func (s *Server) runEventShape(r *repository, run *checkRun) object {
	out := s.runShape(r, run)
	suite := s.suiteBody(r, run.suite)
	delete(suite, "latest_check_runs_count")
	delete(suite, "check_runs_url")
	out["check_suite"] = suite
	return out
}

func (s *Server) suiteBody(r *repository, suite *checkSuite) object {
	status, conclusion := r.suiteState(suite)
	self := s.repoAPI(r, "/check-suites/%d", suite.id)
	return object{
		"id": suite.id, "node_id": nodeID("CS", suite.id), "head_branch": textOrNil(suite.branch), "head_sha": suite.sha,
		"status": status, "conclusion": textOrNil(conclusion), "url": self, "before": textOrNil(suite.before), "after": suite.sha,
		"pull_requests": s.pullReferences(r, suite), "app": s.appShape(suite.app),
		"created_at": stamp(suite.created), "updated_at": stamp(suite.updated),
		"latest_check_runs_count": len(r.runsOf(suite)), "check_runs_url": self + "/check-runs",
		"rerequestable": true, "runs_rerequestable": true,
	}
}

// suiteShape adds what REST and check_suite events have on top.
func (s *Server) suiteShape(r *repository, suite *checkSuite, head bare.Commit) object {
	out := s.suiteBody(r, suite)
	out["head_commit"], out["repository"] = simpleCommit(head), s.repositoryShape(r)
	return out
}

func (r *repository) runsOf(suite *checkSuite) []*checkRun {
	var out []*checkRun
	for _, run := range r.runs {
		if run.suite == suite {
			out = append(out, run)
		}
	}
	return out
}

// suiteState sums up the latest run of each name: the worst conclusion, once all are complete.
func (r *repository) suiteState(suite *checkSuite) (status, conclusion string) {
	runs := latestRuns(r.runsOf(suite))
	if len(runs) == 0 {
		return "queued", ""
	}
	order := []string{"success", "skipped", "neutral", "cancelled", "action_required", "timed_out", "failure"}
	worst := 0
	for _, run := range runs {
		if run.status != "completed" {
			return "in_progress", ""
		}
		for i, c := range order {
			if c == run.conclusion {
				worst = max(worst, i)
			}
		}
	}
	return "completed", order[worst]
}

// latestRuns keeps the newest run of each name and App.
func latestRuns(runs []*checkRun) []*checkRun {
	type key struct {
		app  int64
		name string
	}
	newest := map[key]*checkRun{}
	for _, run := range runs {
		newest[key{run.suite.app.id, run.name}] = run
	}
	var out []*checkRun
	for _, run := range runs {
		if newest[key{run.suite.app.id, run.name}] == run {
			out = append(out, run)
		}
	}
	return out
}

func (s *Server) annotationShape(r *repository, sha string, a annotation) object {
	return object{
		"path": a.Path, "blob_href": s.repoPage(r, "/blob/%s/%s", sha, escapePath(a.Path)), "start_line": a.StartLine, "end_line": a.EndLine,
		"start_column": a.StartColumn, "end_column": a.EndColumn, "annotation_level": a.Level, "title": pointed(a.Title),
		"message": a.Message, "raw_details": pointed(a.RawDetails),
	}
}

func (s *Server) statusShape(r *repository, st *status) object {
	return object{
		"id": st.id, "node_id": nodeID("SC", st.id), "url": s.repoAPI(r, "/statuses/%s", st.sha), "state": st.state,
		"description": pointed(st.description), "target_url": pointed(st.target), "context": st.context,
		"avatar_url": s.page("/avatars/u/%d", st.creator.id), "creator": s.userShape(st.creator),
		"created_at": stamp(st.created), "updated_at": stamp(st.created),
	}
}
