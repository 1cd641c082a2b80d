package github

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/mergegate/mergegate/internal/pull"
)

// Level is what an account may do in a repository. The zero value is nothing at all.
type Level string

// The levels, from least to most.
const (
	LevelNone     Level = "none"
	LevelRead     Level = "read"
	LevelTriage   Level = "triage"
	LevelWrite    Level = "write"
	LevelMaintain Level = "maintain"
	LevelAdmin    Level = "admin"
)

// Includes is whether who has l has at least want as well.
func (l Level) Includes(want Level) bool {
	order := []Level{LevelNone, LevelRead, LevelTriage, LevelWrite, LevelMaintain, LevelAdmin}
	have, need := slices.Index(order, l), slices.Index(order, want)
	return have >= 0 && need >= 0 && have >= need
}

// Permission is an account's access to a repository, from whatever it comes: owner, organization, team, collaborator.
type Permission struct {
	Level Level
	Role  string // the name of the role, which may be one of the organization's own
	User  pull.User
}

// Permission asks GitHub what user may do, and that GitHub means the same account: a login can belong to another one by
// now. With an error the permission is none. GitHub's author_association is no substitute: it is not about permissions.
func (c *Client) Permission(ctx context.Context, repo pull.Repository, user pull.User) (Permission, error) {
	nothing := Permission{Level: LevelNone, User: user}
	if err := checkRepository(repo); err != nil {
		return nothing, err
	}
	if user.ID == 0 || user.Login == "" {
		return nothing, errors.New("ask for a permission: account without id or login")
	}
	found, err := get[struct {
		Permission string    `json:"permission"`
		Role       string    `json:"role_name"`
		User       *wireUser `json:"user"`
	}](ctx, c.read, repoPath(repo, "collaborators", user.Login, "permission"))
	if errors.Is(err, ErrNotFound) {
		return nothing, nil
	}
	if err != nil {
		return nothing, err
	}
	if found.User == nil || found.User.ID != user.ID {
		return nothing, fmt.Errorf("ask for the permission of %s: GitHub answers about another account than the one with id %d", user.Login, user.ID)
	}
	level := Level(found.Role)
	if !level.Includes(LevelNone) { // a role of the organization's own: what it builds on
		level = Level(found.Permission)
	}
	if !level.Includes(LevelNone) {
		return nothing, fmt.Errorf("ask for the permission of %s: unknown permission %q", user.Login, found.Permission)
	}
	return Permission{Level: level, Role: found.Role, User: found.User.user()}, nil
}
