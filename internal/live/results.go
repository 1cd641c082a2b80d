package live

import (
	"cmp"
	"reflect"
	"slices"
	"strings"

	"github.com/mergegate/mergegate/internal/diff"
	"github.com/mergegate/mergegate/internal/kube"
	"github.com/mergegate/mergegate/internal/manifest"
	"github.com/mergegate/mergegate/internal/plan"
)

// Prediction is what a server would do to the rows that were asked about. It holds clear objects and
// shows nothing of them: [Prediction.Results] gives what is fit to be shown.
type Prediction struct {
	rows   []*row
	server *kube.Server
	err    string
}

// String says that there is a prediction, and nothing of it.
func (p *Prediction) String() string { return "(a prediction)" }

// GoString keeps the form of String also under %#v.
func (p *Prediction) GoString() string { return p.String() }

// MarshalJSON keeps a prediction out of every document.
func (p *Prediction) MarshalJSON() ([]byte, error) { return []byte(`"(a prediction)"`), nil }

// Version is the server's; empty where it did not answer.
func (p *Prediction) Version() string {
	if p.server == nil {
		return ""
	}
	return p.server.Version
}

// Err says, masked, why nothing is known at all; empty where something is.
func (p *Prediction) Err(m Masker) string { return m.Text(p.err) }

// Learn takes note of the secrets in all objects. Call it for every prediction of a plan, and for what
// was rendered, before anything is masked.
func (p *Prediction) Learn(m Masker) {
	for _, r := range p.rows {
		if set := r.shown(); set != nil {
			m.Learn(set)
		}
	}
}

// shown are the objects of which something may be shown: live, after base, after the proposed state.
func (r *row) shown() manifest.Set {
	if r.unchanged() && same(r.live, r.afterHead) {
		return nil
	}
	var set manifest.Set
	for _, content := range []map[string]any{r.live, r.afterBase, r.afterHead} {
		if content != nil {
			set = append(set, r.object(content))
		}
	}
	return set
}

// same says whether two contents are one: what was not asked about is the live object itself.
func same(a, b map[string]any) bool {
	if a == nil || b == nil {
		return false
	}
	identical := reflect.ValueOf(a).Pointer() == reflect.ValueOf(b).Pointer()
	return identical || diff.Equal(kube.Comparable(a), kube.Comparable(b))
}

func (r *row) object(content map[string]any) manifest.Object {
	o := manifest.Object{ID: r.id, Content: kube.Comparable(content)}
	if r.in.Head != nil {
		o.Stem = r.in.Head.Stem
	} else if r.in.Base != nil {
		o.Stem = r.in.Base.Stem
	}
	return o
}

// Answer is what a server would do to one object. Everything in it is masked.
type Answer struct {
	plan.Live
	// Before is the live object and After what the server would hold; nil where there is none, where
	// it is not known, and for an object that neither the change nor the cluster differs in.
	Before, After map[string]any
}

// Results are the answers, one for each row that was asked about, masked.
func (p *Prediction) Results(m Masker) []Answer {
	results := make([]Answer, len(p.rows))
	for i, r := range p.rows {
		results[i] = r.show(m)
	}
	return results
}

// show tells the two axes apart, on masked objects.
func (r *row) show(m Masker) Answer {
	out := Answer{Live: plan.Live{Result: r.result, Reason: r.words(m, r.reason), Fault: r.fault, Offline: r.offline}}
	for _, c := range r.cascade {
		names := make([]string, len(c.Names)) // a generated name may hold the hash of what is secret
		for i, n := range c.Names {
			names[i] = m.Text(n)
		}
		c.Names = names
		out.Cascade = append(out.Cascade, c)
	}
	for _, n := range r.notes {
		out.Notes = append(out.Notes, r.words(m, n))
	}
	for _, n := range r.invalid {
		out.Invalid = append(out.Invalid, m.Text(n))
	}
	if out.Result == "" {
		out.Result, out.Reason, out.Fault = plan.Unknown, "nothing was found out about it: this is a bug of mergegate", true
	}
	if r.shown() == nil {
		return out
	}
	live, head := r.mask(m, r.live), r.mask(m, r.afterHead)
	out.Before, out.After = live, head
	if live == nil {
		return out
	}
	if r.baseUnknown != "" && r.base != nil {
		out.Notes = append(out.Notes, "What was different already cannot be told from what the change does: "+r.words(m, r.baseUnknown))
	}
	base := r.mask(m, r.afterBase)
	if r.base != nil && base != nil {
		out.Drift = r.owners(diff.Locate(live, base), live)
	}
	if head == nil {
		return out
	}
	from := base
	if from == nil {
		from = live
	}
	total := diff.Locate(live, head)
	out.Effect = diff.Fields(from, head)
	out.TakesFrom = taken(r.owners(total, live))
	out.Restarts = r.result == plan.WillUpdate && r.restarts(total)
	out.Keeps = r.keeps(m)
	return out
}

