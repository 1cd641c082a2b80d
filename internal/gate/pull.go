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
	t := target{repo: repo, job: job, Evaluation: store.Evaluation{RepositoryID: repo.ID, Number: job.Number}}
	err = g.calmly(ctx, func() error {
		for range rounds {
			settled, err := g.planOnce(ctx, t)
			if settled && err == nil || unlessMoved(err) != nil {
				return err
			}
		}
		return errChanging
	})
	return g.failing(ctx, job, err, func(ctx context.Context) (target, error) {
		latest, err := g.Store.LatestEvaluation(ctx, repo.ID, job.Number)
		return t.with(latest), err
	})
}

// planOnce is the story of one plan. It is settled when what is published belongs to the pull
// request as it is.
func (g *Gate) planOnce(ctx context.Context, t target) (settled bool, err error) {
	request, err := g.look(ctx, t)
	if err != nil || request.State != pull.Open {
		return err == nil, err
	}
	t.repo = request.Repository
	last, announced, err := g.announce(ctx, t, request)
	if errors.Is(err, errHistory) {
		return false, g.renew(ctx, t)
	}
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
	t, err = g.evaluation(ctx, announced, base)
	if err != nil {
		return false, err
	}
	if t.ID < max(last.ID, announced.ID) { // the base went back to an earlier commit
		return false, g.renew(ctx, t)
	}
	if err := g.supersede(ctx, t, request.HeadSHA); err != nil {
		return false, err
	}
	if t.State == store.EvaluationPublished {
		if changed, err := g.lookAgain(ctx, t, mirror, request); changed || err != nil {
			return false, err
		}
		return true, g.publishComment(ctx, t)
	}
	p, err := g.planned(ctx, t, mirror, request, gone)
	if err != nil {
		return false, err
	}
	return true, g.publish(ctx, t, p, last)
}

// look reads a pull request as it is now and records it. One that is not open needs no plan: what
// runs for it is ended.
func (g *Gate) look(ctx context.Context, t target) (pull.Request, error) {
	request, err := g.client(t.repo).PullRequest(ctx, t.repo, t.Number)
	if errors.Is(err, github.ErrNotFound) {
		return pull.Request{}, g.supersede(ctx, t, "")
	}
	if err != nil {
		return request, err
	}
	if err := g.Store.SavePull(ctx, request); err != nil {
		return request, err
	}
	last, err := g.Store.LatestEvaluation(ctx, t.RepositoryID, t.Number)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return request, err
	}
	if last.ID != 0 && (request.State != pull.Open || last.HeadSHA != request.HeadSHA || last.BaseRef != request.BaseRef) {
		if err := g.releaseTwins(ctx, t.with(last)); err != nil {
			return request, err
		}
	}
	if request.State != pull.Open {
		return request, g.supersede(ctx, t, "")
	}
	return request, nil
}

// errHistory says that the evaluation of the pull request as it is now has ended already, and that
// there were others after it, or that it did not come to its end: the head was pushed back to where
// it was, the pull request was reopened or retargeted twice, or GitHub failed us.
var errHistory = errors.New("there is an evaluation of this from earlier")

// renew has a pull request evaluated anew, on check runs of its own. So what is shown always is of
// the youngest evaluation, and an evaluation that has ended stays as it is.
func (g *Gate) renew(ctx context.Context, t target) error {
	return g.record(ctx, t, func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.BumpGeneration(ctx, t.RepositoryID, t.Number)
		return err
	})
}

// announce records that a pull request, as it is now, is to be evaluated, and shows it as queued at
// GitHub. When the same head was evaluated already, only on another base, nothing is shown: whether
// there is anything to show is only known afterwards; last is then that evaluation.
func (g *Gate) announce(ctx context.Context, t target, request pull.Request) (last store.Evaluation, _ target, err error) {
	known, err := g.Store.Pull(ctx, request.Repository.ID, request.Number)
	if err != nil {
		return last, t, err
	}
	last, err = g.Store.LatestEvaluation(ctx, request.Repository.ID, request.Number)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return last, t, err
	}
	t = t.with(store.Evaluation{
		RepositoryID: request.Repository.ID, Number: request.Number, HeadSHA: request.HeadSHA,
		BaseRef: request.BaseRef, BaseSHA: request.BaseSHA, Generation: known.Generation,
	})
	switch {
	case !sameHead(last, t.Evaluation):
		if t, err = g.ensure(ctx, t, nil); err != nil {
			return last, t, err
		}
		if t.ID < last.ID {
			return last, t, errHistory
		}
	case last.State == store.EvaluationPublished:
		return last, t, nil
	case last.State == store.EvaluationFailed, last.State == store.EvaluationSuperseded:
		return last, t, errHistory
	default:
		t.Evaluation = last
	}
	t, err = g.exclusively(ctx, t, func(ctx context.Context, t target) (target, error) {
		return g.ensureChecks(ctx, t, report.Pending{Phase: report.Queued, Head: t.HeadSHA, Base: t.BaseSHA})
	})
	return store.Evaluation{}, t, err
}

// sameHead says whether two evaluations differ in nothing but the base commit.
func sameHead(a, b store.Evaluation) bool {
	return a.HeadSHA == b.HeadSHA && a.BaseRef == b.BaseRef && a.Generation == b.Generation && a.Number == b.Number
}

// ensure records an evaluation where it is missing; a new one, or one that has none, gets checks.
func (g *Gate) ensure(ctx context.Context, t target, checks map[string]int64) (target, error) {
	err := g.record(ctx, t, func(ctx context.Context, tx *store.Tx) error {
		e, _, err := tx.EnsureEvaluation(ctx, t.Evaluation)
		if err == nil && len(checks) > 0 && len(e.Checks) == 0 {
			e, err = tx.SetChecks(ctx, e.ID, checks)
		}
		if err == nil {
			t.Evaluation = e
		}
		return err
	})
	return t, err
}

