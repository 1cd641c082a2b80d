package report

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mergegate/mergegate/internal/plan"
)

// largeLive is a plan of which clusters say more than fits anywhere.
func largeLive(text string, n int) plan.Plan {
	f := newFixture(n)
	for i := range n {
		own := fmt.Sprint(text, i)
		owner := plan.Owner{Manager: own, Operation: "Update", Time: text, Controller: text}
		var fields []plan.LiveField
		for j := range 12 {
			fields = append(fields, liveField(fmt.Sprint(text, j), text, own, owner, owner))
		}
		l := plan.Live{
			Result: seriousness[i%len(seriousness)], Reason: own, Offline: true, Restarts: true, Drift: fields, TakesFrom: fields, Keeps: fields,
			Cascade: []plan.Cascade{{Kind: text, Count: n, Names: []string{text, own}, Note: text}}, Invalid: []string{own, text}, Notes: []string{own, text},
		}
		for _, x := range fields {
			l.Effect = append(l.Effect, x.Field)
		}
		c := live(bump(text, own, "1", "2", 1), l)
		c.Fields[0].Source = spot("a.yaml", i+1, "")
		other := l
		other.Result = plan.Rejected
		c.Clusters = []plan.ClusterLive{{Clusters: []string{own, own + "b"}, Live: l}, {Clusters: []string{own + "c"}, Live: other}}
		f.app(plan.Application{Name: own, Cluster: own, Changes: []plan.Change{c, live(bump("n", "same", "1", "2", 1), l)}, Drifted: []plan.Drifted{{Object: c.Object, Live: l}}})
		f.p.Clusters = append(f.p.Clusters, plan.Cluster{Name: own, Version: own, Error: []string{"", own}[i%2]})
	}
	return f.plan()
}

func TestLiveLimits(t *testing.T) {
	for name, text := range map[string]string{
		"four bytes":     strings.Repeat("🙂", 300),
		"backticks":      strings.Repeat("`", 900),
		"fences":         strings.Repeat("```\n", 200),
		"details":        "\n<details>\n</details>\n" + strings.Repeat("<details>", 100),
		"pipes":          strings.Repeat("|", 900),
		"control":        strings.Repeat("\x00\U000e0041", 300),
		"one long line":  strings.Repeat("x", 8000),
		"short and many": "x",
	} {
		t.Run(name, func(t *testing.T) {
			n := 16
			if len(text) == 1 {
				n = 700
			}
			o := fixtureOptions
			o.BaseName = cutRunes(text, 100)
			checkLimits(t, largeLive(text, n), o)
		})
	}
}

func TestWhatClustersSayAndDoesNotFitIsCounted(t *testing.T) {
	p := largeLive("x", 400)
	body := Comment(p, fixtureOptions)
	for _, want := range []string{"- **rejected** ", " more: [the full plan]", " not in this table: [the full plan]", " more lines: [the full plan]"} {
		if !strings.Contains(body, want) {
			t.Errorf("the comment misses %q:\n%s", want, body)
		}
	}
	run := CheckRuns(p, CheckOptions{MaxAnnotations: 50})[0]
	if len(run.Annotations) != 50 || !strings.Contains(run.Summary, "50 remarks are on the lines of the pull request, 400 more are not") {
		t.Errorf("%d annotations: ...%s", len(run.Annotations), run.Summary[len(run.Summary)-300:])
	}
	all := Markdown(p)
	for i := range 400 {
		if !strings.Contains(all, fmt.Sprintf("`x%d`", i)) {
			t.Fatalf("the Markdown output misses x%d", i)
		}
	}
}

func TestRefusalsFailTheCheckOfThePlan(t *testing.T) {
	for name, want := range map[string]string{
		"live-mixed": "1 object rejected by the cluster, 1 not known", "live-silent": "The effect on 20 objects is not known", "live-offline": "1 object rejected by the cluster",
	} {
		run := CheckRuns(examples()[name], CheckOptions{})[0]
		if run.Conclusion != ConclusionFailure || run.Title != want {
			t.Errorf("%s: %s, %s, want failure, %s", name, run.Conclusion, run.Title, want)
		}
	}
	run := CheckRuns(liveMixed(), CheckOptions{})[0]
	if len(run.Annotations) != 1 || run.Annotations[0].Path != "apps/shop/overlays/production/kustomization.yaml" || run.Annotations[0].StartLine != 21 || run.Annotations[0].Level != "failure" {
		t.Errorf("annotations are %+v", run.Annotations)
	}
	if run := CheckRuns(liveReplace(), CheckOptions{})[0]; run.Conclusion != ConclusionSuccess {
		t.Errorf("without a refusal the check is %s: %s", run.Conclusion, run.Title)
	}
}

