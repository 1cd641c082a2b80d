package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"
)

// EffectState is how far an outward effect is.
type EffectState string

// The states of an effect.
const (
	Intended EffectState = "intended"
	Done     EffectState = "done"
)

// Effect is one thing done to the outside world: a check run made, a comment written. The journal
// of effects is what makes each happen once. The order is: Intend, act, Done.
//
// An effect that is intended and not done may or may not have happened: the process died, or the
// answer was lost. Whoever finds one must look it up at the platform before acting again.
type Effect struct {
	Key         string // names the effect for good: "check/<evaluation>/plan/completed"
	State       EffectState
	RequestHash string // hash of what was intended first
	Result      string // as JSON, such as the id that the platform gave; when done
	CreatedAt   time.Time
	DoneAt      time.Time
}

// RequestHash is the hash by which the journal knows a request.
func RequestHash(request []byte) string {
	sum := sha256.Sum256(request)
	return hex.EncodeToString(sum[:])
}

// Intend records that an effect is about to happen; on disk when it returns (in a transaction: when
// that has ended). fresh: nobody intended it before, act. Otherwise the effect tells how far it
// got: done, use its result; intended, look it up at the platform, then act or call Done. A
// RequestHash that is not that of request says that somebody intended something else.
func (q Queries) Intend(ctx context.Context, key string, request []byte) (e Effect, fresh bool, err error) {
	changed, err := q.db.exec(ctx, stmt(`INSERT INTO effects (key, state, request_hash, created_at) VALUES ($1, 'intended', $2, $3)
		ON CONFLICT (key) DO NOTHING`, key, RequestHash(request), q.micros()))
	if err != nil {
		return e, false, fmt.Errorf("intend effect %s: %w", key, err)
	}
	e, err = q.Effect(ctx, key)
	return e, changed > 0, err
}

// Done records that an effect has happened, and what came of it. The first result stays.
func (q Queries) Done(ctx context.Context, key, result string) error {
	changed, err := q.db.exec(ctx, stmt(`UPDATE effects SET
			result = CASE WHEN state = 'done' THEN result ELSE $2 END,
			done_at = CASE WHEN state = 'done' THEN done_at ELSE $3 END,
			state = 'done' WHERE key = $1`, key, result, q.micros()))
	if err == nil && changed == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("finish effect %s: %w", key, err)
	}
	return nil
}

// Forget removes an effect that has certainly not happened, so that it can be intended anew. One
// that is done stays.
func (q Queries) Forget(ctx context.Context, key string) error {
	if _, err := q.db.exec(ctx, stmt(`DELETE FROM effects WHERE key = $1 AND state = 'intended'`, key)); err != nil {
		return fmt.Errorf("forget effect %s: %w", key, err)
	}
	return nil
}

// Effect is one effect, or ErrNotFound.
func (q Queries) Effect(ctx context.Context, key string) (Effect, error) {
	e, err := first(ctx, q.db.query, stmt(`SELECT key, state, request_hash, result, created_at, done_at FROM effects WHERE key = $1`, key), scanEffect)
	if err != nil {
		return e, fmt.Errorf("read effect %s: %w", key, err)
	}
	return e, nil
}

func scanEffect(row scanner) (e Effect, err error) {
	var created, done int64
	err = row.Scan(&e.Key, &e.State, &e.RequestHash, &e.Result, &created, &done)
	e.CreatedAt, e.DoneAt = moment(created), moment(done)
	return e, err
}
