package githubsim

import "maps"

// The levels of a person's role in a repository, in order.
const (
	levelNone = iota
	levelRead
	levelTriage
	levelWrite
	levelMaintain
	levelAdmin
)

func roleLevel(role string) int {
	switch role {
	case "read":
		return levelRead
	case "triage":
		return levelTriage
	case "write":
		return levelWrite
	case "maintain":
		return levelMaintain
	case "admin":
		return levelAdmin
	default:
		return levelNone
	}
}

func roleName(level int) string {
	return [...]string{"none", "read", "triage", "write", "maintain", "admin"}[level]
}

// legacyPermission is the older four-valued form: maintain counts as write, triage as read.
func legacyPermission(level int) string {
	switch level {
	case levelAdmin:
		return "admin"
	case levelMaintain, levelWrite:
		return "write"
	case levelTriage, levelRead:
		return "read"
	default:
		return "none"
	}
}

// level is a person's role; everybody may read a public repository.
func (r *repository) level(u *user) int {
	level := levelNone
	if !r.private {
		level = levelRead
	}
	if u == nil {
		return level
	}
	if u == r.owner {
		return levelAdmin
	}
	for login, role := range r.roles {
		if sameLogin(login, u.login) {
			level = max(level, roleLevel(role))
		}
	}
	return level
}

func (r *repository) association(u *user) string {
	switch u {
	case nil:
		return "NONE"
	case r.owner:
		return "OWNER"
	}
	for login := range r.roles {
		if sameLogin(login, u.login) {
			return "COLLABORATOR"
		}
	}
	for _, p := range r.pulls {
		if p.user == u && p.merged != nil {
			return "CONTRIBUTOR"
		}
	}
	return "NONE"
}

func permissionFlags(level int) object {
	return object{
		"admin": level >= levelAdmin, "maintain": level >= levelMaintain, "push": level >= levelWrite,
		"triage": level >= levelTriage, "pull": level >= levelRead,
	}
}

// accessLevel orders the values of an App's permission; 0 is no access.
func accessLevel(access string) int {
	switch access {
	case "read":
		return 1
	case "write":
		return 2
	case "admin":
		return 3
	default:
		return 0
	}
}

// withMetadata adds metadata:read, which GitHub grants to every App.
func withMetadata(permissions map[string]string) map[string]string {
	out := maps.Clone(permissions)
	if out == nil {
		out = map[string]string{}
	}
	if out["metadata"] == "" {
		out["metadata"] = "read"
	}
	return out
}
