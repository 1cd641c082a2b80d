// Package verdict decides. It is the only place that says whether a change passes.
//
// It knows a plan, with everything in it that was rendered, compared and found, and the rules of
// whoever runs the gate. It is pure and fails closed: what it does not know, what was not evaluated
// and what contradicts itself is an error, and only a pass may become a successful check. It must not
// know where the plan comes from, who will read it, or what was decided before.
//
// # The digest
//
// An approval is of a digest: of what was shown and judged. The digest is a SHA-256 over the changes,
// the findings, the errors and the policy revision. It holds no commit, no line number and no
// position of an input file, so that a rebase with an equal result keeps it.
//
// A plan shows secrets as numbered masks. Were the digest over the masks alone, one could exchange a
// secret under an approval without a trace, since (secret #0001) stays (secret #0001). Were it over the
// values, anyone who can read the rest of the plan could guess a weak value against the published
// digest, at any speed. So in the digest a mask stands for an HMAC of its value under a key that only
// the installation has ([Rules].Secrets): it changes with the value and says nothing to anyone else.
// The price is that digests are comparable only between machines that have the same key.
//
// Without a key, as on a command line, secret values are no part of the digest. It is then equal on
// every machine, still binds everything that a reader can see, masks being numbered anew in the order
// in which the digest meets them, and must not be used to hold an approval of a secret's value.
package verdict

import (
	"cmp"
	"slices"
	"strings"

	"github.com/mergegate/mergegate/internal/manifest"
	"github.com/mergegate/mergegate/internal/plan"
)

// FailOn is the weight from which on a new finding fails a plan.
type FailOn string

// From which findings on a plan fails. Never still leaves errors errors.
const (
	FailOnDeny  FailOn = "deny"
	FailOnWarn  FailOn = "warn"
	FailOnNever FailOn = "never"
)

// Rules are what the one who runs the gate decides.
type Rules struct {
	// FailOn is [FailOnDeny] where it is empty. An unknown value is an error of every plan.
	FailOn FailOn
	// Secrets says for each mask in the plan what it stands for, as an HMAC under the installation's
	// key: what the masker's Fingerprints return. Without it the digest leaves secret values out.
	Secrets map[string]string
}

// Decide fills in what follows from the rest of a plan: verdict, reasons, digest and the counts of
// the summary, and brings applications, changes, findings
// and policies into their order. Summary.Applications
// and Summary.Affected are taken as they are. Deciding again changes nothing. The plan that is given
// is not modified.
//
// An error beats everything: an application that could not be evaluated, a finding of severity error
// (even one that base has or that is waived: what was not evaluated is not known), a status, action
// or severity that is not known, changes that no policy was evaluated for. Else a new finding that
// nothing waives fails the plan if it is a deny, or a warn where rules say so. A finding that base
// has as well never fails. What a cluster refuses fails the plan whatever the rules say of findings,
// and what is not known of a cluster is an error.
func Decide(p plan.Plan, r Rules) plan.Plan {
	p = sorted(p)
	p.SchemaVersion = plan.SchemaVersion
	d := decision{failOn: cmp.Or(r.FailOn, FailOnDeny)}
	if len(p.Clusters) == 1 {
		d.onlyCluster = p.Clusters[0].Name
	}
	d.rules()
	d.findings("", p.Findings)
	for _, a := range p.Applications {
		d.application(a)
	}
	d.policies(p)
	digest, err := digestOf(p, r.Secrets)
	if err != nil {
		d.fault("the plan cannot be encoded: " + err.Error())
	}
	d.summary.Applications, d.summary.Affected = p.Summary.Applications, p.Summary.Affected
	p.Summary, p.Digest = d.summary, digest
	p.Verdict, p.Reasons = d.verdict(), d.reasons()
	return p
}

// Unchanged says whether two plans show and decide the same: whoever saw one has seen the other.
func Unchanged(a, b plan.Plan) bool {
	return a.Digest == b.Digest && a.Verdict == b.Verdict && a.LiveFingerprint() == b.LiveFingerprint()
}

// decision collects what speaks against a pass.
type decision struct {
	failOn                FailOn
	summary               plan.Summary
	errors, denies, warns []string
	// What clusters refuse, and what is not known of them.
	refusals, unknowns []string
	onlyCluster        string // the one that was asked, where it is one
}

func (d *decision) fault(reason string) { d.errors = append(d.errors, oneLine(reason)) }

func (d *decision) rules() {
	switch d.failOn {
	case FailOnDeny, FailOnWarn, FailOnNever:
	default:
		d.fault("unknown fail-on " + quote(string(d.failOn)) + ": use deny, warn or never")
	}
}

func (d *decision) application(a plan.Application) {
	before := len(d.errors)
	switch a.Status {
	case plan.Added, plan.Changed, plan.Removed:
	case plan.Unchanged:
		if len(a.Changes) > 0 {
			d.fault("application " + a.Name + " is called unchanged but has changes: this is a bug of mergegate")
		}
	case plan.StatusError:
		d.fault("application " + a.Name + " could not be evaluated: " + cmp.Or(a.Error, "no reason is known"))
	default:
		d.fault("application " + a.Name + " has the unknown status " + quote(string(a.Status)))
	}
	if a.Error != "" && a.Status != plan.StatusError {
		d.fault("application " + a.Name + " could not be evaluated: " + a.Error)
	}
	for _, c := range a.Changes {
		d.change(a.Name, c)
	}
	if len(d.errors) > before {
		d.summary.Error++
	}
	d.live(a)
	d.findings(a.Name, a.Findings)
}

