package report

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestProse(t *testing.T) {
	for in, want := range map[string]string{
		"container web has no limits, see docs":  "container web has no limits, see docs",
		`container "web" (sidecar) runs as root`: `container "web" (sidecar) runs as root`,
		"ping @admin now":                        "ping `@admin` now",
		"fixes #12, GH-1 and o/r#3.":             "fixes `#12`, `GH-1` and `o/r#3`.",
		"see https://evil.example/x.":            "see `https://evil.example/x`.",
		"www.evil.example mail a@b.c":            "`www.evil.example` mail `a@b.c`",
		"<!-- x --> <details> **b** _i_ a|b":     "`<!--` `x --`",
		"line\none":                              "line one",
		"a `tick` here":                          "a `` `tick` `` here",
		"- list":                                 "`-` list",
		"1. list":                                "`1`. list",
		"at 1a2b3c4d5e":                          "at `1a2b3c4d5e`",
		":tada: a::b":                            "`:tada`: a::b",
		"rtl \u202eevil":                         "rtl `\\u202eevil`",
		"esc \x1b[31m":                           "esc `\\u001b[31m`",
		"[a](b) ![c](d)":                         "`[a](b)` `![c](d)`",
		"\\`@x":                                  "``\\`@x``",
		"größe und 数値は 3 です":                     "größe und 数値は 3 です",
		"image nginx:1.25 in apps/v1":            "image nginx:1.25 in apps/v1",
	} {
		if strings.HasPrefix(in, "<!--") {
			want = "`<!--` x `-->` `<details>` `**b**` `_i_` `a|b`"
		}
		if got := prose(in); got != want {
			t.Errorf("prose(%q) = %s, want %s", in, got, want)
		}
	}
}

func TestCode(t *testing.T) {
	for in, want := range map[string]string{
		"web": "`web`", "a`b": "``a`b``", "`": "`` ` ``", "``x": "``` ``x ```", "": "(empty)", " ": "(empty)",
		"a\nb": "`a\\nb`", "a\r\tb": "`a\\u000d\\u0009b`", "\xff": "`\\xff`", "\u200b": "`\\u200b`", "\U000e0041": "`\\U000e0041`",
	} {
		if got := code(in); got != want {
			t.Errorf("code(%q) = %s, want %s", in, got, want)
		}
	}
	if got, want := cell("a|b"), "`a\\u007cb`"; got != want {
		t.Errorf("cell = %s, want %s", got, want)
	}
	if got, want := codeHTML("<b>&\"\n"), "<code>&lt;b&gt;&amp;&#34;\\n</code>"; got != want {
		t.Errorf("codeHTML = %s, want %s", got, want)
	}
}

func TestLink(t *testing.T) {
	for in, want := range map[string]string{
		"https://example.com/a?b=c#d":        "[t](https://example.com/a?b=c#d)",
		"https://example.com/a b(c)[d]|`<>*": "[t](https://example.com/a%20b%28c%29%5Bd%5D%7C%60%3C%3E%2A)",
		"javascript:alert(1)":                "t",
		"data:text/html,x":                   "t",
		"//example.com":                      "t",
		"https://user:pw@example.com":        "t",
		"":                                   "t",
		"https://example.com/)\n# x":         "t",
	} {
		if got := link("t", in); got != want {
			t.Errorf("link(%q) = %s, want %s", in, got, want)
		}
	}
}

func TestWorkflowAndTerminal(t *testing.T) {
	if got, want := workflowData("50%\r\n::error::x\n"), "50%25%0A::error::x%0A"; got != want {
		t.Errorf("workflowData = %s, want %s", got, want)
	}
	if got, want := workflowProperty("a:b,c%\n"), `a%3Ab%2Cc%25\n`; got != want {
		t.Errorf("workflowProperty = %s, want %s", got, want)
	}
	if got, want := terminal("  ::stop::\x1b[1m##[error]"), `  \u003a:stop::\u001b[1m\u0023#[error]`; got != want {
		t.Errorf("terminal = %s, want %s", got, want)
	}
	if got, want := comment("a --> <b> --!>"), `a \u002d\u002d\u003e \u003cb\u003e \u002d\u002d!\u003e`; got != want {
		t.Errorf("comment = %s, want %s", got, want)
	}
}

