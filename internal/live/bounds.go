package live

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mergegate/mergegate/internal/kube"
	"github.com/mergegate/mergegate/internal/plan"
)

// bounds settles pods, claims and what else a quota counts where the change brings or changes the
// LimitRange or the quota of their namespace: a server that has not got it yet cannot say what it will
// make of them.
func (p *predictor) bounds() {
	for _, bound := range p.rows {
		if !bound.bounds() {
			continue
		}
		for _, r := range p.rows {
			if r.id.Namespace == bound.id.Namespace && r.undecided() && bound.binds(r) {
				r.unknown(fmt.Sprintf("%s changes as well, and what it makes of the object is not known before", bound.id))
			}
		}
	}
}

// undecided says whether limits may make another result of what is predicted. What is refused as
// invalid, stays so.
func (r *row) undecided() bool {
	switch r.result {
	case plan.Unknown, plan.WillDelete, plan.NoEffect:
		return false
	case plan.Rejected:
		return strings.Contains(r.reason, "is forbidden")
	}
	return true
}

// bounds says whether a row may change what a namespace takes, before others of the change are applied.
func (r *row) bounds() bool {
	if r.id.Group != "" || !slices.Contains([]string{"LimitRange", "ResourceQuota"}, r.id.Kind) {
		return false
	}
	return r.head != nil && r.result != plan.Rejected && r.result != plan.NoEffect
}

// binds says whether a LimitRange or a quota has a say in what becomes of an object.
func (r *row) binds(other *row) bool {
	if r.id.Kind == "ResourceQuota" {
		return other.live == nil && r.counts(other)
	}
	types := map[string]bool{}
	for _, object := range []map[string]any{r.live, r.head} {
		for _, limit := range items(fields(object, "spec")["limits"]) {
			types[text(fields(limit)["type"])] = true
		}
	}
	switch {
	case other.isPod():
		return types["Pod"] || types["Container"]
	case other.id.Group == "" && other.id.Kind == "PersistentVolumeClaim":
		return types["PersistentVolumeClaim"]
	}
	return false
}

// counts says whether a quota limits something that an object uses. A pod may not leave out what is
// limited, so that it uses whatever pods can.
func (r *row) counts(other *row) bool {
	usage := kube.Usage(other.kind, other.head)
	for _, object := range []map[string]any{r.live, r.head} {
		for name := range fields(object, "spec", "hard") {
			_, counted := usage[name]
			if counted || other.isPod() && !strings.HasPrefix(name, "count/") && !strings.Contains(name, "storage") && !strings.HasPrefix(name, "services") {
				return true
			}
		}
	}
	return false
}
