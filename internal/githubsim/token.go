package githubsim

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"time"
)

// mintToken makes an installation token, narrowed to what the request names. Asking for more than the installation
// has is refused.
func mintToken(c *call) answer {
	in := c.installation()
	if in == nil {
		return notFound()
	}
	if in.suspended != nil {
		return fail(http.StatusForbidden, "This installation has been suspended")
	}
	var ask struct {
		Repositories  []string          `json:"repositories"`
		RepositoryIDs []int64           `json:"repository_ids"`
		Permissions   map[string]string `json:"permissions"`
	}
	if out, ok := c.decode(&ask); !ok {
		return out
	}
	t := &token{in: in, permissions: maps.Clone(in.permissions), expires: c.s.now().Add(time.Hour)}
	if len(ask.Repositories)+len(ask.RepositoryIDs) > 500 {
		return fail(http.StatusUnprocessableEntity, "There are more than 500 repositories in the request.")
	}
	if len(ask.Repositories)+len(ask.RepositoryIDs) > 0 {
		t.repos = c.s.narrowed(in, ask.Repositories, ask.RepositoryIDs)
		if t.repos == nil {
			return fail(http.StatusUnprocessableEntity, "There is at least one repository that does not exist or is not accessible to the parent installation.")
		}
	}
	if ask.Permissions != nil {
		for name, access := range ask.Permissions {
			if accessLevel(access) == 0 || accessLevel(in.permissions[name]) < accessLevel(access) {
				return fail(http.StatusUnprocessableEntity, "The permissions requested are not granted to this installation.")
			}
		}
		t.permissions = withMetadata(ask.Permissions)
	}
	t.value = c.s.newTokenValue(in)
	c.s.tokens[t.value] = t
	return created(c.tokenShape(t))
}

func (s *Server) narrowed(in *installation, names []string, ids []int64) map[int64]bool {
	out := map[int64]bool{}
	for _, name := range names {
		r := s.repository(in.account.login, name)
		if r == nil || !in.covers(r) {
			return nil
		}
		out[r.id] = true
	}
	for _, id := range ids {
		found := false
		for _, r := range s.repos {
			found = found || (r.id == id && in.covers(r))
		}
		if !found {
			return nil
		}
		out[id] = true
	}
	return out
}

func (c *call) tokenShape(t *token) object {
	out := object{
		"token": t.value, "expires_at": stamp(t.expires), "permissions": t.permissions, "repository_selection": "selected",
	}
	if t.repos == nil && t.in.repos == nil {
		out["repository_selection"] = "all"
	}
	if t.repos == nil {
		return out
	}
	var repos []*repository
	for _, r := range c.s.repos {
		if t.repos[r.id] {
			repos = append(repos, r)
		}
	}
	out["repositories"] = render(repos, c.s.repositoryShape)
	return out
}

// newTokenValue makes a token of the classic form (ghs_ and 36 characters) or of the newer one, which is about 520
// characters long and has dots and underscores in it.
func (s *Server) newTokenValue(in *installation) string {
	if !s.config.LongTokens {
		return "ghs_" + randomText(36)
	}
	return fmt.Sprintf("ghs_%d_%s.%s.%s", in.app.id, randomText(36), randomText(300), randomText(170))
}

func randomText(n int) string {
	raw := make([]byte, n)
	rand.Read(raw) // crypto/rand.Read never returns an error
	text := base64.StdEncoding.EncodeToString(raw)
	return strings.NewReplacer("+", "a", "/", "b", "=", "c").Replace(text)[:n]
}
