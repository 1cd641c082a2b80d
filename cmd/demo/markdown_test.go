package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMarkdown(t *testing.T) {
	for name, test := range map[string]struct{ in, want string }{
		"heading and hidden lines": {
			"<!-- mergegate:x -->\n<!-- plan -->\n### ✅ Passes: `a` and **b**\n\n\nText\n",
			"✅ Passes: a and b\n\nText",
		},
		"paragraph is wrapped": {
			"one two three four five six seven eight",
			"one two three four five six\nseven eight",
		},
		"list with breaks": {
			"- **deny** [`MG1`](http://x/y) no<br>[`f.yaml:3`](http://x) · here\n  1. two",
			"• deny MG1 no\n  f.yaml:3 · here\n  • two",
		},
		"table": {
			"| A | `staging` |\n|---|:--:|\n| `shop` | ⛔ **1 denied** |\n| x \\| y | |",
			"A       staging\n───────────────────\nshop    ⛔ 1 denied\nx | y",
		},
		"table that is too wide": {
			"| Name | What it does |\n|---|---|\n| a | one two three four five six seven |",
			"Name   What it does\n──────────────────────────────\na      one two three four five\n       six seven",
		},
		"open details": {
			"<details open><summary>⛔ <b>update</b> <code>D/a</code> &lt;3</summary>\n\nSame.\n\n```diff\n-a\n+b\n</details>\n```\n\n</details>\nend",
			"▾ ⛔ update D/a <3\n  Same.\n\n    -a\n    +b\n    </details>\nend",
		},
		"closed details": {
			"<details><summary>more</summary>\n\n<details open><summary>x</summary>\n</details>\nhidden\n</details>\nend",
			"▸ more\nend",
		},
		"details that do not end": {"<details open><summary>more</summary>\nlast", "▾ more\n  last"},
		"quote":                   {"> [!NOTE]\n> - one\n> two", "┃ NOTE\n┃ • one\n┃ two"},
		"fence in a longer one":   {"````\n```\n<b>\n```\n````\nend", "  ```\n  <b>\n  ```\nend"},
		"long line of a fence":    {"```\n" + strings.Repeat("x", 50) + "\n```", "  " + strings.Repeat("x", 27) + "…"},
		"code is not markup":      {"`**a**` `` `<b>` `` `&lt;`", "**a** `<b>` &lt;"},
		"tags and escapes":        {"<sub>a\\*b</sub> &#27;[31m", "a*b \ufffd[31m"},
		"control characters":      {"a\x1b[31mb\x01\u202ec\ue000", "a\ufffd[31mb\ufffd\ufffdc\ufffd"},
		"nothing":                 {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			plainScreen(&out).block("", markdown(test.in, 30))
			if diff := cmp.Diff(test.want+"\n", out.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWrapKeepsStyles(t *testing.T) {
	got := wrap(bold("one two three four"), 10)
	want := []string{bold("one two"), bold("three four")}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, l := range wrap(strings.Repeat("語", 40), 20) {
		if columns(l) > 20 {
			t.Errorf("%q is %d columns wide", l, columns(l))
		}
	}
}

func TestCutSaysWhatItCuts(t *testing.T) {
	var out strings.Builder
	plainScreen(&out).block(" ", cut([]string{"a", "b", "c", "d"}, 2, "http://x"))
	if want := " a\n b\n … 2 more lines, see http://x\n"; out.String() != want {
		t.Errorf("got %q", out.String())
	}
}

func FuzzMarkdown(f *testing.F) {
	f.Add("| a |\n|---|\n<details open><summary>x</summary>\n```\n> - `a\n")
	f.Fuzz(func(t *testing.T, text string) {
		for _, l := range markdown(text, 40) {
			if strings.ContainsAny(l, "\x1b\x00\n\r\u009b") {
				t.Errorf("%q of %q", l, text)
			}
		}
	})
}
