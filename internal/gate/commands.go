package gate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"

	"github.com/mergegate/mergegate/internal/audit"
	"github.com/mergegate/mergegate/internal/command"
	"github.com/mergegate/mergegate/internal/github"
	"github.com/mergegate/mergegate/internal/pull"
	"github.com/mergegate/mergegate/internal/queue"
	"github.com/mergegate/mergegate/internal/store"
)

// Keys of notes: an answer is shown until the next one, whatever is planned.
const (
	answerNote = "answer/"
	noticeNote = "notice/"
)

// RunCommand does what a comment asks for: it is acknowledged by a reaction, and answered in the
// one comment. It is the handler of command jobs.
func (g *Gate) RunCommand(ctx context.Context, job queue.Job) error {
	repo, ok, err := g.repository(ctx, job.RepositoryID)
	if err != nil || !ok {
		return err
	}
	err = g.runCommand(ctx, target{repo: repo, job: job, Evaluation: store.Evaluation{RepositoryID: repo.ID, Number: job.Number}})
	switch {
	case errors.Is(err, github.ErrForbidden), errors.Is(err, errNotOurs):
		return fmt.Errorf("%w: %w", err, queue.ErrPermanent) // people ask again, when they may be answered
	}
	return g.snoozed(unlessMoved(err))
}

// edited is what is said of a comment that does not say any more what it said when it was heard.
const edited = "a comment with a command was edited before the command was run, so it was not run: write a new comment"

func (g *Gate) runCommand(ctx context.Context, t target) error {
	client, job := g.client(t.repo), t.job
	comment, err := client.Comment(ctx, t.repo, job.CommentID)
	if errors.Is(err, github.ErrNotFound) {
		return nil // deleted before it was read
	}
	if err != nil {
		return err
	}
	heard, err := g.Store.Effect(ctx, commandKey(job))
	if err != nil {
		return err
	}
	commands, problems := command.Parse(comment.Body)
	if heard.RequestHash != spoken(comment.Body) { // by somebody else, perhaps
		commands, problems = nil, []command.Problem{{Message: edited}}
	}
	reaction := github.ReactionEyes
	for _, problem := range problems {
		reaction = github.ReactionConfused
		if _, err := g.Store.AddNote(ctx, t.RepositoryID, t.Number, store.Note{Key: noteKey(noticeNote, job), Body: problem.Message}); err != nil {
			return err
		}
	}
	for _, c := range commands {
		allowed, err := g.obey(ctx, t, c, comment.Author)
		if err != nil {
			return err
		}
		if !allowed {
			reaction = github.ReactionConfused
		}
	}
	if len(commands)+len(problems) == 0 {
		return nil
	}
	if err := g.mayWrite(ctx, t); err != nil {
		return err
	}
	if err := client.React(ctx, t.repo, job.CommentID, reaction); err != nil && !errors.Is(err, github.ErrNotFound) {
		return err
	}
	return g.showNotes(ctx, t)
}

// commandKey names what somebody said in the journal, which keeps the hash of what that was.
func commandKey(job queue.Job) string {
	return fmt.Sprintf("command/%d/%d", job.RepositoryID, job.CommentID)
}

// spoken is the hash of a comment's text, however its lines end.
func spoken(body string) string {
	return store.RequestHash(words(body))
}

func words(body string) []byte { return []byte(strings.ReplaceAll(body, "\r\n", "\n")) }

// obey does what one command says, if its author may.
func (g *Gate) obey(ctx context.Context, t target, c command.Command, author pull.User) (allowed bool, err error) {
	spec, ok := command.Lookup(c.Name)
	if !ok {
		return false, nil
	}
	permission, err := g.client(t.repo).Permission(ctx, t.repo, author)
	if err != nil {
		return false, err
	}
	event := audit.Event{Actor: person(author), Action: auditCommand, Subject: subject(t.RepositoryID, t.Number, "")}
	said := asked{Login: author.Login, Command: c.Name, Arguments: c.Args, Comment: t.job.CommentID, Permission: string(permission.Level)}
	if !command.Permission(permission.Level).Satisfies(spec.Permission) {
		event.Action = auditDenied
		g.logger(t).InfoContext(ctx, "command denied", slog.String("command", c.Name), slog.String("user", author.Login), slog.String("permission", string(permission.Level)))
		return false, g.answer(ctx, t, command.Denied(spec), asking{event, said})
	}
	switch c.Name {
	case "plan":
		return true, g.planAgain(ctx, t.repo, t.Number, fmt.Sprintf("comment/%d", t.job.CommentID), &asking{event, said})
	case "help":
		return true, g.answer(ctx, t, command.Help(), asking{event, said})
	}
	return false, fmt.Errorf("command /%s has no handler", c.Name)
}

// asking is who asked for what, for the audit record.
type asking struct {
	audit.Event
	detail asked
}

// answer notes the answer to a command, once, for the comment to show.
func (g *Gate) answer(ctx context.Context, t target, text string, a asking) error {
	kind := answerNote
	if a.Action == auditDenied {
		kind = noticeNote
	}
	return g.record(ctx, t, func(ctx context.Context, tx *store.Tx) error {
		fresh, err := tx.AddNote(ctx, t.RepositoryID, t.Number, store.Note{Key: noteKey(kind, t.job), Author: a.detail.Login, Body: text})
		if err != nil || !fresh {
			return err
		}
		return witness(ctx, tx, a.Event, a.detail)
	})
}

func noteKey(kind string, job queue.Job) string { return kind + strconv.FormatInt(job.CommentID, 10) }

// planAgain has a pull request planned anew, on new check runs, once for each cause; by is who asked
// for it, if anybody did.
func (g *Gate) planAgain(ctx context.Context, repo pull.Repository, number int, cause string, by *asking) error {
	return g.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		key := fmt.Sprintf("again/%d/%d/%s", repo.ID, number, cause)
		if _, fresh, err := tx.Intend(ctx, key, nil); err != nil || !fresh {
			return err
		}
		if err := tx.Done(ctx, key, ""); err != nil {
			return err
		}
		if _, err := tx.BumpGeneration(ctx, repo.ID, number); err != nil {
			return err
		}
		if err := g.Jobs.Insert(ctx, tx, queue.Job{Kind: queue.Plan, RepositoryID: repo.ID, Number: number}); err != nil || by == nil {
			return err
		}
		return witness(ctx, tx, by.Event, by.detail)
	})
}

// showNotes brings the comment up to what was noted, when there is a plan to show with it; otherwise
// the plan that is being made will show it.
func (g *Gate) showNotes(ctx context.Context, t target) error {
	latest, err := g.Store.LatestEvaluation(ctx, t.RepositoryID, t.Number)
	if errors.Is(err, store.ErrNotFound) || err == nil && latest.State != store.EvaluationPublished {
		return nil
	}
	if err != nil {
		return err
	}
	return g.publishComment(ctx, t.with(latest))
}
