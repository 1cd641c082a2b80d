package gate

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"time"

	"github.com/mergegate/mergegate/internal/github"
	"github.com/mergegate/mergegate/internal/pipeline"
	"github.com/mergegate/mergegate/internal/plan"
	"github.com/mergegate/mergegate/internal/pull"
	"github.com/mergegate/mergegate/internal/queue"
	"github.com/mergegate/mergegate/internal/report"
	"github.com/mergegate/mergegate/internal/source"
	"github.com/mergegate/mergegate/internal/store"
	"github.com/mergegate/mergegate/internal/verdict"
)

// rounds is how often a pull request may change while it is planned before the job gives way to
// others: it is retried.
const rounds = 5

var errChanging = errors.New("the pull request keeps changing while it is planned")

// PlanPull brings what GitHub shows of a pull request up to what it is now: it is planned as it is
// when the job runs, whatever the job was made for. It is the handler of plan jobs.
func (g *Gate) PlanPull(ctx context.Context, job queue.Job) error {
	repo, ok, err := g.repository(ctx, job.RepositoryID)
	if err != nil || !ok {
		return err
	}
	for range rounds {
		settled, err := g.planOnce(ctx, repo, job)
		if err != nil {
			return g.failing(ctx, repo, job, err)
		}
		if settled {
			return nil
		}
	}
	return errChanging
}

// planOnce is the story of one plan. It is settled when what is published belongs to the pull
// request as it is.
func (g *Gate) planOnce(ctx context.Context, repo pull.Repository, job queue.Job) (settled bool, err error) {
	request, err := g.client(repo).PullRequest(ctx, repo, job.Number)
	if errors.Is(err, github.ErrNotFound) {
		return true, g.supersede(ctx, target{store.Evaluation{RepositoryID: repo.ID, Number: job.Number}, repo}, "")
	}
	if err != nil {
		return false, err
	}
	if err := g.Store.SavePull(ctx, request); err != nil {
		return false, err
	}
	if request.State != pull.Open {
		return true, g.supersede(ctx, target{store.Evaluation{RepositoryID: repo.ID, Number: job.Number}, repo}, "")
	}
	last, announced, err := g.announce(ctx, request)
	if err != nil {
		return false, err
	}
	mirror, base, gone, err := g.bring(ctx, request)
	if err != nil {
		return false, err
	}
	if mirror != nil {
		defer mirror.Close() //nolint:errcheck // it was only read
	}
	t, err := g.evaluation(ctx, announced, base)
	if err != nil {
		return false, err
	}
	if err := g.supersede(ctx, t, request.HeadSHA); err != nil {
		return false, err
	}
	if t.State == store.EvaluationPublished {
		return g.stand(ctx, t, last)
	}
	p, err := g.planned(ctx, t, mirror, request, gone)
	if err != nil {
		return false, err
	}
	return g.publish(ctx, t, p, last)
}

// stand leaves what is published as it is, but for a base that went back to an earlier commit: what
// was published since is of another base.
func (g *Gate) stand(ctx context.Context, t target, last store.Evaluation) (settled bool, err error) {
	if last.ID > t.ID && last.Digest != t.Digest {
		_, err := g.Store.BumpGeneration(ctx, t.RepositoryID, t.Number)
		return false, err
	}
	return true, g.publishComment(ctx, t)
}

// announce records that a pull request, as it is now, is to be evaluated, and shows it as queued at
// GitHub. When the same head was evaluated already, only on another base, nothing is shown: whether
// there is anything to show is only known afterwards; last is then that evaluation.
func (g *Gate) announce(ctx context.Context, request pull.Request) (last store.Evaluation, t target, err error) {
	known, err := g.Store.Pull(ctx, request.Repository.ID, request.Number)
	if err != nil {
		return last, t, err
	}
	last, err = g.Store.LatestEvaluation(ctx, request.Repository.ID, request.Number)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return last, t, err
	}
	t = target{repo: request.Repository, Evaluation: store.Evaluation{
		RepositoryID: request.Repository.ID, Number: request.Number, HeadSHA: request.HeadSHA,
		BaseRef: request.BaseRef, BaseSHA: request.BaseSHA, Generation: known.Generation,
	}}
	if sameHead(last, t.Evaluation) {
		if last.State == store.EvaluationPublished {
			return last, t, nil
		}
		t.Evaluation = last
	} else if t, err = g.ensure(ctx, t); err != nil {
		return last, t, err
	}
	t, err = g.exclusively(ctx, t, func(t target) (target, error) {
		return g.ensureChecks(ctx, t, report.Pending{Phase: report.Queued, Head: t.HeadSHA, Base: t.BaseSHA})
	})
	return store.Evaluation{}, t, err
}

