package github

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/mergegate/mergegate/internal/pull"
)

// The wire types have the fields of GitHub's JSON that are used here, the same in responses and in webhook payloads.

type wireUser struct {
	ID    int64  `json:"id"`
	Login string `json:"login"`
	Type  string `json:"type"`
}

// user is nobody where the account is gone.
func (u *wireUser) user() pull.User {
	if u == nil {
		return pull.User{}
	}
	return pull.User{ID: u.ID, Login: u.Login, Bot: u.Type == "Bot"}
}

type wireRepository struct {
	ID            int64  `json:"id"`
	Name          string `json:"name"`
	FullName      string `json:"full_name"`
	DefaultBranch string `json:"default_branch"`
}

// name is what GitHub allows in names of accounts and repositories. Paths of requests are made of them.
var name = regexp.MustCompile(`^[A-Za-z0-9._-]{1,100}$`)

func isName(s string) bool { return name.MatchString(s) && strings.Trim(s, ".") != "" }

func (r *wireRepository) repository(installation int64) (pull.Repository, error) {
	if r == nil || r.ID == 0 {
		return pull.Repository{}, errors.New("repository: missing")
	}
	owner, repo, _ := strings.Cut(r.FullName, "/")
	if !isName(owner) || !isName(repo) {
		return pull.Repository{}, fmt.Errorf("repository: full_name %q is not owner/name", r.FullName)
	}
	return pull.Repository{ID: r.ID, InstallationID: installation, Owner: owner, Name: repo, DefaultBranch: r.DefaultBranch}, nil
}

type wireRef struct {
	Ref  string          `json:"ref"`
	SHA  string          `json:"sha"`
	Repo *wireRepository `json:"repo"`
}

type wirePull struct {
	Number   int       `json:"number"`
	Title    string    `json:"title"`
	State    string    `json:"state"`
	Draft    bool      `json:"draft"`
	Merged   bool      `json:"merged"` // not in lists
	MergedAt *string   `json:"merged_at"`
	User     *wireUser `json:"user"`
	Head     wireRef   `json:"head"`
	Base     wireRef   `json:"base"`
	Labels   []struct {
		Name string `json:"name"`
	} `json:"labels"`
}

// request is the pull request; repo is the repository that it must belong to.
func (p *wirePull) request(repo pull.Repository) (pull.Request, error) {
	if p == nil || p.Number <= 0 {
		return pull.Request{}, errors.New("pull request: number is missing")
	}
	if !isSHA(p.Head.SHA) || !isSHA(p.Base.SHA) || p.Base.Ref == "" {
		return pull.Request{}, fmt.Errorf("pull request %d: head.sha, base.sha or base.ref is missing", p.Number)
	}
	if p.Base.Repo == nil || p.Base.Repo.ID != repo.ID {
		return pull.Request{}, fmt.Errorf("pull request %d: base.repo is not %s with id %d", p.Number, repo.FullName(), repo.ID)
	}
	r := pull.Request{
		Repository: repo, Number: p.Number, Title: p.Title, Author: p.User.user(), State: p.state(), Draft: p.Draft,
		BaseRef: p.Base.Ref, BaseSHA: p.Base.SHA, HeadRef: p.Head.Ref, HeadSHA: p.Head.SHA,
		// A head repository that is gone was a fork: nothing from it may be taken for our own.
		Fork: p.Head.Repo == nil || p.Head.Repo.ID != repo.ID,
	}
	for _, label := range p.Labels {
		r.Labels = append(r.Labels, label.Name)
	}
	return r, nil
}

func (p *wirePull) state() pull.State {
	switch {
	case p.Merged || p.MergedAt != nil && *p.MergedAt != "":
		return pull.Merged
	case p.State == "open":
		return pull.Open
	}
	return pull.Closed
}

var sha = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)

func isSHA(s string) bool { return sha.MatchString(s) }

// none is whether a commit id is the one that stands for no commit, as in a push that creates or deletes a branch.
func none(s string) bool { return strings.Trim(s, "0") == "" }

type wireApp struct {
	ID   int64  `json:"id"`
	Slug string `json:"slug"`
}

// id is 0 for no App.
func (a *wireApp) id() int64 {
	if a == nil {
		return 0
	}
	return a.ID
}

type wireComment struct {
	ID   int64     `json:"id"`
	Body string    `json:"body"`
	User *wireUser `json:"user"`
	App  *wireApp  `json:"performed_via_github_app"`
}

func (c *wireComment) comment() Comment {
	return Comment{ID: c.ID, Body: c.Body, Author: c.User.user(), AppID: c.App.id()}
}

type wireCheckRun struct {
	ID         int64    `json:"id"`
	Name       string   `json:"name"`
	HeadSHA    string   `json:"head_sha"`
	ExternalID string   `json:"external_id"`
	DetailsURL string   `json:"details_url"`
	Status     string   `json:"status"`
	Conclusion string   `json:"conclusion"`
	App        *wireApp `json:"app"`
	Output     struct {
		Title            string `json:"title"`
		Summary          string `json:"summary"`
		Text             string `json:"text"`
		AnnotationsCount int    `json:"annotations_count"`
	} `json:"output"`
}

func (c *wireCheckRun) run() CheckRun {
	return CheckRun{
		ID: c.ID, Name: c.Name, HeadSHA: c.HeadSHA, ExternalID: c.ExternalID, DetailsURL: c.DetailsURL,
		Status: Status(c.Status), Conclusion: Conclusion(c.Conclusion), AppID: c.App.id(),
		Title: c.Output.Title, Summary: c.Output.Summary, Text: c.Output.Text, AnnotationsCount: c.Output.AnnotationsCount,
	}
}

// decode is json.Unmarshal with an error that says of what.
func decode[T any](what string, body []byte) (T, error) {
	var v T
	if err := json.Unmarshal(body, &v); err != nil {
		return v, &PayloadError{What: what, Err: err}
	}
	return v, nil
}
