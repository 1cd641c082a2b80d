package github

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/mergegate/mergegate/internal/pull"
)

// ErrIgnored says that a delivery means nothing to us; the error's text says why.
var ErrIgnored = errors.New("ignored")

// payload has the fields of all the events.
type payload struct {
	Action       string          `json:"action"`
	Sender       *wireUser       `json:"sender"`
	Repository   *wireRepository `json:"repository"`
	Installation struct {
		ID int64 `json:"id"`
	} `json:"installation"`
}

func (p *payload) repository() (pull.Repository, error) {
	return p.Repository.repository(p.Installation.ID)
}

// Parse reads the payload of a webhook event. The error is ErrIgnored for what does not concern us and a PayloadError
// for what does but cannot be read.
func Parse(event string, body []byte) (Event, error) {
	known := parser(event)
	if known.parse == nil {
		return nil, fmt.Errorf("%w: event %q is not handled", ErrIgnored, event)
	}
	common, err := decode[payload](event, body)
	if err != nil {
		return nil, err
	}
	if known.actions != nil && !slices.Contains(known.actions, common.Action) {
		return nil, fmt.Errorf("%w: %s action %q is not handled", ErrIgnored, event, common.Action)
	}
	parsed, err := known.parse(&common, body)
	if err == nil || errors.Is(err, ErrIgnored) {
		return parsed, err
	}
	return nil, &PayloadError{What: event, Err: err}
}

// eventParser reads one event with any of its actions; nil actions: the event has none.
type eventParser struct {
	actions []string
	parse   func(common *payload, body []byte) (Event, error)
}

func parser(event string) eventParser {
	switch event {
	case "pull_request":
		return eventParser{[]string{Opened, Synchronize, Reopened, ReadyForReview, Edited, ClosedAction}, parsePullRequest}
	case "push":
		return eventParser{nil, parsePush}
	case "check_run":
		return eventParser{[]string{Rerequested, RequestedAction}, parseCheckRun}
	case "check_suite":
		return eventParser{[]string{Rerequested}, parseCheckSuite}
	case "issue_comment":
		return eventParser{[]string{Created}, parseComment}
	case "installation":
		return eventParser{[]string{Created, Deleted, Suspend, Unsuspend, NewPermissions}, parseInstallation}
	case "installation_repositories":
		return eventParser{[]string{Added, Removed}, parseRepositories}
	case "merge_group":
		return eventParser{[]string{ChecksRequested}, parseMergeGroup}
	}
	return eventParser{}
}

func parsePullRequest(common *payload, body []byte) (Event, error) {
	var p struct {
		Pull    *wirePull `json:"pull_request"`
		Before  string    `json:"before"`
		Changes struct {
			Base struct {
				Ref struct {
					From string `json:"from"`
				} `json:"ref"`
			} `json:"base"`
		} `json:"changes"`
	}
	repo, err := unpack(common, body, &p)
	if err != nil {
		return nil, err
	}
	request, err := p.Pull.request(repo)
	if err != nil {
		return nil, err
	}
	return &PullRequestEvent{
		Action: common.Action, Request: request, Sender: common.Sender.user(), Before: p.Before, BaseBefore: p.Changes.Base.Ref.From,
	}, nil
}

// unpack reads the rest of a payload into p and gives its repository.
func unpack(common *payload, body []byte, p any) (pull.Repository, error) {
	if err := json.Unmarshal(body, p); err != nil {
		return pull.Repository{}, err
	}
	return common.repository()
}

// queuePrefix is where GitHub keeps the temporary branches of merge queues.
const queuePrefix = "refs/heads/gh-readonly-queue/"

