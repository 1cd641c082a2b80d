package github

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// FailedDelivery is a webhook delivery that GitHub could not hand over, and that no later attempt did.
type FailedDelivery struct {
	ID             int64 // of the latest attempt
	GUID           string
	DeliveredAt    time.Time
	StatusCode     int
	Event          string
	Action         string
	InstallationID int64
	RepositoryID   int64
}

type wireDelivery struct {
	ID             int64     `json:"id"`
	GUID           string    `json:"guid"`
	DeliveredAt    time.Time `json:"delivered_at"`
	StatusCode     int       `json:"status_code"`
	Event          string    `json:"event"`
	Action         string    `json:"action"`
	InstallationID int64     `json:"installation_id"`
	RepositoryID   int64     `json:"repository_id"`
}

// FailedDeliveries are those since a time, newest first. GitHub never repeats them by itself and forgets them after
// three days.
func (a *App) FailedDeliveries(ctx context.Context, since time.Time) ([]FailedDelivery, error) {
	var failed []FailedDelivery
	seen := map[string]bool{}
	err := pages(ctx, a.sender, "app/hook/deliveries?per_page=100", func(body []byte) (bool, error) {
		page, err := decode[[]wireDelivery]("GET /app/hook/deliveries", body)
		if err != nil {
			return false, err
		}
		for _, d := range page {
			if d.DeliveredAt.Before(since) {
				return false, nil
			}
			if !seen[d.GUID] && (d.StatusCode < 200 || d.StatusCode > 299) {
				failed = append(failed, FailedDelivery(d))
			}
			seen[d.GUID] = true // newest first: what this attempt says is the latest about the GUID
		}
		return true, nil
	})
	return failed, err
}

// Redeliver asks GitHub to attempt a delivery again. It will come with the GUID that it had.
func (a *App) Redeliver(ctx context.Context, id int64) error {
	path := fmt.Sprintf("app/hook/deliveries/%d/attempts", id)
	_, err := a.sender.do(ctx, call{method: http.MethodPost, path: path, bare: true})
	return err
}
