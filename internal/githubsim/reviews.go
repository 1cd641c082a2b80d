package githubsim

import (
	"net/http"
	"strings"
)

func listReviews(c *call) answer {
	p := c.pull()
	if p == nil {
		return notFound()
	}
	return ok(render(page(c, p.reviews), func(v *review) object { return c.s.reviewShape(p, v) }))
}

func createReview(c *call) answer {
	p := c.pull()
	if p == nil {
		return notFound()
	}
	var in struct {
		Body     string `json:"body"`
		Event    string `json:"event"`
		CommitID string `json:"commit_id"`
	}
	if out, ok := c.decode(&in); !ok {
		return out
	}
	state := map[string]string{"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED", "": "PENDING"}[in.Event]
	switch {
	case state == "":
		return fail(http.StatusUnprocessableEntity, "Variable $event of type PullRequestReviewEvent was provided invalid value")
	case in.Event == "APPROVE" && p.user == c.who.user():
		return unprocessable("Can not approve your own pull request")
	case in.Event == "REQUEST_CHANGES" && p.user == c.who.user():
		return unprocessable("Can not request changes on your own pull request")
	case (in.Event == "REQUEST_CHANGES" || in.Event == "COMMENT") && in.Body == "":
		return unprocessable("Body can not be blank")
	}
	commit := p.headSHA
	if in.CommitID != "" {
		commit = in.CommitID
	}
	v := &review{id: c.s.nextID(), user: c.who.user(), body: in.Body, state: state, commit: commit, submitted: c.s.now()}
	p.reviews = append(p.reviews, v)
	if state != "PENDING" {
		c.s.emitReview(p, v, "submitted")
	}
	return ok(c.s.reviewShape(p, v))
}

// unprocessable is the simpler validation error, whose list holds texts.
func unprocessable(message string) answer {
	return answer{http.StatusUnprocessableEntity, object{
		"message": "Unprocessable Entity", "errors": []string{message}, "documentation_url": docs, "status": "422",
	}}
}

func (s *Server) emitReview(p *pull, v *review, action string) {
	shape := s.reviewShape(p, v)
	shape["state"] = strings.ToLower(v.state) // events spell the state in small letters
	s.emit(event{
		name: "pull_request_review", action: action, repo: p.repo, sender: v.user,
		body: object{"review": shape, "pull_request": s.pullSummary(p)},
	})
}

func dismissReview(c *call) answer {
	p := c.pull()
	if p == nil {
		return notFound()
	}
	for _, v := range p.reviews {
		if v.id != c.id("id") {
			continue
		}
		if v.state != "APPROVED" && v.state != "CHANGES_REQUESTED" {
			return unprocessable("Can not dismiss a review that is not an approval or a change request")
		}
		v.state = "DISMISSED"
		c.s.emitReview(p, v, "dismissed")
		return ok(c.s.reviewShape(p, v))
	}
	return notFound()
}
