package gate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"

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
	return g.snoozed(g.runCommand(ctx, repo, job))
}

func (g *Gate) runCommand(ctx context.Context, repo pull.Repository, job queue.Job) error {
	client := g.client(repo)
	comment, err := client.Comment(ctx, repo, job.CommentID)
	if errors.Is(err, github.ErrNotFound) {
		return nil // deleted before it was read
	}
	if err != nil {
		return err
	}
	commands, problems := command.Parse(comment.Body)
	reaction := github.ReactionEyes
	for _, problem := range problems {
		reaction = github.ReactionConfused
		if err := g.note(ctx, job, noticeNote, problem.Message); err != nil {
			return err
		}
	}
	for _, c := range commands {
		allowed, err := g.obey(ctx, repo, job, c, comment.Author)
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
	if err := client.React(ctx, repo, job.CommentID, reaction); err != nil && !errors.Is(err, github.ErrNotFound) {
		return err
	}
	return g.showNotes(ctx, repo, job)
}

// obey does what one command says, if its author may.
func (g *Gate) obey(ctx context.Context, repo pull.Repository, job queue.Job, c command.Command, author pull.User) (allowed bool, err error) {
	spec, ok := command.Lookup(c.Name)
	if !ok {
		return false, nil
	}
	permission, err := g.client(repo).Permission(ctx, repo, author)
	if err != nil {
		return false, err
	}
	if !command.Permission(permission.Level).Satisfies(spec.Permission) {
		g.Logger.InfoContext(ctx, "command denied", slog.String("command", c.Name), slog.String("user", author.Login), slog.String("permission", string(permission.Level)))
		return false, g.note(ctx, job, noticeNote, command.Denied(spec))
	}
	switch c.Name {
	case "plan":
		return true, g.planAgain(ctx, repo, job.Number, fmt.Sprintf("comment/%d", job.CommentID))
	case "help":
		return true, g.note(ctx, job, answerNote, command.Help())
	}
	return false, fmt.Errorf("command /%s has no handler", c.Name)
}

func (g *Gate) note(ctx context.Context, job queue.Job, kind, text string) error {
	_, err := g.Store.AddNote(ctx, job.RepositoryID, job.Number, store.Note{Key: kind + strconv.FormatInt(job.CommentID, 10), Body: text})
	return err
}

// planAgain has a pull request planned anew, on new check runs, once for each cause.
func (g *Gate) planAgain(ctx context.Context, repo pull.Repository, number int, cause string) error {
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
		return g.Jobs.Insert(ctx, tx, queue.Job{Kind: queue.Plan, RepositoryID: repo.ID, Number: number})
	})
}

// showNotes brings the comment up to what was noted, when there is a plan to show with it; otherwise
// the plan that is being made will show it.
func (g *Gate) showNotes(ctx context.Context, repo pull.Repository, job queue.Job) error {
	latest, err := g.Store.LatestEvaluation(ctx, repo.ID, job.Number)
	if errors.Is(err, store.ErrNotFound) || err == nil && latest.State != store.EvaluationPublished {
		return nil
	}
	if err != nil {
		return err
	}
	return g.publishComment(ctx, target{latest, repo})
}

// snoozed turns a rate limit into a pause of the job.
func (g *Gate) snoozed(err error) error {
	var limited *github.RateLimited
	if errors.As(err, &limited) {
		return &queue.SnoozeError{After: waitFor(limited)}
	}
	return err
}