// announceLease is how long making two check runs may take.
const announceLease = 30 * time.Second

// exclusively runs fn while nobody else announces or takes over the checks of the pull request: the
// hint that came in does it at once, the job that plans does it when it comes first. fn ends before
// the lease does.
func (g *Gate) exclusively(ctx context.Context, t target, fn func(context.Context, target) (target, error)) (target, error) {
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
	inTime, cancel := context.WithTimeout(ctx, announceLease*4/5)
	defer cancel()
	return fn(inTime, t)
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
	if announced.ID != 0 && announced.BaseSHA == base {
		return announced, nil
	}
	return g.ensure(ctx, announced.with(store.Evaluation{
		RepositoryID: announced.RepositoryID, Number: announced.Number, HeadSHA: announced.HeadSHA,
		BaseRef: announced.BaseRef, BaseSHA: base, Generation: announced.Generation,
	}), announced.Checks)
}

// supersede ends every other unfinished evaluation of the pull request, and its checks with it.
func (g *Gate) supersede(ctx context.Context, t target, newHead string) error {
	others, err := g.Store.UnfinishedEvaluationsOf(ctx, t.RepositoryID, t.Number)
	if err != nil {
		return err
	}
	for _, other := range others {
		if other.ID == t.ID || len(other.Checks) > 0 && maps.Equal(other.Checks, t.Checks) {
			continue // its checks live on
		}
		old, err := g.madeChecks(ctx, t.with(other))
		if err == nil {
			state := report.Pending{Phase: report.Superseded, Head: other.HeadSHA, Base: other.BaseSHA, NewHead: newHead}
			err = g.updateChecks(ctx, old, state)
		}
		if err != nil && !errors.Is(err, github.ErrNotFound) {
			return err
		}
	}
	return g.record(ctx, t, func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.SupersedeEvaluations(ctx, t.Evaluation, "superseded")
		return err
	})
}

// planned is the evaluation's plan: the one that is stored when there is one, else a new one, which
// is then stored.
func (g *Gate) planned(ctx context.Context, t target, mirror *source.Mirror, request pull.Request, gone error) (plan.Plan, error) {
	if t.State == store.EvaluationPlanned {
		return g.storedPlan(ctx, t.ID)
	}
	if err := g.start(ctx, t); err != nil {
		return plan.Plan{}, err
	}
	state := report.Pending{Phase: report.InProgress, Head: t.HeadSHA, Base: t.BaseSHA}
	if err := g.updateChecks(ctx, t, state); err != nil {
		return plan.Plan{}, err
	}
	if gone != nil {
		return g.keep(ctx, t, plan.Plan{}, &pipeline.InputError{Err: fmt.Errorf("fetch what the pull request is about: %w", gone)})
	}
	p, err := g.Engine.Plan(ctx, pipeline.Change{Repository: mirror.Repository, Base: t.BaseSHA, Head: t.HeadSHA, Pull: &request})
	return g.keep(ctx, t, p, err)
}

func (g *Gate) start(ctx context.Context, t target) error {
	return g.record(ctx, t, func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.StartEvaluation(ctx, t.ID)
		return err
	})
}

// keep stores a plan, or the plan that says why there can be none.
func (g *Gate) keep(ctx context.Context, t target, p plan.Plan, err error) (plan.Plan, error) {
	var bad *pipeline.InputError
	if errors.As(err, &bad) {
		p, err = impossible(t, bad), nil
	}
	if err != nil {
		return plan.Plan{}, err
	}
	data, err := json.Marshal(p)
	if err != nil {
		return p, fmt.Errorf("store plan: %w", err)
	}
	return p, g.record(ctx, t, func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.PlanEvaluation(ctx, t.ID, store.Result{Digest: p.Digest, Verdict: string(p.Verdict), Plan: data, Live: liveOf(p)})
		return err
	})
}

// impossible is the plan of a change for which there can be none, which says why.
func impossible(t target, reason error) plan.Plan {
	return verdict.Decide(plan.Plan{
		SchemaVersion: plan.SchemaVersion, Base: t.BaseSHA, Head: t.HeadSHA,
		Applications: []plan.Application{{
			Name: "(repository)", Path: ".", Status: plan.StatusError, Error: reason.Error(),
			Changes: []plan.Change{}, Findings: []plan.Finding{},
		}},
		Summary: plan.Summary{Affected: 1},
	}, verdict.Rules{})
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
func (g *Gate) publish(ctx context.Context, t target, p plan.Plan, last store.Evaluation) error {
	if err := g.may(ctx, t); err != nil {
		return err
	}
	if last.ID != 0 && last.Digest == p.Digest && last.Verdict == string(p.Verdict) && last.Live.Fingerprint == p.LiveFingerprint() {
		return g.finish(ctx, t, p, cmp.Or(last.ShownBy, last.ID))
	}
	t, err := g.ensureChecks(ctx, t, report.Pending{Phase: report.InProgress, Head: t.HeadSHA, Base: t.BaseSHA})
	if err != nil {
		return err
	}
	blocking, err := g.blockingTwins(ctx, t)
	if err != nil {
		return err
	}
	if err := g.completeChecks(ctx, t, withTwins(report.CheckRuns(p, g.checkOptions(t)), blocking)); err != nil {
		return err
	}
	if err := g.publishComment(ctx, t); err != nil {
		return err
	}
	return g.finish(ctx, t, p, 0)
}
