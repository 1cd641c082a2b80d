package report

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/mergegate/mergegate/internal/manifest"
	"github.com/mergegate/mergegate/internal/plan"
)

// large is a plan that fits nowhere: long texts of several bytes a character, everywhere.
func large(text string, n int) plan.Plan {
	f := newFixture(n)
	for i := range n {
		object := id("apps", "Deployment", text, fmt.Sprint(text, i))
		a := plan.Application{Name: fmt.Sprint(text, i), Environment: fmt.Sprint(text, i%40), Status: plan.Changed}
		if i%3 == 0 {
			a.Status, a.Error, a.ErrorLocation = plan.StatusError, fmt.Sprint(i, text), spot(fmt.Sprint(text, i, ".yaml"), i+1, text)
		}
		for j, severity := range []plan.Severity{plan.SeverityError, plan.Deny, plan.Warn, plan.Info, plan.Deny, plan.Warn} {
			f := plan.Finding{Policy: fmt.Sprint(text, i%50), Title: text, Severity: severity, New: j < 4, Message: fmt.Sprint(i, j, text), Object: &object, Location: spot("x.yaml", i+1, "")}
			if j == 5 {
				f.WaivedBy = text
			}
			a.Findings = append(a.Findings, f)
		}
		for _, action := range []plan.Action{plan.Create, plan.Update, plan.Delete, plan.Replace} {
			a.Changes = append(a.Changes, plan.Change{
				Action: action, Object: object, Diff: strings.Repeat("+"+text+"\n", 30) + fmt.Sprint(i, "\n"),
				Fields: []plan.Field{{Path: "/" + text, Before: text, After: fmt.Sprint(i), Source: spot(text, i+1, text)}},
			})
		}
		f.app(a)
	}
	p := f.plan()
	p.Reasons = append(p.Reasons, text)
	return p
}

// balanced fails when a fence or <details> of a Markdown text is left open.
func balanced(t *testing.T, what, s string) {
	t.Helper()
	fence, details := "", 0
	for line := range strings.Lines(s) {
		line = strings.TrimRight(line, "\n")
		ticks := line[:len(line)-len(strings.TrimLeft(line, "`"))]
		switch {
		case fence != "" && len(ticks) >= len(fence) && len(ticks) == len(line):
			fence = ""
		case fence != "":
		case len(ticks) >= 3 && !strings.Contains(line[len(ticks):], "`"):
			fence = ticks
		case strings.HasPrefix(line, "<details"):
			details++
		case line == "</details>":
			details--
		}
		if details < 0 {
			t.Errorf("%s closes more <details> than it opens", what)
			return
		}
	}
	if fence != "" || details != 0 {
		t.Errorf("%s leaves open: fence %q, %d <details>:\n...%s", what, fence, details, s[max(0, len(s)-300):])
	}
	if !utf8.ValidString(s) {
		t.Errorf("%s is cut within a character", what)
	}
}

func checkLimits(t *testing.T, p plan.Plan, o CommentOptions) {
	t.Helper()
	body := Comment(p, o)
	if len(body) > 60000 {
		t.Errorf("the comment has %d bytes", len(body))
	}
	balanced(t, "the comment", body)
	for _, r := range CheckRuns(p, CheckOptions{BaseName: o.BaseName, BaseInName: true, DetailsURL: o.DetailsURL, BlobURL: o.BlobURL}) {
		if len(r.Title) > 255 || r.Title == "" || len(r.Summary) > 65535 || len(r.Text) > 65535 {
			t.Errorf("%s: title %d, summary %d, text %d bytes", r.Name, len(r.Title), len(r.Summary), len(r.Text))
		}
		if !strings.Contains(r.Summary[:min(len(r.Summary), 400)], p.Digest) {
			t.Errorf("%s: the digest does not come first: %.200q", r.Name, r.Summary)
		}
		balanced(t, r.Name+" summary", r.Summary)
		balanced(t, r.Name+" text", r.Text)
		checkAnnotations(t, r)
	}
}

