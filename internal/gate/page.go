package gate

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/mergegate/mergegate/internal/pull"
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
	return report.HTML(p, report.PageOptions{
		Title: title(repo, evaluation), BaseName: evaluation.BaseRef,
		PullURL: pullURL(repo, evaluation.Number), BlobURL: blobURL(repo, evaluation.HeadSHA),
	})
}

// title names what was planned.
func title(repo pull.Repository, e store.Evaluation) string {
	if e.Number == 0 {
		return fmt.Sprintf("%s merge group %.12s", repo.FullName(), e.HeadSHA)
	}
	return fmt.Sprintf("%s #%d", repo.FullName(), e.Number)
}

// pullURL is where GitHub shows a pull request; empty for a merge group.
func pullURL(repo pull.Repository, number int) string {
	if number == 0 || repo.CloneURL == "" {
		return ""
	}
	return fmt.Sprintf("%s/pull/%d", strings.TrimSuffix(repo.CloneURL, ".git"), number)
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