// sameHead says whether two evaluations differ in nothing but the base commit.
func sameHead(a, b store.Evaluation) bool {
	return a.HeadSHA == b.HeadSHA && a.BaseRef == b.BaseRef && a.Generation == b.Generation && a.Number == b.Number
}

func (g *Gate) ensure(ctx context.Context, t target) (target, error) {
	err := g.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		var err error
		t.Evaluation, _, err = tx.EnsureEvaluation(ctx, t.Evaluation)
		return err
	})
	return t, err
}

// announceLease is how long making two check runs may take.
const announceLease = 30 * time.Second

// exclusively runs fn while nobody else announces or takes over the checks of the pull request: the
// hint that came in does it at once, the job that plans does it when it comes first.
func (g *Gate) exclusively(ctx context.Context, t target, fn func(target) (target, error)) (target, error) {
	key := fmt.Sprintf("announce/%d/%d/%s", t.RepositoryID, t.Number, t.HeadSHA)
	lease, ok, err := g.Store.Acquire(ctx, key, t.Token, announceLease)
	if err != nil {
		return t, err
	}
	if !ok {
		return t, &queue.SnoozeError{After: time.Second}
	}
	defer func() {
		if err := g.Store.Release(context.WithoutCancel(ctx), lease); err != nil {
			g.Logger.WarnContext(ctx, "lease was not released", slog.String("key", key), slog.Any("error", err))
		}
	}()
	return fn(t)
}

// bring fetches base and head. gone says why the head cannot be had: nobody serves it any more.
func (g *Gate) bring(ctx context.Context, request pull.Request) (mirror *source.Mirror, base string, gone, err error) {
	wanted := []source.Wanted{{Ref: "refs/heads/" + request.BaseRef}, {Ref: request.Ref(), SHA: request.HeadSHA}}
	mirror, shas, err := g.fetch(ctx, request.Repository, wanted...)
	if errors.Is(err, source.ErrGone) {
		return nil, request.BaseSHA, err, nil
	}
	if err != nil {
		return nil, "", nil, err
	}
	return mirror, shas[0], nil, nil
}

// evaluation is the evaluation on the base as it was fetched. It takes over the checks that were
// announced before the base was known.
func (g *Gate) evaluation(ctx context.Context, announced target, base string) (target, error) {
	t := announced
	if announced.ID != 0 && announced.BaseSHA == base {
		return t, nil
	}
	t.Evaluation = store.Evaluation{
		RepositoryID: announced.RepositoryID, Number: announced.Number, HeadSHA: announced.HeadSHA,
		BaseRef: announced.BaseRef, BaseSHA: base, Generation: announced.Generation,
	}
	t, err := g.ensure(ctx, t)
	if err != nil || len(announced.Checks) == 0 || len(t.Checks) > 0 {
		return t, err
	}
	t.Evaluation, err = g.Store.SetChecks(ctx, t.ID, announced.Checks)
	return t, err
}

// supersede ends every other unfinished evaluation of the pull request, and its checks with it.
func (g *Gate) supersede(ctx context.Context, t target, newHead string) error {
	others, err := g.Store.UnfinishedEvaluationsOf(ctx, t.RepositoryID, t.Number)
	if err != nil {
		return err
	}
	for _, other := range others {
		if other.ID == t.ID || maps.Equal(other.Checks, t.Checks) {
			continue // its checks live on
		}
		state := report.Pending{Phase: report.Superseded, Head: other.HeadSHA, Base: other.BaseSHA, NewHead: newHead}
		if err := g.updateChecks(ctx, target{other, t.repo}, state); err != nil && !errors.Is(err, github.ErrNotFound) {
			return err
		}
	}
	_, err = g.Store.SupersedeEvaluations(ctx, t.Evaluation, "superseded")
	return err
}

