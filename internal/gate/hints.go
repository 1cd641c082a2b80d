package gate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/mergegate/mergegate/internal/audit"
	"github.com/mergegate/mergegate/internal/command"
	"github.com/mergegate/mergegate/internal/github"
	"github.com/mergegate/mergegate/internal/pull"
	"github.com/mergegate/mergegate/internal/queue"
	"github.com/mergegate/mergegate/internal/store"
)

// Receive keeps a delivery and the job that looks at it, in one transaction. It is done when they
// are on disk. A delivery that is known already is kept once, and is not fresh.
func (g *Gate) Receive(ctx context.Context, d store.Delivery) (fresh bool, err error) {
	return g.Store.SaveDelivery(ctx, d, func(ctx context.Context, tx *store.Tx) error {
		return g.Jobs.Insert(ctx, tx, queue.Job{Kind: queue.Delivery, GUID: d.GUID})
	})
}

// Hear turns a delivery into what is to be done. What it says is a hint to look, never the state
// itself. It is the handler of delivery jobs.
func (g *Gate) Hear(ctx context.Context, job queue.Job) error {
	delivery, err := g.Store.Delivery(ctx, job.GUID)
	if err != nil {
		return err
	}
	event, err := github.Parse(delivery.Event, delivery.Body)
	var strange *github.PayloadError
	switch {
	case errors.Is(err, github.ErrIgnored):
		return g.Store.FinishDelivery(ctx, job.GUID, store.Ignored, err.Error())
	case errors.As(err, &strange):
		g.Logger.ErrorContext(ctx, "delivery not understood, kept", slog.String("delivery", job.GUID), slog.String("event", delivery.Event), slog.Any("error", err))
		return g.Store.FinishDelivery(ctx, job.GUID, store.Failed, err.Error())
	case err != nil:
		return err
	}
	err = g.snoozed(g.hear(ctx, event, job))
	switch {
	case errors.Is(err, github.ErrSuspended):
		return g.Store.FinishDelivery(ctx, job.GUID, store.Ignored, err.Error())
	case err != nil && !isPause(err) && (job.Last || errors.Is(err, github.ErrForbidden)):
		return errors.Join(fmt.Errorf("%w: %w", err, queue.ErrPermanent), g.Store.FinishDelivery(ctx, job.GUID, store.Failed, err.Error()))
	case err != nil:
		return err
	}
	return g.Store.FinishDelivery(ctx, job.GUID, store.Processed, "")
}

func (g *Gate) hear(ctx context.Context, event github.Event, job queue.Job) error {
	switch e := event.(type) {
	case *github.PullRequestEvent:
		return g.heardPull(ctx, e, job)
	case *github.PushEvent:
		return g.heardPush(ctx, e, job.GUID)
	case *github.CheckRunEvent:
		return g.heardCheckRun(ctx, e, job.GUID)
	case *github.CheckSuiteEvent:
		return g.again(ctx, e.Repository, e.HeadSHA, cause{guid: job.GUID})
	case *github.CommentEvent:
		return g.heardComment(ctx, e)
	case *github.InstallationEvent:
		return g.heardInstallation(ctx, e)
	case *github.RepositoriesEvent:
		return g.heardRepositories(ctx, e)
	case *github.MergeGroupEvent:
		return g.heardGroup(ctx, e)
	}
	return nil
}

// known makes sure that a repository that an event names is recorded.
func (g *Gate) known(ctx context.Context, named pull.Repository) (repo pull.Repository, ok bool, err error) {
	if named.InstallationID == 0 {
		return named, false, nil
	}
	repo, active, err := g.Store.Repository(ctx, named.ID)
	if err == nil && active && repo.InstallationID == named.InstallationID && repo.FullName() == named.FullName() {
		return repo, true, nil
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return named, false, err
	}
	found, err := g.client(named).Repository(ctx, named)
	if errors.Is(err, github.ErrNotFound) {
		return named, false, nil
	}
	if err != nil {
		return named, false, err
	}
	return found, true, g.Store.SaveRepository(ctx, found)
}

