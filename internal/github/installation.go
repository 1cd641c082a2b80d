package github

import (
	"context"
	"errors"

	"github.com/mergegate/mergegate/internal/pull"
)

// Installation is the App's installation in an account.
type Installation struct {
	ID          int64
	Account     pull.User
	Suspended   bool
	Permissions map[string]string // what was granted; may be less than what the App asks for by now
}

type wireInstallation struct {
	ID          int64             `json:"id"`
	Account     *wireUser         `json:"account"`
	SuspendedAt *string           `json:"suspended_at"`
	Permissions map[string]string `json:"permissions"`
}

func (i *wireInstallation) installation() Installation {
	return Installation{ID: i.ID, Account: i.Account.user(), Suspended: i.SuspendedAt != nil, Permissions: i.Permissions}
}

// Identity is what the App is on GitHub.
type Identity struct {
	ID    int64
	Slug  string
	Login string // of the account that its comments are shown as
}

// Identity asks GitHub once.
func (a *App) Identity(ctx context.Context) (Identity, error) {
	a.mu.Lock()
	known := a.identity
	a.mu.Unlock()
	if known != nil {
		return *known, nil
	}
	app, err := get[wireApp](ctx, a.sender, "app")
	if err != nil {
		return Identity{}, err
	}
	if app.ID != a.id || app.Slug == "" {
		return Identity{}, &PayloadError{What: "GET /app", Err: errors.New("the answer is about another App, or has no slug")}
	}
	id := Identity{ID: app.ID, Slug: app.Slug, Login: app.Slug + "[bot]"}
	a.mu.Lock()
	a.identity = &id
	a.mu.Unlock()
	return id, nil
}

// Installations are all of the App's, the suspended ones included.
func (a *App) Installations(ctx context.Context) ([]Installation, error) {
	found, err := list[wireInstallation](ctx, a.sender, "app/installations?per_page=100", "")
	if err != nil {
		return nil, err
	}
	all := make([]Installation, len(found))
	for i := range found {
		all[i] = found[i].installation()
	}
	return all, nil
}

// installationPayload has the fields of the events about installations.
type installationPayload struct {
	Installation wireInstallation `json:"installation"`
	Repositories []wireRepository `json:"repositories"`
	Added        []wireRepository `json:"repositories_added"`
	Removed      []wireRepository `json:"repositories_removed"`
}

func decodeInstallation(body []byte) (installationPayload, error) {
	p, err := decode[installationPayload]("installation", body)
	if err == nil && p.Installation.ID == 0 {
		err = errors.New("installation: id is missing")
	}
	return p, err
}

// parseInstallation reads the event that tells of an installation as a whole.
func parseInstallation(common *payload, body []byte) (Event, error) {
	p, err := decodeInstallation(body)
	if err != nil {
		return nil, err
	}
	all, err := repositories(p.Repositories, p.Installation.ID)
	if err != nil {
		return nil, err
	}
	return &InstallationEvent{
		Action: common.Action, Installation: p.Installation.installation(), Repositories: all, Sender: common.Sender.user(),
	}, nil
}

// parseRepositories reads the event that tells which repositories came and went.
func parseRepositories(common *payload, body []byte) (Event, error) {
	p, err := decodeInstallation(body)
	if err != nil {
		return nil, err
	}
	e := &RepositoriesEvent{Installation: p.Installation.installation(), Sender: common.Sender.user()}
	if e.Added, err = repositories(p.Added, e.Installation.ID); err != nil {
		return nil, err
	}
	if e.Removed, err = repositories(p.Removed, e.Installation.ID); err != nil {
		return nil, err
	}
	return e, nil
}

func repositories(found []wireRepository, installation int64) ([]pull.Repository, error) {
	var all []pull.Repository
	for i := range found {
		repo, err := found[i].repository(installation)
		if err != nil {
			return nil, err
		}
		all = append(all, repo)
	}
	return all, nil
}
