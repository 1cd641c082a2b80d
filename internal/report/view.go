package report

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/mergegate/mergegate/internal/manifest"
	"github.com/mergegate/mergegate/internal/plan"
)

// view is a plan ordered for people: what blocks first, equal things once.
type view struct {
	plan     plan.Plan
	failures []failure // applications that could not be planned
	findings []finding // all of them, heaviest first
	changes  []change  // most dangerous first
	notes    []note
	refusals []refusal // what clusters reject and what nobody can say
	drifts   []drift
	matrix   matrix
}

// failure is one error of one or more applications.
type failure struct {
	message  string
	whole    string // the message as it is in the plan, with its place
	location *manifest.Location
	apps     []string
}

// located is the message behind its place, as compilers write it.
func (f failure) located() string {
	if at := place(f.location); at != "" && f.whole == f.message {
		return at + ": " + f.message
	}
	return f.whole
}

// note is what a reader should know of one or more applications, or, without any, of the whole plan.
type note struct {
	text string
	apps []string
}

// finding is what a policy says, of one or more objects and applications alike.
type finding struct {
	plan.Finding
	apps    []string // none: of no single application
	objects []manifest.ID
}

// blocks says whether a finding of this kind stands against a pass.
func (f finding) blocks() bool {
	return f.broken() || f.Severity == plan.Deny && f.counts()
}

// broken says whether a policy could not be evaluated. A severity that is not known is as heavy.
func (f finding) broken() bool { return weight(f.Severity) <= 0 }

// counts says whether the change brings the finding and nobody waived it.
func (f finding) counts() bool { return f.New && f.WaivedBy == "" }

// member is one object of one application.
type member struct {
	app    string
	object manifest.ID
}

// change is what happens to one or more objects alike: the same fields get the same values, or the
// diffs are equal.
type change struct {
	plan.Change // as it is in the first member
	members     []member
	danger      int
	restarts    []string           // the ConfigMaps and Secrets with which pods restart, when that is all
	varies      bool               // the members' diffs differ in the lines around the change
	parts       []part             // the members by what the clusters say of them
	answers     []plan.ClusterLive // of all parts
}

// The ranks of changes, most dangerous first.
const (
	losesState = iota // something stateful or cluster-wide is deleted or replaced
	isDenied          // a policy denies it, or a cluster rejects it
	isAccess          // it changes who may do what
	isDeleted         // anything else is deleted or replaced
	isOther
	isRestart // pods restart because what they are configured with changes
)

func newView(p plan.Plan) view {
	changes := changesOf(p)
	return view{
		plan: p, failures: failuresOf(p), findings: findingsOf(p), changes: changes, notes: notesOf(p),
		refusals: refusalsOf(p), drifts: driftsOf(p), matrix: matrixOf(changes),
	}
}

// failed says whether an application could not be planned.
func failed(a plan.Application) bool { return a.Status == plan.StatusError || a.Error != "" }

func failuresOf(p plan.Plan) []failure {
	groups := newGroups[failure]()
	for _, a := range p.Applications {
		if !failed(a) {
			continue
		}
		whole := cmp.Or(a.Error, "no reason was given")
		message := told(whole, a.ErrorLocation)
		f := groups.get(message+"\x00"+place(a.ErrorLocation), func() *failure {
			return &failure{message: message, whole: whole, location: a.ErrorLocation}
		})
		f.apps = append(f.apps, a.Name)
	}
	return groups.values()
}

// told is a message without the place with which it begins, where that is the location that is shown.
func told(message string, l *manifest.Location) string {
	if l == nil || l.File == "" {
		return message
	}
	for _, at := range []string{place(l), l.File} {
		if rest, ok := strings.CutPrefix(message, at+": "); ok && strings.TrimSpace(rest) != "" {
			return rest
		}
	}
	return message
}

func notesOf(p plan.Plan) []note {
	groups := newGroups[note]()
	for _, text := range p.Notes {
		groups.get("plan\x00"+text, func() *note { return &note{text: text} })
	}
	for _, a := range p.Applications {
		for _, text := range a.Notes {
			n := groups.get("application\x00"+text, func() *note { return &note{text: text} })
			n.apps = append(n.apps, a.Name)
		}
	}
	return groups.values()
}