// heardPull asks for a plan, ends one of an older head that runs, and shows the checks as queued
// before the plan has its turn.
func (g *Gate) heardPull(ctx context.Context, e *github.PullRequestEvent, delivery queue.Job) error {
	repo, ok, err := g.known(ctx, e.Request.Repository)
	if err != nil || !ok {
		return err
	}
	request := e.Request
	request.Repository = repo
	job := queue.Job{Kind: queue.Plan, RepositoryID: repo.ID, Number: request.Number}
	err = g.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		if err := g.Jobs.Insert(ctx, tx, job); err != nil {
			return err
		}
		if e.Action == github.Synchronize || e.Action == github.ClosedAction || e.BaseChanged() {
			return g.Jobs.Supersede(ctx, tx, job)
		}
		return nil
	})
	if err != nil || request.State != pull.Open {
		return err
	}
	return g.announceEarly(ctx, request, delivery)
}

// announceEarly shows the checks as queued, if the pull request still is as the hint says. It is
// for people who wait only: the job that plans does it too, so an error is no reason to try again.
func (g *Gate) announceEarly(ctx context.Context, hinted pull.Request, delivery queue.Job) error {
	now, err := g.client(hinted.Repository).PullRequest(ctx, hinted.Repository, hinted.Number)
	if err == nil && now.HeadSHA == hinted.HeadSHA && now.State == pull.Open {
		if err = g.Store.SavePull(ctx, now); err == nil {
			_, _, err = g.announce(ctx, target{repo: now.Repository, job: delivery}, now)
		}
	}
	if err != nil && ctx.Err() == nil {
		g.Logger.InfoContext(ctx, "checks were not announced early", slog.String("repository", hinted.Repository.FullName()),
			slog.Int("pull", hinted.Number), slog.Any("error", err))
	}
	return nil
}

// heardPush has the open pull requests into the branch planned on its new tip, and records the push.
func (g *Gate) heardPush(ctx context.Context, e *github.PushEvent, guid string) error {
	repo, ok, err := g.known(ctx, e.Repository)
	if err != nil || !ok || e.Branch() == "" {
		return err
	}
	push := store.Push{GUID: guid, RepositoryID: repo.ID, Ref: e.Ref, Before: e.Before, After: e.After}
	if _, err := g.Store.SavePush(ctx, push); err != nil {
		return err
	}
	if e.Deleted {
		return nil
	}
	pulls, err := g.Store.OpenPulls(ctx, repo.ID, e.Branch())
	if err != nil {
		return err
	}
	return g.planAll(ctx, pulls)
}

func (g *Gate) planAll(ctx context.Context, pulls []store.Pull) error {
	return g.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		for _, p := range pulls {
			if err := g.Jobs.Insert(ctx, tx, queue.Job{Kind: queue.Plan, RepositoryID: p.Repository.ID, Number: p.Number}); err != nil {
				return err
			}
		}
		return nil
	})
}

// heardCheckRun plans again what a check run is about. GitHub lets only those with write access
// press "Re-run"; who presses one of our own buttons is for us to check.
func (g *Gate) heardCheckRun(ctx context.Context, e *github.CheckRunEvent, guid string) error {
	repo, ok, err := g.known(ctx, e.Repository)
	if err != nil || !ok {
		return err
	}
	if e.Action != github.RequestedAction {
		return g.again(ctx, repo, e.Run.HeadSHA, cause{guid: guid})
	}
	permission, err := g.client(repo).Permission(ctx, repo, e.Sender)
	if err != nil {
		return err
	}
	pressed := &asking{
		audit.Event{Actor: person(e.Sender), Action: auditButton, Subject: subject(repo.ID, 0, e.Run.HeadSHA)},
		asked{Login: e.Sender.Login, Button: e.Identifier, CheckRun: e.Run.ID, Permission: string(permission.Level)},
	}
	if e.Identifier != "plan" || e.Sender.Bot || !permission.Level.Includes(github.LevelWrite) {
		g.Logger.InfoContext(ctx, "button denied", slog.String("user", e.Sender.Login), slog.String("button", e.Identifier))
		return g.deny(ctx, guid, pressed)
	}
	return g.again(ctx, repo, e.Run.HeadSHA, cause{guid, pressed})
}

// deny records, once, that somebody may not press a button.
func (g *Gate) deny(ctx context.Context, guid string, pressed *asking) error {
	return g.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		key := "denied/" + guid
		if _, fresh, err := tx.Intend(ctx, key, nil); err != nil || !fresh {
			return err
		}
		pressed.Action = auditNoButton
		if err := witness(ctx, tx, pressed.Event, pressed.detail); err != nil {
			return err
		}
		return tx.Done(ctx, key, "")
	})
}

