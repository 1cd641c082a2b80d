package github

import (
	"maps"
	"slices"

	"github.com/google/go-github/v60/github"
)

// role is what a token may be used for. A token has the role's permissions and no others, whatever the App has.
type role string

const (
	roleClone   role = "clone"   // given to git, for one repository
	roleRead    role = "read"    // reading the API
	roleReport  role = "report"  // check runs
	roleDiscuss role = "discuss" // comments, reactions; apart, so that one can tell that the other is refused
)

// permissions of a role. Reading comments and pull requests takes pull_requests; collaborators' permissions take metadata.
func (r role) permissions() map[string]string {
	switch r {
	case roleClone:
		return map[string]string{"contents": "read"}
	case roleRead:
		return map[string]string{"metadata": "read", "contents": "read", "pull_requests": "read", "checks": "read"}
	case roleReport:
		return map[string]string{"checks": "write"}
	case roleDiscuss:
		return map[string]string{"pull_requests": "write"}
	}
	return nil
}

func tokenOptions(r role) *github.InstallationTokenOptions {
	p := r.permissions()
	level := func(name string) *string {
		if p[name] == "" {
			return nil
		}
		return github.String(p[name])
	}
	return &github.InstallationTokenOptions{Permissions: &github.InstallationPermissions{
		Metadata: level("metadata"), Contents: level("contents"), PullRequests: level("pull_requests"), Checks: level("checks"),
	}}
}

// subscription is an event that the App subscribes to, with the permission that GitHub demands for it.
type subscription struct{ permission, level string }

func subscriptions() map[string]subscription {
	return map[string]subscription{
		"check_run":     {"checks", "write"}, // without write there is no rerequested and no requested_action
		"check_suite":   {"checks", "write"},
		"issue_comment": {"issues", "read"}, // without it GitHub rejects the whole manifest
		"merge_group":   {"merge_queues", "read"},
		"pull_request":  {"pull_requests", "read"},
		"push":          {"contents", "read"},
	}
}

// Events are the webhook events that the App subscribes to, sorted. The installation events are always sent.
func Events() []string {
	return slices.Sorted(maps.Keys(subscriptions()))
}

// Permissions are what the App asks for: what its tokens and its events need, and statuses:write, which no request of
// ours uses: without it GitHub does not offer the App as the expected source of a required check in a ruleset.
func Permissions() map[string]string {
	all := map[string]string{"statuses": "write"}
	add := func(name, level string) {
		if all[name] != "write" {
			all[name] = level
		}
	}
	for _, r := range []role{roleClone, roleRead, roleReport, roleDiscuss} {
		for name, level := range r.permissions() {
			add(name, level)
		}
	}
	for _, s := range subscriptions() {
		add(s.permission, s.level)
	}
	return all
}
