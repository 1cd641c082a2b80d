package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/mergegate/mergegate/internal/store"
)

// Kind is what a job is about.
type Kind string

// The kinds of jobs, and which fields of a Job each uses.
const (
	Delivery Kind = "delivery" // GUID: a webhook delivery is to be looked at
	Plan     Kind = "plan"     // RepositoryID, Number: a pull request is to be planned as it is by then
	Command  Kind = "command"  // RepositoryID, Number, CommentID: somebody wrote a command
	Group    Kind = "group"    // RepositoryID, HeadSHA, BaseSHA, BaseRef: a merge group is to be planned
	Sweep    Kind = "sweep"    // InstallationID, 0 for all: recorded state is to be compared with the platform's
)

// Job is something to do. It names things and does not describe them: what they are like is looked
// up when it runs, so that it acts on the newest state.
type Job struct {
	Kind           Kind   `json:"kind"`
	GUID           string `json:"guid,omitempty"`
	InstallationID int64  `json:"installationId,omitempty"`
	RepositoryID   int64  `json:"repositoryId,omitempty"`
	Number         int    `json:"number,omitempty"`
	CommentID      int64  `json:"commentId,omitempty"`
	HeadSHA        string `json:"headSha,omitempty"`
	BaseSHA        string `json:"baseSha,omitempty"`
	BaseRef        string `json:"baseRef,omitempty"`

	// Attempt counts the runs of this job that ended with an error, and this one. Last says that
	// there is none after this one: an error now is for good.
	Attempt int  `json:"-"`
	Last    bool `json:"-"`

	work store.Work // as claimed
}

// Key is what identifies a job: of one key at most one waits.
func (j Job) Key() string {
	switch j.Kind {
	case Delivery:
		return "delivery/" + j.GUID
	case Command:
		return fmt.Sprintf("command/%d/%d/%d", j.RepositoryID, j.Number, j.CommentID)
	case Group:
		return fmt.Sprintf("group/%d/%s/%s/%s", j.RepositoryID, j.HeadSHA, j.BaseSHA, j.BaseRef)
	case Sweep:
		return "sweep/" + strconv.FormatInt(j.InstallationID, 10)
	}
	return fmt.Sprintf("%s/%d/%d", j.Kind, j.RepositoryID, j.Number)
}

// Lane is what a job works on: jobs of one lane run strictly one after the other, in the order in
// which they came, on whichever replica.
func (j Job) Lane() string {
	switch j.Kind {
	case Plan, Command:
		return fmt.Sprintf("pull/%d/%d", j.RepositoryID, j.Number)
	case Group:
		return fmt.Sprintf("group/%d/%s", j.RepositoryID, j.HeadSHA)
	}
	return j.Key()
}

// Holds says store.ErrLeaseLost unless the job is still this run's, and keeps it so until the
// transaction ends. It is for records that a run must not make that was given up for dead.
func (j Job) Holds(ctx context.Context, tx *store.Tx) error { return tx.HoldsWork(ctx, j.work) }

func (j Job) asWork() (store.Work, error) {
	args, err := json.Marshal(j)
	if err != nil {
		return store.Work{}, err
	}
	return store.Work{ID: j.Key(), Lane: j.Lane(), Kind: string(j.Kind), Args: args}, nil
}

// Handler does a job. It may run more than once for one job: a process can die at any instruction.
// It returns nil when nothing is left to do; any other error has it run again later, but for those
// below. It must return soon after ctx is done; context.Cause says why it is: ErrSuperseded,
// ErrTimeout, store.ErrLeaseLost (somebody else runs the job now: do nothing more) or, with another
// cause, that the process stops.
type Handler func(ctx context.Context, job Job) error

var (
	// ErrSuperseded is the cause of the context of a job whose result is of no use any more.
	ErrSuperseded = errors.New("superseded by a newer request")
	// ErrTimeout is the cause of the context of a job that took too long.
	ErrTimeout = errors.New("job took too long")
	// ErrPermanent in the error of a handler says that trying again is of no use.
	ErrPermanent = errors.New("permanent")
)

// SnoozeError is what a handler returns that has to wait, such as for a rate limit. It counts as no
// attempt.
type SnoozeError struct{ After time.Duration }

func (e *SnoozeError) Error() string { return fmt.Sprintf("wait for %s", e.After) }
