package gate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/mergegate/mergegate/internal/pull"
	"github.com/mergegate/mergegate/internal/queue"
	"github.com/mergegate/mergegate/internal/store"
)

var (
	// errMoved says that the pull request is not any more what an effect would be about.
	errMoved = errors.New("the pull request has changed meanwhile")
	// errNotOurs says that the App has lost the repository: it was removed, or its account suspended it.
	errNotOurs = errors.New("the repository is not ours to look at any more")
)

// target is what effects are about: an evaluation of a commit in a repository, made by a run of a job.
type target struct {
	store.Evaluation
	repo pull.Repository
	job  queue.Job
}

// with is the target with another evaluation.
func (t target) with(e store.Evaluation) target {
	t.Evaluation = e
	return t
}

// record changes records for a target, unless somebody else was given its job meanwhile.
func (g *Gate) record(ctx context.Context, t target, fn func(context.Context, *store.Tx) error) error {
	return g.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		if err := t.job.Holds(ctx, tx); err != nil {
			return err
		}
		return fn(ctx, tx)
	})
}

// effect is one thing done to GitHub, of which there is a record by key. find looks whether it has
// happened already; it is asked when the journal says that it was about to happen, and nothing says
// whether it did. act does it.
type effect struct {
	key  string
	find func() (result string, ok bool, err error)
	act  func() (result string, err error)
}

// once has an effect happen, unless it has, and returns its result.
func (g *Gate) once(ctx context.Context, t target, e effect) (string, error) {
	var known store.Effect
	var fresh bool
	err := g.record(ctx, t, func(ctx context.Context, tx *store.Tx) (err error) {
		known, fresh, err = tx.Intend(ctx, e.key, nil)
		return err
	})
	if err != nil {
		return "", err
	}
	if known.State == store.Done {
		return known.Result, nil
	}
	result, found := "", false
	if !fresh {
		if result, found, err = e.find(); err != nil {
			return "", err
		}
	}
	if !found {
		if result, err = e.act(); err != nil {
			return "", err
		}
	}
	return result, g.Store.Done(ctx, e.key, result)
}

// may says whether an effect still is right, immediately before it: the run has its job, the
// repository is ours, and the pull request is open, with the same head and base branch.
func (g *Gate) may(ctx context.Context, t target) error {
	if err := g.mayWrite(ctx, t); err != nil || t.Number == 0 {
		return err
	}
	now, err := g.client(t.repo).PullRequest(ctx, t.repo, t.Number)
	if err != nil {
		return err
	}
	if now.HeadSHA != t.HeadSHA || now.BaseRef != t.BaseRef || now.State != pull.Open {
		return errMoved
	}
	return nil
}

// mayWrite says whether anything may be written for the target.
func (g *Gate) mayWrite(ctx context.Context, t target) error {
	_, active, err := g.Store.Repository(ctx, t.RepositoryID)
	if err != nil {
		return err
	}
	if !active {
		return fmt.Errorf("write to %s: %w", t.repo.FullName(), errNotOurs)
	}
	return g.record(ctx, t, func(context.Context, *store.Tx) error { return nil })
}

// logger names the target in everything that it says.
func (g *Gate) logger(t target) *slog.Logger {
	return g.Logger.With(slog.String("repository", t.repo.FullName()), slog.Int("pull", t.Number), slog.String("head", t.HeadSHA))
}
