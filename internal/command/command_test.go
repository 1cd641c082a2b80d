package command

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	plan := func(line int, args ...string) []Command {
		if args == nil {
			args = []string{}
		}
		return []Command{{Name: "plan", Args: args, Line: line}}
	}
	help := func(line int) Command { return Command{Name: "help", Args: []string{}, Line: line} }
	for name, c := range map[string]struct {
		body string
		want []Command
	}{
		"alone":                     {"/plan", plan(1)},
		"with arguments":            {"/plan payments-production apps/cart", plan(1, "payments-production", "apps/cart")},
		"trailing space":            {"/plan  \t", plan(1)},
		"windows line ends":         {"Looks good.\r\n\r\n/plan cart\r\nThanks", plan(3, "cart")},
		"old mac line ends":         {"Looks good.\r/plan\rThanks", plan(2)},
		"under text":                {"Looks good :)\n/plan", plan(2)},
		"under code in text":        {"Bumped `web` and ``x ` y``\n/plan", plan(2)},
		"under a link":              {"See [run](https://example.com/a)\n/plan", plan(2)},
		"under a list":              {"- a\n- b\n\n/plan", plan(4)},
		"after a fence":             {"```\ncode\n```\n/plan", plan(4)},
		"after a tilde fence":       {"~~~yaml\n```\n~~~\n/plan", plan(4)},
		"after a comment":           {"<!-- template -->\n\n/plan", plan(3)},
		"after details":             {"<details><summary>log</summary>\n\n```\nx\n```\n\n</details>\n\n/plan", plan(9)},
		"after a quote":             {"> is it?\n\n/plan", plan(3)},
		"twice the same":            {"/plan\n/plan", plan(1)},
		"two commands":              {"/help\n/plan", []Command{help(1), plan(2)[0]}},
		"unicode argument":          {"/plan größe", plan(1, "größe")},
		"indented":                  {" /plan", nil},
		"tabbed":                    {"\t/plan", nil},
		"indented code":             {"text\n\n    /plan", nil},
		"in a sentence":             {"please /plan", nil},
		"in a list":                 {"- /plan", nil},
		"fenced":                    {"```\n/plan\n```", nil},
		"fenced, never closed":      {"```\n/plan", nil},
		"fence closed too short":    {"````\n```\n/plan\n````", nil},
		"fence closed by another":   {"```\n~~~\n/plan\n```", nil},
		"fence closed with text":    {"```\n``` no\n/plan\n```", nil},
		"fence after old mac ends":  {"text\r```\r/plan\r```", nil},
		"fence in a list":           {"- ```\n/plan\n  ```", nil},
		"indented is no fence":      {"    ```\n\n```\n/plan\n```", nil},
		"quoted":                    {"> /plan", nil},
		"lazy quote":                {"> text\n/plan", nil},
		"lazy quote in a list":      {"1. > text\nmore\n/plan", nil},
		"fence in a quote":          {"> ```\n> a\n\n/plan", nil},
		"html comment":              {"<!--\n/plan\n-->", nil},
		"html comment, never shut":  {"text <!-- more\n\n/plan", nil},
		"html comment, odd":         {"<!-->\n/plan\n-->", nil},
		"details":                   {"<details>\n\n/plan\n\n</details>", nil},
		"details, nested":           {"<details>\n<DETAILS open>\n</details>\n\n/plan\n\n</details>", nil},
		"details, end in code":      {"<details>\n\n`</details>`\n\n/plan\n\n</details>", nil},
		"details, end in fence":     {"<details>\n\n```\n</details>\n```\n\n/plan", nil},
		"details, end escaped":      {"<details>\n\n\\</details>\n\n/plan", nil},
		"details, broken tag":       {"<details\nopen>\n\n/plan", nil},
		"pre":                       {"<pre>\n\n/plan\n</pre>", nil},
		"fence that is html":        {"<div>\n```\n</div>\n\n```\n/plan\n```", nil},
		"fence in a comment":        {"<!--\n```\n-->\n\n```\n/plan\n```", nil},
		"code span over lines":      {"`code\n/plan\nmore`", nil},
		"code span, escaped":        {"\\` and `\n/plan\n`", nil},
		"code span, in tag":         {"<a href=\"`\">`\n/plan\n`", nil},
		"attribute over lines":      {"<a title=\"\n/plan\n\">x</a>", nil},
		"link title over lines":     {"[x](y \"\n/plan\n\")", nil},
		"link definition":           {"[x]:\n/plan", nil},
		"mathematics":               {"$$\n/plan\n$$", nil},
		"zero width in the word":    {"/pl\u200ban", nil},
		"zero width after the word": {"/plan\u200b", nil},
		"zero width first":          {"\u200b/plan", nil},
		"byte order mark":           {"\ufeff/plan", nil},
		"right to left":             {"\u202e/plan", nil},
		"homoglyph":                 {"/pl\u0430n", nil},
		"full width slash":          {"\uff0fplan", nil},
		"no-break space":            {"/plan\u00a0cart", nil},
		"double slash":              {"//plan", nil},
		"path":                      {"/plan/x", nil},
		"only a slash":              {"/", nil},
		"slash and space":           {"/ plan", nil},
		"another bot's":             {"/lgtm\n/approve\n/retest", nil},
		"two that start work":       {"/plan a\n/plan b", nil},
		"help beside two":           {"/plan a\n/help\n/plan b", []Command{help(2)}},
		"help with arguments":       {"/help me", nil},
		"hidden in an argument":     {"/plan a\u200bb", nil},
		"not utf-8":                 {"/plan a\xffb", nil},
		"empty":                     {"", nil},
	} {
		t.Run(name, func(t *testing.T) {
			got, _ := Parse(c.body)
			if len(got) == 0 {
				got = nil
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("Parse(%q) (-want +got):\n%s", c.body, diff)
			}
		})
	}
}

