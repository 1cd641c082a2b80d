package github

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/mergegate/mergegate/internal/pull"
)

// Event is a webhook delivery that means something to us: one of *PullRequestEvent, *PushEvent, *CheckRunEvent,
// *CheckSuiteEvent, *CommentEvent, *InstallationEvent, *RepositoriesEvent and *MergeGroupEvent.
//
// What an event says may be late, repeated or out of order: it is a reason to look, not the state. Its repositories
// have no CloneURL, and InstallationID is 0 where the delivery did not come through an App.
type Event interface{ event() }

// Actions of events, as GitHub names them.
const (
	Opened          = "opened"
	Synchronize     = "synchronize"
	Reopened        = "reopened"
	ReadyForReview  = "ready_for_review"
	Edited          = "edited"
	ClosedAction    = "closed"
	Rerequested     = "rerequested"
	RequestedAction = "requested_action"
	Created         = "created"
	Deleted         = "deleted"
	Suspend         = "suspend"
	Unsuspend       = "unsuspend"
	NewPermissions  = "new_permissions_accepted"
	Added           = "added"
	Removed         = "removed"
	ChecksRequested = "checks_requested"
)

// PullRequestEvent has the action opened, synchronize, reopened, ready_for_review, edited or closed. Merged pull
// requests are closed ones whose State is Merged.
type PullRequestEvent struct {
	Action  string
	Request pull.Request
	Sender  pull.User
	Before  string // synchronize: the head before
	// BaseBefore is the base branch before an edit that changed it, else empty.
	BaseBefore string
}

// BaseChanged is whether the pull request now asks to be merged into another branch.
func (e *PullRequestEvent) BaseChanged() bool { return e.BaseBefore != "" }

// PushEvent is a branch or a tag that moved. The branches of merge queues are left out.
type PushEvent struct {
	Repository pull.Repository
	Ref        string // refs/heads/main
	Before     string // empty when the ref is new
	After      string // empty when the ref is gone
	Deleted    bool
	Forced     bool
	Sender     pull.User
}

// Branch is the branch's name, or empty for a tag.
func (e *PushEvent) Branch() string {
	branch, ok := strings.CutPrefix(e.Ref, "refs/heads/")
	if !ok {
		return ""
	}
	return branch
}

// CheckRunEvent has the action rerequested or requested_action. Sender asked for it; whether they may is not said.
type CheckRunEvent struct {
	Action     string
	Identifier string // requested_action: which of the run's actions
	Repository pull.Repository
	Run        CheckRun
	Sender     pull.User
}

// CheckSuiteEvent has the action rerequested: everything is to be checked again.
type CheckSuiteEvent struct {
	Repository pull.Repository
	HeadSHA    string
	AppID      int64
	Sender     pull.User
}

// CommentEvent is a new comment on a pull request. Sender is who to authorise; the comment says whom it is shown as.
type CommentEvent struct {
	Repository pull.Repository
	Number     int
	Comment    Comment
	Sender     pull.User
}

// InstallationEvent has the action created, deleted, suspend, unsuspend or new_permissions_accepted.
type InstallationEvent struct {
	Action       string
	Installation Installation
	Repositories []pull.Repository // created: the repositories at first
	Sender       pull.User
}

// RepositoriesEvent is a change of the repositories of an installation.
type RepositoriesEvent struct {
	Installation Installation
	Added        []pull.Repository
	Removed      []pull.Repository
	Sender       pull.User
}

// MergeGroupEvent asks for checks of a merge queue's group.
type MergeGroupEvent struct {
	Repository pull.Repository
	HeadSHA    string
	HeadRef    string // refs/heads/gh-readonly-queue/main/pr-7-...
	BaseSHA    string
	BaseRef    string // branch name, without refs/heads/
	Sender     pull.User
}

// queueEntry is the end of a group's branch name, as far as GitHub's examples show it.
var queueEntry = regexp.MustCompile(`/pr-([0-9]{1,9})-[0-9a-f]{40}$`)

// Number is the pull request at the end of the group, or 0. It is a guess from the branch's name, for people: the group
// holds others before it, and what is judged is the tree at HeadSHA.
func (e *MergeGroupEvent) Number() int {
	match := queueEntry.FindStringSubmatch(e.HeadRef)
	if match == nil {
		return 0
	}
	n, err := strconv.Atoi(match[1])
	if err != nil {
		return 0
	}
	return n
}

func (*PullRequestEvent) event()  {}
func (*PushEvent) event()         {}
func (*CheckRunEvent) event()     {}
func (*CheckSuiteEvent) event()   {}
func (*CommentEvent) event()      {}
func (*InstallationEvent) event() {}
func (*RepositoriesEvent) event() {}
func (*MergeGroupEvent) event()   {}
