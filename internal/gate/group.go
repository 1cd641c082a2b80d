package gate

import (
	"context"
	"errors"
	"fmt"

	"github.com/mergegate/mergegate/internal/pipeline"
	"github.com/mergegate/mergegate/internal/plan"
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
	t, err := g.groupEvaluation(ctx, target{repo: repo, job: job})
	if err != nil {
		return err
	}
	err = g.calmly(ctx, func() error { return g.planGroup(ctx, t) })
	return g.failing(ctx, job, err, func(ctx context.Context) (target, error) {
		latest, err := g.Store.Evaluation(ctx, t.ID)
		return t.with(latest), err
	})
}

// groupEvaluation is the group's evaluation that is to be done: the latest when there is one that has
// not failed.
func (g *Gate) groupEvaluation(ctx context.Context, t target) (target, error) {
	job := t.job
	t.Evaluation = store.Evaluation{RepositoryID: t.repo.ID, HeadSHA: job.HeadSHA, BaseSHA: job.BaseSHA, BaseRef: job.BaseRef}
	latest, err := g.Store.LatestEvaluationOf(ctx, t.repo.ID, job.HeadSHA)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return t, err
	}
	if err == nil && latest.Number == 0 && latest.BaseSHA == job.BaseSHA && latest.BaseRef == job.BaseRef {
		if latest.State != store.EvaluationFailed {
			return t.with(latest), nil
		}
		t.Generation = latest.Generation + 1
	}
	return g.ensure(ctx, t, nil)
}

// groupAgain has a merge group planned anew, once for each cause.
func (g *Gate) groupAgain(ctx context.Context, latest store.Evaluation, why cause) error {
	return g.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		key := fmt.Sprintf("again/%d/%s/%s", latest.RepositoryID, latest.HeadSHA, why.guid)
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
		err := g.Jobs.Insert(ctx, tx, queue.Job{
			Kind: queue.Group, RepositoryID: latest.RepositoryID, HeadSHA: latest.HeadSHA, BaseSHA: latest.BaseSHA, BaseRef: latest.BaseRef,
		})
		if err != nil || why.by == nil {
			return err
		}
		return witness(ctx, tx, why.by.Event, why.by.detail)
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
	if err := g.completeChecks(ctx, t, report.CheckRuns(p, g.checkOptions(t))); err != nil {
		return err
	}
	return g.finish(ctx, t, p, 0)
}

func (g *Gate) groupPlan(ctx context.Context, t target) (plan.Plan, error) {
	if t.State == store.EvaluationPlanned {
		return g.storedPlan(ctx, t.ID)
	}
	if err := g.start(ctx, t); err != nil {
		return plan.Plan{}, err
	}
	ref := "refs/heads/" + t.BaseRef
	mirror, _, err := g.fetch(ctx, t.repo, source.Wanted{Ref: ref}, source.Wanted{Ref: ref, SHA: t.BaseSHA}, source.Wanted{Ref: ref, SHA: t.HeadSHA})
	if errors.Is(err, source.ErrGone) {
		return g.keep(ctx, t, plan.Plan{}, &pipeline.InputError{Err: err})
	}
	if err != nil {
		return plan.Plan{}, err
	}
	defer mirror.Close() //nolint:errcheck // it was only read
	p, err := g.Engine.Plan(ctx, pipeline.Change{Repository: mirror.Repository, Base: t.BaseSHA, Head: t.HeadSHA})
	return g.keep(ctx, t, p, err)
}
