package githubsim

import (
	"net/http"
	"slices"
	"strconv"
	"time"
)

// runRequest is the body that creates or changes a check run; nil leaves a field alone.
type runRequest struct {
	Name       *string      `json:"name"`
	HeadSHA    string       `json:"head_sha"`
	DetailsURL *string      `json:"details_url"`
	ExternalID *string      `json:"external_id"`
	Status     *string      `json:"status"`
	Started    *time.Time   `json:"started_at"`
	Conclusion *string      `json:"conclusion"`
	Completed  *time.Time   `json:"completed_at"`
	Output     *runOutput   `json:"output"`
	Actions    *[]runAction `json:"actions"`
}

type runOutput struct {
	Title       *string      `json:"title"`
	Summary     *string      `json:"summary"`
	Text        *string      `json:"text"`
	Annotations []annotation `json:"annotations"`
	Images      []struct {
		Alt string `json:"alt"`
		URL string `json:"image_url"`
	} `json:"images"`
}

type annotation struct {
	Path        string  `json:"path"`
	StartLine   *int    `json:"start_line"`
	EndLine     *int    `json:"end_line"`
	StartColumn *int    `json:"start_column"`
	EndColumn   *int    `json:"end_column"`
	Level       string  `json:"annotation_level"`
	Message     string  `json:"message"`
	Title       *string `json:"title"`
	RawDetails  *string `json:"raw_details"`
}

type runAction struct {
	Label       string `json:"label"`
	Description string `json:"description"`
	Identifier  string `json:"identifier"`
}

func createCheckRun(c *call) answer {
	var in runRequest
	if out, ok := c.decode(&in); !ok {
		return out
	}
	if in.Name == nil || *in.Name == "" {
		return missing("name")
	}
	head, out, ok := c.checkCommit(in.HeadSHA)
	if !ok {
		return out
	}
	if out, ok := in.check(); !ok {
		return out
	}
	run := &checkRun{id: c.s.nextID(), suite: c.s.suite(c.repo, c.who.asApp(), head.ID), status: "queued"}
	run.detailsURL = c.s.page("/apps/%s", run.suite.app.slug)
	if in.Status == nil && in.Conclusion == nil {
		in.Status = &run.status
	}
	c.repo.runs = append(c.repo.runs, run)
	c.apply(run, in)
	if run.started == nil {
		now := c.s.now()
		run.started = &now
	}
	c.s.emitRun(c.repo, run, "created", c.who.user())
	c.completed(run, "")
	return created(c.s.runShape(c.repo, run))
}

// apply writes a checked request into a run. Annotations are added to those that are there.
func (c *call) apply(run *checkRun, in runRequest) {
	set := func(to *string, from *string) {
		if from != nil {
			*to = *from
		}
	}
	set(&run.name, in.Name)
	set(&run.detailsURL, in.DetailsURL)
	set(&run.externalID, in.ExternalID)
	if in.Started != nil {
		run.started = in.Started
	}
	if in.Output != nil {
		run.title, run.summary, run.text = in.Output.Title, in.Output.Summary, in.Output.Text
		run.annotations = append(run.annotations, in.Output.Annotations...)
	}
	if in.Actions != nil {
		run.actions = *in.Actions
	}
	c.applyState(run, in)
	run.suite.updated = c.s.now()
}

// applyState moves the life cycle: a conclusion implies completed, and leaving completed drops the conclusion.
func (c *call) applyState(run *checkRun, in runRequest) {
	switch {
	case in.Conclusion != nil:
		run.status, run.conclusion, run.completed = "completed", *in.Conclusion, in.Completed
		if run.completed == nil {
			now := c.s.now()
			run.completed = &now
		}
	case in.Status != nil:
		run.status, run.conclusion, run.completed = *in.Status, "", nil
	}
}

// completed sends the events of a run, and of its suite, that has just become complete.
func (c *call) completed(run *checkRun, before string) {
	if run.status != "completed" || before == "completed" {
		return
	}
	c.s.emitRun(c.repo, run, "completed", c.who.user())
	if status, _ := c.repo.suiteState(run.suite); status == "completed" {
		c.s.emitSuite(c.repo, run.suite, "completed", c.who.user())
	}
	c.s.queueProgress(c.repo)
}

func (s *Server) emitRun(r *repository, run *checkRun, action string, by *user) {
	s.emit(event{name: "check_run", action: action, repo: r, sender: by, body: object{"check_run": s.runEventShape(r, run)}})
}

func getCheckRun(c *call) answer {
	if run := c.repo.run(c.id("id")); run != nil {
		return ok(c.s.runShape(c.repo, run))
	}
	return notFound()
}

func patchCheckRun(c *call) answer {
	run := c.repo.run(c.id("id"))
	if run == nil {
		return notFound()
	}
	if run.suite.app != c.who.asApp() {
		return fail(http.StatusForbidden, "Invalid app_id `%d` - check run can only be modified by the GitHub App that created it.", c.who.asApp().id)
	}
	var in runRequest
	if out, ok := c.decode(&in); !ok {
		return out
	}
	if out, ok := in.check(); !ok {
		return out
	}
	before := run.status
	c.apply(run, in)
	c.completed(run, before)
	return ok(c.s.runShape(c.repo, run))
}

