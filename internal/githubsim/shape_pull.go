package githubsim

import "maps"

func (s *Server) labelShape(r *repository, l *label) object {
	return object{
		"id": l.id, "node_id": nodeID("LA", l.id), "url": s.repoAPI(r, "/labels/%s", escape(l.name)), "name": l.name,
		"description": nil, "color": l.color, "default": false,
	}
}

func (s *Server) labelShapes(p *pull) []object {
	return render(p.labels, func(l *label) object { return s.labelShape(p.repo, l) })
}

// pullSummary is a pull request in a list.
func (s *Server) pullSummary(p *pull) object {
	self, issue := s.repoAPI(p.repo, "/pulls/%d", p.number), s.repoAPI(p.repo, "/issues/%d", p.number)
	page := s.repoPage(p.repo, "/pull/%d", p.number)
	statuses := s.repoAPI(p.repo, "/statuses/%s", p.headSHA)
	link := func(href string) object { return object{"href": href} }
	return object{
		"id": p.id, "node_id": nodeID("PR", p.id), "number": p.number, "url": self, "html_url": page,
		"diff_url": page + ".diff", "patch_url": page + ".patch", "issue_url": issue, "commits_url": self + "/commits",
		"review_comments_url": self + "/comments", "review_comment_url": s.repoAPI(p.repo, "/pulls/comments{/number}"),
		"comments_url": issue + "/comments", "statuses_url": statuses,
		"state": p.state, "locked": false, "active_lock_reason": nil, "title": p.title, "user": s.userShape(p.user),
		"body": textOrNil(p.body), "labels": s.labelShapes(p), "milestone": nil, "assignee": nil, "assignees": []object{},
		"requested_reviewers": []object{}, "requested_teams": []object{}, "draft": p.draft, "auto_merge": nil,
		"created_at": stamp(p.created), "updated_at": stamp(p.updated), "closed_at": stampOrNil(p.closed),
		"merged_at": stampOrNil(p.merged), "merge_commit_sha": textOrNil(p.mergeCommit),
		"author_association": p.repo.association(p.user),
		"head":               s.headShape(p),
		"base": object{
			"label": p.repo.owner.login + ":" + p.baseRef, "ref": p.baseRef, "sha": p.baseSHA,
			"user": s.userShape(p.repo.owner), "repo": s.repositoryShape(p.repo),
		},
		"_links": object{
			"self": link(self), "html": link(page), "issue": link(issue), "comments": link(issue + "/comments"),
			"review_comments": link(self + "/comments"), "review_comment": link(s.repoAPI(p.repo, "/pulls/comments{/number}")),
			"commits": link(self + "/commits"), "statuses": link(statuses),
		},
	}
}

// headShape has a null repo when the fork is gone.
func (s *Server) headShape(p *pull) object {
	head := object{"label": p.headLabel, "ref": p.headRef, "sha": p.headSHA, "user": s.userShape(p.user), "repo": nil}
	if p.headRepo != nil {
		head["user"], head["repo"] = s.userShape(p.headRepo.owner), s.repositoryShape(p.headRepo)
	}
	return head
}

// pullFacts are what GitHub computes for a single pull request.
type pullFacts struct {
	mergeable any // true, false or nil
	state     string
	additions int
	deletions int
	files     int
	commits   int
}

func (s *Server) pullShape(p *pull, f pullFacts) object {
	out := s.pullSummary(p)
	comments := 0
	for _, c := range p.repo.comments {
		if c.number == p.number {
			comments++
		}
	}
	maps.Copy(out, object{
		"merged": p.merged != nil, "mergeable": f.mergeable, "rebaseable": f.mergeable, "mergeable_state": f.state,
		"merged_by": s.nullableUser(p.mergedBy), "comments": comments, "review_comments": 0, "maintainer_can_modify": false,
		"commits": f.commits, "additions": f.additions, "deletions": f.deletions, "changed_files": f.files,
	})
	return out
}