// blocking are the findings that stand against a pass: where the verdict is fail without a denial, the
// gate is told to fail on warnings.
func (v view) blocking() []finding {
	if v.plan.Verdict == plan.Pass {
		return nil
	}
	found := v.some(finding.blocks)
	if len(found) == 0 && v.plan.Verdict == plan.Fail {
		return v.some(func(f finding) bool { return f.Severity == plan.Warn && f.counts() })
	}
	return found
}

// open are the findings that count and do not block.
func (v view) open() []finding {
	blocking := map[string]bool{}
	for _, f := range v.blocking() {
		blocking[f.key()] = true
	}
	return v.some(func(f finding) bool { return (f.counts() || f.blocks()) && !blocking[f.key()] })
}

// reasons are the verdict's reasons that neither an error nor a finding shows.
func (v view) reasons() []string {
	if v.plan.Verdict == plan.Pass {
		return nil
	}
	var named []string
	for _, f := range v.failures {
		named = append(named, f.apps...)
	}
	for _, f := range v.findings {
		named = append(named, f.Policy)
	}
	var out []string
	for _, r := range v.plan.Reasons {
		shown := slices.ContainsFunc(named, func(n string) bool { return n != "" && strings.Contains(r, n) }) ||
			slices.ContainsFunc(v.refusals, func(x refusal) bool { return x.explains(r) })
		if !shown && !(len(named)+len(v.refusals) > 0 && strings.HasPrefix(r, "... and ")) {
			out = append(out, r)
		}
	}
	return out
}

func findingsOf(p plan.Plan) []finding {
	groups := newGroups[finding]()
	seen := map[string]bool{} // objects of a group
	add := func(app string, f plan.Finding) {
		f.Message = told(cmp.Or(f.Message, f.Title), f.Location)
		key := finding{Finding: f}.key()
		g := groups.get(key, func() *finding { return &finding{Finding: f} })
		if app != "" && (len(g.apps) == 0 || g.apps[len(g.apps)-1] != app) {
			g.apps = append(g.apps, app)
		}
		if f.Object != nil && !seen[key+"\x00"+f.Object.Key()] {
			seen[key+"\x00"+f.Object.Key()] = true
			g.objects = append(g.objects, *f.Object)
		}
	}
	for _, f := range p.Findings {
		add("", f)
	}
	for _, a := range p.Applications {
		for _, f := range a.Findings {
			add(a.Name, f)
		}
	}
	all := groups.values()
	slices.SortStableFunc(all, func(a, b finding) int {
		return cmp.Or(cmp.Compare(weight(a.Severity), weight(b.Severity)), cmp.Compare(len(b.apps), len(a.apps)),
			cmp.Compare(a.Policy, b.Policy), cmp.Compare(place(a.Location), place(b.Location)), cmp.Compare(a.Message, b.Message))
	})
	return all
}

// key is equal for findings that say the same of the same place.
func (f finding) key() string {
	return strings.Join([]string{f.Policy, string(f.Severity), f.Message, place(f.Location), strconv.FormatBool(f.New), f.WaivedBy}, "\x00")
}

// weight orders severities. One that is unknown is as heavy as an error.
func weight(s plan.Severity) int {
	return slices.Index([]plan.Severity{plan.SeverityError, plan.Deny, plan.Warn, plan.Info}, s)
}

// some are the findings that keep says.
func (v view) some(keep func(finding) bool) []finding {
	var out []finding
	for _, f := range v.findings {
		if keep(f) {
			out = append(out, f)
		}
	}
	return out
}

func changesOf(p plan.Plan) []change {
	groups := newGroups[change]()
	for _, a := range p.Applications {
		denied, generated := deniedObjects(a), renamings(a)
		for _, c := range a.Changes {
			danger, restarts := dangerOf(c, denied), restartsOf(c, generated)
			if danger == isOther && len(restarts) > 0 {
				danger = isRestart
			}
			key := sameness(c) + "\x00" + strings.Join(restarts, "\x00")
			g := groups.get(key, func() *change { return &change{Change: c, danger: danger, restarts: restarts} })
			g.members = append(g.members, member{a.Name, c.Object})
			g.addAnswers(member{a.Name, c.Object}, c, a.Cluster)
			g.danger = min(g.danger, danger)
			g.varies = g.varies || diffBody(c.Diff) != diffBody(g.Diff)
		}
	}
	all := groups.values()
	slices.SortStableFunc(all, func(a, b change) int {
		return cmp.Or(cmp.Compare(a.danger, b.danger), cmp.Compare(actionOrder(a.Action), actionOrder(b.Action)), cmp.Compare(len(b.members), len(a.members)),
			cmp.Compare(a.members[0].app, b.members[0].app), a.Object.Compare(b.Object))
	})
	return all
}

