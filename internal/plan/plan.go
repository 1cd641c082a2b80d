// Package plan is the document that everything else is about: what a change does to each
// application, what policies say of it, and the verdict. It is what `mergegate plan --output json`
// prints and what the server stores.
//
// It holds values only. Fields may be added; none may be renamed, removed or change its meaning.
package plan

import "github.com/mergegate/mergegate/internal/manifest"

// SchemaVersion is the version of the document's format.
const SchemaVersion = 1

// Verdict is what the gate says of a change.
type Verdict string

// The verdicts. Only Pass may become a successful check.
const (
	Pass  Verdict = "pass"
	Fail  Verdict = "fail"
	Error Verdict = "error" // something could not be evaluated
)

// Plan is what a change would do and what is thought of it.
type Plan struct {
	SchemaVersion  int           `json:"schemaVersion"`
	Base           string        `json:"base"`            // full commit SHA that the change is compared with
	Head           string        `json:"head"`            // full commit SHA of the change
	Merge          string        `json:"merge,omitempty"` // tree SHA that was rendered as proposed
	Digest         string        `json:"digest"`          // sha256:<64 hex>, what an approval binds to
	Verdict        Verdict       `json:"verdict"`
	Reasons        []string      `json:"reasons"` // why the verdict is not pass, most important first
	PolicyRevision string        `json:"policyRevision,omitempty"`
	Policies       []Policy      `json:"policies,omitempty"` // what was evaluated, sorted by name
	Applications   []Application `json:"applications"`       // affected or not evaluable, sorted by name
	Notes          []string      `json:"notes,omitempty"`    // what a reviewer should know beside: policies change in this pull request, ...
	Findings       []Finding     `json:"findings,omitempty"` // of no single application: a policy that does not compile, no policy at all
	Clusters       []Cluster     `json:"clusters,omitempty"` // that were asked, sorted by name
	Summary        Summary       `json:"summary"`
}

// Policy is one policy that was evaluated.
type Policy struct {
	Name   string `json:"name"`   // stable id: MG101, or the Rego package
	Source string `json:"source"` // where it is from: built-in, or a directory
}

// Status is what became of an application.
type Status string

// The statuses. Unchanged: an input changed, the rendered objects did not.
const (
	Added       Status = "added"
	Changed     Status = "changed"
	Unchanged   Status = "unchanged"
	Removed     Status = "removed"
	StatusError Status = "error"
)

// Application is what the change does to one application.
type Application struct {
	Name        string    `json:"name"`
	Path        string    `json:"path"` // directory in the repository, slash-separated, "." for the root
	Environment string    `json:"environment,omitempty"`
	Cluster     string    `json:"cluster,omitempty"`
	Clusters    []string  `json:"clusters,omitempty"` // of an application on several clusters, which then has no Cluster
	Type        string    `json:"type,omitempty"`     // kustomize, helm, yaml, argocd, flux, terraform
	Status      Status    `json:"status"`
	Error       string    `json:"error,omitempty"` // why it could not be rendered or evaluated
	AffectedBy  []string  `json:"affectedBy,omitempty"`
	Notes       []string  `json:"notes,omitempty"` // base does not render, files that hold no object, ...
	Objects     *Objects  `json:"objects,omitempty"`
	Changes     []Change  `json:"changes"`
	Findings    []Finding `json:"findings"`
	// Drifted are the objects that the change leaves alone and whose drift the merge would revert.
	Drifted []Drifted `json:"drifted,omitempty"`
	// ErrorLocation is where Error comes from, when that is known.
	ErrorLocation *manifest.Location `json:"errorLocation,omitempty"`
}

// Objects counts the rendered objects of both sides.
type Objects struct {
	Base int `json:"base"`
	Head int `json:"head"`
}

// Action is what happens to an object.
type Action string

// The actions. Replace is a delete followed by a create of the same object.
const (
	Create  Action = "create"
	Update  Action = "update"
	Delete  Action = "delete"
	Replace Action = "replace"
)

// Change is what happens to one object.
type Change struct {
	Action Action      `json:"action"`
	Object manifest.ID `json:"object"` // of the proposed state; of base where the object is deleted
	Fields []Field     `json:"fields,omitempty"`
	Diff   string      `json:"diff,omitempty"` // unified YAML diff, secrets masked
	// Omitted counts the lines of Diff that are left out or shortened because they do not fit.
	Omitted int `json:"omitted,omitempty"`
	// Live is what the cluster would do; nil where no cluster was asked. Of an application on several
	// clusters it is the most serious answer, and Clusters has all of them.
	Live     *Live         `json:"live,omitempty"`
	Clusters []ClusterLive `json:"clusters,omitempty"`
}

// Field is one changed field of an updated object.
type Field struct {
	Path      string             `json:"path"`             // RFC 6901 JSON pointer into the proposed object, or into base's where the field is removed
	At        string             `json:"at,omitempty"`     // the same for people: spec.template.spec.containers[name=web].image
	Before    any                `json:"before,omitempty"` // absent: the field is new
	After     any                `json:"after,omitempty"`  // absent: the field is removed
	Sensitive bool               `json:"sensitive,omitempty"`
	Source    *manifest.Location `json:"source,omitempty"`
}

// Severity is how much a finding weighs.
type Severity string

// The severities, heaviest first. SeverityError: the policy could not be evaluated.
const (
	SeverityError Severity = "error"
	Deny          Severity = "deny"
	Warn          Severity = "warn"
	Info          Severity = "info"
)

// Finding is what a policy says.
type Finding struct {
	Policy      string             `json:"policy"` // MG101, <package>.<rule>, or <ConstraintKind>/<name>
	Title       string             `json:"title,omitempty"`
	Severity    Severity           `json:"severity"`
	Message     string             `json:"message"`
	Object      *manifest.ID       `json:"object,omitempty"`
	Field       string             `json:"field,omitempty"` // RFC 6901 JSON pointer into the object, where the policy names one
	New         bool               `json:"new"`             // false: base has the same finding
	WaivedBy    string             `json:"waivedBy,omitempty"`
	Fingerprint string             `json:"fingerprint,omitempty"` // stable across pushes and line moves
	Location    *manifest.Location `json:"location,omitempty"`
	URL         string             `json:"url,omitempty"` // documentation
}

// Summary counts. Deny and Warn count new findings that nothing waives; Error counts applications
// that could not be evaluated and findings of severity error.
type Summary struct {
	Applications int `json:"applications"` // all that were discovered at head
	Affected     int `json:"affected"`
	Create       int `json:"create"`
	Update       int `json:"update"`
	Delete       int `json:"delete"`
	Replace      int `json:"replace"`
	Deny         int `json:"deny"`
	Warn         int `json:"warn"`
	Error        int `json:"error"`
	// Of changes that a cluster was asked about. Drifted counts objects with drift, changed or not.
	Rejected int `json:"rejected,omitempty"`
	Unknown  int `json:"unknown,omitempty"`
	Drifted  int `json:"drifted,omitempty"`
	Restarts int `json:"restarts,omitempty"`
}