// pullReference is a pull request inside a check run or suite.
func (s *Server) pullReference(p *pull) object {
	repo := func(r *repository) object { return object{"id": r.id, "url": s.repoAPI(r, ""), "name": r.name} }
	return object{
		"id": p.id, "number": p.number, "url": s.repoAPI(p.repo, "/pulls/%d", p.number),
		"head": object{"ref": p.headRef, "sha": p.headSHA, "repo": repo(p.headRepo)},
		"base": object{"ref": p.baseRef, "sha": p.baseSHA, "repo": repo(p.repo)},
	}
}

// issueShape is the issue side of a pull request, as issue_comment events carry it.
func (s *Server) issueShape(p *pull) object {
	self, page := s.repoAPI(p.repo, "/issues/%d", p.number), s.repoPage(p.repo, "/pull/%d", p.number)
	comments := 0
	for _, c := range p.repo.comments {
		if c.number == p.number {
			comments++
		}
	}
	return object{
		"id": p.id + 1, "node_id": nodeID("PR", p.id), "number": p.number, "url": self, "html_url": page,
		"repository_url": s.repoAPI(p.repo, ""), "labels_url": self + "/labels{/name}", "comments_url": self + "/comments",
		"events_url": self + "/events", "timeline_url": self + "/timeline",
		"title": p.title, "body": textOrNil(p.body), "state": p.state, "state_reason": nil, "locked": false, "active_lock_reason": nil,
		"user": s.userShape(p.user), "labels": s.labelShapes(p), "assignee": nil, "assignees": []object{}, "milestone": nil,
		"comments": comments, "created_at": stamp(p.created), "updated_at": stamp(p.updated), "closed_at": stampOrNil(p.closed),
		"author_association": p.repo.association(p.user), "draft": p.draft, "performed_via_github_app": nil,
		"reactions": s.reactionRollup(self, nil),
		"pull_request": object{
			"url": s.repoAPI(p.repo, "/pulls/%d", p.number), "html_url": page, "diff_url": page + ".diff",
			"patch_url": page + ".patch", "merged_at": stampOrNil(p.merged),
		},
	}
}

func (s *Server) reactionRollup(self string, reactions []*reaction) object {
	out := object{"url": self + "/reactions", "total_count": len(reactions)}
	for _, content := range reactionContents() {
		n := 0
		for _, r := range reactions {
			if r.content == content {
				n++
			}
		}
		out[content] = n
	}
	return out
}

func reactionContents() []string {
	return []string{"+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"}
}

func (s *Server) reactionShape(r *reaction) object {
	return object{
		"id": r.id, "node_id": nodeID("REA", r.id), "user": s.nullableUser(r.user), "content": r.content, "created_at": stamp(r.created),
	}
}

func (s *Server) commentShape(r *repository, c *comment) object {
	self := s.repoAPI(r, "/issues/comments/%d", c.id)
	out := object{
		"id": c.id, "node_id": nodeID("IC", c.id), "url": self,
		"html_url":  s.repoPage(r, "/pull/%d#issuecomment-%d", c.number, c.id),
		"issue_url": s.repoAPI(r, "/issues/%d", c.number), "user": s.userShape(c.user), "body": c.body,
		"created_at": stamp(c.created), "updated_at": stamp(c.updated), "author_association": r.association(c.user),
		"performed_via_github_app": s.nullableApp(c.app), "reactions": s.reactionRollup(self, c.reactions), "minimized": nil,
	}
	if c.minimized != "" {
		out["minimized"] = object{"reason": c.minimized}
	}
	return out
}

func (s *Server) reviewShape(p *pull, v *review) object {
	page := s.repoPage(p.repo, "/pull/%d#pullrequestreview-%d", p.number, v.id)
	return object{
		"id": v.id, "node_id": nodeID("PRR", v.id), "user": s.userShape(v.user), "body": v.body, "state": v.state,
		"html_url": page, "pull_request_url": s.repoAPI(p.repo, "/pulls/%d", p.number), "submitted_at": stamp(v.submitted),
		"commit_id": v.commit, "author_association": p.repo.association(v.user),
		"_links": object{"html": object{"href": page}, "pull_request": object{"href": s.repoAPI(p.repo, "/pulls/%d", p.number)}},
	}
}
