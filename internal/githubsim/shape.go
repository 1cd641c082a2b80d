package githubsim

import (
	"fmt"
	"time"
)

// The functions of the shape files turn state into GitHub's JSON. They change nothing; the caller holds the lock.

func (s *Server) api(format string, args ...any) string {
	return s.url + "/api/v3" + fmt.Sprintf(format, args...)
}

func (s *Server) page(format string, args ...any) string { return s.url + fmt.Sprintf(format, args...) }

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func stampOrNil(t *time.Time) any {
	if t == nil {
		return nil
	}
	return stamp(*t)
}

func textOrNil(text string) any {
	if text == "" {
		return nil
	}
	return text
}

func pointed(text *string) any {
	if text == nil {
		return nil
	}
	return *text
}

func (s *Server) userShape(u *user) object {
	if u == nil {
		return nil
	}
	self := s.api("/users/%s", escape(u.login))
	return object{
		"login": u.login, "id": u.id, "node_id": nodeID("U", u.id), "type": u.kind, "site_admin": false,
		"user_view_type": "public", "gravatar_id": "", "url": self,
		"avatar_url": s.page("/avatars/u/%d", u.id), "html_url": s.page("/%s", escape(u.login)),
		"followers_url": self + "/followers", "following_url": self + "/following{/other_user}",
		"gists_url": self + "/gists{/gist_id}", "starred_url": self + "/starred{/owner}{/repo}",
		"subscriptions_url": self + "/subscriptions", "organizations_url": self + "/orgs", "repos_url": self + "/repos",
		"events_url": self + "/events{/privacy}", "received_events_url": self + "/received_events",
	}
}

// nullableUser keeps an absent user a JSON null.
func (s *Server) nullableUser(u *user) any {
	if u == nil {
		return nil
	}
	return s.userShape(u)
}

func (s *Server) organizationShape(u *user) object {
	self := s.api("/orgs/%s", escape(u.login))
	return object{
		"login": u.login, "id": u.id, "node_id": nodeID("O", u.id), "url": self, "repos_url": self + "/repos",
		"events_url": self + "/events", "hooks_url": self + "/hooks", "issues_url": self + "/issues",
		"members_url": self + "/members{/member}", "public_members_url": self + "/public_members{/member}",
		"avatar_url": s.page("/avatars/u/%d", u.id), "description": nil,
	}
}

func (s *Server) appShape(a *app) object {
	return object{
		"id": a.id, "slug": a.slug, "node_id": nodeID("A", a.id), "client_id": a.clientID(), "owner": s.userShape(a.owner),
		"name": a.name, "description": "", "external_url": s.page("/apps/%s", a.slug), "html_url": s.page("/apps/%s", a.slug),
		"created_at": stamp(a.created), "updated_at": stamp(a.created), "permissions": a.permissions, "events": orEmpty(a.events),
	}
}

func (s *Server) nullableApp(a *app) any {
	if a == nil {
		return nil
	}
	return s.appShape(a)
}

// orEmpty keeps an empty list from becoming null.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func (s *Server) installationShape(in *installation) object {
	selection := "selected"
	if in.repos == nil {
		selection = "all"
	}
	self := s.api("/app/installations/%d", in.id)
	out := object{
		"id": in.id, "account": s.userShape(in.account), "repository_selection": selection,
		"access_tokens_url": self + "/access_tokens", "repositories_url": s.api("/installation/repositories"),
		"html_url": s.page("/settings/installations/%d", in.id), "app_id": in.app.id, "client_id": in.app.clientID(),
		"app_slug": in.app.slug, "target_id": in.account.id, "target_type": in.account.kind, "permissions": in.permissions,
		"events": orEmpty(in.app.events), "created_at": stamp(in.created), "updated_at": stamp(in.created),
		"single_file_name": nil, "has_multiple_single_files": false, "single_file_paths": []string{},
		"suspended_by": nil, "suspended_at": stampOrNil(in.suspended),
	}
	if in.suspended != nil {
		out["suspended_by"] = s.userShape(in.account)
	}
	return out
}
