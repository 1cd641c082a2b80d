package main

import (
	"fmt"
	"strings"
)

// claim is something that the demo says and has checked.
type claim struct {
	what  string
	holds bool
	saw   string
}

// claims are all of them, in the order of the story.
type claims struct{ all []claim }

// add records whether something holds, and what was seen.
func (c *claims) add(what string, holds bool, saw string) {
	c.all = append(c.all, claim{what, holds, saw})
}

// has records whether a text holds some words, all of them.
func (c *claims) has(what, text string, words ...string) {
	var missing []string
	for _, w := range words {
		if !strings.Contains(text, w) {
			missing = append(missing, fmt.Sprintf("%q", w))
		}
	}
	if len(missing) > 0 {
		c.add(what, false, "it lacks "+strings.Join(missing, ", "))
		return
	}
	c.add(what, true, strings.Join(words, ", "))
}

// broken is an error that names what did not hold.
func (c *claims) broken() error {
	var out []string
	for _, one := range c.all {
		if !one.holds {
			out = append(out, one.what+": "+one.saw)
		}
	}
	if len(out) == 0 {
		return nil
	}
	return fmt.Errorf("%s did not hold:\n  %s", plural(len(out), "expectation"), strings.Join(out, "\n  "))
}

// table shows every claim.
func (c *claims) table(width int) []string {
	rows := [][]string{{"", "expected", "seen"}}
	for _, one := range c.all {
		sign := green("ok")
		if !one.holds {
			sign = red("FAILED")
		}
		rows = append(rows, []string{sign, clean(one.what), clean(one.saw)})
	}
	return grid(rows, width)
}
