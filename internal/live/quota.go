package live

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/mergegate/mergegate/internal/kube"
	"github.com/mergegate/mergegate/internal/plan"
)

// quotas looks at what several objects use together. A dry run is checked against a quota and not
// charged to it, so that each of two objects fits alone where only one has room.
func (p *predictor) quotas(ctx context.Context) {
	byNamespace := map[string][]*row{}
	for _, r := range sortedRows(p.rows) {
		_, arrives := p.namespaces[r.id.Namespace]
		if r.resolved && r.kind.Namespaced && !arrives && (r.stored() || r.mayBeNew()) {
			byNamespace[r.id.Namespace] = append(byNamespace[r.id.Namespace], r)
		}
	}
	for namespace, stored := range byNamespace {
		if len(stored) < 2 && !stored[0].offline { // alone it was charged by the server
			continue
		}
		kind, ok := p.server.Any("", "ResourceQuota")
		if !ok {
			return
		}
		found, err := p.api.List(ctx, kind, namespace, nil)
		if err != nil {
			for _, r := range stored {
				if r.result == plan.WillCreate {
					r.unknown("whether the new objects of the namespace exceed its quotas together is not known: " + brief(err.Error()))
				}
			}
			continue
		}
		fit(rooms(found), stored)
	}
}

// stored says whether the change stores the object.
func (r *row) stored() bool {
	switch r.result {
	case plan.WillCreate, plan.WillUpdate, plan.WillAdopt, plan.WillReplace:
		return true
	}
	return false
}

// mayBeNew says whether an object is created for all that is known.
func (r *row) mayBeNew() bool { return r.result == plan.Unknown && r.head != nil && r.live == nil }

// room is what is left of one resource of a quota.
type room struct {
	quota, resource string
	left            resource.Quantity
	scoped          bool              // only some of the pods count
	perhaps         resource.Quantity // what objects take of which it is not known whether they are stored
}

func rooms(quotas []map[string]any) []*room {
	var all []*room
	for _, quota := range quotas {
		spec, status := fields(quota, "spec"), fields(quota, "status")
		hard := fields(spec, "hard")
		for _, name := range slices.Sorted(maps.Keys(hard)) {
			left, ok := quantity(hard[name])
			if !ok {
				continue
			}
			used, _ := quantity(fields(status, "used")[name])
			left.Sub(used)
			all = append(all, &room{
				quota: text(fields(quota, "metadata")["name"]), resource: name, left: left,
				scoped: len(items(spec["scopes"])) > 0 || spec["scopeSelector"] != nil,
			})
		}
	}
	return all
}

// fit refuses the objects for which there is no room, in the order in which they are applied. An object
// that does not fit takes nothing. Whether there is room is not known where that depends on objects of
// which nothing is known.
func fit(rooms []*room, stored []*row) {
	for _, r := range stored {
		needs := r.needs()
		full, doubtful := (*room)(nil), (*room)(nil)
		for _, room := range rooms {
			need, counts := needs[room.resource]
			if !counts || need.Sign() <= 0 {
				continue
			}
			need.Add(room.perhaps)
			switch {
			case room.left.Cmp(needs[room.resource]) < 0 && !room.scoped:
				full = room
			case room.left.Cmp(need) < 0:
				doubtful = room
			}
		}
		switch {
		case r.mayBeNew():
		case full != nil:
			r.rejected(fmt.Sprintf("exceeded quota %s together with the other objects of this change: %s, %s left", full.quota, full.resource, full.left.String()))
			continue
		case doubtful != nil:
			r.unknown(fmt.Sprintf("whether it fits into quota %s is not known: that depends on other objects of this change, of which nothing is known", doubtful.quota))
		}
		for _, room := range rooms {
			if need := needs[room.resource]; need.Sign() <= 0 {
				continue
			} else if r.result == plan.Unknown || room.scoped {
				room.perhaps.Add(need)
			} else {
				room.left.Sub(need)
			}
		}
	}
}

// needs is what an object takes of quotas that it does not have already.
func (r *row) needs() map[string]resource.Quantity {
	content := r.afterHead
	if content == nil {
		content = r.head
	}
	needs := kube.Usage(r.kind, content)
	if r.live == nil {
		return needs
	}
	for name, has := range kube.Usage(r.kind, r.live) {
		if need, ok := needs[name]; ok {
			need.Sub(has)
			needs[name] = need
		}
	}
	return needs
}

func quantity(v any) (resource.Quantity, bool) {
	q, err := resource.ParseQuantity(fmt.Sprint(v))
	return q, err == nil
}
