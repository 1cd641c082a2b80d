package gate

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/mergegate/mergegate/internal/audit"
	"github.com/mergegate/mergegate/internal/plan"
	"github.com/mergegate/mergegate/internal/pull"
	"github.com/mergegate/mergegate/internal/store"
)

// What the audit record calls what happens here.
const (
	auditPublished = "plan.published"
	auditCommand   = "command.run"
	auditDenied    = "command.denied"
	auditButton    = "button.pressed"
	auditNoButton  = "button.denied"
)

// self is the actor of what mergegate does of its own accord.
const self = "mergegate"

// published is the detail of a plan that was published.
type published struct {
	Repository string `json:"repository"`
	Number     int    `json:"number,omitempty"`
	Head       string `json:"head"`
	Base       string `json:"base"`
	BaseRef    string `json:"baseRef"`
	Digest     string `json:"digest"`
	Verdict    string `json:"verdict"`
	Evaluation int64  `json:"evaluation"`
	// ShownBy is the evaluation whose checks and comment say the same already.
	ShownBy int64 `json:"shownBy,omitempty"`
}

// finish records that a plan is published, and what it was.
func (g *Gate) finish(ctx context.Context, t target, p plan.Plan, shownBy int64) error {
	return g.record(ctx, t, func(ctx context.Context, tx *store.Tx) error {
		var err error
		if shownBy != 0 {
			_, err = tx.ShowBy(ctx, t.ID, shownBy)
		} else {
			_, err = tx.FinishEvaluation(ctx, t.ID, store.EvaluationPublished, "")
		}
		if err != nil {
			return err
		}
		return witness(ctx, tx, audit.Event{Actor: self, Action: auditPublished, Subject: subject(t.RepositoryID, t.Number, t.HeadSHA)}, published{
			Repository: t.repo.FullName(), Number: t.Number, Head: t.HeadSHA, Base: t.BaseSHA, BaseRef: t.BaseRef,
			Digest: p.Digest, Verdict: string(p.Verdict), Evaluation: t.ID, ShownBy: shownBy,
		})
	})
}

// asked is the detail of what somebody asked for.
type asked struct {
	Login      string   `json:"login"`
	Command    string   `json:"command,omitempty"`
	Arguments  []string `json:"arguments,omitempty"`
	Comment    int64    `json:"comment,omitempty"`
	Button     string   `json:"button,omitempty"`
	CheckRun   int64    `json:"checkRun,omitempty"`
	Permission string   `json:"permission"`
}

// witness appends an event to the audit record.
func witness(ctx context.Context, tx *store.Tx, e audit.Event, detail any) error {
	text, err := json.Marshal(detail)
	if err != nil {
		return fmt.Errorf("write audit detail of %s: %w", e.Action, err)
	}
	e.Detail = string(text)
	_, err = tx.AppendAudit(ctx, e)
	return err
}

// person is a user as the audit record names one: by id, which no renaming changes.
func person(u pull.User) string { return fmt.Sprintf("user/%d", u.ID) }

// subject is a pull request, or the head of a merge group, as the audit record names it.
func subject(repositoryID int64, number int, head string) string {
	if number == 0 {
		return fmt.Sprintf("commit/%d/%s", repositoryID, head)
	}
	return fmt.Sprintf("pull/%d/%d", repositoryID, number)
}
