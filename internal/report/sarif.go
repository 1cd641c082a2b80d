package report

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/mergegate/mergegate/internal/manifest"
	"github.com/mergegate/mergegate/internal/plan"
)

// renderError is the rule of applications that could not be planned.
const renderError = "render-error"

// These types are the part of SARIF 2.1.0 that a plan needs.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool        sarifTool         `json:"tool"`
		Invocations []sarifInvocation `json:"invocations"`
		Results     []sarifResult     `json:"results"`
		Properties  map[string]string `json:"properties"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name  string      `json:"name"`
		Rules []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID               string     `json:"id"`
		ShortDescription *sarifText `json:"shortDescription,omitempty"`
		HelpURI          string     `json:"helpUri,omitempty"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifInvocation struct {
		ExecutionSuccessful bool `json:"executionSuccessful"`
	}
	sarifResult struct {
		RuleID              string             `json:"ruleId"`
		RuleIndex           int                `json:"ruleIndex"`
		Level               string             `json:"level"`
		Message             sarifText          `json:"message"`
		Locations           []sarifLocation    `json:"locations"`
		PartialFingerprints map[string]string  `json:"partialFingerprints"`
		BaselineState       string             `json:"baselineState"`
		Suppressions        []sarifSuppression `json:"suppressions,omitempty"`
		Properties          map[string]string  `json:"properties,omitempty"`
	}
	sarifLocation struct {
		PhysicalLocation sarifPhysical  `json:"physicalLocation"`
		LogicalLocations []sarifLogical `json:"logicalLocations,omitempty"`
	}
	sarifPhysical struct {
		ArtifactLocation sarifArtifact `json:"artifactLocation"`
		Region           *sarifRegion  `json:"region,omitempty"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine int `json:"startLine"`
	}
	sarifLogical struct {
		FullyQualifiedName string `json:"fullyQualifiedName"`
		Kind               string `json:"kind"`
	}
	sarifSuppression struct {
		Kind          string `json:"kind"`
		Justification string `json:"justification"`
	}
)

// SARIF is the plan's findings, errors and what clusters refuse as a SARIF 2.1.0 log. Changes are not in it.
func SARIF(p plan.Plan) ([]byte, error) {
	s := &sarifWriter{index: map[string]int{}}
	for _, policy := range p.Policies {
		s.rule(policy.Name, "", "")
	}
	for _, f := range p.Findings {
		s.finding(f, plan.Application{})
	}
	for _, a := range p.Applications {
		if failed(a) {
			s.failure(a)
		}
		for _, f := range a.Findings {
			s.finding(f, a)
		}
	}
	s.refusals(p)
	return encode(sarifLog{
		Schema:  "https://json.schemastore.org/sarif-2.1.0.json",
		Version: "2.1.0",
		Runs: []sarifRun{{
			Tool:        sarifTool{sarifDriver{Name: "mergegate", Rules: append([]sarifRule{}, s.rules...)}},
			Invocations: []sarifInvocation{{ExecutionSuccessful: p.Verdict != plan.Error}},
			Results:     append([]sarifResult{}, s.results...),
			Properties:  map[string]string{"digest": p.Digest, "base": p.Base, "head": p.Head, "verdict": string(p.Verdict)},
		}},
	})
}

type sarifWriter struct {
	rules   []sarifRule
	index   map[string]int
	results []sarifResult
}

// rule is the index of a rule, which it adds when it is new and completes when it is not.
func (s *sarifWriter) rule(id, title, address string) int {
	i, ok := s.index[id]
	if !ok {
		i = len(s.rules)
		s.index[id] = i
		s.rules = append(s.rules, sarifRule{ID: id})
	}
	if title != "" && s.rules[i].ShortDescription == nil {
		s.rules[i].ShortDescription = &sarifText{blockText(title)}
	}
	s.rules[i].HelpURI = cmp.Or(s.rules[i].HelpURI, webAddress(address))
	return i
}

func (s *sarifWriter) finding(f plan.Finding, a plan.Application) {
	r := sarifResult{
		RuleID:              f.Policy,
		RuleIndex:           s.rule(f.Policy, f.Title, f.URL),
		Level:               sarifLevel(f.Severity),
		Message:             sarifText{blockText(f.Message)},
		Locations:           []sarifLocation{sarifPlace(f.Location, a, f.Object)},
		PartialFingerprints: map[string]string{"mergegate/v1": cmp.Or(f.Fingerprint, fingerprint(f, a))},
		BaselineState:       "new",
		Properties:          appProperties(a),
	}
	if !f.New {
		r.BaselineState = "unchanged"
	}
	if f.WaivedBy != "" {
		r.Suppressions = []sarifSuppression{{Kind: "external", Justification: "waived by " + visible(f.WaivedBy)}}
	}
	s.results = append(s.results, r)
}

func (s *sarifWriter) failure(a plan.Application) {
	message := cmp.Or(a.Error, "no reason was given")
	s.results = append(s.results, sarifResult{
		RuleID:              renderError,
		RuleIndex:           s.rule(renderError, "An application could not be planned", ""),
		Level:               "error",
		Message:             sarifText{blockText(a.Name + " could not be planned: " + told(message, a.ErrorLocation))},
		Locations:           []sarifLocation{sarifPlace(a.ErrorLocation, a, nil)},
		PartialFingerprints: map[string]string{"mergegate/v1": hash(renderError, a.Name, message)},
		BaselineState:       "new",
		Properties:          appProperties(a),
	})
}

func appProperties(a plan.Application) map[string]string {
	if a.Name == "" {
		return nil
	}
	return map[string]string{"application": visible(a.Name)}
}

func sarifLevel(s plan.Severity) string {
	switch s {
	case plan.Warn:
		return "warning"
	case plan.Info:
		return "note"
	default:
		return "error"
	}
}

// sarifPlace is where a result is. Readers of SARIF reject a result without a file, so one that has no
// location stands at what the application reads that changed, else at the application's directory.
func sarifPlace(l *manifest.Location, a plan.Application, object *manifest.ID) sarifLocation {
	file := cmp.Or(a.Path, ".")
	if len(a.AffectedBy) > 0 {
		file = a.AffectedBy[0]
	}
	var region *sarifRegion
	if l != nil && l.File != "" {
		file = l.File
		if l.Line > 0 {
			region = &sarifRegion{l.Line}
		}
	}
	out := sarifLocation{PhysicalLocation: sarifPhysical{sarifArtifact{filePath(file)}, region}}
	if object != nil {
		out.LogicalLocations = []sarifLogical{{FullyQualifiedName: visible(object.String()), Kind: "resource"}}
	}
	return out
}

// fingerprint identifies a finding that brings none of its own.
func fingerprint(f plan.Finding, a plan.Application) string {
	key := ""
	if f.Object != nil {
		key = f.Object.Key()
	}
	return hash(f.Policy, a.Name, key, f.Field, f.Message)
}

func hash(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:16])
}
