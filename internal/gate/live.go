package gate

import (
	"context"
	"log/slog"
	"time"

	"github.com/mergegate/mergegate/internal/pipeline"
	"github.com/mergegate/mergegate/internal/plan"
	"github.com/mergegate/mergegate/internal/pull"
	"github.com/mergegate/mergegate/internal/source"
	"github.com/mergegate/mergegate/internal/store"
	"github.com/mergegate/mergegate/internal/verdict"
)

// What clusters said of a plan grows old while its pull request is open: somebody edits the cluster,
// another change is rolled out, a cluster that did not answer is back. So they are asked again, and only
// when they say something else anything is shown anew.

func liveOf(p plan.Plan) store.Live {
	return store.Live{Fingerprint: p.LiveFingerprint(), Unknown: p.Summary.Unknown}
}

// stale says whether the clusters of a published plan are to be asked again: after a while, and at
// every sweep where they did not say everything.
func (g *Gate) stale(e store.Evaluation) bool {
	return e.Live.Fingerprint != "" && (e.Live.Unknown > 0 || time.Since(e.Live.At) >= g.Refresh)
}

// lookAgain asks the clusters of a published plan again, when that is due, and says whether they say
// something else now: the pull request is then to be evaluated anew.
func (g *Gate) lookAgain(ctx context.Context, t target, mirror *source.Mirror, request pull.Request) (changed bool, err error) {
	if mirror == nil || !g.stale(t.Evaluation) {
		return false, nil
	}
	shown, err := g.storedPlan(ctx, t.ID)
	if err != nil {
		return false, err
	}
	now, err := g.Engine.Plan(ctx, pipeline.Change{Repository: mirror.Repository, Base: t.BaseSHA, Head: t.HeadSHA, Pull: &request})
	if err != nil {
		return false, err
	}
	if !verdict.Unchanged(shown, now) {
		g.logger(t).InfoContext(ctx, "clusters say something else now", slog.String("digest", now.Digest))
		return true, g.renew(ctx, t)
	}
	return false, g.record(ctx, t, func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.LookAgain(ctx, t.ID)
		return err
	})
}
