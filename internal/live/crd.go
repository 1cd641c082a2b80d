package live

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/mergegate/mergegate/internal/diff"
	"github.com/mergegate/mergegate/internal/kube"
	"github.com/mergegate/mergegate/internal/manifest"
	"github.com/mergegate/mergegate/internal/plan"
	"github.com/mergegate/mergegate/internal/schema"
)

const crdGroup = "apiextensions.k8s.io"

func isCRD(id manifest.ID) bool { return id.Group == crdGroup && id.Kind == "CustomResourceDefinition" }

// crdTarget is the group and kind that a definition defines.
func crdTarget(content map[string]any) string {
	spec := fields(content, "spec")
	return text(spec["group"]) + "/" + text(fields(spec, "names")["kind"])
}

// definition is a CustomResourceDefinition that arrives or changes.
type definition struct {
	row    *row
	parsed *schema.Definition
	err    error // why it cannot judge anything
}

// definitionError says that an object is refused for its definition.
type definitionError struct{ text string }

func (e *definitionError) Error() string { return e.text }

// definitions judges the definitions of the change before everything else, and notes what else arrives
// with the change that the admission of others depends on.
func (p *predictor) definitions(ctx context.Context) {
	p.crds, p.namespaces, p.arriving = map[string]*definition{}, map[string]map[string]string{}, map[string]bool{}
	p.incoming = map[string]*row{}
	var definitions, namespaces []*row
	for _, r := range p.rows {
		namespace := r.head != nil && r.id.Group == "" && r.id.Kind == "Namespace"
		if namespace {
			p.incoming[r.id.Name] = r
		}
		switch {
		case r.head == nil:
		case isCRD(r.id):
			definitions = append(definitions, r)
		case r.live != nil || r.settled():
		case namespace:
			namespaces, p.namespaces[r.id.Name] = append(namespaces, r), labelsOf(r.head)
		case slices.Contains([]string{"ServiceAccount", "PriorityClass", "Role", "ClusterRole", "RuntimeClass", "StorageClass"}, r.id.Kind):
			p.arriving[r.id.Name] = true
		}
	}
	p.each(append(namespaces, definitions...), func(r *row) { p.judge(ctx, r) })
	for _, r := range definitions {
		if d := define(ctx, r); d != nil {
			p.crds[crdTarget(r.head)] = d
		}
	}
	for _, r := range p.rows {
		if d := p.crds[groupKind(r)]; d != nil && !r.resolved && !r.settled() {
			d.place(r)
		}
	}
}

func labelsOf(object map[string]any) map[string]string {
	labels := map[string]string{}
	for key, value := range fields(object, "metadata", "labels") {
		labels[key] = text(value)
	}
	return labels
}

// define is the definition of a row that arrives or changes; nil where it stays as it is.
func define(ctx context.Context, r *row) *definition {
	content := r.afterHead
	if content == nil {
		content = r.head
	}
	if r.live != nil && diff.EqualValues(r.live["spec"], content["spec"]) {
		return nil
	}
	d := &definition{row: r}
	switch r.result {
	case plan.Rejected:
		d.err = &definitionError{"Its definition " + r.id.Name + " is refused by the API server."}
	case plan.Unknown:
		d.err = fmt.Errorf("what becomes of its definition %s is not known: %s", r.id.Name, r.reason)
	default:
		d.parsed, d.err = schema.ParseCRD(ctx, content)
	}
	return d
}

// place settles how the kind of a row will be served.
func (d *definition) place(r *row) {
	if d.parsed == nil {
		r.unknown(d.err.Error())
		if _, refused := d.err.(*definitionError); refused { //nolint:errorlint // it is made here
			r.rejected(d.err.Error())
		}
		return
	}
	r.place(kube.Kind{Group: r.id.Group, Version: r.id.Version, Kind: r.id.Kind, Resource: d.parsed.Plural(), Namespaced: d.parsed.Namespaced()})
}

// admit judges a custom resource by the definition as it will be.
func (d *definition) admit(ctx context.Context, r *row) (schema.Admission, error) {
	if d.err != nil {
		return schema.Admission{}, d.err
	}
	if !slices.Contains(d.parsed.Versions(), r.id.Version) {
		return schema.Admission{}, &definitionError{fmt.Sprintf("Its definition %s will serve %s, not %s.", d.row.id.Name, strings.Join(d.parsed.Versions(), ", "), r.id.Version)}
	}
	return d.parsed.Apply(ctx, r.id.Version, r.head, r.live, kube.FieldManager)
}

