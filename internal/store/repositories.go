package store

import (
	"context"
	"fmt"

	"github.com/mergegate/mergegate/internal/pull"
)

// Installation is where the App is installed.
type Installation struct {
	ID      int64
	Account string
	Active  bool
}

// SaveInstallation records an installation. One that becomes inactive takes its repositories along.
func (tx *Tx) SaveInstallation(ctx context.Context, i Installation) error {
	_, err := tx.db.exec(ctx, stmt(`INSERT INTO installations (id, account, active, updated_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (id) DO UPDATE SET account = excluded.account, active = excluded.active, updated_at = excluded.updated_at`,
		i.ID, i.Account, i.Active, tx.micros()))
	if err == nil && !i.Active {
		_, err = tx.db.exec(ctx, stmt(`UPDATE repositories SET active = FALSE, updated_at = $2 WHERE installation_id = $1`, i.ID, tx.micros()))
	}
	if err != nil {
		return fmt.Errorf("save installation %d: %w", i.ID, err)
	}
	return nil
}

// Installations are the active ones, by id.
func (q Queries) Installations(ctx context.Context) ([]Installation, error) {
	list, err := all(ctx, q.db.query, stmt(`SELECT id, account, active FROM installations WHERE active ORDER BY id`),
		func(row scanner) (i Installation, err error) {
			err = row.Scan(&i.ID, &i.Account, &i.Active)
			return i, err
		})
	if err != nil {
		return nil, fmt.Errorf("read installations: %w", err)
	}
	return list, nil
}

// SaveRepository records a repository as it is now and makes it active.
func (q Queries) SaveRepository(ctx context.Context, r pull.Repository) error {
	_, err := q.db.exec(ctx, stmt(`INSERT INTO repositories (id, installation_id, owner, name, default_branch, clone_url, active, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, TRUE, $7)
		ON CONFLICT (id) DO UPDATE SET installation_id = excluded.installation_id, owner = excluded.owner, name = excluded.name,
			default_branch = excluded.default_branch, clone_url = excluded.clone_url, active = TRUE, updated_at = excluded.updated_at`,
		r.ID, r.InstallationID, r.Owner, r.Name, r.DefaultBranch, r.CloneURL, q.micros()))
	if err != nil {
		return fmt.Errorf("save repository %s: %w", r.FullName(), err)
	}
	return nil
}

// DeactivateRepository records that a repository is no longer ours to look at.
func (q Queries) DeactivateRepository(ctx context.Context, id int64) error {
	_, err := q.db.exec(ctx, stmt(`UPDATE repositories SET active = FALSE, updated_at = $2 WHERE id = $1`, id, q.micros()))
	if err != nil {
		return fmt.Errorf("deactivate repository %d: %w", id, err)
	}
	return nil
}

const repositoryColumns = `r.id, r.installation_id, r.owner, r.name, r.default_branch, r.clone_url`

func scanRepository(row scanner) (pull.Repository, error) {
	var r pull.Repository
	err := row.Scan(&r.ID, &r.InstallationID, &r.Owner, &r.Name, &r.DefaultBranch, &r.CloneURL)
	return r, err
}

// Repository is one repository and whether it is active, or ErrNotFound.
func (q Queries) Repository(ctx context.Context, id int64) (r pull.Repository, active bool, err error) {
	r, err = first(ctx, q.db.query, stmt(`SELECT `+repositoryColumns+`, r.active FROM repositories r WHERE r.id = $1`, id),
		func(row scanner) (r pull.Repository, err error) {
			err = row.Scan(&r.ID, &r.InstallationID, &r.Owner, &r.Name, &r.DefaultBranch, &r.CloneURL, &active)
			return r, err
		})
	if err != nil {
		return r, false, fmt.Errorf("read repository %d: %w", id, err)
	}
	return r, active, nil
}

// Repositories are the active ones of an installation (of all: 0), by id.
func (q Queries) Repositories(ctx context.Context, installationID int64) ([]pull.Repository, error) {
	list, err := all(ctx, q.db.query, stmt(`SELECT `+repositoryColumns+` FROM repositories r
		WHERE r.active AND (r.installation_id = $1 OR $1 = 0) ORDER BY r.id`, installationID), scanRepository)
	if err != nil {
		return nil, fmt.Errorf("read repositories: %w", err)
	}
	return list, nil
}
