package githubsim

import (
	"fmt"
	"net/http"
	"slices"
	"unicode/utf8"
)

// The limits of the checks API. Summary and text are counted in bytes, although the documentation says characters.
const (
	maxAnnotations = 50
	maxOutput      = 65535
	maxMessage     = 64 << 10
	maxActions     = 3
)

func invalidRequest(format string, args ...any) (answer, bool) {
	return fail(http.StatusUnprocessableEntity, "Invalid request.\n\n%s", fmt.Sprintf(format, args...)), false
}

func invalidRun(field, message string) (answer, bool) {
	return invalid(fieldError{Resource: "CheckRun", Code: "custom", Field: field, Message: message}), false
}

// check applies every limit; false means that the answer is the error to send and nothing was changed.
func (in runRequest) check() (answer, bool) {
	if in.Status != nil && !slices.Contains([]string{"queued", "in_progress", "completed"}, *in.Status) {
		return invalidRequest("%s is not a member of [\"queued\", \"in_progress\", \"completed\"].", *in.Status)
	}
	if in.Conclusion != nil && !slices.Contains([]string{"action_required", "cancelled", "failure", "neutral", "success", "skipped", "timed_out"}, *in.Conclusion) {
		return invalidRequest("%s is not a conclusion.", *in.Conclusion)
	}
	if in.Status != nil && *in.Status == "completed" && in.Conclusion == nil {
		return invalidRequest("Missing required key \"conclusion\" for status \"completed\".")
	}
	if in.Output != nil {
		if out, ok := in.Output.check(); !ok {
			return out, false
		}
	}
	if in.Actions != nil {
		return checkActions(*in.Actions)
	}
	return answer{}, true
}

func (o *runOutput) check() (answer, bool) {
	if o.Title == nil || o.Summary == nil {
		return invalidRequest("\"title\" and \"summary\" must be supplied with \"output\".")
	}
	if len(*o.Summary) > maxOutput {
		return invalidRun("summary", "summary exceeds a maximum bytesize of 65535")
	}
	if o.Text != nil && len(*o.Text) > maxOutput { // that text is counted like summary is unverified
		return invalidRun("text", "text exceeds a maximum bytesize of 65535")
	}
	if len(o.Annotations) > maxAnnotations {
		return invalidRequest("No more than 50 items are allowed; %d were supplied.", len(o.Annotations))
	}
	for _, a := range o.Annotations {
		if out, ok := a.check(); !ok {
			return out, false
		}
	}
	return answer{}, true
}

func (a annotation) check() (answer, bool) {
	switch {
	case a.Path == "" || a.StartLine == nil || a.EndLine == nil || a.Message == "":
		return invalidRequest("\"path\", \"start_line\", \"end_line\", \"annotation_level\" and \"message\" must be supplied with each annotation.")
	case !slices.Contains([]string{"notice", "warning", "failure"}, a.Level):
		return invalidRequest("%q is not a member of [\"notice\", \"warning\", \"failure\"].", a.Level)
	case *a.EndLine < *a.StartLine:
		return invalidRun("annotations", "end_line must not be before start_line")
	case (a.StartColumn != nil || a.EndColumn != nil) && *a.StartLine != *a.EndLine:
		return invalidRun("annotations", "start_column and end_column are allowed only when start_line and end_line are equal")
	case len(a.Message) > maxMessage:
		return invalidRun("annotations", "message exceeds a maximum bytesize of 65536")
	case a.RawDetails != nil && len(*a.RawDetails) > maxMessage:
		return invalidRun("annotations", "raw_details exceeds a maximum bytesize of 65536")
	case a.Title != nil && utf8.RuneCountInString(*a.Title) > 255:
		return invalidRun("annotations", "title is too long (maximum is 255 characters)")
	}
	return answer{}, true
}

func checkActions(actions []runAction) (answer, bool) {
	if len(actions) > maxActions {
		return invalidRequest("No more than 3 items are allowed; %d were supplied.", len(actions))
	}
	for _, a := range actions {
		for _, f := range []struct {
			name, value string
			most        int
		}{{"label", a.Label, 20}, {"description", a.Description, 40}, {"identifier", a.Identifier, 20}} {
			if f.value == "" {
				return invalidRequest("%q must be supplied with each action.", f.name)
			}
			if utf8.RuneCountInString(f.value) > f.most {
				return invalidRequest("Only %d characters are allowed for %q; %d were supplied.", f.most, f.name, utf8.RuneCountInString(f.value))
			}
		}
	}
	return answer{}, true
}
