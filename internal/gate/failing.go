package gate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/mergegate/mergegate/internal/github"
	"github.com/mergegate/mergegate/internal/queue"
	"github.com/mergegate/mergegate/internal/report"
	"github.com/mergegate/mergegate/internal/store"
)

// lastWords is how long telling of a failure may take when the job's own time is over.
const lastWords = time.Minute

// failing handles an error of the infrastructure. The job is tried again. When it is not, because
// that was the last time or because trying is of no use, the checks and the comment end as a failure
// that names what an operator finds in the log, and never stay open. find is what failed.
func (g *Gate) failing(ctx context.Context, job queue.Job, err error, find func(context.Context) (target, error)) error {
	forbidden := errors.Is(err, github.ErrForbidden)
	switch {
	case err == nil, errors.Is(err, store.ErrLeaseLost):
		return err
	case errors.Is(err, errNotOurs), errors.Is(err, github.ErrSuspended):
		g.Logger.InfoContext(ctx, "given up until the repository is ours again", slog.Int64("repository", job.RepositoryID), slog.Any("reason", err))
		return nil // the sweep takes it up again
	case isPause(err):
		return g.snoozed(err)
	case !job.Last && !forbidden:
		return err
	case ctx.Err() != nil && !errors.Is(context.Cause(ctx), queue.ErrTimeout):
		return err // superseded, or the process stops
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWords)
	defer cancel()
	if forbidden {
		err = fmt.Errorf("%w: %w", err, queue.ErrPermanent)
	}
	t, lookup := find(ctx)
	if lookup != nil {
		g.Logger.ErrorContext(ctx, "nothing could be planned", slog.Int64("repository", job.RepositoryID), slog.Int("pull", job.Number), slog.Any("error", err))
		return errors.Join(err, lookup)
	}
	return errors.Join(err, g.fail(ctx, t, err))
}

// fail ends an evaluation as failed, as visibly as GitHub lets it.
func (g *Gate) fail(ctx context.Context, t target, cause error) error {
	reference := fmt.Sprintf("evaluation-%d", t.ID)
	g.logger(t).ErrorContext(ctx, "the plan could not be made or not be published", slog.String("reference", reference), slog.Any("error", cause))
	err := g.record(ctx, t, func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.FinishEvaluation(ctx, t.ID, store.EvaluationFailed, cause.Error())
		return err
	})
	if err != nil {
		return err
	}
	state := report.Pending{Phase: report.Failed, Head: t.HeadSHA, Base: t.BaseSHA, Reference: reference, Reason: publicReason(cause)}
	t, lookup := g.madeChecks(ctx, t)
	return errors.Join(lookup, g.updateChecks(ctx, t, state), unlessMoved(g.failureComment(ctx, t, state)))
}

// publicReason is what may be said of an error to everybody.
func publicReason(err error) string {
	var refused *github.APIError
	if !errors.Is(err, github.ErrForbidden) || !errors.As(err, &refused) {
		return ""
	}
	if refused.Permission != "" {
		return "GitHub refuses mergegate a permission that it needs: " + refused.Permission
	}
	return "GitHub refuses mergegate a permission that it needs; an administrator may have to accept the permissions that the App asks for"
}

// isPause says whether an error only asks to wait.
func isPause(err error) bool {
	var limited *github.RateLimited
	var snooze *queue.SnoozeError
	return errors.As(err, &limited) || errors.As(err, &snooze)
}

// snoozed turns a rate limit into a pause of the job.
func (g *Gate) snoozed(err error) error {
	var limited *github.RateLimited
	if errors.As(err, &limited) {
		return &queue.SnoozeError{After: max(time.Until(limited.Until), time.Second)}
	}
	return err
}

// unlessMoved is the error, or nil when it says that the effect has no object any more.
func unlessMoved(err error) error {
	if errors.Is(err, errMoved) {
		return nil
	}
	return err
}

// calmly runs fn; a panic in it is its error, so that it ends like one for those who wait.
func (g *Gate) calmly(ctx context.Context, fn func() error) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			g.Logger.ErrorContext(ctx, "planning panicked", slog.Any("panic", cause), slog.String("stack", string(debug.Stack())))
			err = fmt.Errorf("panic: %v", cause)
		}
	}()
	return fn()
}