// cause is why something is planned again: a delivery, in which somebody may have asked for it.
type cause struct {
	guid string
	by   *asking
}

// again plans anew what has a commit as its head: pull requests, or a merge group.
func (g *Gate) again(ctx context.Context, named pull.Repository, sha string, why cause) error {
	repo, ok, err := g.known(ctx, named)
	if err != nil || !ok {
		return err
	}
	pulls, err := g.Store.PullsByHead(ctx, repo.ID, sha)
	if err != nil {
		return err
	}
	for _, p := range pulls {
		by := why.by
		if by != nil {
			of := *by
			of.Subject, by = subject(repo.ID, p.Number, sha), &of
		}
		if err := g.planAgain(ctx, repo, p.Number, "delivery/"+why.guid, by); err != nil {
			return err
		}
	}
	latest, err := g.Store.LatestEvaluationOf(ctx, repo.ID, sha)
	if errors.Is(err, store.ErrNotFound) || err == nil && latest.Number != 0 {
		return nil
	}
	if err != nil {
		return err
	}
	return g.groupAgain(ctx, latest, why)
}

// heardComment has the commands of a new comment of a human done.
func (g *Gate) heardComment(ctx context.Context, e *github.CommentEvent) error {
	if e.Sender.Bot || e.Comment.AppID != 0 || e.Sender.ID != e.Comment.Author.ID {
		return nil
	}
	if commands, problems := command.Parse(e.Comment.Body); len(commands)+len(problems) == 0 {
		return nil
	}
	repo, ok, err := g.known(ctx, e.Repository)
	if err != nil || !ok {
		return err
	}
	if err := g.remember(ctx, repo, e.Number); err != nil {
		if errors.Is(err, github.ErrNotFound) {
			return nil // gone meanwhile
		}
		return err
	}
	job := queue.Job{Kind: queue.Command, RepositoryID: repo.ID, Number: e.Number, CommentID: e.Comment.ID}
	return g.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		if _, _, err := tx.Intend(ctx, commandKey(job), words(e.Comment.Body)); err != nil {
			return err
		}
		return g.Jobs.Insert(ctx, tx, job)
	})
}

// remember makes sure that there is a record of a pull request.
func (g *Gate) remember(ctx context.Context, repo pull.Repository, number int) error {
	_, err := g.Store.Pull(ctx, repo.ID, number)
	if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	request, err := g.client(repo).PullRequest(ctx, repo, number)
	if err != nil {
		return err
	}
	return g.Store.SavePull(ctx, request)
}

// heardInstallation records where the App is installed, and has everything there looked at.
func (g *Gate) heardInstallation(ctx context.Context, e *github.InstallationEvent) error {
	gone := e.Action == github.Deleted || e.Action == github.Suspend
	if gone || e.Action == github.NewPermissions {
		g.App.Forget(e.Installation.ID) // tokens with what it may no longer do, or could not do yet
	}
	return g.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		i := store.Installation{ID: e.Installation.ID, Account: e.Installation.Account.Login, Active: !gone}
		if err := tx.SaveInstallation(ctx, i); err != nil || gone {
			return err
		}
		return g.Jobs.Insert(ctx, tx, queue.Job{Kind: queue.Sweep, InstallationID: i.ID})
	})
}

func (g *Gate) heardRepositories(ctx context.Context, e *github.RepositoriesEvent) error {
	return g.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		for _, r := range e.Removed {
			if err := tx.DeactivateRepository(ctx, r.ID); err != nil {
				return err
			}
		}
		return g.Jobs.Insert(ctx, tx, queue.Job{Kind: queue.Sweep, InstallationID: e.Installation.ID})
	})
}

func (g *Gate) heardGroup(ctx context.Context, e *github.MergeGroupEvent) error {
	repo, ok, err := g.known(ctx, e.Repository)
	if err != nil || !ok {
		return err
	}
	return g.Store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		return g.Jobs.Insert(ctx, tx, queue.Job{Kind: queue.Group, RepositoryID: repo.ID, HeadSHA: e.HeadSHA, BaseSHA: e.BaseSHA, BaseRef: e.BaseRef})
	})
}
