package githubsim

import (
	"net/http"
	"slices"
	"strings"
)

// getCollaboratorPermission answers both forms: the four legacy words and the role's own name.
func getCollaboratorPermission(c *call) answer {
	u := c.s.userNamed(c.path["login"])
	if u == nil {
		return fail(http.StatusNotFound, "%s is not a user", c.path["login"])
	}
	level := c.repo.level(u)
	who := c.s.userShape(u)
	who["permissions"], who["role_name"] = permissionFlags(level), roleName(level)
	return ok(object{"permission": legacyPermission(level), "role_name": roleName(level), "user": who})
}

func isCollaborator(c *call) answer {
	u := c.s.userNamed(c.path["login"])
	if u == nil || c.repo.association(u) == "NONE" || c.repo.association(u) == "CONTRIBUTOR" {
		return notFound()
	}
	return noContent()
}

// SetRole changes a person's role in a repository; an empty role removes the person.
func (s *Server) SetRole(full, login, role string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.repositoryNamed(full)
	if r == nil {
		return
	}
	roles := map[string]string{}
	for who, had := range r.roles {
		if !sameLogin(who, login) {
			roles[who] = had
		}
	}
	if role != "" {
		roles[login] = role
	}
	r.roles = roles
}

func (c *call) branch() (string, answer, bool) {
	id, known := c.repo.git.Branch(c.path["branch"])
	if !known {
		return "", fail(http.StatusNotFound, "Branch not found"), false
	}
	return id, answer{}, true
}

func getBranch(c *call) answer {
	id, out, known := c.branch()
	if !known {
		return out
	}
	k, err := c.repo.git.Show(id)
	if err != nil {
		return broken(err)
	}
	name := c.path["branch"]
	rule := c.repo.protection[name]
	self := c.s.repoAPI(c.repo, "/branches/%s", escapePath(name))
	summary := object{"enabled": rule != nil, "required_status_checks": object{"enforcement_level": "off", "contexts": []string{}, "checks": []object{}}}
	if rule != nil && rule.hasChecks {
		summary["required_status_checks"] = object{
			"enforcement_level": enforcement(rule), "contexts": rule.contexts(), "checks": rule.checkList(),
		}
	}
	return ok(object{
		"name": name, "commit": c.s.commitShape(c.repo, k), "protected": rule != nil, "protection": summary,
		"protection_url": self + "/protection", "_links": object{"html": c.s.repoPage(c.repo, "/tree/%s", name), "self": self},
	})
}

func enforcement(rule *protection) string {
	if rule.enforceAdmins {
		return "everyone"
	}
	return "non_admins"
}

func (rule *protection) contexts() []string {
	out := []string{}
	for _, check := range rule.checks {
		out = append(out, check.context)
	}
	return out
}

func (rule *protection) checkList() []object {
	return render(rule.checks, func(check requiredCheck) object {
		return object{"context": check.context, "app_id": idOrNil(check.appID)}
	})
}

func (s *Server) protectionShape(r *repository, rule *protection) object {
	self := s.repoAPI(r, "/branches/%s/protection", escapePath(rule.branch))
	flag := func(on bool) object { return object{"enabled": on} }
	out := object{
		"url": self, "enforce_admins": object{"url": self + "/enforce_admins", "enabled": rule.enforceAdmins},
		"required_linear_history": flag(false), "allow_force_pushes": flag(false), "allow_deletions": flag(false),
		"block_creations": flag(false), "required_conversation_resolution": flag(false), "lock_branch": flag(false),
		"allow_fork_syncing": flag(false), "required_signatures": object{"url": self + "/required_signatures", "enabled": false},
	}
	if rule.hasChecks {
		checks := self + "/required_status_checks"
		out["required_status_checks"] = object{
			"url": checks, "strict": rule.strict, "contexts": rule.contexts(), "contexts_url": checks + "/contexts", "checks": rule.checkList(),
		}
	}
	if rule.hasReviews {
		out["required_pull_request_reviews"] = object{
			"url": self + "/required_pull_request_reviews", "dismiss_stale_reviews": false, "require_code_owner_reviews": false,
			"required_approving_review_count": rule.reviews, "require_last_push_approval": false,
		}
	}
	return out
}