func listAnnotations(c *call) answer {
	run := c.repo.run(c.id("id"))
	if run == nil {
		return notFound()
	}
	return ok(render(page(c, run.annotations), func(a annotation) object { return c.s.annotationShape(c.repo, run.suite.sha, a) }))
}

func listCheckRuns(c *call) answer {
	id, known := c.repo.git.Commit(c.path["ref"])
	if !known {
		return noCommit(c.path["ref"])
	}
	runs := c.repo.runsAt(id)
	if c.query("filter") != "all" {
		runs = latestRuns(runs)
	}
	runs = slices.DeleteFunc(runs, func(run *checkRun) bool {
		name, status := c.query("check_name"), c.query("status")
		return (name != "" && run.name != name) || (status != "" && run.status != status) || !c.matchesApp(run.suite.app)
	})
	slices.Reverse(runs)
	return ok(object{
		"total_count": len(runs),
		"check_runs":  render(page(c, runs), func(run *checkRun) object { return c.s.runShape(c.repo, run) }),
	})
}

func (c *call) matchesApp(a *app) bool {
	id := c.query("app_id")
	return id == "" || id == strconv.FormatInt(a.id, 10)
}

func rerequestCheckRun(c *call) answer {
	run := c.repo.run(c.id("id"))
	if run == nil {
		return notFound()
	}
	c.s.rerequest(c.repo, run, c.who.user())
	return created(object{})
}

// rerequest is the button "Re-run": the run's App alone hears of it.
func (s *Server) rerequest(r *repository, run *checkRun, by *user) {
	body := object{"check_run": s.runEventShape(r, run)}
	s.emit(event{name: "check_run", action: "rerequested", repo: r, sender: by, only: run.suite.app, body: body})
}

func createStatus(c *call) answer {
	var in struct {
		State       string  `json:"state"`
		TargetURL   *string `json:"target_url"`
		Description *string `json:"description"`
		Context     string  `json:"context"`
	}
	if out, ok := c.decode(&in); !ok {
		return out
	}
	if !slices.Contains([]string{"error", "failure", "pending", "success"}, in.State) {
		return invalid(fieldError{Resource: "Status", Code: "custom", Field: "state", Message: "state is not included in the list"})
	}
	if in.Description != nil && len([]rune(*in.Description)) > 140 {
		// The limit is from practice, unverified.
		return invalid(fieldError{Resource: "Status", Code: "custom", Field: "description", Message: "description is too long (maximum is 140 characters)"})
	}
	id, known := c.repo.git.Commit(c.path["sha"])
	if !known {
		return noCommit(c.path["sha"])
	}
	if in.Context == "" {
		in.Context = "default"
	}
	st := &status{
		id: c.s.nextID(), sha: id, state: in.State, context: in.Context, description: in.Description, target: in.TargetURL,
		creator: c.who.user(), app: c.who.asApp(), created: c.s.now(),
	}
	c.repo.statuses = append(c.repo.statuses, st)
	c.s.emitStatus(c.repo, st)
	c.s.queueProgress(c.repo)
	return created(c.s.statusShape(c.repo, st))
}

func (s *Server) emitStatus(r *repository, st *status) {
	body := object{
		"id": st.id, "sha": st.sha, "name": r.fullName(), "context": st.context, "state": st.state, "description": pointed(st.description),
		"target_url": pointed(st.target), "avatar_url": nil, "branches": []object{}, "created_at": stamp(st.created), "updated_at": stamp(st.created),
	}
	head, err := r.git.Show(st.sha)
	if err != nil {
		return // the commit was read a moment ago
	}
	body["commit"] = s.commitShape(r, head)
	s.emit(event{name: "status", repo: r, sender: st.creator, body: body})
}

func getCombinedStatus(c *call) answer {
	id, known := c.repo.git.Commit(c.path["ref"])
	if !known {
		return notFound()
	}
	latest := c.repo.latestStatuses(id)
	state := "success"
	for _, st := range latest {
		switch {
		case st.state == "failure" || st.state == "error":
			state = "failure"
		case st.state == "pending" && state == "success":
			state = "pending"
		}
	}
	if len(latest) == 0 {
		state = "pending"
	}
	return ok(object{
		"state": state, "sha": id, "total_count": len(latest), "repository": c.s.repositoryShape(c.repo),
		"url": c.s.repoAPI(c.repo, "/commits/%s/status", id), "commit_url": c.s.repoAPI(c.repo, "/commits/%s", id),
		"statuses": render(page(c, latest), func(st *status) object { return c.s.statusShape(c.repo, st) }),
	})
}

// latestStatuses keeps the newest status of each context.
func (r *repository) latestStatuses(sha string) []*status {
	var out []*status
	for _, st := range slices.Backward(r.statuses) {
		same := func(o *status) bool { return sameLogin(o.context, st.context) }
		if st.sha == sha && !slices.ContainsFunc(out, same) {
			out = append(out, st)
		}
	}
	return out
}
