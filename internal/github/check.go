package github

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/google/go-github/v60/github"

	"github.com/mergegate/mergegate/internal/pull"
)

// Status of a check run.
type Status string

// The statuses that we set.
const (
	Queued     Status = "queued"
	InProgress Status = "in_progress"
	Completed  Status = "completed"
)

// Conclusion of a completed check run.
type Conclusion string

// The conclusions that we set. GitHub's neutral and skipped are not among them: it counts both as passed.
const (
	Success        Conclusion = "success"
	Failure        Conclusion = "failure"
	ActionRequired Conclusion = "action_required"
	Cancelled      Conclusion = "cancelled"
	TimedOut       Conclusion = "timed_out"
)

// AnnotationLevel is how an annotation is shown.
type AnnotationLevel string

// The levels that GitHub has.
const (
	Notice           AnnotationLevel = "notice"
	Warning          AnnotationLevel = "warning"
	FailureAnnotated AnnotationLevel = "failure"
)

// GitHub's limits for one request about a check run.
const (
	MaxAnnotations = 50    // of one request; those of further updates are added to them
	MaxOutput      = 65535 // bytes of the summary, and of the text
	MaxActions     = 3
)

// CheckRun is a check run, as it is to be or as it is.
type CheckRun struct {
	ID         int64 // GitHub's
	Name       string
	HeadSHA    string
	ExternalID string // ours
	DetailsURL string
	Status     Status
	Conclusion Conclusion // when completed

	Title       string // with Summary, or without either
	Summary     string
	Text        string
	Annotations []Annotation // to add; GitHub has no way to remove any
	Actions     []CheckAction

	AppID            int64 // as read: who owns it
	AnnotationsCount int   // as read
}

// Annotation is a remark on lines of a file.
type Annotation struct {
	Path      string
	StartLine int
	EndLine   int
	Level     AnnotationLevel
	Title     string
	Message   string
	Details   string
}

// CheckAction is a button on a check run.
type CheckAction struct {
	Label       string // at most 20 characters
	Description string // at most 40
	Identifier  string // at most 20
}

// CreateCheckRun creates a check run. GitHub does not mind two of the same name: after an Uncertain error,
// FindCheckRuns tells whether it did.
func (c *Client) CreateCheckRun(ctx context.Context, repo pull.Repository, run CheckRun) (CheckRun, error) {
	if err := errors.Join(checkRepository(repo), run.check()); err != nil {
		return CheckRun{}, fmt.Errorf("create check run %q: %w", run.Name, err)
	}
	return c.writeCheckRun(ctx, call{method: http.MethodPost, path: repoPath(repo, "check-runs"), body: &github.CreateCheckRunOptions{
		Name: run.Name, HeadSHA: run.HeadSHA, DetailsURL: optional(run.DetailsURL), ExternalID: optional(run.ExternalID),
		Status: optional(string(run.Status)), Conclusion: optional(string(run.Conclusion)),
		Output: run.output(), Actions: run.actions(),
	}})
}

// UpdateCheckRun updates the check run with run.ID. Annotations are added to those that are there, so an update with
// annotations is not repeated blindly: after an Uncertain error, AnnotationsCount tells whether they arrived.
func (c *Client) UpdateCheckRun(ctx context.Context, repo pull.Repository, run CheckRun) (CheckRun, error) {
	if err := errors.Join(checkRepository(repo), run.check()); err != nil {
		return CheckRun{}, fmt.Errorf("update check run %q: %w", run.Name, err)
	}
	path := repoPath(repo, "check-runs", strconv.FormatInt(run.ID, 10))
	return c.writeCheckRun(ctx, call{method: http.MethodPatch, path: path, repeatable: len(run.Annotations) == 0, body: &github.UpdateCheckRunOptions{
		Name: run.Name, DetailsURL: optional(run.DetailsURL), ExternalID: optional(run.ExternalID),
		Status: optional(string(run.Status)), Conclusion: optional(string(run.Conclusion)),
		Output: run.output(), Actions: run.actions(),
	}})
}

var errNoID = errors.New("the answer has no id")