func parsePush(common *payload, body []byte) (Event, error) {
	var p struct {
		Ref     string `json:"ref"`
		Before  string `json:"before"`
		After   string `json:"after"`
		Deleted bool   `json:"deleted"`
		Forced  bool   `json:"forced"`
	}
	repo, err := unpack(common, body, &p)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(p.Ref, queuePrefix) {
		return nil, fmt.Errorf("%w: push to a merge queue's own branch", ErrIgnored)
	}
	if !strings.HasPrefix(p.Ref, "refs/") || !isSHA(p.Before) || !isSHA(p.After) {
		return nil, errors.New("ref, before or after is missing")
	}
	e := &PushEvent{Repository: repo, Ref: p.Ref, Deleted: p.Deleted || none(p.After), Forced: p.Forced, Sender: common.Sender.user()}
	if !none(p.Before) {
		e.Before = p.Before
	}
	if !none(p.After) {
		e.After = p.After
	}
	return e, nil
}

func parseCheckRun(common *payload, body []byte) (Event, error) {
	var p struct {
		Run       wireCheckRun `json:"check_run"`
		Requested struct {
			Identifier string `json:"identifier"`
		} `json:"requested_action"`
	}
	repo, err := unpack(common, body, &p)
	if err != nil {
		return nil, err
	}
	if p.Run.ID == 0 || !isSHA(p.Run.HeadSHA) || p.Run.Name == "" {
		return nil, errors.New("check_run: id, head_sha or name is missing")
	}
	if common.Action == RequestedAction && p.Requested.Identifier == "" {
		return nil, errors.New("requested_action: identifier is missing")
	}
	return &CheckRunEvent{
		Action: common.Action, Identifier: p.Requested.Identifier, Repository: repo, Run: p.Run.run(), Sender: common.Sender.user(),
	}, nil
}

func parseCheckSuite(common *payload, body []byte) (Event, error) {
	var p struct {
		Suite struct {
			HeadSHA string   `json:"head_sha"`
			App     *wireApp `json:"app"`
		} `json:"check_suite"`
	}
	repo, err := unpack(common, body, &p)
	if err != nil {
		return nil, err
	}
	if !isSHA(p.Suite.HeadSHA) {
		return nil, errors.New("check_suite: head_sha is missing")
	}
	return &CheckSuiteEvent{Repository: repo, HeadSHA: p.Suite.HeadSHA, AppID: p.Suite.App.id(), Sender: common.Sender.user()}, nil
}

func parseComment(common *payload, body []byte) (Event, error) {
	var p struct {
		Comment wireComment `json:"comment"`
		Issue   struct {
			Number int              `json:"number"`
			Pull   *json.RawMessage `json:"pull_request"`
		} `json:"issue"`
	}
	repo, err := unpack(common, body, &p)
	if err != nil {
		return nil, err
	}
	if p.Issue.Pull == nil {
		return nil, fmt.Errorf("%w: comment on an issue, not on a pull request", ErrIgnored)
	}
	if p.Comment.ID == 0 || p.Issue.Number <= 0 {
		return nil, errors.New("comment.id or issue.number is missing")
	}
	return &CommentEvent{Repository: repo, Number: p.Issue.Number, Comment: p.Comment.comment(), Sender: common.Sender.user()}, nil
}

func parseMergeGroup(common *payload, body []byte) (Event, error) {
	var p struct {
		Group struct {
			HeadSHA string `json:"head_sha"`
			HeadRef string `json:"head_ref"`
			BaseSHA string `json:"base_sha"`
			BaseRef string `json:"base_ref"`
		} `json:"merge_group"`
	}
	repo, err := unpack(common, body, &p)
	if err != nil {
		return nil, err
	}
	g := p.Group
	if !isSHA(g.HeadSHA) || !isSHA(g.BaseSHA) || g.BaseRef == "" {
		return nil, errors.New("merge_group: head_sha, base_sha or base_ref is missing")
	}
	return &MergeGroupEvent{
		Repository: repo, HeadSHA: g.HeadSHA, HeadRef: g.HeadRef, BaseSHA: g.BaseSHA,
		BaseRef: strings.TrimPrefix(g.BaseRef, "refs/heads/"), Sender: common.Sender.user(),
	}, nil
}
