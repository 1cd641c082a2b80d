package githubsim

import (
	"net/http"
	"slices"
	"time"
	"unicode/utf8"
)

func listComments(c *call) answer {
	p := c.pull()
	if p == nil {
		return notFound()
	}
	since, err := time.Parse(time.RFC3339, c.query("since"))
	if err != nil {
		since = time.Time{} // absent or unreadable: everything
	}
	var out []*comment
	for _, m := range c.repo.comments {
		if m.number == p.number && !m.updated.Before(since) {
			out = append(out, m)
		}
	}
	return ok(render(page(c, out), func(m *comment) object { return c.s.commentShape(c.repo, m) }))
}

func getComment(c *call) answer {
	if m := c.repo.comment(c.id("id")); m != nil {
		return ok(c.s.commentShape(c.repo, m))
	}
	return notFound()
}

// commentBody reads and checks the body of a comment.
func (c *call) commentBody() (string, answer, bool) {
	var in struct {
		Body *string `json:"body"`
	}
	if out, ok := c.decode(&in); !ok {
		return "", out, false
	}
	if in.Body == nil {
		return "", missing("body"), false
	}
	if *in.Body == "" {
		return "", invalid(fieldError{Resource: "IssueComment", Code: "missing_field", Field: "body"}), false
	}
	if utf8.RuneCountInString(*in.Body) > maxText {
		return "", invalid(fieldError{
			Resource: "IssueComment", Code: "unprocessable", Field: "data", Message: "Body is too long (maximum is 65536 characters)",
		}), false
	}
	return *in.Body, answer{}, true
}

func createComment(c *call) answer {
	p := c.pull()
	if p == nil {
		return notFound()
	}
	body, out, ok := c.commentBody()
	if !ok {
		return out
	}
	return created(c.s.commentShape(c.repo, c.s.addComment(p, body, c.who)))
}

func (s *Server) addComment(p *pull, body string, by *principal) *comment {
	m := &comment{
		id: s.nextID(), number: p.number, user: by.user(), app: by.asApp(), body: body, created: s.now(), updated: s.now(),
	}
	p.repo.comments = append(p.repo.comments, m)
	p.updated = s.now()
	s.emitComment(p, m, "created", by.user(), nil)
	return m
}

func (s *Server) emitComment(p *pull, m *comment, action string, by *user, changes object) {
	body := object{"issue": s.issueShape(p), "comment": s.commentShape(p.repo, m)}
	if changes != nil {
		body["changes"] = changes
	}
	s.emit(event{name: "issue_comment", action: action, repo: p.repo, sender: by, body: body})
}

// mayEdit lets authors and writers change a comment; an App may change what others wrote as well, as on GitHub.
func (c *call) mayEdit(m *comment) bool {
	person := c.who.person()
	return person == nil || person == m.user || c.repo.level(person) >= levelWrite
}

func patchComment(c *call) answer {
	m := c.repo.comment(c.id("id"))
	if m == nil {
		return notFound()
	}
	if !c.mayEdit(m) {
		return fail(http.StatusForbidden, "Must have write access to edit this comment.")
	}
	body, out, valid := c.commentBody()
	if !valid {
		return out
	}
	from := m.body
	m.body, m.updated = body, c.s.now()
	if from != body {
		c.s.emitComment(c.repo.pull(m.number), m, "edited", c.who.user(), object{"body": object{"from": from}})
	}
	return ok(c.s.commentShape(c.repo, m))
}

func deleteComment(c *call) answer {
	m := c.repo.comment(c.id("id"))
	if m == nil {
		return notFound()
	}
	if !c.mayEdit(m) {
		return fail(http.StatusForbidden, "Must have write access to delete this comment.")
	}
	c.repo.comments = slices.DeleteFunc(c.repo.comments, func(o *comment) bool { return o == m })
	c.s.emitComment(c.repo.pull(m.number), m, "deleted", c.who.user(), nil)
	return noContent()
}

func listReactions(c *call) answer {
	m := c.repo.comment(c.id("id"))
	if m == nil {
		return notFound()
	}
	out := slices.DeleteFunc(slices.Clone(m.reactions), func(r *reaction) bool {
		return c.query("content") != "" && r.content != c.query("content")
	})
	return ok(render(page(c, out), c.s.reactionShape))
}

// createReaction is idempotent: 200 when the caller has reacted so before (the codes are unverified).
func createReaction(c *call) answer {
	m := c.repo.comment(c.id("id"))
	if m == nil {
		return notFound()
	}
	var in struct {
		Content string `json:"content"`
	}
	if out, ok := c.decode(&in); !ok {
		return out
	}
	if !slices.Contains(reactionContents(), in.Content) {
		return invalid(fieldError{Resource: "Reaction", Code: "invalid", Field: "content"})
	}
	for _, r := range m.reactions {
		if r.user == c.who.user() && r.content == in.Content {
			return ok(c.s.reactionShape(r))
		}
	}
	r := &reaction{id: c.s.nextID(), user: c.who.user(), content: in.Content, created: c.s.now()}
	m.reactions = append(m.reactions, r)
	return created(c.s.reactionShape(r))
}

func deleteReaction(c *call) answer {
	m := c.repo.comment(c.id("id"))
	if m == nil {
		return notFound()
	}
	at := slices.IndexFunc(m.reactions, func(r *reaction) bool { return r.id == c.id("reaction") })
	if at < 0 {
		return notFound()
	}
	m.reactions = slices.Delete(m.reactions, at, at+1)
	return noContent()
}