func (d *decision) change(application string, c plan.Change) {
	switch c.Action {
	case plan.Create:
		d.summary.Create++
	case plan.Update:
		d.summary.Update++
	case plan.Delete:
		d.summary.Delete++
	case plan.Replace:
		d.summary.Replace++
	default:
		d.fault("application " + application + " has a change of " + c.Object.String() + " with the unknown action " + quote(string(c.Action)))
	}
}

// findings weighs what policies say of an application, or of none where its name is empty.
func (d *decision) findings(application string, all []plan.Finding) {
	for _, f := range all {
		counts := f.New && f.WaivedBy == ""
		switch f.Severity {
		case plan.SeverityError:
			d.summary.Error++
			d.fault("policy " + f.Policy + " could not be evaluated" + in(application) + ": " + f.Message)
		case plan.Deny:
			if counts {
				d.summary.Deny++
				d.denies = append(d.denies, reason(application, f))
			}
		case plan.Warn:
			if counts {
				d.summary.Warn++
				d.warns = append(d.warns, reason(application, f))
			}
		case plan.Info:
		default:
			d.summary.Error++
			d.fault("policy " + f.Policy + " has a finding" + in(application) + " with the unknown severity " + quote(string(f.Severity)))
		}
	}
}

// policies insists that changes were looked at. A finding that says why no policy could be evaluated
// is the better reason.
func (d *decision) policies(p plan.Plan) {
	changes := slices.ContainsFunc(p.Applications, func(a plan.Application) bool {
		return len(a.Changes) > 0 || a.Status == plan.Added || a.Status == plan.Changed || a.Status == plan.Removed
	})
	explained := slices.ContainsFunc(p.Findings, func(f plan.Finding) bool { return f.Severity == plan.SeverityError })
	if changes && len(p.Policies) == 0 && !explained {
		d.fault("no policy was evaluated: add policies to policies/ on the base branch, or name them with policy.paths in .mergegate.yaml or with --policy")
	}
}

func (d *decision) verdict() plan.Verdict {
	switch {
	case len(d.errors) > 0, len(d.unknowns) > 0:
		return plan.Error
	case len(d.failing()) > 0, len(d.refusals) > 0:
		return plan.Fail
	}
	return plan.Pass
}

// failing are the reasons of the findings that fail the plan.
func (d *decision) failing() []string {
	switch d.failOn {
	case FailOnNever:
		return nil
	case FailOnWarn:
		return slices.Concat(d.denies, d.warns)
	}
	return d.denies
}

// sorted is a copy of a plan in order, without nil where the document has a list.
func sorted(p plan.Plan) plan.Plan {
	p.Applications = slices.Clone(p.Applications)
	if p.Applications == nil {
		p.Applications = []plan.Application{}
	}
	for i := range p.Applications {
		a := &p.Applications[i]
		a.Changes = slices.Clone(a.Changes)
		if a.Changes == nil {
			a.Changes = []plan.Change{}
		}
		slices.SortStableFunc(a.Changes, func(a, b plan.Change) int { return a.Object.Compare(b.Object) })
		a.Findings = sortedFindings(a.Findings)
		if a.Findings == nil {
			a.Findings = []plan.Finding{}
		}
	}
	slices.SortStableFunc(p.Applications, func(a, b plan.Application) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Path, b.Path))
	})
	p.Findings = sortedFindings(p.Findings)
	p.Policies = slices.Clone(p.Policies)
	slices.SortStableFunc(p.Policies, func(a, b plan.Policy) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Source, b.Source))
	})
	return p
}

// sortedFindings orders by weight, then by what is said of what.
func sortedFindings(all []plan.Finding) []plan.Finding {
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b plan.Finding) int {
		return cmp.Or(
			weight(a)-weight(b),
			strings.Compare(a.Policy, b.Policy),
			objectOf(a).Compare(objectOf(b)),
			strings.Compare(a.Field, b.Field),
			strings.Compare(a.Message, b.Message),
			strings.Compare(a.Fingerprint, b.Fingerprint),
			strings.Compare(a.WaivedBy, b.WaivedBy),
		)
	})
	return all
}

// weight puts what counts before what is old or waived, and each from error to info.
func weight(f plan.Finding) int {
	w := 4
	switch f.Severity {
	case plan.SeverityError:
		return 0
	case plan.Deny:
		w = 1
	case plan.Warn:
		w = 2
	case plan.Info:
		w = 3
	}
	if !f.New || f.WaivedBy != "" {
		w += 4
	}
	return w
}

func objectOf(f plan.Finding) manifest.ID {
	if f.Object == nil {
		return manifest.ID{}
	}
	return *f.Object
}