// planned is the evaluation's plan: the one that is stored when there is one, else a new one, which
// is then stored.
func (g *Gate) planned(ctx context.Context, t target, mirror *source.Mirror, request pull.Request, gone error) (plan.Plan, error) {
	if t.State == store.EvaluationPlanned {
		return g.storedPlan(ctx, t.ID)
	}
	if _, err := g.Store.StartEvaluation(ctx, t.ID); err != nil {
		return plan.Plan{}, err
	}
	state := report.Pending{Phase: report.InProgress, Head: t.HeadSHA, Base: t.BaseSHA}
	if err := g.updateChecks(ctx, t, state); err != nil {
		return plan.Plan{}, err
	}
	var p plan.Plan
	err := gone
	if err == nil {
		p, err = g.Engine.Plan(ctx, pipeline.Change{Repository: mirror.Repository, Base: t.BaseSHA, Head: t.HeadSHA, Pull: &request})
	} else {
		err = &pipeline.InputError{Err: fmt.Errorf("fetch the head of the pull request: %w", gone)}
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

// impossible is the plan of a change for which there can be none, which says why.
func (g *Gate) impossible(t target, reason error) plan.Plan {
	return verdict.Decide(plan.Plan{
		SchemaVersion: plan.SchemaVersion, Base: t.BaseSHA, Head: t.HeadSHA,
		Applications: []plan.Application{{
			Name: "(repository)", Path: ".", Status: plan.StatusError, Error: reason.Error(),
			Changes: []plan.Change{}, Findings: []plan.Finding{},
		}},
		Summary: plan.Summary{Affected: 1},
	}, verdict.Rules{})
}

func (g *Gate) storePlan(ctx context.Context, t target, p plan.Plan) error {
	data, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("store plan: %w", err)
	}
	_, err = g.Store.PlanEvaluation(ctx, t.ID, store.Result{Digest: p.Digest, Verdict: string(p.Verdict), Plan: data})
	return err
}

func (g *Gate) storedPlan(ctx context.Context, evaluation int64) (plan.Plan, error) {
	var p plan.Plan
	data, err := g.Store.Plan(ctx, evaluation)
	if err != nil {
		return p, err
	}
	if err := json.Unmarshal(data, &p); err != nil {
		return p, fmt.Errorf("read stored plan: %w", err)
	}
	return p, nil
}

// publish shows a plan at GitHub, unless the pull request has changed meanwhile. last is the
// evaluation of the same head on an earlier base: when it gave the same plan, its checks stand.
func (g *Gate) publish(ctx context.Context, t target, p plan.Plan, last store.Evaluation) (settled bool, err error) {
	now, err := g.client(t.repo).PullRequest(ctx, t.repo, t.Number)
	if err != nil {
		return false, err
	}
	if now.HeadSHA != t.HeadSHA || now.BaseRef != t.BaseRef || now.State != pull.Open {
		return false, nil // the next round ends this evaluation
	}
	if last.ID != 0 && last.Digest == p.Digest && last.Verdict == string(p.Verdict) {
		_, err := g.Store.ShowBy(ctx, t.ID, cmp.Or(last.ShownBy, last.ID))
		return err == nil, err
	}
	t, err = g.ensureChecks(ctx, t, report.Pending{Phase: report.InProgress, Head: t.HeadSHA, Base: t.BaseSHA})
	if err != nil {
		return false, err
	}
	if err := g.completeChecks(ctx, t, p); err != nil {
		return false, err
	}
	if err := g.publishComment(ctx, t); err != nil {
		return false, err
	}
	_, err = g.Store.FinishEvaluation(ctx, t.ID, store.EvaluationPublished, "")
	return err == nil, err
}

func waitFor(limited *github.RateLimited) time.Duration {
	return max(time.Until(limited.Until), time.Second)
}

// failing handles an error of the infrastructure. The job is tried again; when it is not, the
// checks end as a failure that names what an operator finds in the log, and never stay open.
func (g *Gate) failing(ctx context.Context, repo pull.Repository, job queue.Job, err error) error {
	var limited *github.RateLimited
	if errors.As(err, &limited) {
		return &queue.SnoozeError{After: waitFor(limited)}
	}
	if !job.Last || ctx.Err() != nil {
		return err
	}
	latest, lookup := g.Store.LatestEvaluation(ctx, repo.ID, job.Number)
	if lookup != nil {
		return errors.Join(err, lookup)
	}
	reference := fmt.Sprintf("evaluation-%d", latest.ID)
	g.Logger.ErrorContext(ctx, "pull request could not be planned", slog.String("reference", reference),
		slog.String("repository", repo.FullName()), slog.Int("pull", job.Number), slog.Any("error", err))
	t := target{latest, repo}
	state := report.Pending{Phase: report.Failed, Head: latest.HeadSHA, Base: latest.BaseSHA, Reference: reference}
	_, finish := g.Store.FinishEvaluation(ctx, latest.ID, store.EvaluationFailed, err.Error())
	return errors.Join(err, g.updateChecks(ctx, t, state), g.failureComment(ctx, t, state), finish)
}