// replacedDefinition settles a definition of which something immutable changes (its scope, its names).
// The twin that proves that the new one is admitted has another plural, after which it is called.
func (p *predictor) replacedDefinition(ctx context.Context, r *row, f *kube.Failure) {
	if !onlyImmutable(f) {
		r.rejected(brief(f.Error()))
		return
	}
	twin := manifest.Clone(r.head).(map[string]any)
	names := fields(twin, "spec", "names")
	plural, free := text(names["plural"]), twinName(text(names["plural"]))
	names["plural"] = free
	attempt := r.attempt(twin)
	attempt.Name = free + strings.TrimPrefix(r.id.Name, plural) // a name that does not fit stays one
	fields(twin, "metadata")["name"] = attempt.Name
	outcome, err := p.api.Try(ctx, attempt)
	if err == nil {
		r.afterHead = renamed(outcome.Content, free, plural).(map[string]any)
		r.result, r.reason = plan.WillReplace, immutable(f)
		r.note("Replacing a definition deletes every object of its kind.")
		return
	}
	switch failed := failure(err); {
	case failed.Code == http.StatusUnprocessableEntity || p.refusesTwin(ctx, r, failed):
		r.rejected(brief(r.ownName(failed.Error(), free)))
	default:
		r.unknown(fmt.Sprintf("%s; it would have to be replaced, and whether the new definition would be admitted is not known: %s", immutable(f), brief(failed.Error())))
	}
}

// onlyImmutable says whether all causes are of the type that Kubernetes gives where it compares with the
// old object. Of definitions these are the scope and the names.
func onlyImmutable(f *kube.Failure) bool {
	causes := fieldCauses(f)
	return len(causes) > 0 && !slices.ContainsFunc(causes, func(c kube.Cause) bool {
		return c.Field != "spec.scope" && !strings.HasPrefix(c.Field, "spec.names.") && c.Field != "spec.group"
	})
}

// maxInvalid is how many live objects are named that a changed definition would refuse.
const maxInvalid = 20

// existing judges the live objects of each definition that changes by what it will be.
func (p *predictor) existing(ctx context.Context) {
	changed := map[string]bool{}
	for _, r := range p.rows {
		if r.head != nil {
			changed[groupKind(r)+"/"+place(r.id.Namespace, r.id.Name)] = true
		}
	}
	for target, d := range p.crds {
		if d.row.live == nil || d.parsed == nil {
			continue
		}
		p.revalidate(ctx, d, func(namespace, name string) bool { return !changed[target+"/"+place(namespace, name)] })
	}
}

func (p *predictor) revalidate(ctx context.Context, d *definition, wanted func(namespace, name string) bool) {
	more := 0
	kind, ok := p.server.Any(d.parsed.Group(), d.parsed.Kind())
	if err := p.silence(d.parsed.Group()); !ok && err != nil {
		d.row.unknown("whether the live objects of the kind stay valid is not known: " + err.Error())
	}
	if !ok {
		return // it is not served yet: there are none
	}
	for _, k := range p.server.Kinds { // rather in a version that stays
		if k.GroupKind() == kind.GroupKind() && slices.Contains(d.parsed.Versions(), k.Version) {
			kind = k
		}
	}
	found, err := p.api.List(ctx, kind, "", wanted)
	if err != nil {
		d.row.unknown(fmt.Sprintf("whether the live objects of the kind stay valid is not known: %s", brief(err.Error())))
		return
	}
	version := kind.Version
	for _, k := range p.server.Kinds {
		if k.GroupKind() == kind.GroupKind() && !slices.Contains(d.parsed.Versions(), k.Version) {
			d.row.note("The version %s, in which the cluster serves %d live objects, is no longer served.", k.Version, len(found))
		}
	}
	if !slices.Contains(d.parsed.Versions(), version) {
		return
	}
	for _, object := range found {
		admitted, err := d.parsed.Admit(ctx, version, object, nil)
		if err == nil && len(admitted.Problems) == 0 {
			continue
		}
		if len(d.row.invalid) == maxInvalid {
			more++
			continue
		}
		d.row.invalid = append(d.row.invalid, fmt.Sprintf("%s: %s", named(object), problemsOr(admitted.Problems, err)))
	}
	if more > 0 {
		d.row.invalid = append(d.row.invalid, fmt.Sprintf("and %d more", more))
	}
}

func problemsOr(problems []schema.Problem, err error) string {
	if err != nil {
		return brief(err.Error())
	}
	return listProblems(problems)
}

// named is an object as Kind/namespace/name.
func named(object map[string]any) string {
	metadata := fields(object, "metadata")
	return manifest.ID{Kind: text(object["kind"]), Namespace: text(metadata["namespace"]), Name: text(metadata["name"])}.String()
}
