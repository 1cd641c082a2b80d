package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// DeliveryState is what became of a delivery.
type DeliveryState string

// The states of a delivery.
const (
	Received  DeliveryState = "received"
	Processed DeliveryState = "processed"
	Ignored   DeliveryState = "ignored"
	Failed    DeliveryState = "failed"
)

// Delivery is a webhook delivery as it came in.
type Delivery struct {
	GUID           string
	Event          string
	Action         string
	InstallationID int64
	Headers        map[string][]string // without those that carry secrets
	Body           []byte
	ReceivedAt     time.Time // now, when zero
	State          DeliveryState
	Error          string
	Attempts       int // how often it was processed
}

// SaveDelivery keeps a delivery; on disk when it returns. fresh tells that it is to be processed:
// it is new, or processing it has failed before. then, which may be nil, runs in the same
// transaction, for fresh deliveries only; it is where the job is inserted. Headers that carry
// secrets are left out.
func (s *Store) SaveDelivery(ctx context.Context, d Delivery, then func(context.Context, *Tx) error) (fresh bool, err error) {
	headers, err := json.Marshal(withoutSecrets(d.Headers))
	if err != nil {
		return false, fmt.Errorf("save delivery %s: headers: %w", d.GUID, err)
	}
	body, err := s.packer.pack(d.Body) // here, so that the one writer need not do it for everybody
	if err != nil {
		return false, fmt.Errorf("save delivery %s: %w", d.GUID, err)
	}
	received := micros(d.ReceivedAt)
	if received == 0 {
		received = s.micros()
	}
	insert := stmt(`INSERT INTO deliveries (guid, event, action, installation_id, headers, body, received_at, state, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, 'received', $8)
		ON CONFLICT (guid) DO UPDATE SET state = 'received', error = '', updated_at = excluded.updated_at
		WHERE deliveries.state = 'failed'`,
		d.GUID, d.Event, d.Action, d.InstallationID, string(headers), body, received, s.micros())
	err = s.Update(ctx, func(ctx context.Context, tx *Tx) error {
		changed, err := tx.db.exec(ctx, insert)
		fresh = changed > 0
		if err != nil || !fresh || then == nil {
			return err
		}
		return then(ctx, tx)
	})
	if err != nil {
		return false, fmt.Errorf("save delivery %s: %w", d.GUID, err)
	}
	return fresh, nil
}

// withoutSecrets are the headers that may be stored.
func withoutSecrets(headers map[string][]string) map[string][]string {
	kept := make(map[string][]string, len(headers))
	for name, values := range headers {
		lower := strings.ToLower(name)
		switch {
		case strings.Contains(lower, "signature"), strings.Contains(lower, "authorization"),
			strings.Contains(lower, "cookie"), strings.Contains(lower, "token"), strings.Contains(lower, "secret"):
			continue
		}
		kept[name] = values
	}
	return kept
}

const deliveryColumns = `guid, event, action, installation_id, headers, body, received_at, state, error, attempts`

func scanDelivery(row scanner) (Delivery, error) {
	var d Delivery
	var headers string
	var body []byte
	var received int64
	err := row.Scan(&d.GUID, &d.Event, &d.Action, &d.InstallationID, &headers, &body, &received, &d.State, &d.Error, &d.Attempts)
	if err != nil {
		return d, err
	}
	d.ReceivedAt = moment(received)
	if err := json.Unmarshal([]byte(headers), &d.Headers); err != nil {
		return d, fmt.Errorf("delivery %s: headers: %w", d.GUID, err)
	}
	d.Body, err = unpack(body)
	return d, err
}

// Delivery is one delivery, or ErrNotFound.
func (q Queries) Delivery(ctx context.Context, guid string) (Delivery, error) {
	d, err := first(ctx, q.db.query, stmt(`SELECT `+deliveryColumns+` FROM deliveries WHERE guid = $1`, guid), scanDelivery)
	if err != nil {
		return d, fmt.Errorf("read delivery %s: %w", guid, err)
	}
	return d, nil
}

// Deliveries are the oldest deliveries in a state.
func (q Queries) Deliveries(ctx context.Context, state DeliveryState, limit int) ([]Delivery, error) {
	list, err := all(ctx, q.db.query, stmt(`SELECT `+deliveryColumns+` FROM deliveries
		WHERE state = $1 ORDER BY received_at, guid LIMIT $2`, state, limit), scanDelivery)
	if err != nil {
		return nil, fmt.Errorf("read deliveries: %w", err)
	}
	return list, nil
}

// FinishDelivery records the outcome of processing a delivery once.
func (q Queries) FinishDelivery(ctx context.Context, guid string, state DeliveryState, reason string) error {
	changed, err := q.db.exec(ctx, stmt(`UPDATE deliveries SET state = $2, error = $3, attempts = attempts + 1, updated_at = $4
		WHERE guid = $1`, guid, state, reason, q.micros()))
	if err == nil && changed == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("finish delivery %s: %w", guid, err)
	}
	return nil
}

// PruneDeliveries removes deliveries that were done with before the given time.
func (q Queries) PruneDeliveries(ctx context.Context, before time.Time) (int64, error) {
	n, err := q.db.exec(ctx, stmt(`DELETE FROM deliveries WHERE state <> 'received' AND received_at < $1 AND updated_at < $1`, micros(before)))
	if err != nil {
		return 0, fmt.Errorf("prune deliveries: %w", err)
	}
	return n, nil
}