// mask is a masked copy of a content, with the values that only the cluster has hidden as well.
func (r *row) mask(m Masker, content map[string]any) map[string]any {
	if content == nil {
		return nil
	}
	o := r.object(content)
	o.Content = hideForeign(m, o.Content, r.base, r.head)
	return m.Set(manifest.Set{o})[0].Content
}

// words masks a text of the server about the object. What it says of a Secret may quote values of any
// length, decoded or cut in pieces, in which no mask would find them: of that only the kind of the
// error is shown.
func (r *row) words(m Masker, message string) string {
	if message == "" {
		return ""
	}
	if r.id.Group == "" && r.id.Kind == "Secret" {
		return secretWords(message)
	}
	return m.Text(message)
}

// harmless are the beginnings of texts that are ours, or that Kubernetes says of every object.
var harmless = []string{ //nolint:gochecknoglobals // a table
	"mergegate may not", "The namespace ", "The former object", "The cluster ", "The live object", "the API server does not answer",
	"the API server cannot be reached", "the API server's certificate", "Predicted offline", "exceeded quota ", "cannot be changed in place: ",
}

// secretWords is what may be shown of a text about a Secret.
func secretWords(message string) string {
	for _, beginning := range harmless {
		if strings.HasPrefix(message, beginning) {
			first, _, _ := strings.Cut(message, "; ")
			return first
		}
	}
	for _, known := range []struct{ sign, words string }{
		{"illegal base64", "a value of data is no base64"},
		{"exceeded quota", "it exceeds a quota"},
		{"admission webhook", "an admission webhook refuses it"},
		{"ValidatingAdmissionPolicy", "a ValidatingAdmissionPolicy refuses it"},
		{"failed to create typed", "a value has the wrong type: everything in data and stringData is text"},
		{"Too long", "it is too large"},
		{"Invalid value", "a value is invalid"},
		{"Required value", "a required value is missing"},
		{"being terminated", "its namespace is being deleted"},
		{"immutable", "it is immutable"},
	} {
		if strings.Contains(message, known.sign) {
			return known.words + " (what the API server says is not shown, since it may quote a Secret)"
		}
	}
	return "(what the API server says is not shown, since it may quote a Secret)"
}

// owners says for each field who has set what is live.
func (r *row) owners(found []diff.Located, live map[string]any) []plan.LiveField {
	var out []plan.LiveField
	for _, f := range found {
		out = append(out, r.owned(f.Field, func(m kube.Manager) bool { return f.From != "" && m.Owns(live, f.From) }))
	}
	return out
}

// owned is a field with the managers that own it, the latest first.
func (r *row) owned(f plan.Field, owns func(kube.Manager) bool) plan.LiveField {
	field := plan.LiveField{Field: f}
	for _, m := range kube.Managers(r.live) {
		if owns(m) {
			field.Owners = append(field.Owners, plan.Owner{Manager: m.Name, Operation: m.Operation, Subresource: m.Subresource, Time: m.Time, Controller: m.Controller()})
		}
	}
	slices.SortStableFunc(field.Owners, func(a, b plan.Owner) int {
		return cmp.Or(strings.Compare(b.Time, a.Time), strings.Compare(a.Manager, b.Manager))
	})
	return field
}

// taken are the fields that others own.
func taken(all []plan.LiveField) []plan.LiveField {
	var out []plan.LiveField
	for _, f := range all {
		f.Owners = slices.DeleteFunc(slices.Clone(f.Owners), func(o plan.Owner) bool {
			return o.Manager == kube.FieldManager && o.Operation == "Apply" && o.Subresource == ""
		})
		if len(f.Owners) > 0 && f.After != nil {
			out = append(out, f)
		}
	}
	return out
}

// restarts says whether pods are replaced: the pod template of a workload changes.
func (r *row) restarts(total []diff.Located) bool {
	if r.id.Group != "apps" || !slices.Contains([]string{"Deployment", "StatefulSet", "DaemonSet"}, r.id.Kind) {
		return false
	}
	return slices.ContainsFunc(total, func(f diff.Located) bool { return strings.HasPrefix(f.Path, "/spec/template/") })
}

// keeps are the fields that the change removes from the manifest and that stay in the cluster, as they
// are, since others own them.
func (r *row) keeps(m Masker) []plan.LiveField {
	if r.base == nil || r.head == nil || r.afterHead == nil {
		return nil
	}
	base, head := r.mask(m, r.base), r.mask(m, r.head)
	gone := diff.Fields(base, r.mask(m, r.afterHead))
	var kept []plan.LiveField
	for _, f := range diff.Fields(base, head) {
		differs := func(g plan.Field) bool { return within(f.At, g.At) || within(g.At, f.At) }
		if f.After == nil && !slices.ContainsFunc(gone, differs) {
			kept = append(kept, r.owned(f, func(m kube.Manager) bool { return m.Owns(base, f.Path) }))
		}
	}
	return kept
}

// within says whether one place is the other, or below it. Places are those for people, in which items
// of lists are named.
func within(at, above string) bool {
	rest, ok := strings.CutPrefix(at, above)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}
