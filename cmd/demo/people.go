package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
)

// person is somebody who uses GitHub's REST API with a token of their own, on one repository.
type person struct {
	login string
	token string
	api   string // the repository's address in the API
}

// checkRun is a check run as GitHub shows it.
type checkRun struct {
	ID         int64
	Name       string
	Status     string
	Conclusion string
	HTMLURL    string `json:"html_url"`
	DetailsURL string `json:"details_url"`
	Output     struct {
		Title   string
		Summary string
		Text    string
	}
}

// annotation is a remark of a check run on a line of a file.
type annotation struct {
	Path    string
	Line    int    `json:"start_line"`
	Level   string `json:"annotation_level"`
	Title   string
	Message string
}

// comment is a comment on a pull request.
type comment struct {
	ID      int64
	Body    string
	HTMLURL string `json:"html_url"`
	User    struct{ Login string }
}

// changedFile is a file of a pull request.
type changedFile struct {
	Filename string
	Status   string
	Patch    string
}

// call sends a request and decodes an answer of the wanted status. Any other status is an error with
// GitHub's own words.
func (p person) call(ctx context.Context, method, path string, in, out any) error {
	status, answer, err := p.send(ctx, method, path, in)
	if err != nil {
		return err
	}
	if status >= 300 {
		return fmt.Errorf("%s %s as %s: GitHub answers %d: %s", method, path, p.login, status, message(answer))
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("%s %s as %s: read GitHub's answer: %w", method, path, p.login, err)
	}
	return nil
}

func (p person) send(ctx context.Context, method, path string, in any) (status int, answer []byte, err error) {
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return 0, nil, fmt.Errorf("%s %s: %w", method, path, err)
		}
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, p.api+path, body)
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Authorization", "token "+p.token)
	req.Header.Set("User-Agent", agent)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close() //nolint:errcheck // it was only read
	answer, err = io.ReadAll(res.Body)
	return res.StatusCode, answer, err
}

// message is what GitHub says about an error.
func message(answer []byte) string {
	var said struct {
		Message string
		Errors  []struct{ Message string }
	}
	if err := json.Unmarshal(answer, &said); err != nil {
		return string(answer)
	}
	out := said.Message
	for _, e := range said.Errors {
		if e.Message != "" {
			out += ": " + e.Message
		}
	}
	return out
}

// open opens a pull request into main.
func (p person) open(ctx context.Context, branch, title, body string) (number int, err error) {
	var made struct{ Number int }
	err = p.call(ctx, http.MethodPost, "/pulls", map[string]any{"title": title, "head": branch, "base": "main", "body": body}, &made)
	return made.Number, err
}

// files are the files of a pull request.
func (p person) files(ctx context.Context, number int) ([]changedFile, error) {
	var all []changedFile
	err := p.call(ctx, http.MethodGet, fmt.Sprintf("/pulls/%d/files?per_page=100", number), nil, &all)
	return all, err
}

// checks are the newest check runs of a commit, by name.
func (p person) checks(ctx context.Context, sha string) (map[string]checkRun, error) {
	var found struct {
		CheckRuns []checkRun `json:"check_runs"`
	}
	err := p.call(ctx, http.MethodGet, "/commits/"+sha+"/check-runs?per_page=100", nil, &found)
	runs := map[string]checkRun{}
	for _, run := range found.CheckRuns {
		runs[run.Name] = run
	}
	return runs, err
}

func (p person) annotations(ctx context.Context, run int64) ([]annotation, error) {
	var all []annotation
	err := p.call(ctx, http.MethodGet, fmt.Sprintf("/check-runs/%d/annotations?per_page=100", run), nil, &all)
	return all, err
}

// botComments are mergegate's comments on a pull request.
func (p person) botComments(ctx context.Context, number int) ([]comment, error) {
	var all []comment
	err := p.call(ctx, http.MethodGet, fmt.Sprintf("/issues/%d/comments?per_page=100", number), nil, &all)
	return slices.DeleteFunc(all, func(c comment) bool { return c.User.Login != bot }), err
}

func (p person) say(ctx context.Context, number int, text string) (comment, error) {
	var made comment
	err := p.call(ctx, http.MethodPost, fmt.Sprintf("/issues/%d/comments", number), map[string]any{"body": text}, &made)
	return made, err
}

// reactions are mergegate's reactions to a comment.
func (p person) reactions(ctx context.Context, comment int64) ([]string, error) {
	var all []struct {
		Content string
		User    struct{ Login string }
	}
	err := p.call(ctx, http.MethodGet, fmt.Sprintf("/issues/comments/%d/reactions", comment), nil, &all)
	var out []string
	for _, r := range all {
		if r.User.Login == bot {
			out = append(out, r.Content)
		}
	}
	return out, err
}

// merge asks GitHub to merge a pull request and returns its answer.
func (p person) merge(ctx context.Context, number int) (status int, said string, err error) {
	status, answer, err := p.send(ctx, http.MethodPut, fmt.Sprintf("/pulls/%d/merge", number), map[string]any{})
	return status, message(answer), err
}

// merged says whether a pull request is merged.
func (p person) merged(ctx context.Context, number int) (bool, error) {
	var pull struct{ Merged bool }
	err := p.call(ctx, http.MethodGet, fmt.Sprintf("/pulls/%d", number), nil, &pull)
	return pull.Merged, err
}

// tip is the commit that a branch names.
func (p person) tip(ctx context.Context, branch string) (string, error) {
	var found struct{ Commit struct{ SHA string } }
	err := p.call(ctx, http.MethodGet, "/branches/"+branch, nil, &found)
	return found.Commit.SHA, err
}