func getProtection(c *call) answer {
	if _, out, known := c.branch(); !known {
		return out
	}
	rule := c.repo.protection[c.path["branch"]]
	if rule == nil {
		return fail(http.StatusNotFound, "Branch not protected")
	}
	return ok(c.s.protectionShape(c.repo, rule))
}

// protectionRequest is the body of a change of protection, in both spellings of required checks.
type protectionRequest struct {
	Checks *struct {
		Strict   bool     `json:"strict"`
		Contexts []string `json:"contexts"`
		Checks   *[]struct {
			Context string `json:"context"`
			AppID   *int64 `json:"app_id"`
		} `json:"checks"`
	} `json:"required_status_checks"`
	EnforceAdmins *bool `json:"enforce_admins"`
	Reviews       *struct {
		Count int `json:"required_approving_review_count"`
	} `json:"required_pull_request_reviews"`
}

func putProtection(c *call) answer {
	if _, out, known := c.branch(); !known {
		return out
	}
	var in protectionRequest
	if out, ok := c.decode(&in); !ok {
		return out
	}
	rule := &protection{branch: c.path["branch"], enforceAdmins: in.EnforceAdmins != nil && *in.EnforceAdmins}
	if in.Reviews != nil {
		rule.hasReviews, rule.reviews = true, in.Reviews.Count
	}
	if in.Checks != nil {
		rule.hasChecks, rule.strict = true, in.Checks.Strict
		for _, context := range in.Checks.Contexts {
			rule.checks = append(rule.checks, requiredCheck{context: context})
		}
		if in.Checks.Checks != nil {
			rule.checks = nil
			for _, check := range *in.Checks.Checks {
				rule.checks = append(rule.checks, c.pinned(check.Context, check.AppID))
			}
		}
	}
	c.repo.protection[rule.branch] = rule
	return ok(c.s.protectionShape(c.repo, rule))
}

// pinned resolves an app_id: -1 is any source, and an absent one is the App that reported the check last.
func (c *call) pinned(name string, appID *int64) requiredCheck {
	check := requiredCheck{context: name}
	if appID != nil {
		check.appID = max(*appID, 0)
		return check
	}
	for _, run := range slices.Backward(c.repo.runs) {
		if run.name == name {
			check.appID = run.suite.app.id
			break
		}
	}
	return check
}

// listBranchRules is empty: protection is classic here, rulesets are not simulated.
func listBranchRules(*call) answer { return ok([]object{}) }

func listRulesets(*call) answer { return ok([]object{}) }

func (p *pull) labelled(name string) *label {
	for _, l := range p.labels {
		if strings.EqualFold(l.name, name) {
			return l
		}
	}
	return nil
}

func listLabels(c *call) answer {
	p := c.pull()
	if p == nil {
		return notFound()
	}
	return ok(c.s.labelShapes(p))
}

func addLabels(c *call) answer {
	p := c.pull()
	if p == nil {
		return notFound()
	}
	var in struct {
		Labels []string `json:"labels"`
	}
	if out, ok := c.decode(&in); !ok {
		if out, ok := c.decode(&in.Labels); !ok { // a bare list is accepted as well
			return out
		}
		_ = out // the first form did not fit; the second one did
	}
	for _, name := range in.Labels {
		if p.labelled(name) != nil {
			continue
		}
		l := c.repo.labelNamed(name, c.s)
		p.labels = append(p.labels, l)
		c.s.emitPull(p, "labeled", c.who.user(), object{"label": c.s.labelShape(c.repo, l)})
	}
	return ok(c.s.labelShapes(p))
}

func (r *repository) labelNamed(name string, s *Server) *label {
	for _, l := range r.labels {
		if strings.EqualFold(l.name, name) {
			return l
		}
	}
	l := &label{id: s.nextID(), name: name, color: "ededed"}
	r.labels = append(r.labels, l)
	return l
}

func removeLabel(c *call) answer {
	p := c.pull()
	if p == nil {
		return notFound()
	}
	l := p.labelled(c.path["name"])
	if l == nil {
		return fail(http.StatusNotFound, "Label does not exist")
	}
	p.labels = slices.DeleteFunc(p.labels, func(o *label) bool { return o == l })
	c.s.emitPull(p, "unlabeled", c.who.user(), object{"label": c.s.labelShape(c.repo, l)})
	return ok(c.s.labelShapes(p))
}