func TestParseProblems(t *testing.T) {
	for body, want := range map[string][]Problem{
		"/plan":                            nil,
		"/retest\n/hold\n/lgtm":            nil,
		"/paln":                            {{1, "unknown command: did you mean /plan?"}},
		"x\n/plans\n/plans":                {{2, "unknown command: did you mean /plan?"}},
		"/Plan\n/hlp":                      {{1, "unknown command: did you mean /plan?"}, {2, "unknown command: did you mean /help?"}},
		"/pla":                             {{1, "unknown command: did you mean /plan?"}},
		"/plan,":                           {{1, "unknown command: did you mean /plan?"}},
		"/pl":                              nil,
		"/planets":                         nil,
		"/help me":                         {{1, "/help takes no arguments: put it alone on its line"}},
		"/plan a\u202eb":                   {{1, "an argument of /plan is too long or has invisible characters: type it again"}},
		"/plan a\n/help\n/plan":            {{3, "more than one command that starts work in one comment: none was run, give one per comment"}},
		"> /paln":                          nil,
		"/plan" + strings.Repeat(" x", 51): {{1, "too many arguments: usage is /plan [application...]"}},
	} {
		_, got := Parse(body)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Parse(%q) (-want +got):\n%s", body, diff)
		}
	}
}

func TestTableIsConsistent(t *testing.T) {
	for _, s := range Table() {
		if !strings.HasPrefix(s.Usage, "/"+s.Name) || s.Description == "" || !Admin.Satisfies(s.Permission) {
			t.Errorf("the entry of %s is incomplete: %+v", s.Name, s)
		}
		for _, example := range s.Examples {
			commands, problems := Parse(example)
			if len(commands) != 1 || commands[0].Name != s.Name || len(problems) > 0 {
				t.Errorf("the example %q of %s does not parse", example, s.Name)
			}
		}
		if !strings.Contains(Help(), "`"+s.Usage+"`") {
			t.Errorf("help does not list %s", s.Usage)
		}
	}
	if commands, problems := Parse(Help()); len(commands)+len(problems) > 0 {
		t.Errorf("help holds commands: %v %v", commands, problems)
	}
}

func TestPermissionSatisfies(t *testing.T) {
	for _, c := range []struct {
		have, need Permission
		want       bool
	}{
		{Write, Write, true},
		{Admin, Read, true},
		{Maintain, Write, true},
		{Read, Write, false},
		{"triage", Read, true},
		{"triage", Write, false},
		{"none", Read, false},
		{"", Read, false},
		{"", "", false},
		{Admin, "owner", false},
	} {
		if got := c.have.Satisfies(c.need); got != c.want {
			t.Errorf("%q satisfies %q = %v, want %v", c.have, c.need, got, c.want)
		}
	}
	if got, want := Denied(Table()[0]), "/plan was not run: it is for people with the write permission or more"; got != want {
		t.Errorf("Denied = %q, want %q", got, want)
	}
}

// bound is far above what parsing takes on a busy machine, and far below what it would take if it were
// not linear.
const bound = 20 * time.Second

// The bodies are of GitHub's greatest length and ask much of a parser.
func TestParseTakesBoundedTime(t *testing.T) {
	const size = 65536
	for _, part := range []string{"/plan\n", "/plan x\n", "`", "`\n/plan\n", "<details>", "<!--", "> ", "- ", "1. ", "](", "<a", "\\", "```\n", "/", "</details>", "\r", "[x]("} {
		start := time.Now()
		Parse(strings.Repeat(part, size/len(part)))
		if took := time.Since(start); took > bound {
			t.Errorf("%d bytes of %q took %v", size, part, took)
		}
	}
	var b strings.Builder
	for i := 0; b.Len() < size; i++ {
		b.WriteString("/plan a" + strings.Repeat("b", i%50) + "\n/plan" + strings.Repeat("s", i%3) + "\n")
	}
	start := time.Now()
	Parse(b.String())
	if took := time.Since(start); took > bound {
		t.Errorf("many different commands took %v", took)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"/plan a\r\n> x\n\n/help", "```\n/plan\n```\n/plan", "<details>\n/plan", "/paln"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		if len(body) > 65536 {
			body = body[:65536]
		}
		start := time.Now()
		commands, problems := Parse(body)
		if took := time.Since(start); took > bound {
			t.Errorf("took %v for %d bytes", took, len(body))
		}
		lines := splitLines(body)
		starts := 0
		for _, c := range commands {
			if text := lines[c.Line-1]; !strings.HasPrefix(text, "/"+c.Name) {
				t.Errorf("%+v is not at the start of its line %q", c, text)
			}
			if !strings.Contains(body, "/"+c.Name) {
				t.Errorf("%+v is not in the body", c)
			}
			if s, ok := Lookup(c.Name); !ok {
				t.Errorf("%+v is not in the table", c)
			} else if s.Mutating {
				starts++
			}
		}
		if starts > 1 {
			t.Errorf("%d mutating commands", starts)
		}
		for _, p := range problems {
			if p.Line < 1 || p.Line > len(lines) || !strings.HasPrefix(lines[p.Line-1], "/") {
				t.Errorf("%+v is at no line that starts with a slash", p)
			}
		}
		if len(commands)+len(problems) > 16 {
			t.Errorf("%d commands and %d problems", len(commands), len(problems))
		}
	})
}
