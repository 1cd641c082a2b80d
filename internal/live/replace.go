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

	"github.com/mergegate/mergegate/internal/kube"
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
		p.replacedDefinition(r, f)
		return
	}
	outcome, failed := p.createTwin(ctx, r)
	switch {
	case failed == nil:
		r.afterHead = outcome.Content
		rename(r.afterHead, r.id.Name)
		r.result, r.reason = plan.WillReplace, immutable(f)
	case failed.Code == http.StatusUnprocessableEntity:
		r.rejected(brief(f.Error()))
	case r.offline: // cannot be tried, and is not tried
	default:
		r.unknown(fmt.Sprintf("%s; it would have to be replaced, and whether the new object would be admitted is not known: %s", immutable(f), brief(failed.Error())))
	}
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
// well is left out: the addresses and ports that a Service asks for by number.
func (p *predictor) createTwin(ctx context.Context, r *row) (kube.Outcome, *kube.Failure) {
	twin := maps.Clone(r.head)
	metadata := maps.Clone(fields(twin, "metadata"))
	metadata["name"] = twinName(r.id.Name)
	twin["metadata"] = metadata
	if r.id.Group == "" && r.id.Kind == "Service" {
		twin["spec"] = withoutAllocations(fields(twin, "spec"))
	}
	outcome, err := p.api.Try(ctx, r.attempt(kube.Create, twin))
	if err != nil {
		return outcome, failure(err)
	}
	if r.id.Group == "" && r.id.Kind == "Service" {
		restoreAllocations(fields(outcome.Content, "spec"), fields(r.head, "spec"))
	}
	return outcome, nil
}

// twinName is a name of at most 50 characters that nobody else has, the same for every attempt.
func twinName(name string) string {
	sum := sha256.Sum256([]byte("mergegate twin of " + name))
	short := strings.TrimRight(name[:min(len(name), 40)], "-.")
	return short + "-" + hex.EncodeToString(sum[:4])
}

func rename(object map[string]any, name string) {
	if metadata := fields(object, "metadata"); metadata != nil {
		metadata["name"] = name
	}
}

// withoutAllocations is a Service's spec without what only one Service can have.
func withoutAllocations(spec map[string]any) map[string]any {
	spec = maps.Clone(spec)
	if spec["clusterIP"] != "None" {
		delete(spec, "clusterIP")
		delete(spec, "clusterIPs")
	}
	delete(spec, "healthCheckNodePort")
	ports := slices.Clone(items(spec["ports"]))
	for i, port := range ports {
		if m, ok := port.(map[string]any); ok {
			m = maps.Clone(m)
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
