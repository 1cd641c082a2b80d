package githubsim

import (
	"fmt"
	"time"
)

// The methods of this file are what people and administrators do where GitHub has no REST call, or none that the
// simulator serves.

// PressButton presses a button that a check run offers, as a person who looks at the pull request would.
func (s *Server) PressButton(full string, run int64, identifier, login string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, by := s.repositoryNamed(full), s.userNamed(login)
	if r == nil || by == nil || r.run(run) == nil {
		return fmt.Errorf("press button: no repository %s, user %s or check run %d", full, login, run)
	}
	for _, a := range r.run(run).actions {
		if a.Identifier == identifier {
			s.requestAction(r, r.run(run), identifier, by)
			return nil
		}
	}
	return fmt.Errorf("press button: check run %d has no action %q", run, identifier)
}

func (s *Server) requestAction(r *repository, run *checkRun, identifier string, by *user) {
	s.emit(event{name: "check_run", action: "requested_action", repo: r, sender: by, only: run.suite.app, body: object{
		"check_run": s.runEventShape(r, run), "requested_action": object{"identifier": identifier},
	}})
}

// SetDraft converts a pull request to a draft or marks it ready for review.
func (s *Server) SetDraft(full string, number int, draft bool, login string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, by, err := s.actor(full, number, login)
	if err != nil {
		return fmt.Errorf("set draft: %w", err)
	}
	if p.draft == draft {
		return nil
	}
	p.draft, p.updated = draft, s.now()
	action := "ready_for_review"
	if draft {
		action = "converted_to_draft"
	}
	s.emitPull(p, action, by, nil)
	return nil
}

// DeleteRepository deletes a repository. Pull requests from it live on with a head that has no repository.
func (s *Server) DeleteRepository(full string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	gone := s.repositoryNamed(full)
	if gone == nil {
		return fmt.Errorf("delete repository: no repository %s", full)
	}
	kept := s.repos[:0:0]
	for _, r := range s.repos {
		if r == gone {
			continue
		}
		kept = append(kept, r)
		for _, p := range r.pulls {
			if p.headRepo == gone {
				p.headRepo = nil
			}
		}
	}
	s.repos = kept
	return nil
}

// Suspend suspends an installation, or lifts the suspension, and tells the App.
func (s *Server) Suspend(id int64, suspended bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	in := s.installationByID(id)
	if in == nil {
		return fmt.Errorf("suspend: no installation %d", id)
	}
	action := "unsuspend"
	in.suspended = nil
	if suspended {
		now := s.now()
		in.suspended, action = &now, "suspend"
	}
	s.emitInstallation(in, "installation", action, object{"repositories": s.installedOn(in)})
	return nil
}

// Uninstall removes an installation and tells the App.
func (s *Server) Uninstall(id int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	in := s.installationByID(id)
	if in == nil {
		return fmt.Errorf("uninstall: no installation %d", id)
	}
	s.emitInstallation(in, "installation", "deleted", object{"repositories": s.installedOn(in)})
	for i, other := range s.installs {
		if other == in {
			s.installs = append(s.installs[:i:i], s.installs[i+1:]...)
			break
		}
	}
	for _, t := range s.tokens {
		t.revoked = t.revoked || t.in == in
	}
	return nil
}

// Select adds a repository to an installation, or removes it, and tells the App.
func (s *Server) Select(id int64, full string, selected bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	in, r := s.installationByID(id), s.repositoryNamed(full)
	if in == nil || r == nil || r.owner != in.account {
		return fmt.Errorf("select repository: no installation %d on the account of %s", id, full)
	}
	if in.repos == nil {
		in.repos = map[int64]bool{}
		for _, other := range s.repos {
			in.repos[other.id] = other.owner == in.account
		}
	}
	in.repos[r.id] = selected
	added, removed, action := []object{}, []object{s.repositoryBrief(r)}, "removed"
	if selected {
		added, removed, action = removed, added, "added"
	}
	s.emitInstallation(in, "installation_repositories", action, object{
		"repositories_added": added, "repositories_removed": removed, "repository_selection": "selected", "requester": nil,
	})
	return nil
}

// Grant changes the permissions that an account has accepted and tells the App.
func (s *Server) Grant(id int64, permissions map[string]string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	in := s.installationByID(id)
	if in == nil {
		return fmt.Errorf("grant: no installation %d", id)
	}
	in.permissions = withMetadata(permissions)
	s.emitInstallation(in, "installation", "new_permissions_accepted", object{"repositories": s.installedOn(in)})
	return nil
}

// RevokeTokens makes every token of an installation invalid, without telling anybody.
func (s *Server) RevokeTokens(id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.tokens {
		t.revoked = t.revoked || (t.in != nil && t.in.id == id)
	}
}

// Age moves a pull request's test merge into the past, so that the next read makes it anew.
func (s *Server) Age(full string, number int, by time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.repositoryNamed(full); r != nil && r.pull(number) != nil {
		p := r.pull(number)
		p.tested.when = p.tested.when.Add(-by)
	}
}

func (s *Server) installationByID(id int64) *installation {
	for _, in := range s.installs {
		if in.id == id {
			return in
		}
	}
	return nil
}

func (s *Server) repositoryBrief(r *repository) object {
	return object{"id": r.id, "node_id": nodeID("R", r.id), "name": r.name, "full_name": r.fullName(), "private": r.private}
}

func (s *Server) installedOn(in *installation) []object {
	out := []object{}
	for _, r := range s.repos {
		if in.covers(r) {
			out = append(out, s.repositoryBrief(r))
		}
	}
	return out
}

// emitInstallation sends an event that every App gets about its own installations, subscribed or not.
func (s *Server) emitInstallation(in *installation, name, action string, body object) {
	body["installation"] = s.installationShape(in)
	s.deliver(in, event{name: name, action: action, sender: in.account, body: body})
}