func checkAnnotations(t *testing.T, r CheckRun) {
	t.Helper()
	if len(r.Annotations) > maxAnnotations {
		t.Errorf("%s has %d annotations", r.Name, len(r.Annotations))
	}
	for _, a := range r.Annotations {
		if a.Path == "" || a.StartLine < 1 || a.EndLine < a.StartLine || a.Message == "" || len(a.Title) > 255 || len(a.Message) > 65536 || len(a.RawDetails) > 65536 {
			t.Errorf("%s: annotation %s:%d with title of %d and message of %d bytes", r.Name, a.Path, a.StartLine, len(a.Title), len(a.Message))
		}
		if !utf8.ValidString(a.Title + a.Message) {
			t.Errorf("%s: annotation cut within a character", r.Name)
		}
	}
	for _, a := range r.Actions {
		if len(a.Label) > 20 || len(a.Description) > 40 || len(a.Identifier) > 20 {
			t.Errorf("%s: action %+v is too long", r.Name, a)
		}
	}
}

func TestLimits(t *testing.T) {
	for name, text := range map[string]string{
		"two bytes":      strings.Repeat("é", 400),
		"four bytes":     strings.Repeat("🙂", 300),
		"words":          strings.Repeat("größer @x ", 200),
		"backticks":      strings.Repeat("`", 900),
		"tick words":     strings.Repeat("` ", 900),
		"fences":         strings.Repeat("```\n", 200),
		"details":        strings.Repeat("<details>", 100),
		"no characters":  strings.Repeat("\xff", 900),
		"control":        strings.Repeat("\x00\U000e0041", 300),
		"one long line":  strings.Repeat("x", 30000),
		"pipes":          strings.Repeat("|", 900),
		"html":           strings.Repeat("<&\">", 300),
		"short and many": "x",
	} {
		t.Run(name, func(t *testing.T) {
			n := 25
			if len(text) == 1 {
				n = 450
			}
			o := fixtureOptions
			o.BaseName = cutRunes(text, 100)
			o.Notices = []string{text, text, text}
			o.Answer = strings.Repeat("```\n<details>\n", 2000)
			checkLimits(t, large(text, n), o)
		})
	}
}

func TestAnnotationsAreCountedAndHeaviestFirst(t *testing.T) {
	p := large("x", 1000)
	for i := range p.Applications {
		for j := range p.Applications[i].Findings {
			p.Applications[i].Findings[j].Location = spot(fmt.Sprintf("a%d.yaml", i), j+1, "")
		}
	}
	run := CheckRuns(p, CheckOptions{MaxAnnotations: 120})[1]
	if len(run.Annotations) != 120 {
		t.Fatalf("%d annotations", len(run.Annotations))
	}
	for _, a := range run.Annotations {
		if a.Level != "failure" {
			t.Errorf("annotation of level %s before a failure", a.Level)
		}
	}
	if !strings.Contains(run.Summary, "120 remarks are on the lines of the pull request, 3,880 more are not") {
		t.Errorf("the summary does not count what is left out: ...%s", run.Summary[len(run.Summary)-300:])
	}
}

func TestLeftOutIsCounted(t *testing.T) {
	p := large("x", 400)
	body := Comment(p, fixtureOptions)
	shown := strings.Count(body, "\n```diff\n")
	want := fmt.Sprintf("**%s more diffs do not fit here**", number(1600-shown))
	if shown == 0 || !strings.Contains(body, want) {
		t.Errorf("%d diffs are shown and the comment does not say %q", shown, want)
	}
	if got := strings.Count(Markdown(p), "\n```diff\n"); got != 1600 {
		t.Errorf("the Markdown output shows %d diffs of 1600", got)
	}
}

