package githubsim

import (
	"maps"
	"net/http"
	"strings"
)

func getApp(c *call) answer {
	out := c.s.appShape(c.who.app)
	count := 0
	for _, in := range c.s.installs {
		if in.app == c.who.app {
			count++
		}
	}
	out["installations_count"] = count
	return ok(out)
}

func (c *call) installations() []*installation {
	var out []*installation
	for _, in := range c.s.installs {
		if in.app == c.who.app {
			out = append(out, in)
		}
	}
	return out
}

func listInstallations(c *call) answer {
	return ok(render(page(c, c.installations()), c.s.installationShape))
}

func (c *call) installation() *installation {
	for _, in := range c.installations() {
		if in.id == c.id("id") {
			return in
		}
	}
	return nil
}

func getInstallation(c *call) answer {
	if in := c.installation(); in != nil {
		return ok(c.s.installationShape(in))
	}
	return notFound()
}

func getRepositoryInstallation(c *call) answer {
	for _, in := range c.installations() {
		if c.repo != nil && in.covers(c.repo) {
			return ok(c.s.installationShape(in))
		}
	}
	return notFound()
}

func getAccountInstallation(c *call) answer {
	for _, in := range c.installations() {
		if sameLogin(in.account.login, c.path["org"]) {
			return ok(c.s.installationShape(in))
		}
	}
	return notFound()
}

func revokeToken(c *call) answer {
	c.who.token.revoked = true
	return noContent()
}

func listInstallationRepositories(c *call) answer {
	var repos []*repository
	for _, r := range c.s.repos {
		if c.who.token.reaches(r) {
			repos = append(repos, r)
		}
	}
	selection := "selected"
	if c.who.token.repos == nil && c.who.token.in.repos == nil {
		selection = "all"
	}
	return ok(object{
		"total_count": len(repos), "repository_selection": selection,
		"repositories": render(page(c, repos), c.s.repositoryShape),
	})
}

func getRateLimit(c *call) answer {
	b := c.s.budget(c.who.key())
	c.refund()
	core := object{"limit": c.s.limit, "used": b.used, "remaining": c.s.limit - b.used, "reset": b.reset}
	search := object{"limit": 30, "used": 0, "remaining": 30, "reset": b.reset}
	return ok(object{"resources": object{"core": core, "search": search, "graphql": core}, "rate": core})
}

func getMeta(*call) answer {
	return ok(object{"verifiable_password_authentication": false, "installed_version": "3.17.0"})
}

func getUser(c *call) answer {
	u := c.s.userNamed(c.path["login"])
	if u == nil {
		return notFound()
	}
	out := c.s.userShape(u)
	maps.Copy(out, object{
		"name": textOrNil(u.name), "company": nil, "blog": "", "location": nil, "email": textOrNil(u.email), "hireable": nil,
		"bio": nil, "public_repos": 0, "public_gists": 0, "followers": 0, "following": 0,
		"created_at": stamp(u.created), "updated_at": stamp(u.created),
	})
	return ok(out)
}

func getHookConfig(c *call) answer {
	t := c.who.app.hooks.Target()
	out := object{"content_type": "json", "insecure_ssl": "0", "url": t.URL}
	if t.Secret != "" {
		out["secret"] = "********"
	}
	return ok(out)
}

func patchHookConfig(c *call) answer {
	var in struct {
		URL    *string `json:"url"`
		Secret *string `json:"secret"`
	}
	if out, ok := c.decode(&in); !ok {
		return out
	}
	t := c.who.app.hooks.Target()
	if in.URL != nil {
		if !strings.HasPrefix(*in.URL, "http://") && !strings.HasPrefix(*in.URL, "https://") {
			return fail(http.StatusUnprocessableEntity, "Validation Failed: url is not a valid URL")
		}
		t.URL = *in.URL
	}
	if in.Secret != nil {
		t.Secret = *in.Secret
	}
	c.who.app.hooks.SetTarget(t)
	return getHookConfig(c)
}