func TestASilentClusterIsOneLine(t *testing.T) {
	p := liveSilent()
	for name, text := range map[string]string{"comment": Comment(p, fixtureOptions), "text": Text(p, TextOptions{}), "github": GitHub(p)} {
		if got := strings.Count(text, "certificate has expired"); got != 1 {
			t.Errorf("%s says %d times why the cluster does not answer:\n%s", name, got, text)
		}
		if !strings.Contains(text, "no credentials") {
			t.Errorf("%s misses the cluster that was not needed", name)
		}
	}
}

func TestReasonsOfTheVerdictThatClustersGiveAreShownOnce(t *testing.T) {
	for name, p := range map[string]plan.Plan{"mixed": liveMixed(), "silent": liveSilent(), "fleet": liveFleet()} {
		if got := newView(p).reasons(); len(got) > 0 {
			t.Errorf("%s: %q is shown twice", name, got)
		}
	}
	p := liveMixed()
	p.Reasons = append(p.Reasons, "clusters: none of them is the one of the application")
	if got := newView(p).reasons(); len(got) != 1 {
		t.Errorf("a reason of its own is left out: %q", got)
	}
}

func TestWhatAClusterReplacesOrTakesComesFirst(t *testing.T) {
	var got []string
	for _, c := range newView(liveReplace()).changes {
		got = append(got, c.subject())
	}
	want := "CustomResourceDefinition/widgets.example.com, Service/lb, Deployment/web, Service/old, Deployment/worker"
	if s := strings.Join(got, ", "); s != want {
		t.Errorf("changes are %s, want %s", s, want)
	}
	if body := Comment(liveReplace(), fixtureOptions); !strings.Contains(body, "with 12 `example.com/Widget` objects and replaces `Deployment/shop/web`") {
		t.Errorf("no warning:\n%s", body)
	}
}

func TestDriftDoesNotMixWithTheChange(t *testing.T) {
	p := liveDrift()
	changes := Comment(p, fixtureOptions)
	_, changes, _ = strings.Cut(changes, "**Changes**")
	if strings.Contains(changes, "spec.replicas") || strings.Contains(changes, "LOG_LEVEL") {
		t.Errorf("a change shows what is drift:\n%s", changes)
	}
	v := newView(p)
	if len(v.drifts) != 4 || len(v.drifts[1].members) != 8 || v.drifts[1].fields[0].Owners[0].Time != "2026-11-17T08:00:00Z" {
		t.Errorf("eight alike of eleven drifts are shown as %+v", v.drifts)
	}
}

func TestTextOfAClusterIsInert(t *testing.T) {
	p := liveHostile()
	for name, body := range map[string]string{"comment": Comment(p, fixtureOptions), "plan check": CheckRuns(p, CheckOptions{})[0].Summary, "markdown": Markdown(p)} {
		balanced(t, name, body)
		for line := range strings.Lines(body) {
			if strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "### ❌ Blocked") {
				t.Errorf("%s has the heading %q", name, line)
			}
			if strings.HasPrefix(line, "<") {
				continue // titles of changes are HTML, in which text is escaped
			}
			rest := withoutSpans(line)
			for _, bad := range []string{"<script", "@acme", "](https://evil", "::error"} {
				if strings.Contains(rest, bad) {
					t.Errorf("%s: %q is active in %q", name, bad, line)
				}
			}
			if columns := strings.Count(line, "|"); strings.HasPrefix(line, "| ") && columns > 7 {
				t.Errorf("%s: a row of %d columns: %q", name, columns, line)
			}
		}
		if strings.ContainsAny(body, "\x1b\u202e") || strings.Contains(body, "<script") && !strings.Contains(body, "`") {
			t.Errorf("%s has invisible characters", name)
		}
	}
}
