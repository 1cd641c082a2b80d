package report

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"strings"

	"github.com/mergegate/mergegate/internal/plan"
)

// These types are what readers of JUnit XML agree on.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Skipped  int          `xml:"skipped,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Errors   int         `xml:"errors,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Name      string       `xml:"name,attr"`
		ClassName string       `xml:"classname,attr"`
		File      string       `xml:"file,attr,omitempty"`
		Line      int          `xml:"line,attr,omitempty"`
		Failure   *junitReason `xml:"failure"`
		Error     *junitReason `xml:"error"`
		Skipped   *junitReason `xml:"skipped"`
		Output    string       `xml:"system-out,omitempty"`
	}
	junitReason struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr,omitempty"`
		Text    string `xml:",chardata"`
	}
)

// JUnit is the plan as JUnit XML: a suite for each application, with a case that it could be planned and
// one for each finding and each object that a cluster refuses. Denials and rejected objects are failures, what could not be evaluated is an error, what the base has
// too or what is waived is skipped, warnings pass with a text.
func JUnit(p plan.Plan) ([]byte, error) {
	out := junitSuites{Name: "mergegate"}
	if len(p.Findings) > 0 {
		suite := junitSuite{Name: "policies"}
		for _, f := range p.Findings {
			suite.add(junitFinding(f, "policies"))
		}
		out.add(suite)
	}
	for _, a := range p.Applications {
		out.add(junitApplication(a))
	}
	b, err := xml.MarshalIndent(out, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode plan as junit: %w", err)
	}
	return append([]byte(xml.Header), append(b, '\n')...), nil
}

func junitApplication(a plan.Application) junitSuite {
	name := visible(a.Name)
	suite := junitSuite{Name: name}
	text, _ := result(a)
	if live, _ := liveResult(a); live != "" {
		text += "; in the cluster: " + live
	}
	planned := junitCase{Name: "plan", ClassName: name, Output: strings.ReplaceAll(text, "**", "")}
	if failed(a) {
		message := blockText(cmp.Or(a.Error, "no reason was given"))
		planned.Error, planned.Output = &junitReason{Message: firstLine(message), Type: renderError, Text: message}, ""
		if l := a.ErrorLocation; l != nil {
			planned.File, planned.Line = visible(l.File), l.Line
		}
	}
	suite.add(planned)
	for _, c := range junitRefused(a) {
		suite.add(c)
	}
	for _, f := range a.Findings {
		suite.add(junitFinding(f, name))
	}
	return suite
}

func junitFinding(f plan.Finding, class string) junitCase {
	c := junitCase{Name: visible(f.Policy), ClassName: class}
	if f.Object != nil {
		c.Name += " " + visible(f.Object.String())
	}
	if f.Location != nil {
		c.File, c.Line = visible(f.Location.File), f.Location.Line
	}
	message := blockText(f.Message)
	reason := &junitReason{Message: firstLine(message), Type: severity(f.Severity), Text: message}
	switch kind := (finding{Finding: f}); {
	case weight(f.Severity) <= 0:
		c.Error = reason
	case f.WaivedBy != "":
		reason.Message = "waived by " + visible(f.WaivedBy) + ": " + reason.Message
		c.Skipped = reason
	case !f.New:
		reason.Message = "the base has it too: " + reason.Message
		c.Skipped = reason
	case kind.blocks():
		c.Failure = reason
	default:
		c.Output = severity(f.Severity) + ": " + message
	}
	return c
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

func (s *junitSuite) add(c junitCase) {
	s.Cases = append(s.Cases, c)
	s.Tests++
	switch {
	case c.Error != nil:
		s.Errors++
	case c.Failure != nil:
		s.Failures++
	case c.Skipped != nil:
		s.Skipped++
	}
}

func (o *junitSuites) add(s junitSuite) {
	o.Suites = append(o.Suites, s)
	o.Tests += s.Tests
	o.Failures += s.Failures
	o.Errors += s.Errors
	o.Skipped += s.Skipped
}
