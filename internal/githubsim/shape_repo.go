package githubsim

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/mergegate/mergegate/internal/githubsim/bare"
)

func escape(segment string) string { return url.PathEscape(segment) }

// escapePath escapes each segment and keeps the slashes.
func escapePath(path string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		parts[i] = escape(p)
	}
	return strings.Join(parts, "/")
}

// repositoryShape is the union of GitHub's several repository schemas; the extra fields are allowed in each.
func (s *Server) repositoryShape(r *repository) object {
	out := object{
		"id": r.id, "node_id": nodeID("R", r.id), "name": r.name, "full_name": r.fullName(), "owner": s.userShape(r.owner),
		"private": r.private, "description": nil, "fork": r.parent != nil, "homepage": nil, "language": nil, "license": nil,
		"mirror_url": nil, "size": 0, "default_branch": r.defaultBranch, "is_template": false, "topics": []string{},
		"has_issues": true, "has_projects": true, "has_wiki": true, "has_pages": false, "has_downloads": true,
		"has_discussions": false, "archived": false, "disabled": false, "visibility": visibility(r),
		"forks": 0, "forks_count": 0, "stargazers_count": 0, "watchers": 0, "watchers_count": 0,
		"open_issues": r.openPulls(), "open_issues_count": r.openPulls(), "network_count": 0, "subscribers_count": 0,
		"allow_forking": true, "web_commit_signoff_required": false,
		"pushed_at": stamp(r.pushed), "created_at": stamp(r.created), "updated_at": stamp(r.pushed),
	}
	s.addRepositoryURLs(r, out)
	return out
}

func visibility(r *repository) string {
	if r.private {
		return "private"
	}
	return "public"
}

func (r *repository) openPulls() int {
	n := 0
	for _, p := range r.pulls {
		if p.open() {
			n++
		}
	}
	return n
}

// addRepositoryURLs adds the links, each of them its suffix on the repository's own URL.
func (s *Server) addRepositoryURLs(r *repository, out object) {
	self, web := s.repoAPI(r, ""), s.page("/%s", r.fullName())
	for key, suffix := range map[string]string{
		"url": "", "archive_url": "/{archive_format}{/ref}", "assignees_url": "/assignees{/user}", "blobs_url": "/git/blobs{/sha}",
		"branches_url": "/branches{/branch}", "collaborators_url": "/collaborators{/collaborator}",
		"comments_url": "/comments{/number}", "commits_url": "/commits{/sha}", "compare_url": "/compare/{base}...{head}",
		"contents_url": "/contents/{+path}", "contributors_url": "/contributors", "deployments_url": "/deployments",
		"downloads_url": "/downloads", "events_url": "/events", "forks_url": "/forks", "git_commits_url": "/git/commits{/sha}",
		"git_refs_url": "/git/refs{/sha}", "git_tags_url": "/git/tags{/sha}", "hooks_url": "/hooks",
		"issue_comment_url": "/issues/comments{/number}", "issue_events_url": "/issues/events{/number}",
		"issues_url": "/issues{/number}", "keys_url": "/keys{/key_id}", "labels_url": "/labels{/name}",
		"languages_url": "/languages", "merges_url": "/merges", "milestones_url": "/milestones{/number}",
		"notifications_url": "/notifications{?since,all,participating}", "pulls_url": "/pulls{/number}",
		"releases_url": "/releases{/id}", "stargazers_url": "/stargazers", "statuses_url": "/statuses/{sha}",
		"subscribers_url": "/subscribers", "subscription_url": "/subscription", "tags_url": "/tags", "teams_url": "/teams",
		"trees_url": "/git/trees{/sha}",
	} {
		out[key] = self + suffix
	}
	host := strings.TrimPrefix(strings.TrimPrefix(s.url, "http://"), "https://")
	out["html_url"], out["clone_url"], out["svn_url"] = web, web+".git", web
	out["git_url"] = "git://" + host + "/" + r.fullName() + ".git"
	out["ssh_url"] = "git@" + host + ":" + r.fullName() + ".git"
}

func (s *Server) repoAPI(r *repository, format string, args ...any) string {
	return s.api("/repos/%s/%s", escape(r.owner.login), escape(r.name)) + fmt.Sprintf(format, args...)
}

func (s *Server) repoPage(r *repository, format string, args ...any) string {
	return s.page("/%s", r.fullName()) + fmt.Sprintf(format, args...)
}

func (s *Server) gitActor(sig bare.Signature) object {
	return object{"name": sig.Name, "email": sig.Email, "date": stamp(sig.When)}
}

// commitShape is a commit as REST lists it.
func (s *Server) commitShape(r *repository, c bare.Commit) object {
	parents := make([]object, 0, len(c.Parents))
	for _, id := range c.Parents {
		parents = append(parents, object{"sha": id, "url": s.repoAPI(r, "/commits/%s", id), "html_url": s.repoPage(r, "/commit/%s", id)})
	}
	self := s.repoAPI(r, "/commits/%s", c.ID)
	return object{
		"sha": c.ID, "node_id": "C_" + c.ID, "url": self, "html_url": s.repoPage(r, "/commit/%s", c.ID), "comments_url": self + "/comments",
		"commit": object{
			"author": s.gitActor(c.Author), "committer": s.gitActor(c.Committer), "message": c.Message, "comment_count": 0,
			"tree":         object{"sha": c.Tree, "url": s.repoAPI(r, "/git/trees/%s", c.Tree)},
			"url":          s.repoAPI(r, "/git/commits/%s", c.ID),
			"verification": object{"verified": false, "reason": "unsigned", "signature": nil, "payload": nil, "verified_at": nil},
		},
		"author": s.nullableUser(s.userByEmail(c.Author.Email)), "committer": s.nullableUser(s.userByEmail(c.Committer.Email)),
		"parents": parents,
	}
}

// userByEmail links a commit to an account, as GitHub does by e-mail address.
func (s *Server) userByEmail(email string) *user {
	for _, u := range s.users {
		if u.signature(u.created).Email == email {
			return u
		}
	}
	return nil
}

// simpleCommit is a commit inside a check suite or merge group.
func simpleCommit(c bare.Commit) object {
	actor := func(sig bare.Signature) object { return object{"name": sig.Name, "email": sig.Email} }
	return object{
		"id": c.ID, "tree_id": c.Tree, "message": c.Message, "timestamp": stamp(c.Committer.When),
		"author": actor(c.Author), "committer": actor(c.Committer),
	}
}

func (s *Server) fileShape(r *repository, at string, f bare.Change) object {
	path := escapePath(f.Path)
	out := object{
		"sha": f.Blob, "filename": f.Path, "status": f.Status, "additions": f.Additions, "deletions": f.Deletions,
		"changes": f.Additions + f.Deletions, "blob_url": s.repoPage(r, "/blob/%s/%s", at, path),
		"raw_url": s.repoPage(r, "/raw/%s/%s", at, path), "contents_url": s.repoAPI(r, "/contents/%s?ref=%s", path, at),
	}
	if f.Patch != "" {
		out["patch"] = f.Patch
	}
	if f.Previous != "" {
		out["previous_filename"] = f.Previous
	}
	return out
}