func actionOrder(a plan.Action) int {
	return slices.Index([]plan.Action{plan.Delete, plan.Replace, plan.Update, plan.Create}, a)
}

func deniedObjects(a plan.Application) map[string]bool {
	denied := map[string]bool{}
	for _, f := range a.Findings {
		if f.Object != nil && (finding{Finding: f}).blocks() {
			denied[f.Object.Key()] = true
		}
	}
	return denied
}

// sameness is equal for changes that a reader needs to see once only. Updates are the same when the same
// fields get the same values, whatever stands around them; others when their diffs are equal.
func sameness(c plan.Change) string {
	kind := string(c.Action) + "\x00" + c.Object.Group + "\x00" + c.Object.Kind + "\x00"
	if c.Action == plan.Update && len(c.Fields) > 0 {
		var b strings.Builder
		for _, f := range c.Fields {
			b.WriteString(cmp.Or(f.At, f.Path) + "\x00" + exact(f.Before) + "\x00" + exact(f.After) + "\x00")
		}
		return kind + "fields\x00" + b.String()
	}
	if c.Diff == "" {
		return kind + "object\x00" + c.Object.Key()
	}
	return kind + "diff\x00" + diffBody(c.Diff)
}

// diffBody is a unified diff without its file names.
func diffBody(diff string) string {
	lines := strings.SplitAfterN(diff, "\n", 3)
	if len(lines) == 3 && strings.HasPrefix(lines[0], "--- ") && strings.HasPrefix(lines[1], "+++ ") {
		return lines[2]
	}
	return diff
}

// value is a field's value on one line: a string as it is, anything else as JSON, nothing as "".
func value(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	default:
		return exact(v)
	}
}

// exact is a field's value as JSON.
func exact(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return "(value that JSON cannot hold)"
	}
	return string(b)
}

// dangerOf ranks a change.
func dangerOf(c plan.Change, denied map[string]bool) int {
	answers := answersOf("", c.Live, c.Clusters)
	gone := (c.Action == plan.Delete || c.Action == plan.Replace || anyLive(answers, replaces)) && worst(answers) != plan.NoEffect
	switch {
	case gone && (stateful(c.Object) || clusterWide(c.Object)), anyLive(answers, cascades):
		return losesState
	case denied[c.Object.Key()], anyLive(answers, isRefused):
		return isDenied
	case c.Object.Group == "rbac.authorization.k8s.io" || c.Object.Group == "" && c.Object.Kind == "ServiceAccount":
		return isAccess
	case gone, anyLive(answers, breaks):
		return isDeleted
	default:
		return isOther
	}
}

// stateful says whether deleting such an object can lose data.
func stateful(id manifest.ID) bool {
	switch id.Kind {
	case "PersistentVolumeClaim", "PersistentVolume", "StatefulSet", "VolumeSnapshot", "VolumeSnapshotContent":
		return true
	}
	return false
}

// clusterWide says whether such an object matters beyond one namespace.
func clusterWide(id manifest.ID) bool {
	switch id.Kind {
	case "Namespace", "CustomResourceDefinition", "StorageClass", "ClusterRole", "ClusterRoleBinding", "APIService",
		"ValidatingWebhookConfiguration", "MutatingWebhookConfiguration", "ValidatingAdmissionPolicy", "PriorityClass",
		"IngressClass", "GatewayClass", "Node", "RuntimeClass", "VolumeSnapshotClass", "ClusterIssuer":
		return true
	}
	return false
}

// place is a location as file:line, and empty without one.
func place(l *manifest.Location) string {
	switch {
	case l == nil || l.File == "":
		return ""
	case l.Line < 1:
		return l.File
	default:
		return l.File + ":" + strconv.Itoa(l.Line)
	}
}

// groups collects values by key, in the order in which keys first occur.
type groups[T any] struct {
	byKey map[string]*T
	order []*T
}

func newGroups[T any]() *groups[T] { return &groups[T]{byKey: map[string]*T{}} }

func (g *groups[T]) get(key string, create func() *T) *T {
	if v, ok := g.byKey[key]; ok {
		return v
	}
	v := create()
	g.byKey[key] = v
	g.order = append(g.order, v)
	return v
}

func (g *groups[T]) values() []T {
	out := make([]T, len(g.order))
	for i, v := range g.order {
		out[i] = *v
	}
	return out
}
