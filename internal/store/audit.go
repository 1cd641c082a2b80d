package store

import (
	"context"
	"fmt"

	"github.com/mergegate/mergegate/internal/audit"
)

// AppendAudit adds an event to the audit record. Its number, its hash and, when it has none, its
// time are given here. Appending is serialised until the transaction ends, so it belongs at a
// transaction's end.
func (tx *Tx) AppendAudit(ctx context.Context, e audit.Event) (audit.Event, error) {
	// The update takes the head's row: the next one waits here.
	head, err := first(ctx, tx.db.mutate, stmt(`UPDATE audit_head SET seq = seq + 1 WHERE id = 1 RETURNING seq, hash`), scanHead)
	if err != nil {
		return e, fmt.Errorf("append audit event: lock head: %w", err)
	}
	if e.At.IsZero() {
		e.At = tx.now()
	}
	e.At = moment(micros(e.At))
	e.Seq = head.Seq
	e.Hash = audit.Hash(head.Head, e)
	_, err = tx.db.exec(ctx, stmt(`INSERT INTO audit (seq, at, actor, action, subject, detail, hash) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		e.Seq, micros(e.At), e.Actor, e.Action, e.Subject, e.Detail, e.Hash))
	if err == nil {
		_, err = tx.db.exec(ctx, stmt(`UPDATE audit_head SET hash = $1 WHERE id = 1`, e.Hash))
	}
	if err != nil {
		return e, fmt.Errorf("append audit event %d: %w", e.Seq, err)
	}
	return e, nil
}

func scanHead(row scanner) (c audit.Chain, err error) {
	err = row.Scan(&c.Seq, &c.Head)
	return c, err
}

func scanEvent(row scanner) (e audit.Event, err error) {
	var at int64
	err = row.Scan(&e.Seq, &at, &e.Actor, &e.Action, &e.Subject, &e.Detail, &e.Hash)
	e.At = moment(at)
	return e, err
}

const selectAudit = `SELECT seq, at, actor, action, subject, detail, hash FROM audit `

// Audit are the events after a number, in order.
func (q Queries) Audit(ctx context.Context, after int64, limit int) ([]audit.Event, error) {
	list, err := all(ctx, q.db.query, stmt(selectAudit+`WHERE seq > $1 ORDER BY seq LIMIT $2`, after, limit), scanEvent)
	if err != nil {
		return nil, fmt.Errorf("read audit record: %w", err)
	}
	return list, nil
}

// AuditOf are the events on a subject, in order.
func (q Queries) AuditOf(ctx context.Context, subject string, limit int) ([]audit.Event, error) {
	list, err := all(ctx, q.db.query, stmt(selectAudit+`WHERE subject = $1 ORDER BY seq LIMIT $2`, subject, limit), scanEvent)
	if err != nil {
		return nil, fmt.Errorf("read audit record of %s: %w", subject, err)
	}
	return list, nil
}

// VerifyAudit reads the whole record and returns its end. A *audit.BrokenError says what no longer
// fits.
func (q Queries) VerifyAudit(ctx context.Context) (audit.Chain, error) {
	const page = 1000
	// The head first: what is appended meanwhile is not looked at.
	head, err := first(ctx, q.db.query, stmt(`SELECT seq, hash FROM audit_head WHERE id = 1`), scanHead)
	if err != nil {
		return audit.Chain{}, fmt.Errorf("verify audit record: read head: %w", err)
	}
	var chain audit.Chain
	for chain.Seq < head.Seq {
		events, err := q.Audit(ctx, chain.Seq, int(min(page, head.Seq-chain.Seq)))
		if err != nil {
			return chain, err
		}
		for _, e := range events {
			if err := chain.Next(e); err != nil {
				return chain, fmt.Errorf("verify audit record: %w", err)
			}
		}
		if len(events) == 0 {
			break
		}
	}
	if err := chain.Close(head.Seq, head.Head); err != nil {
		return chain, fmt.Errorf("verify audit record: %w", err)
	}
	return chain, nil
}
