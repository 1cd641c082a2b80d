package gate

import (
	"context"
	"errors"

	"github.com/mergegate/mergegate/internal/queue"
	"github.com/mergegate/mergegate/internal/report"
	"github.com/mergegate/mergegate/internal/store"
)

// Page is the page of the plan with this token, or [store.ErrNotFound].
func (g *Gate) Page(ctx context.Context, token string) ([]byte, error) {
	evaluation, err := g.Store.EvaluationByToken(ctx, token)
	if err != nil {
		return nil, err
	}
	repo, _, err := g.Store.Repository(ctx, evaluation.RepositoryID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	p, err := g.storedPlan(ctx, evaluation.ID)
	if err != nil {
		return nil, err
	}
	return report.HTML(p, report.PageOptions{BaseName: evaluation.BaseRef, BlobURL: blobURL(repo, evaluation.HeadSHA)})
}

// Handlers are what the queue calls for each kind of job.
func (g *Gate) Handlers() map[queue.Kind]queue.Handler {
	return map[queue.Kind]queue.Handler{
		queue.Delivery: g.Hear,
		queue.Plan:     g.PlanPull,
		queue.Command:  g.RunCommand,
		queue.Group:    g.PlanGroup,
		queue.Sweep:    g.Sweep,
	}
}