func TestClip(t *testing.T) {
	for limit := range 40 {
		got := clip(strings.Repeat("é🙂", 30), limit)
		if !utf8.ValidString(got) || len(got) > max(limit, len(clipped)) {
			t.Errorf("clip to %d gives %d bytes: %q", limit, len(got), got)
		}
	}
}

// span matches a code span of one to many backticks, as CommonMark ends it: by a run of the same length.
func withoutSpans(s string) string {
	var b strings.Builder
	for {
		start := strings.IndexByte(s, '`')
		if start < 0 {
			return b.String() + s
		}
		b.WriteString(s[:start])
		s = s[start:]
		run := len(s) - len(strings.TrimLeft(s, "`"))
		end := spanEnd(s[run:], run)
		if end < 0 { // no span: literal backticks
			b.WriteString(s[:run])
			s = s[run:]
			continue
		}
		s = s[run+end:]
	}
}

// spanEnd is where the run of exactly n backticks in s ends, or -1.
func spanEnd(s string, n int) int {
	at := 0
	for at < len(s) {
		i := strings.IndexByte(s[at:], '`')
		if i < 0 {
			return -1
		}
		at += i
		run := len(s[at:]) - len(strings.TrimLeft(s[at:], "`"))
		at += run
		if run == n {
			return at
		}
	}
	return -1
}

var active = regexp.MustCompile("(?i)[<>@#*_`\\[\\]\\\\|~$&{}\r\n]|://|www\\.|:[\\w+-]+:|\\bgh-[0-9]|^[0-9a-f]{7,40}$|\\b[0-9a-f]{7,40}\\b")

func FuzzEscape(f *testing.F) {
	for _, seed := range []string{"web", "@a #1 <b>", "``` `` `", "a`", "\\`x`", "<!-- -->", "</details>", "::error::x", "\x1b[0m", "\u202e", "a|b\\|c", "]]>", "\xff", "0123456", "GH-1", "..:a:"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for name, inline := range map[string]string{"prose": prose(s), "code": code(s), "cell": cell(s)} {
			if rest := withoutSpans(inline); active.MatchString(rest) {
				t.Errorf("%s(%q) = %q is active outside code: %q", name, s, inline, active.FindString(rest))
			}
			if strings.ContainsFunc(inline, invisible) || !utf8.ValidString(inline) {
				t.Errorf("%s(%q) = %q has invisible characters", name, s, inline)
			}
		}
		if c := cell(s); strings.Contains(c, "|") {
			t.Errorf("cell(%q) = %q ends the cell", s, c)
		}
		if h := codeHTML(s); strings.Count(h, "<") != 2 || strings.Contains(h, "\n") {
			t.Errorf("codeHTML(%q) = %q", s, h)
		}
		checkFence(t, s)
		if c := comment(s); strings.Contains(c, "--") || strings.ContainsAny(c, "<>\n") {
			t.Errorf("comment(%q) = %q", s, c)
		}
		if l := terminal(s); strings.HasPrefix(strings.TrimSpace(l), "::") || strings.ContainsAny(l, "\x1b\n\r") {
			t.Errorf("terminal(%q) = %q", s, l)
		}
		if w := workflowData(s) + workflowProperty(s); strings.ContainsAny(w, "\r\n\x1b") {
			t.Errorf("workflow command of %q = %q", s, w)
		}
		if a := webAddress(s); a != "" && !regexp.MustCompile(`^https?://[^\s()<>\[\]|"'\x60*]+$`).MatchString(a) {
			t.Errorf("webAddress(%q) = %q", s, a)
		}
	})
}

func checkFence(t *testing.T, s string) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(fenced(s, "diff"), "\n"), "\n")
	fence := lines[len(lines)-1]
	if len(fence) < 3 || strings.Trim(fence, "`") != "" || lines[0] != fence+"diff" {
		t.Fatalf("fenced(%q) begins %q and ends %q", s, lines[0], fence)
	}
	for _, l := range lines[1 : len(lines)-1] {
		if strings.Contains(l, fence) {
			t.Errorf("fenced(%q): %q ends the fence", s, l)
		}
	}
}
