package githubsim

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/mergegate/mergegate/internal/githubsim/hook"
)

// event is something that happened in a repository, before it is addressed to installations.
type event struct {
	name   string
	action string
	repo   *repository
	sender *user
	body   object
	// only limits the event to one App: rerequests and buttons go to the owner of the run.
	only *app
}

// emit sends an event to every App that is installed on the repository, subscribed and permitted.
func (s *Server) emit(e event) {
	for _, in := range s.installationsFor(e.repo) {
		if (e.only == nil || e.only == in.app) && in.hears(e.name) {
			s.deliver(in, e)
		}
	}
}

// hears applies subscription and permission. Check events come with checks:write, without a subscription.
func (in *installation) hears(name string) bool {
	if (name == "check_run" || name == "check_suite") && in.permissions["checks"] == "write" {
		return true
	}
	return slices.Contains(in.app.events, name) && accessLevel(in.permissions[eventPermission(name)]) > 0
}

func eventPermission(name string) string {
	switch name {
	case "pull_request", "pull_request_review":
		return "pull_requests"
	case "push", "create", "delete":
		return "contents"
	case "issue_comment":
		return "issues"
	case "check_run", "check_suite":
		return "checks"
	case "merge_group":
		return "merge_queues"
	case "status":
		return "statuses"
	case "branch_protection_rule", "repository_ruleset":
		return "administration"
	default:
		return "metadata"
	}
}

func (s *Server) deliver(in *installation, e event) {
	body := maps.Clone(e.body)
	if body == nil {
		body = object{}
	}
	if e.action != "" {
		body["action"] = e.action
	}
	if e.repo != nil {
		if body["repository"] == nil {
			body["repository"] = s.repositoryShape(e.repo)
		}
		if e.repo.owner.kind == "Organization" {
			body["organization"] = s.organizationShape(e.repo.owner)
		}
	}
	if body["installation"] == nil {
		body["installation"] = object{"id": in.id, "node_id": nodeID("IIN", in.id)}
	}
	body["sender"] = s.userShape(e.sender)
	payload, err := json.Marshal(body)
	if err != nil {
		payload = []byte(`{"githubsim":"the payload cannot be rendered"}`)
	}
	if len(payload) > 25<<20 {
		return // GitHub does not fire events of more than 25 MB
	}
	out := hook.Event{Name: e.name, Action: e.action, Installation: in.id, Payload: payload}
	if e.repo != nil {
		out.Repository = e.repo.id
	}
	in.app.hooks.Send(out)
}

func (s *Server) emitPull(p *pull, action string, sender *user, extra object) {
	body := object{"number": p.number, "pull_request": s.pullShape(p, s.facts(p))}
	maps.Copy(body, extra)
	s.emit(event{name: "pull_request", action: action, repo: p.repo, sender: sender, body: body})
}
