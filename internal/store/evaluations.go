package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// EvaluationState is how far an evaluation is.
type EvaluationState string

// The states of an evaluation. Planned: there is a plan, but not all of it is published.
const (
	EvaluationQueued     EvaluationState = "queued"
	EvaluationRunning    EvaluationState = "running"
	EvaluationPlanned    EvaluationState = "planned"
	EvaluationPublished  EvaluationState = "published"
	EvaluationSuperseded EvaluationState = "superseded"
	EvaluationFailed     EvaluationState = "failed"
)

// Evaluation is the making of one plan: of a pull request's head (or, with Number 0, of a merge
// group's) against a base.
type Evaluation struct {
	ID           int64
	Token        string // 128 random bits, for an address that nobody guesses
	RepositoryID int64
	Number       int
	HeadSHA      string
	BaseRef      string
	BaseSHA      string
	Generation   int
	Attempt      int // how often it was started
	State        EvaluationState
	Reason       string // why it was superseded or has failed
	CreatedAt    time.Time
	StartedAt    time.Time
	FinishedAt   time.Time
	Digest       string
	Verdict      string
	Checks       map[string]int64 // check run ids by name
	// ShownBy is the evaluation of the same head whose checks and comment say what this one found
	// too: only the base moved. 0: this one's own.
	ShownBy int64
	// Live is what clusters said; zero where none was asked.
	Live Live
}

// Live is what clusters said of a plan.
type Live struct {
	Fingerprint string    // of everything that they said
	Unknown     int       // objects of which nothing is known
	At          time.Time // when they were asked
}

// EnsureEvaluation is the one evaluation of that repository, number, head, base and generation; it
// makes it when it is missing (fresh), queued.
func (tx *Tx) EnsureEvaluation(ctx context.Context, e Evaluation) (ensured Evaluation, fresh bool, err error) {
	changed, err := tx.db.exec(ctx, stmt(`INSERT INTO evaluations
			(token, repository_id, number, head_sha, base_ref, base_sha, generation, state, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, 'queued', $8)
		ON CONFLICT (repository_id, number, head_sha, base_ref, base_sha, generation) DO NOTHING`,
		randomToken(), e.RepositoryID, e.Number, e.HeadSHA, e.BaseRef, e.BaseSHA, e.Generation, tx.micros()))
	if err != nil {
		return Evaluation{}, false, fmt.Errorf("save evaluation of %s: %w", e.HeadSHA, err)
	}
	ensured, err = tx.evaluation(ctx, stmt(selectEvaluations+`WHERE repository_id = $1 AND number = $2 AND head_sha = $3
		AND base_ref = $4 AND base_sha = $5 AND generation = $6`, e.RepositoryID, e.Number, e.HeadSHA, e.BaseRef, e.BaseSHA, e.Generation))
	return ensured, changed > 0, err
}

// StartEvaluation records that an evaluation runs, again perhaps.
func (q Queries) StartEvaluation(ctx context.Context, id int64) (Evaluation, error) {
	return q.changeEvaluation(ctx, id, stmt(`UPDATE evaluations SET state = 'running', attempt = attempt + 1, started_at = $2,
		finished_at = 0, reason = '' WHERE id = $1`, id, q.micros()))
}

// Result is what came out of an evaluation.
type Result struct {
	Digest  string
	Verdict string
	Plan    []byte // JSON
	// Live is what clusters said, its time aside: that is now.
	Live Live
}

// PlanEvaluation records an evaluation's result; publishing it comes after.
func (q Queries) PlanEvaluation(ctx context.Context, id int64, r Result) (Evaluation, error) {
	plan, err := q.packer.pack(r.Plan)
	if err != nil {
		return Evaluation{}, fmt.Errorf("save plan of evaluation %d: %w", id, err)
	}
	return q.changeEvaluation(ctx, id, stmt(`UPDATE evaluations SET state = 'planned', digest = $2, verdict = $3, plan = $4,
		live_fingerprint = $5, live_unknown = $6, live_at = $7 WHERE id = $1`,
		id, r.Digest, r.Verdict, plan, r.Live.Fingerprint, r.Live.Unknown, q.askedAt(r.Live)))
}

// LookAgain records that clusters were asked again and said the same.
func (q Queries) LookAgain(ctx context.Context, id int64) (Evaluation, error) {
	return q.changeEvaluation(ctx, id, stmt(`UPDATE evaluations SET live_at = $2 WHERE id = $1`, id, q.micros()))
}

// askedAt is now where a cluster was asked.
func (q Queries) askedAt(l Live) int64 {
	if l.Fingerprint == "" {
		return 0
	}
	return q.micros()
}

// FinishEvaluation records the end of an evaluation: published, superseded or failed.
func (q Queries) FinishEvaluation(ctx context.Context, id int64, state EvaluationState, reason string) (Evaluation, error) {
	return q.changeEvaluation(ctx, id, stmt(`UPDATE evaluations SET state = $2, reason = $3, finished_at = $4 WHERE id = $1`,
		id, state, reason, q.micros()))
}

// ShowBy records that an evaluation is published by what another one shows already.
func (q Queries) ShowBy(ctx context.Context, id, shownBy int64) (Evaluation, error) {
	return q.changeEvaluation(ctx, id, stmt(`UPDATE evaluations SET state = 'published', shown_by = $2, finished_at = $3 WHERE id = $1`,
		id, shownBy, q.micros()))
}

// SetChecks records the check runs of an evaluation.
func (q Queries) SetChecks(ctx context.Context, id int64, checks map[string]int64) (Evaluation, error) {
	text, err := json.Marshal(checks)
	if err != nil {
		return Evaluation{}, err
	}
	return q.changeEvaluation(ctx, id, stmt(`UPDATE evaluations SET checks = $2 WHERE id = $1`, id, string(text)))
}

