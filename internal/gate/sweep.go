package gate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/mergegate/mergegate/internal/github"
	"github.com/mergegate/mergegate/internal/pull"
	"github.com/mergegate/mergegate/internal/queue"
	"github.com/mergegate/mergegate/internal/store"
)

// retryFailed is after what time a plan that failed for good is tried again.
const retryFailed = 30 * time.Minute

// Sweep compares the open pull requests of every repository with what is recorded, and has done
// whatever is missing. It needs no webhook: it alone is enough. Each installation is swept by a job
// of its own, so that a limit or an error of one holds up no other. It is the handler of sweep jobs.
func (g *Gate) Sweep(ctx context.Context, job queue.Job) error {
	installations, err := g.App.Installations(ctx)
	if err != nil {
		return g.snoozed(err)
	}
	if job.InstallationID == 0 {
		return g.sweepAll(ctx, installations)
	}
	for _, i := range installations {
		if i.ID == job.InstallationID && !i.Suspended {
			return g.snoozed(g.sweepInstallation(ctx, i))
		}
	}
	return nil
}

// sweepAll has each installation swept, and leaves alone those that are gone or suspended.
func (g *Gate) sweepAll(ctx context.Context, installations []github.Installation) error {
	return g.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		recorded, err := tx.Installations(ctx)
		if err != nil {
			return err
		}
		for _, r := range recorded {
			ours := func(i github.Installation) bool { return i.ID == r.ID && !i.Suspended }
			if slices.ContainsFunc(installations, ours) {
				continue
			}
			if err := tx.SaveInstallation(ctx, store.Installation{ID: r.ID, Account: r.Account}); err != nil {
				return err
			}
		}
		for _, i := range installations {
			if i.Suspended {
				continue
			}
			if err := g.Jobs.Insert(ctx, tx, queue.Job{Kind: queue.Sweep, InstallationID: i.ID}); err != nil {
				return err
			}
		}
		return nil
	})
}

func (g *Gate) sweepInstallation(ctx context.Context, i github.Installation) error {
	err := g.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		return tx.SaveInstallation(ctx, store.Installation{ID: i.ID, Account: i.Account.Login, Active: true})
	})
	if err != nil {
		return err
	}
	repos, err := g.App.Installation(i.ID).Repositories(ctx)
	if err != nil {
		return err
	}
	if err := g.forgetOthers(ctx, i.ID, repos); err != nil {
		return err
	}
	var problems []error
	for _, repo := range repos {
		if err := g.sweepRepository(ctx, repo); err != nil {
			problems = append(problems, fmt.Errorf("sweep %s: %w", repo.FullName(), err))
		}
	}
	return errors.Join(problems...)
}

// forgetOthers leaves alone the repositories that are no longer part of an installation.
func (g *Gate) forgetOthers(ctx context.Context, installation int64, repos []pull.Repository) error {
	recorded, err := g.Store.Repositories(ctx, installation)
	if err != nil {
		return err
	}
	for _, r := range recorded {
		if !slices.ContainsFunc(repos, func(now pull.Repository) bool { return now.ID == r.ID }) {
			if err := g.Store.DeactivateRepository(ctx, r.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

func (g *Gate) sweepRepository(ctx context.Context, repo pull.Repository) error {
	if err := g.Store.SaveRepository(ctx, repo); err != nil {
		return err
	}
	open, err := g.client(repo).OpenPullRequests(ctx, repo)
	if err != nil {
		return err
	}
	recorded, err := g.Store.OpenPulls(ctx, repo.ID, "")
	if err != nil {
		return err
	}
	due := slices.DeleteFunc(recorded, func(p store.Pull) bool { // closed while nobody listened
		return slices.ContainsFunc(open, func(now pull.Request) bool { return now.Number == p.Number })
	})
	tips := map[string]string{}
	var problems []error
	for _, request := range open {
		ok, err := g.upToDate(ctx, request, tips)
		if err != nil {
			problems = append(problems, fmt.Errorf("pull request %d: %w", request.Number, err))
		} else if !ok {
			due = append(due, store.Pull{Request: request})
		}
	}
	if len(due) > 0 {
		g.Logger.InfoContext(ctx, "sweep found work", slog.String("repository", repo.FullName()), slog.Int("pulls", len(due)))
	}
	return errors.Join(errors.Join(problems...), g.planAll(ctx, due))
}

// upToDate says whether what is published of a pull request is of its head and of its base's tip.
func (g *Gate) upToDate(ctx context.Context, request pull.Request, tips map[string]string) (bool, error) {
	if err := g.Store.SavePull(ctx, request); err != nil {
		return false, err
	}
	known, err := g.Store.Pull(ctx, request.Repository.ID, request.Number)
	if err != nil {
		return false, err
	}
	latest, err := g.Store.LatestEvaluation(ctx, request.Repository.ID, request.Number)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	tip, err := g.tip(ctx, request, tips)
	if err != nil {
		return false, err
	}
	same := latest.HeadSHA == request.HeadSHA && latest.BaseRef == request.BaseRef && latest.BaseSHA == tip && latest.Generation == known.Generation
	if same && !g.namedRight(request.Repository, latest) {
		_, err := g.Store.BumpGeneration(ctx, request.Repository.ID, request.Number)
		return false, err
	}
	if same && latest.State == store.EvaluationFailed {
		if time.Since(latest.FinishedAt) < retryFailed {
			return true, nil // its checks say so
		}
		_, err := g.Store.BumpGeneration(ctx, request.Repository.ID, request.Number)
		return false, err
	}
	return same && latest.State == store.EvaluationPublished && !g.stale(latest), nil
}

// namedRight says whether an evaluation's checks have the names by which the repository would look for
// them: they do not when another branch has become the default one.
func (g *Gate) namedRight(repo pull.Repository, e store.Evaluation) bool {
	now := target{repo: repo, Evaluation: store.Evaluation{BaseRef: e.BaseRef}}
	return len(e.Checks) == 0 || baseInName(now) == baseInName(now.with(e))
}

// tip is the newest commit of a pull request's base branch; tips remembers them for one sweep.
func (g *Gate) tip(ctx context.Context, request pull.Request, tips map[string]string) (string, error) {
	if sha, ok := tips[request.BaseRef]; ok {
		return sha, nil
	}
	sha, err := g.client(request.Repository).BranchHead(ctx, request.Repository, request.BaseRef)
	if errors.Is(err, github.ErrNotFound) {
		sha, err = request.BaseSHA, nil // the branch is gone; what was planned last stands
	}
	if err != nil {
		return "", err
	}
	tips[request.BaseRef] = sha
	return sha, nil
}
