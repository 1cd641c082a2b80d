package gate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mergegate/mergegate/internal/plan"
	"github.com/mergegate/mergegate/internal/queue"
	"github.com/mergegate/mergegate/internal/report"
	"github.com/mergegate/mergegate/internal/store"
)

// Twins are open pull requests that propose the same commit to the same branch. A check belongs to a
// commit and a name, so theirs are the same checks, of which GitHub shows the youngest; and policies
// see the pull request too, so their verdicts can differ. The rule is: each twin publishes only when
// all of them have a plan, and passes only when all of them do. So it does not matter whose check is
// the youngest.

// twinWait is after what time a plan that waits for its twins is looked at again.
const twinWait = 3 * time.Second

// blockers are twins that do not pass.
type blockers struct {
	numbers []int
	broken  bool // one of them could not be planned
}

// blockingTwins are the twins that do not pass. While one of them has no plan yet, it is a
// queue.SnoozeError.
func (g *Gate) blockingTwins(ctx context.Context, t target) (blocking blockers, err error) {
	twins, err := g.twins(ctx, t.Evaluation)
	if err != nil {
		return blocking, err
	}
	for _, twin := range twins {
		e, err := g.Store.LatestEvaluation(ctx, t.RepositoryID, twin.Number)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return blocking, err
		}
		known := e.HeadSHA == t.HeadSHA && e.BaseRef == t.BaseRef
		switch {
		case known && e.State == store.EvaluationFailed:
			blocking.numbers, blocking.broken = append(blocking.numbers, twin.Number), true
		case !known || e.State != store.EvaluationPlanned && e.State != store.EvaluationPublished:
			return blocking, &queue.SnoozeError{After: twinWait}
		case e.Verdict != string(plan.Pass):
			blocking.numbers = append(blocking.numbers, twin.Number)
			blocking.broken = blocking.broken || e.Verdict != string(plan.Fail)
		}
	}
	return blocking, nil
}

// twins are the other open pull requests with an evaluation's head and base branch.
func (g *Gate) twins(ctx context.Context, e store.Evaluation) ([]store.Pull, error) {
	if e.Number == 0 {
		return nil, nil
	}
	pulls, err := g.Store.PullsByHead(ctx, e.RepositoryID, e.HeadSHA)
	return slices.DeleteFunc(pulls, func(p store.Pull) bool { return p.Number == e.Number || p.BaseRef != e.BaseRef }), err
}

// releaseTwins has the twins that a pull request had planned again: it is closed, or proposes another
// commit or to another branch now, and its last check must not stand for theirs.
func (g *Gate) releaseTwins(ctx context.Context, t target) error {
	twins, err := g.twins(ctx, t.Evaluation)
	if err != nil {
		return err
	}
	for _, twin := range twins {
		if err := g.planAgain(ctx, t.repo, twin.Number, fmt.Sprintf("twin/%d", t.ID), nil); err != nil {
			return err
		}
	}
	return nil
}

// withTwins is what check runs say when twins do not pass. The last one is about policies; the others
// depend on them only as far as they could not be planned.
func withTwins(runs []report.CheckRun, blocking blockers) []report.CheckRun {
	var names []string
	for _, number := range blocking.numbers {
		names = append(names, fmt.Sprintf("#%d", number))
	}
	list := strings.Join(names, ", ")
	for i := range runs {
		passes := runs[i].Conclusion == report.ConclusionSuccess
		if list == "" || !passes || i < len(runs)-1 && !blocking.broken {
			continue
		}
		runs[i].Conclusion, runs[i].Title = report.ConclusionFailure, "The same commit does not pass in "+list
		runs[i].Summary = fmt.Sprintf("This pull request would pass. But %s proposes the same commit to the same branch and does not pass, and a commit has each check only once.\n\n"+
			"**Who can clear it:** whoever makes %s pass or closes it.\n", list, list)
		runs[i].Text = ""
	}
	return runs
}
