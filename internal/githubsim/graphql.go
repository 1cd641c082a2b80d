package githubsim

import (
	"regexp"
	"slices"
)

// graphql knows one operation, the mutation minimizeComment with its input as a variable or inline, because REST has
// no equivalent. Anything else is answered with an error, as GitHub answers an unknown field.
func graphql(c *call) answer {
	if c.who.anonymous() {
		return fail(401, "This endpoint requires you to be authenticated.")
	}
	var in struct {
		Query     string `json:"query"`
		Variables struct {
			Input     minimizeInput `json:"input"`
			SubjectID string        `json:"id"`
		} `json:"variables"`
	}
	if out, ok := c.decode(&in); !ok {
		return out
	}
	if !regexp.MustCompile(`(?s)^\s*mutation\b.*\bminimizeComment\s*\(`).MatchString(in.Query) {
		return graphError("undefinedField", "githubsim knows only the mutation minimizeComment")
	}
	input := in.Variables.Input
	if input.SubjectID == "" {
		input = inlineInput(in.Query)
	}
	return c.minimize(input)
}

type minimizeInput struct {
	SubjectID  string `json:"subjectId"`
	Classifier string `json:"classifier"`
}

func inlineInput(query string) minimizeInput {
	var in minimizeInput
	if m := regexp.MustCompile(`subjectId:\s*"([^"]*)"`).FindStringSubmatch(query); m != nil {
		in.SubjectID = m[1]
	}
	if m := regexp.MustCompile(`classifier:\s*([A-Z_]+)`).FindStringSubmatch(query); m != nil {
		in.Classifier = m[1]
	}
	return in
}

func graphError(kind, message string) answer {
	return ok(object{"data": nil, "errors": []object{{"type": kind, "message": message, "path": []string{"minimizeComment"}}}})
}

func (c *call) minimize(in minimizeInput) answer {
	if !slices.Contains([]string{"ABUSE", "DUPLICATE", "OFF_TOPIC", "OUTDATED", "RESOLVED", "SPAM"}, in.Classifier) {
		return graphError("argumentLiteralsIncompatible", "classifier has an invalid value ("+in.Classifier+")")
	}
	r, m := c.s.commentByNode(in.SubjectID)
	if m == nil || !c.reads(r) {
		return graphError("NOT_FOUND", "Could not resolve to a node with the global id of '"+in.SubjectID+"'")
	}
	// Which permission GitHub wants of an App here is unverified.
	if in := c.who.installation(); in != nil && !c.who.token.satisfies("pull_requests=write; issues=write") {
		return graphError("FORBIDDEN", "Resource not accessible by integration")
	}
	if !c.mayEditIn(r, m) {
		return graphError("FORBIDDEN", "You do not have permission to minimize this comment")
	}
	m.minimized = in.Classifier
	return ok(object{"data": object{"minimizeComment": object{"minimizedComment": object{"isMinimized": true, "minimizedReason": in.Classifier}}}})
}

func (c *call) mayEditIn(r *repository, m *comment) bool {
	person := c.who.person()
	return person == nil || person == m.user || r.level(person) >= levelWrite
}

func (c *call) reads(r *repository) bool {
	if c.who.installation() != nil {
		return c.who.token.reaches(r)
	}
	return r.level(c.who.person()) >= levelRead
}

func (s *Server) commentByNode(id string) (*repository, *comment) {
	for _, r := range s.repos {
		for _, m := range r.comments {
			if nodeID("IC", m.id) == id {
				return r, m
			}
		}
	}
	return nil, nil
}
