package live

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/mergegate/mergegate/internal/kube"
)

// standIn is a namespace that every cluster has. It is not default: that one has workloads, and with them
// quotas and policies of its own; those for workloads leave this one alone.
const standIn = "kube-public"

// inStandIn lets the server say what no schema says of a built-in kind, where the namespace of the
// object arrives with it: the object is tried under a free name in a namespace that is there. That the
// object is invalid holds anywhere, and settles it. Anything else that is refused there (a policy, a
// quota) says nothing of the namespace that arrives. What the server makes of the object is taken for
// what will be, where nothing but the server's own defaults can have a part in it.
func (p *predictor) inStandIn(ctx context.Context, r *row) {
	if !r.resolved || r.live != nil || p.crds[groupKind(r)] != nil {
		return
	}
	if account := p.noAccount(r); account != "" {
		r.rejected(fmt.Sprintf("The ServiceAccount %s is not in namespace %s, and this change does not create it.", account, r.id.Namespace))
		return
	}
	twin, name := maps.Clone(r.head), twinName(r.id.Name)
	metadata := maps.Clone(fields(twin, "metadata"))
	metadata["name"], metadata["namespace"] = name, standIn
	twin["metadata"] = metadata
	attempt := r.attempt(twin)
	attempt.Namespace, attempt.Name = standIn, name
	outcome, err := p.api.Try(ctx, attempt)
	if err != nil {
		if f := failure(err); invalid(f) || r.missing(f) && !p.dependsOnArriving(f) {
			r.rejected(brief(r.ownName(f.Error(), name)))
		}
		return
	}
	if p.server.Mutates(r.kind) || p.limited(ctx, r) {
		return
	}
	withoutMadeUp(r.id, outcome.Content, twin, nil)
	fields(outcome.Content, "metadata")["namespace"] = r.id.Namespace
	renamed(outcome.Content, name, r.id.Name)
	r.afterHead = outcome.Content
}

// invalid says whether a refusal is for what an object is, wherever it is.
func invalid(f *kube.Failure) bool {
	if strings.Contains(f.Message, "denied the request") {
		return false
	}
	return f.Code == http.StatusUnprocessableEntity && len(fieldCauses(f)) > 0 || f.Code == http.StatusBadRequest || kube.Deliberate(f.Code, f.Message)
}

// missing says whether a pod is refused for something that no namespace has, but the cluster.
func (r *row) missing(f *kube.Failure) bool {
	return r.isPod() && f.Code == http.StatusForbidden && (strings.Contains(f.Message, "PriorityClass") || strings.Contains(f.Message, "RuntimeClass"))
}

func (r *row) isPod() bool { return r.id.Group == "" && r.id.Kind == "Pod" }

// noAccount is the ServiceAccount of a pod that its namespace, which arrives, will not have; empty
// where it has one. Every namespace gets the account default.
func (p *predictor) noAccount(r *row) string {
	name := text(fields(r.head, "spec")["serviceAccountName"])
	if !r.isPod() || name == "" || name == "default" {
		return ""
	}
	for _, other := range p.rows {
		if other.head != nil && other.id.Group == "" && other.id.Kind == "ServiceAccount" && other.id.Namespace == r.id.Namespace && other.id.Name == name {
			return ""
		}
	}
	return name
}

// limited says whether a LimitRange of the stand-in may have a part in what becomes of an object.
func (p *predictor) limited(ctx context.Context, r *row) bool {
	if r.id.Group != "" || !slices.Contains([]string{"Pod", "PersistentVolumeClaim"}, r.id.Kind) {
		return false
	}
	limited, err := p.limits.get(standIn, func() (bool, error) {
		kind, ok := p.server.Any("", "LimitRange")
		if !ok {
			return false, nil
		}
		found, err := p.api.List(ctx, kind, standIn, nil)
		return len(found) > 0, err
	})
	return limited || err != nil
}

// ownName is what the server says of a twin, said of the object.
func (r *row) ownName(message, twin string) string {
	return strings.ReplaceAll(message, twin, r.id.Name)
}
