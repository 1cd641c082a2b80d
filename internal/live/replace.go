package live

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/mergegate/mergegate/internal/diff"
	"github.com/mergegate/mergegate/internal/kube"
	"github.com/mergegate/mergegate/internal/manifest"
	"github.com/mergegate/mergegate/internal/plan"
)

// fieldCauses are the causes of a failure that name a field.
func fieldCauses(f *kube.Failure) []kube.Cause {
	return slices.DeleteFunc(slices.Clone(f.Causes), func(c kube.Cause) bool { return c.Field == "" })
}

// replaced settles a row whose update is invalid. Where the same object could be created, nothing is
// wrong with it: what is refused is the way from one to the other, and it has to be replaced. The
// server says so itself, to a dry run that creates a twin of another name.
func (p *predictor) replaced(ctx context.Context, r *row, f *kube.Failure) {
	if isCRD(r.id) {
		p.replacedDefinition(ctx, r, f)
		return
	}
	outcome, failed := p.createTwin(ctx, r)
	switch {
	case failed == nil:
		r.afterHead = outcome.Content
		r.result, r.reason = plan.WillReplace, immutable(f)
	case failed.Code == http.StatusUnprocessableEntity && strings.Contains(failed.Message, "already allocated"):
		r.rejected(brief(r.ownName(failed.Error(), twinName(r.id.Name))))
	case failed.Code == http.StatusUnprocessableEntity && !misnamed(failed):
		r.rejected(brief(f.Error()))
	case r.offline: // cannot be tried, and is not tried
	case !misnamed(failed) && p.refusesTwin(ctx, r, failed):
		r.rejected(fmt.Sprintf("%s; the object in its place is refused: %s", immutable(f), brief(r.ownName(failed.Error(), twinName(r.id.Name)))))
	default:
		r.unknown(fmt.Sprintf("%s; it would have to be replaced, and whether the new object would be admitted is not known: %s", immutable(f), brief(failed.Error())))
	}
}

// misnamed says whether an object is refused for its name: one of its kind cannot be called as it likes,
// and the refusal says nothing of the object that has the right name.
func misnamed(f *kube.Failure) bool {
	return slices.ContainsFunc(f.Causes, func(c kube.Cause) bool { return c.Field == "metadata.name" })
}

// refusesTwin says whether admission refuses a twin for what would be the same of the object itself. A
// quota would not: what is replaced makes room.
func (p *predictor) refusesTwin(ctx context.Context, r *row, f *kube.Failure) bool {
	if isFault(f) || strings.Contains(f.Message, "exceeded quota") || p.dependsOnArriving(f) {
		return false
	}
	if f.Code != http.StatusForbidden {
		return true
	}
	may, err := p.may(ctx, r, "create")
	return may && err == nil
}

// immutable says which fields cannot change, each once.
func immutable(f *kube.Failure) string {
	var names []string
	for _, c := range fieldCauses(f) {
		if !slices.Contains(names, c.Field) {
			names = append(names, c.Field)
		}
	}
	return "cannot be changed in place: " + strings.Join(names, ", ")
}

// createTwin tries to create the object under a name that is free. What a second object cannot have as
// well is left out: the addresses and ports of a Service, where they are its own already.
func (p *predictor) createTwin(ctx context.Context, r *row) (kube.Outcome, *kube.Failure) {
	twin := maps.Clone(r.head)
	own, free := r.id.Name, twinName(r.id.Name)
	name := free
	if group := text(fields(twin, "spec")["group"]); r.id.Kind == "APIService" && group != "" { // it is called after its group
		own, free = group, twinName(group)
		name = strings.TrimSuffix(r.id.Name, group) + free
		twin["spec"] = renamed(manifest.Clone(twin["spec"]), own, free)
	}
	metadata := maps.Clone(fields(twin, "metadata"))
	metadata["name"] = name
	twin["metadata"] = metadata
	if r.id.Group == "" && r.id.Kind == "Service" {
		twin["spec"] = withoutAllocations(fields(twin, "spec"), fields(r.live, "spec"))
	}
	attempt := r.attempt(twin) // as what is replaced is applied: to create means more than that
	attempt.Name = name
	outcome, err := p.api.Try(ctx, attempt)
	if err != nil {
		return outcome, failure(err)
	}
	withoutMadeUp(r.id, outcome.Content, twin, nil)
	if r.id.Group == "" && r.id.Kind == "Service" {
		restoreAllocations(fields(outcome.Content, "spec"), fields(r.head, "spec"))
	}
	renamed(outcome.Content, free, own)
	return outcome, nil
}

// twinName is a name of at most 50 characters that nobody else has, the same for every attempt.
func twinName(name string) string {
	sum := sha256.Sum256([]byte("mergegate twin of " + name))
	short := strings.TrimRight(name[:min(len(name), 40)], "-.")
	return short + "-" + hex.EncodeToString(sum[:4])
}

// renamed is what became of a twin, under the object's own name: some kinds repeat the name of an object
// within it, as a Job does in labels.
func renamed(v any, from, to string) any {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			v[key] = renamed(value, from, to)
		}
	case []any:
		for i, item := range v {
			v[i] = renamed(item, from, to)
		}
	case string:
		return strings.ReplaceAll(v, from, to)
	}
	return v
}

// withoutAllocations is a Service's spec without what the live Service holds already, and only one can
// have: what is replaced gives it back.
func withoutAllocations(spec, live map[string]any) map[string]any {
	spec = maps.Clone(spec)
	for _, field := range []string{"clusterIP", "clusterIPs", "healthCheckNodePort"} {
		if held := live[field]; held != nil && held != "None" && diff.EqualValues(spec[field], held) {
			delete(spec, field)
		}
	}
	if kind := spec["type"]; kind != "NodePort" && kind != "LoadBalancer" {
		return spec
	}
	ports := slices.Clone(items(spec["ports"]))
	for i, port := range ports {
		asked := fields(port)["nodePort"]
		if asked != nil && slices.ContainsFunc(items(live["ports"]), func(p any) bool { return diff.EqualValues(fields(p)["nodePort"], asked) }) {
			m := maps.Clone(fields(port))
			delete(m, "nodePort")
			ports[i] = m
		}
	}
	if len(ports) > 0 {
		spec["ports"] = ports
	}
	return spec
}

// restoreAllocations puts back what was asked for.
func restoreAllocations(admitted, wanted map[string]any) {
	for _, field := range []string{"clusterIP", "clusterIPs", "healthCheckNodePort"} {
		if value, ok := wanted[field]; ok && admitted != nil {
			admitted[field] = value
		}
	}
	if addresses := items(admitted["clusterIPs"]); wanted["clusterIP"] != nil && wanted["clusterIPs"] == nil && len(addresses) > 0 {
		admitted["clusterIPs"] = append([]any{wanted["clusterIP"]}, addresses[1:]...) // the first one is the same
	}
	ports, asked := items(admitted["ports"]), items(wanted["ports"])
	for i := range min(len(ports), len(asked)) {
		if value, ok := fields(asked[i])["nodePort"]; ok {
			if port := fields(ports[i]); port != nil {
				port["nodePort"] = value
			}
		}
	}
}