// SupersedeEvaluations ends all unfinished evaluations of a pull request but one (none: 0) and
// returns them, so that their checks can be ended too.
func (q Queries) SupersedeEvaluations(ctx context.Context, but Evaluation, reason string) ([]Evaluation, error) {
	list, err := all(ctx, q.db.mutate, stmt(`UPDATE evaluations SET state = 'superseded', reason = $4, finished_at = $5
		WHERE repository_id = $1 AND number = $2 AND id <> $3 AND state IN ('queued', 'running', 'planned')
		RETURNING `+evaluationColumns, but.RepositoryID, but.Number, but.ID, reason, q.micros()), scanEvaluation)
	if err != nil {
		return nil, fmt.Errorf("supersede evaluations of pull request %d/%d: %w", but.RepositoryID, but.Number, err)
	}
	return list, nil
}

const (
	evaluationColumns = `id, token, repository_id, number, head_sha, base_ref, base_sha, generation, attempt, state, reason,
	created_at, started_at, finished_at, digest, verdict, checks, shown_by, live_fingerprint, live_unknown, live_at`
	selectEvaluations = `SELECT ` + evaluationColumns + ` FROM evaluations `
)

func scanEvaluation(row scanner) (Evaluation, error) {
	var e Evaluation
	var created, started, finished, asked int64
	var checks string
	err := row.Scan(&e.ID, &e.Token, &e.RepositoryID, &e.Number, &e.HeadSHA, &e.BaseRef, &e.BaseSHA, &e.Generation, &e.Attempt,
		&e.State, &e.Reason, &created, &started, &finished, &e.Digest, &e.Verdict, &checks, &e.ShownBy,
		&e.Live.Fingerprint, &e.Live.Unknown, &asked)
	if err != nil {
		return e, err
	}
	e.CreatedAt, e.StartedAt, e.FinishedAt, e.Live.At = moment(created), moment(started), moment(finished), moment(asked)
	return e, json.Unmarshal([]byte(checks), &e.Checks)
}

func (q Queries) changeEvaluation(ctx context.Context, id int64, change statement) (Evaluation, error) {
	change.sql += ` RETURNING ` + evaluationColumns
	e, err := first(ctx, q.db.mutate, change, scanEvaluation)
	if err != nil {
		return e, fmt.Errorf("change evaluation %d: %w", id, err)
	}
	return e, nil
}

func (q Queries) evaluation(ctx context.Context, s statement) (Evaluation, error) {
	e, err := first(ctx, q.db.query, s, scanEvaluation)
	if err != nil {
		return e, fmt.Errorf("read evaluation: %w", err)
	}
	return e, nil
}

// Evaluation is one evaluation, or ErrNotFound.
func (q Queries) Evaluation(ctx context.Context, id int64) (Evaluation, error) {
	return q.evaluation(ctx, stmt(selectEvaluations+`WHERE id = $1`, id))
}

// EvaluationByToken is the evaluation of an address, or ErrNotFound.
func (q Queries) EvaluationByToken(ctx context.Context, token string) (Evaluation, error) {
	return q.evaluation(ctx, stmt(selectEvaluations+`WHERE token = $1`, token))
}

// LatestEvaluation is the youngest evaluation of a pull request, or ErrNotFound.
func (q Queries) LatestEvaluation(ctx context.Context, repositoryID int64, number int) (Evaluation, error) {
	return q.evaluation(ctx, stmt(selectEvaluations+`WHERE repository_id = $1 AND number = $2 ORDER BY id DESC LIMIT 1`, repositoryID, number))
}

// LatestEvaluationOf is the youngest evaluation of a head commit, or ErrNotFound.
func (q Queries) LatestEvaluationOf(ctx context.Context, repositoryID int64, headSHA string) (Evaluation, error) {
	return q.evaluation(ctx, stmt(selectEvaluations+`WHERE repository_id = $1 AND head_sha = $2 ORDER BY id DESC LIMIT 1`, repositoryID, headSHA))
}

// UnfinishedEvaluations are those that are neither published nor superseded nor failed, oldest first.
func (q Queries) UnfinishedEvaluations(ctx context.Context, limit int) ([]Evaluation, error) {
	list, err := all(ctx, q.db.query, stmt(selectEvaluations+`WHERE state IN ('queued', 'running', 'planned') ORDER BY id LIMIT $1`, limit), scanEvaluation)
	if err != nil {
		return nil, fmt.Errorf("read unfinished evaluations: %w", err)
	}
	return list, nil
}

// Plan is the plan of an evaluation as JSON, or ErrNotFound while there is none.
func (q Queries) Plan(ctx context.Context, id int64) ([]byte, error) {
	packed, err := first(ctx, q.db.query, stmt(`SELECT plan FROM evaluations WHERE id = $1 AND plan IS NOT NULL`, id), value[[]byte])
	if err != nil {
		return nil, fmt.Errorf("read plan of evaluation %d: %w", id, err)
	}
	plan, err := unpack(packed)
	if err != nil {
		return nil, fmt.Errorf("read plan of evaluation %d: %w", id, err)
	}
	return plan, nil
}

// UnfinishedEvaluationsOf are those of one pull request, oldest first.
func (q Queries) UnfinishedEvaluationsOf(ctx context.Context, repositoryID int64, number int) ([]Evaluation, error) {
	list, err := all(ctx, q.db.query, stmt(selectEvaluations+`WHERE repository_id = $1 AND number = $2
		AND state IN ('queued', 'running', 'planned') ORDER BY id`, repositoryID, number), scanEvaluation)
	if err != nil {
		return nil, fmt.Errorf("read unfinished evaluations of pull request %d/%d: %w", repositoryID, number, err)
	}
	return list, nil
}
