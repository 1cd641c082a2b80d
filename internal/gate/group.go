package gate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/mergegate/mergegate/internal/github"
	"github.com/mergegate/mergegate/internal/pipeline"
	"github.com/mergegate/mergegate/internal/plan"
	"github.com/mergegate/mergegate/internal/pull"
	"github.com/mergegate/mergegate/internal/queue"
	"github.com/mergegate/mergegate/internal/report"
	"github.com/mergegate/mergegate/internal/source"
	"github.com/mergegate/mergegate/internal/store"
)

// PlanGroup plans the head of a merge queue's group against the commit that the group is built on:
// what the queue would merge is judged as a whole, whatever was said of its parts. It is the handler
// of group jobs.
func (g *Gate) PlanGroup(ctx context.Context, job queue.Job) error {
	repo, ok, err := g.repository(ctx, job.RepositoryID)
	if err != nil || !ok {
		return err
	}
	t, err := g.groupEvaluation(ctx, repo, job)
	if err != nil {
		return err
	}
	if err := g.planGroup(ctx, t); err != nil {
		return g.groupFailing(ctx, t, job, err)
	}
	return nil
}

// groupEvaluation is the group's evaluation that is to be done: the latest when there is one.
func (g *Gate) groupEvaluation(ctx context.Context, repo pull.Repository, job queue.Job) (target, error) {
	t := target{repo: repo, Evaluation: store.Evaluation{
		RepositoryID: repo.ID, HeadSHA: job.HeadSHA, BaseSHA: job.BaseSHA, BaseRef: job.BaseRef,
	}}
	latest, err := g.Store.LatestEvaluationOf(ctx, repo.ID, job.HeadSHA)
	if err == nil && latest.Number == 0 && latest.BaseSHA == job.BaseSHA && latest.BaseRef == job.BaseRef {
		t.Evaluation = latest
		return t, nil
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return t, err
	}
	return g.ensure(ctx, t)
}

// groupAgain has a merge group planned anew, once for each cause.
func (g *Gate) groupAgain(ctx context.Context, latest store.Evaluation, guid string) error {
	return g.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		key := fmt.Sprintf("again/%d/%s/%s", latest.RepositoryID, latest.HeadSHA, guid)
		if _, fresh, err := tx.Intend(ctx, key, nil); err != nil || !fresh {
			return err
		}
		latest.Generation++
		if _, _, err := tx.EnsureEvaluation(ctx, latest); err != nil {
			return err
		}
		if err := tx.Done(ctx, key, ""); err != nil {
			return err
		}
		return g.Jobs.Insert(ctx, tx, queue.Job{
			Kind: queue.Group, RepositoryID: latest.RepositoryID, HeadSHA: latest.HeadSHA, BaseSHA: latest.BaseSHA, BaseRef: latest.BaseRef,
		})
	})
}

func (g *Gate) planGroup(ctx context.Context, t target) error {
	if t.State == store.EvaluationPublished {
		return nil
	}
	t, err := g.ensureChecks(ctx, t, report.Pending{Phase: report.InProgress, Head: t.HeadSHA, Base: t.BaseSHA})
	if err != nil {
		return err
	}
	p, err := g.groupPlan(ctx, t)
	if err != nil {
		return err
	}
	if err := g.completeChecks(ctx, t, p); err != nil {
		return err
	}
	_, err = g.Store.FinishEvaluation(ctx, t.ID, store.EvaluationPublished, "")
	return err
}

func (g *Gate) groupPlan(ctx context.Context, t target) (plan.Plan, error) {
	if t.State == store.EvaluationPlanned {
		return g.storedPlan(ctx, t.ID)
	}
	if _, err := g.Store.StartEvaluation(ctx, t.ID); err != nil {
		return plan.Plan{}, err
	}
	mirror, _, err := g.fetch(ctx, t.repo, source.Wanted{Ref: "refs/heads/" + t.BaseRef}, source.Wanted{Ref: "refs/heads/" + t.BaseRef, SHA: t.BaseSHA}, source.Wanted{Ref: "refs/heads/" + t.BaseRef, SHA: t.HeadSHA})
	var p plan.Plan
	if err == nil {
		defer mirror.Close() //nolint:errcheck // it was only read
		p, err = g.Engine.Plan(ctx, pipeline.Change{Repository: mirror.Repository, Base: t.BaseSHA, Head: t.HeadSHA})
	}
	if errors.Is(err, source.ErrGone) {
		err = &pipeline.InputError{Err: err}
	}
	var bad *pipeline.InputError
	if errors.As(err, &bad) {
		p, err = g.impossible(t, bad), nil
	}
	if err != nil {
		return plan.Plan{}, err
	}
	return p, g.storePlan(ctx, t, p)
}

func (g *Gate) groupFailing(ctx context.Context, t target, job queue.Job, err error) error {
	var limited *github.RateLimited
	if errors.As(err, &limited) {
		return &queue.SnoozeError{After: waitFor(limited)}
	}
	if !job.Last || ctx.Err() != nil {
		return err
	}
	reference := fmt.Sprintf("evaluation-%d", t.ID)
	g.Logger.ErrorContext(ctx, "merge group could not be planned", slog.String("reference", reference),
		slog.String("repository", t.repo.FullName()), slog.String("head", t.HeadSHA), slog.Any("error", err))
	latest, lookup := g.Store.Evaluation(ctx, t.ID)
	state := report.Pending{Phase: report.Failed, Head: t.HeadSHA, Base: t.BaseSHA, Reference: reference}
	_, finish := g.Store.FinishEvaluation(ctx, t.ID, store.EvaluationFailed, err.Error())
	return errors.Join(err, lookup, g.updateChecks(ctx, target{latest, t.repo}, state), finish)
}