// anyPlan makes a plan of a few parts, consistent or not, with the verdict that the verdict stage would give.
func anyPlan(r *rand.Rand) plan.Plan {
	f := newFixture(10)
	pick := func(n int) bool { return r.IntN(n) == 0 }
	find := func() plan.Finding {
		x := plan.Finding{
			Policy: fmt.Sprint("P", r.IntN(3)), Message: fmt.Sprint("m", r.IntN(9)), New: pick(2),
			Severity: []plan.Severity{plan.SeverityError, plan.Deny, plan.Warn, plan.Info, "odd"}[r.IntN(5)],
		}
		if pick(3) {
			x.WaivedBy = "w"
		}
		if pick(2) {
			x.Location = &manifest.Location{File: []string{"a.yaml", "", "b.yaml"}[r.IntN(3)], Line: r.IntN(3)}
		}
		return x
	}
	for i := range r.IntN(4) {
		a := plan.Application{
			Name: fmt.Sprint("a", i), Environment: []string{"", "staging", "production"}[r.IntN(3)],
			Status: []plan.Status{plan.Added, plan.Changed, plan.Unchanged, plan.Removed, plan.StatusError}[r.IntN(5)],
		}
		if a.Status == plan.StatusError && pick(2) {
			a.Error = "broken"
		}
		for range r.IntN(3) {
			a.Findings = append(a.Findings, find())
			a.Changes = append(a.Changes, plan.Change{Action: []plan.Action{plan.Create, plan.Update, plan.Delete, plan.Replace}[r.IntN(4)], Object: id("", "ConfigMap", "n", fmt.Sprint(r.IntN(3)))})
		}
		f.app(a)
	}
	if pick(3) {
		f.p.Findings = append(f.p.Findings, find())
	}
	if pick(3) {
		f.p.Policies = nil
	}
	p := f.plan()
	switch r.IntN(6) {
	case 0:
		p.Verdict = plan.Error
	case 1:
		p.Verdict = plan.Fail
	case 2:
		p.Verdict = ""
	}
	return p
}

func TestChecksSucceedTogetherIfAndOnlyIfTheVerdictIsPass(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		p := anyPlan(r)
		runs := CheckRuns(p, CheckOptions{})
		both := true
		for _, run := range runs {
			if run.Status != StatusCompleted || run.Conclusion != ConclusionSuccess && run.Conclusion != ConclusionFailure {
				t.Fatalf("%s is %s with conclusion %q", run.Name, run.Status, run.Conclusion)
			}
			both = both && run.Conclusion == ConclusionSuccess
		}
		if both != (p.Verdict == plan.Pass) {
			t.Fatalf("verdict %q, conclusions %s and %s", p.Verdict, runs[0].Conclusion, runs[1].Conclusion)
		}
		if green := strings.Contains(Comment(p, fixtureOptions), "✅"); green != (p.Verdict == plan.Pass) {
			t.Fatalf("verdict %q, comment green %v", p.Verdict, green)
		}
	}
}

func TestOutputIsDeterministicAndLeavesThePlanAlone(t *testing.T) {
	for name, p := range examples() {
		before, err := JSON(p)
		if err != nil {
			t.Fatal(err)
		}
		for _, format := range Formats() {
			var a, b bytes.Buffer
			if err := Write(&a, format, p); err != nil {
				t.Fatal(err)
			}
			if err := Write(&b, format, p); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(a.Bytes(), b.Bytes()) || a.Len() == 0 || !bytes.HasSuffix(a.Bytes(), []byte("\n")) {
				t.Errorf("%s as %s differs from run to run, is empty or ends without a line end", name, format)
			}
		}
		Comment(p, fixtureOptions)
		CheckRuns(p, CheckOptions{})
		after, err := JSON(p)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(before, after) {
			t.Errorf("%s: a report changed the plan", name)
		}
	}
	if err := Write(&bytes.Buffer{}, "pdf", imageBump()); err == nil || !strings.Contains(err.Error(), "use one of text, markdown, json") {
		t.Errorf("an unknown format gives %v", err)
	}
}

func TestCutMarkdown(t *testing.T) {
	s := "# é\n<details><summary>a</summary>\n\n````diff\n```\n" + strings.Repeat("+ 数値 🙂\n", 400) + "````\n\n</details>\nend\n"
	for limit := 700; limit < len(s)+10; limit += 7 {
		got := cutMarkdown(s, limit)
		if len(got) > limit {
			t.Fatalf("cut to %d gives %d bytes", limit, len(got))
		}
		balanced(t, fmt.Sprint("cut to ", limit), got)
		if limit < len(s) && !strings.HasSuffix(got, cutNote) {
			t.Fatalf("cut to %d does not say so", limit)
		}
	}
}
