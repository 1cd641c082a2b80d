package verdict

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/mergegate/mergegate/internal/manifest"
	"github.com/mergegate/mergegate/internal/plan"
)

// shown is what a digest is of: what a reader sees and a policy judged. Fields here are never
// renamed or reordered without a new schema version, since that would void every approval.
type shown struct {
	SchemaVersion  int
	PolicyRevision string
	Findings       []shownFinding
	Applications   []shownApplication
	// Secrets are the fingerprints of all masks, where some text that is left out may hold one.
	Secrets []string
}

type shownApplication struct {
	Name, Path, Environment, Cluster string
	Status                           plan.Status
	Error                            string
	Changes                          []shownChange
	Findings                         []shownFinding
}

type shownChange struct {
	Action plan.Action
	Object manifest.ID
	Fields []shownField
	// Diff is the content of an object that stands on one side only. That of an updated one is
	// left out: its context lines are no change, and its fields say everything.
	Diff string
}

type shownField struct {
	Path, At      string
	Before, After any
}

type shownFinding struct {
	Policy, Fingerprint string
	Severity            plan.Severity
	New                 bool
	WaivedBy            string
	// Of a finding without a fingerprint, what one would be made of.
	Object         manifest.ID
	Field, Message string
}

// mask finds a masked value in the encoded document.
var mask = regexp.MustCompile(`\((secret|hash) #[0-9]+\)`)

// digestOf is the digest of a plan that is in order. Where the plan cannot be encoded, which makes it
// an error, it is that of what cannot be approved.
func digestOf(p plan.Plan, secrets map[string]string) (string, error) {
	text, err := json.Marshal(show(p, secrets))
	if err != nil {
		text = []byte("unencodable")
	}
	numbers := map[string]string{}
	text = mask.ReplaceAllFunc(text, func(found []byte) []byte {
		name := string(found)
		if secret, ok := secrets[name]; ok {
			return fmt.Appendf(nil, "\x00secret %s\x00", secret)
		}
		if _, ok := numbers[name]; !ok {
			numbers[name] = fmt.Sprintf("\x00masked %d\x00", len(numbers)+1)
		}
		return []byte(numbers[name])
	})
	sum := sha256.Sum256(text)
	return "sha256:" + hex.EncodeToString(sum[:]), err
}

func show(p plan.Plan, secrets map[string]string) shown {
	s := shown{SchemaVersion: p.SchemaVersion, PolicyRevision: p.PolicyRevision, Findings: showFindings(p.Findings)}
	cut := false
	for _, a := range p.Applications {
		if a.Status == plan.Unchanged && a.Error == "" && len(a.Changes)+len(a.Findings) == 0 {
			continue // an input that differs without any effect is nothing to approve
		}
		application := shownApplication{
			Name: a.Name, Path: a.Path, Environment: a.Environment, Cluster: a.Cluster,
			Status: a.Status, Error: a.Error, Findings: showFindings(a.Findings),
		}
		for _, c := range a.Changes {
			application.Changes = append(application.Changes, showChange(c))
			cut = cut || c.Omitted > 0
		}
		s.Applications = append(s.Applications, application)
	}
	if cut {
		s.Secrets = slices.Sorted(maps.Values(secrets))
	}
	return s
}

func showChange(c plan.Change) shownChange {
	change := shownChange{Action: c.Action, Object: c.Object}
	if c.Action != plan.Update || len(c.Fields) == 0 {
		change.Diff = c.Diff
	}
	for _, f := range c.Fields {
		change.Fields = append(change.Fields, shownField{f.Path, f.At, f.Before, f.After})
	}
	return change
}

// showFindings has an order of its own: the plan's depends on messages.
func showFindings(all []plan.Finding) []shownFinding {
	var findings []shownFinding
	for _, f := range all {
		finding := shownFinding{Policy: f.Policy, Fingerprint: f.Fingerprint, Severity: f.Severity, New: f.New, WaivedBy: f.WaivedBy}
		if f.Fingerprint == "" {
			finding.Object, finding.Field, finding.Message = objectOf(f), f.Field, f.Message
		}
		findings = append(findings, finding)
	}
	slices.SortFunc(findings, func(a, b shownFinding) int {
		return cmp.Or(
			strings.Compare(a.Policy, b.Policy),
			strings.Compare(a.Fingerprint, b.Fingerprint),
			strings.Compare(string(a.Severity), string(b.Severity)),
			strings.Compare(fmt.Sprint(a.New, a.WaivedBy), fmt.Sprint(b.New, b.WaivedBy)),
			a.Object.Compare(b.Object),
			strings.Compare(a.Field, b.Field),
			strings.Compare(a.Message, b.Message),
		)
	})
	return findings
}
