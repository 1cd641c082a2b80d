package report

import "fmt"

// Phase is where a plan is that is not there yet, or why there is none.
type Phase string

// The phases.
const (
	Queued     Phase = "queued"
	InProgress Phase = "in progress"
	Superseded Phase = "superseded" // something newer took its place, or the pull request is not open any more
	Failed     Phase = "failed"     // our fault: not of the change, not of a policy
)

// Pending says what there is to say while a plan is missing.
type Pending struct {
	Phase     Phase
	Head      string // commit that is planned
	Base      string // commit that it is planned on, when known
	NewHead   string // of a superseded plan: the commit that took its place, Head for a newer plan of it, empty for none
	Reference string // of a failure: what an operator finds in the log
	Reason    string // of a failure: what may be said of it in public
}

// identity is the machine's part, hidden.
func (s Pending) identity() string {
	return fmt.Sprintf("<!-- base %s head %s -->\n", comment(s.Base), comment(s.Head))
}

func (s Pending) title() string {
	switch s.Phase {
	case Queued:
		return "Waiting to be planned"
	case InProgress:
		return "Being planned"
	case Superseded:
		return s.superseded().title
	default:
		return "Could not be planned: mergegate failed"
	}
}

// end is what became of a plan.
type end struct{ title, why string }

func (s Pending) superseded() end {
	switch s.NewHead {
	case "":
		return end{"Given up: the pull request is not open any more", "the pull request is not open any more"}
	case s.Head:
		return end{"Superseded by a newer plan", "a newer plan of the same commit took its place"}
	}
	return end{"Superseded by a newer commit", name(short(s.NewHead)) + " took its place"}
}

// text is one paragraph about it in Markdown.
func (s Pending) text() string {
	of := name(short(s.Head))
	if s.Base != "" {
		of += " on " + name(short(s.Base))
	}
	switch s.Phase {
	case Queued:
		return fmt.Sprintf("The plan of %s waits for its turn.\n", of)
	case InProgress:
		return fmt.Sprintf("The plan of %s is being made.\n", of)
	case Superseded:
		return fmt.Sprintf("The plan of %s was given up: %s.\n", of, s.superseded().why)
	}
	text := fmt.Sprintf("The plan of %s could not be made. This is not the fault of the pull request.\n", of)
	if s.Reason != "" {
		text += "\nReason: " + sentence(s.Reason, maxMessage) + "\n"
	}
	text += "\n**Who can clear it:** anyone with write access, by commenting `/plan`"
	if s.Reference != "" {
		return text + "; if it stays, whoever runs mergegate, who finds " + name(s.Reference) + " in its log.\n"
	}
	return text + "; if it stays, whoever runs mergegate.\n"
}

// PendingComment is the comment while there is no plan.
func PendingComment(s Pending, o CommentOptions) string {
	sign := map[Phase]string{Queued: "⏳", InProgress: "⏳", Superseded: "⏭️"}[s.Phase]
	if sign == "" {
		sign = "❌"
	}
	d := &document{limit: maxComment}
	if o.Marker != "" {
		d.add(MarkerLine(o.Marker) + "\n")
	}
	d.add(s.identity() + "### " + sign + " " + s.title() + "\n\n" + s.text() + "\n" + o.notices() + o.answer())
	return d.String()
}

// PendingCheckRuns are the check runs while there is no plan. A plan that failed or was superseded
// ends as a failure: nothing was evaluated.
func PendingCheckRuns(s Pending, o CheckOptions) []CheckRun {
	run := CheckRun{Title: s.title()}
	run.Summary = s.identity() + s.text()
	switch s.Phase {
	case Queued:
		run.Status = StatusQueued
	case InProgress:
		run.Status = StatusInProgress
	default:
		run.Status, run.Conclusion, run.Actions = StatusCompleted, ConclusionFailure, actions()
	}
	var out []CheckRun
	for _, n := range CheckNames(o) {
		run.Name = n
		out = append(out, run)
	}
	return out
}