func (c *Client) writeCheckRun(ctx context.Context, to call) (CheckRun, error) {
	found, err := exchange[wireCheckRun](ctx, c.report, to)
	if err != nil {
		return CheckRun{}, err
	}
	if found.ID == 0 {
		return CheckRun{}, &Uncertain{Op: to.String(), Err: &PayloadError{What: to.String(), Err: errNoID}}
	}
	return found.run(), nil
}

// CheckRun reads a check run as it is now.
func (c *Client) CheckRun(ctx context.Context, repo pull.Repository, id int64) (CheckRun, error) {
	if err := checkRepository(repo); err != nil {
		return CheckRun{}, err
	}
	found, err := get[wireCheckRun](ctx, c.read, repoPath(repo, "check-runs", strconv.FormatInt(id, 10)))
	return found.run(), err
}

// FindCheckRuns gives this App's check runs of a name on a commit, oldest first, superseded ones included; with an
// externalID only those that have it.
func (c *Client) FindCheckRuns(ctx context.Context, repo pull.Repository, sha, name, externalID string) ([]CheckRun, error) {
	if err := checkRepository(repo); err != nil {
		return nil, err
	}
	query := url.Values{"check_name": {name}, "filter": {"all"}, "per_page": {"100"}, "app_id": {strconv.FormatInt(c.app.id, 10)}}
	path := repoPath(repo, "commits", sha, "check-runs") + "?" + query.Encode()
	found, err := list[wireCheckRun](ctx, c.read, path, "check_runs")
	if err != nil {
		return nil, err
	}
	var runs []CheckRun
	for i := range found {
		run := found[i].run()
		if run.AppID == c.app.id && run.Name == name && run.HeadSHA == sha && (externalID == "" || run.ExternalID == externalID) {
			runs = append(runs, run)
		}
	}
	slices.SortFunc(runs, func(a, b CheckRun) int { return cmp.Compare(a.ID, b.ID) })
	return runs, nil
}

// check refuses what GitHub would refuse, and conclusions that it counts as passed though nothing was found good.
func (r CheckRun) check() error {
	problem := func(bad bool, format string, args ...any) error {
		if !bad {
			return nil
		}
		return fmt.Errorf(format, args...)
	}
	known := []Conclusion{"", Success, Failure, ActionRequired, Cancelled, TimedOut}
	return errors.Join(
		problem(r.Name == "", "no name"),
		problem(!isSHA(r.HeadSHA), "head %q is not a full commit id", r.HeadSHA),
		problem(!slices.Contains(known, r.Conclusion), "conclusion %q is not one that we set", r.Conclusion),
		problem((r.Status == Completed) != (r.Conclusion != ""), "status %q with conclusion %q", r.Status, r.Conclusion),
		problem((r.Title == "") != (r.Summary == ""), "title and summary go together"),
		problem(r.Title == "" && (r.Text != "" || len(r.Annotations) > 0), "text and annotations need a title and a summary"),
		problem(len(r.Summary) > MaxOutput, "summary of %d bytes, limit %d", len(r.Summary), MaxOutput),
		problem(len(r.Text) > MaxOutput, "text of %d bytes, limit %d", len(r.Text), MaxOutput),
		problem(len(r.Annotations) > MaxAnnotations, "%d annotations in one request, limit %d", len(r.Annotations), MaxAnnotations),
		problem(len(r.Actions) > MaxActions, "%d actions, limit %d", len(r.Actions), MaxActions),
	)
}

func (r CheckRun) output() *github.CheckRunOutput {
	if r.Title == "" {
		return nil
	}
	out := &github.CheckRunOutput{Title: &r.Title, Summary: &r.Summary, Text: optional(r.Text)}
	for _, a := range r.Annotations {
		out.Annotations = append(out.Annotations, &github.CheckRunAnnotation{
			Path: &a.Path, StartLine: &a.StartLine, EndLine: &a.EndLine, AnnotationLevel: github.String(string(a.Level)),
			Title: optional(a.Title), Message: &a.Message, RawDetails: optional(a.Details),
		})
	}
	return out
}

func (r CheckRun) actions() []*github.CheckRunAction {
	var all []*github.CheckRunAction
	for _, a := range r.Actions {
		all = append(all, &github.CheckRunAction{Label: a.Label, Description: a.Description, Identifier: a.Identifier})
	}
	return all
}

// optional leaves an empty text out of a request.
func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
