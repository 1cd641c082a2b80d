package verdict

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mergegate/mergegate/internal/plan"
)

const (
	maxReasons = 10
	maxReason  = 300 // bytes
)

// reasons says why the verdict is not pass: errors first, then what denies, then what warns where
// that fails the plan. What does not fit is counted.
func (d *decision) reasons() []string {
	if d.verdict() == plan.Pass {
		return []string{}
	}
	all := slices.Concat(d.errors, d.refusals, d.unknowns, d.failing())
	if len(all) <= maxReasons {
		return all
	}
	return append(all[:maxReasons:maxReasons], "... and "+strconv.Itoa(len(all)-maxReasons)+" more")
}

// reason says what a policy says of what.
func reason(application string, f plan.Finding) string {
	verb := " denies "
	if f.Severity == plan.Warn {
		verb = " warns about "
	}
	what := "the change"
	if f.Object != nil {
		what = f.Object.String()
	}
	return oneLine(f.Policy + verb + what + in(application) + ": " + f.Message)
}

func in(application string) string {
	if application == "" {
		return ""
	}
	return " in application " + application
}

func quote(s string) string { return strconv.QuoteToGraphic(s) }

// oneLine makes one short line of a text.
func oneLine(text string) string {
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
	if len(text) <= maxReason {
		return text
	}
	cut := maxReason
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}
