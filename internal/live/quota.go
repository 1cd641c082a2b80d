package live

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/mergegate/mergegate/internal/plan"
)

// quotas looks at what several new objects use together. A dry run is checked against a quota and not
// charged to it, so that each of two objects fits alone where only one has room.
func (p *predictor) quotas(ctx context.Context) {
	byNamespace := map[string][]*row{}
	for _, r := range sortedRows(p.rows) {
		if r.resolved && r.kind.Namespaced && !r.offline && (r.result == plan.WillCreate || r.mayBeNew()) {
			byNamespace[r.id.Namespace] = append(byNamespace[r.id.Namespace], r)
		}
	}
	for namespace, created := range byNamespace {
		if len(created) < 2 {
			continue
		}
		kind, ok := p.server.Any("", "ResourceQuota")
		if !ok {
			return
		}
		found, err := p.api.List(ctx, kind, namespace, nil)
		if err != nil {
			for _, r := range created {
				if r.result == plan.WillCreate {
					r.unknown("whether the new objects of the namespace exceed its quotas together is not known: " + brief(err.Error()))
				}
			}
			continue
		}
		for _, quota := range found {
			exceed(quota, created)
		}
	}
}

// mayBeNew says whether an object is created for all that is known.
func (r *row) mayBeNew() bool { return r.result == plan.Unknown && r.head != nil && r.live == nil }

// exceed refuses the objects for which a quota has no room, in the order in which they are applied.
// Whether there is room is not known where it depends on objects of which nothing is known.
func exceed(quota map[string]any, created []*row) {
	name := text(fields(quota, "metadata")["name"])
	spec, status := fields(quota, "spec"), fields(quota, "status")
	scoped := len(items(spec["scopes"])) > 0 || spec["scopeSelector"] != nil
	hard := fields(spec, "hard")
	for _, resource := range slices.Sorted(maps.Keys(hard)) {
		limit, ok := count(hard[resource])
		if !ok || scoped {
			continue
		}
		used, _ := count(fields(status, "used")[resource])
		perhaps := 0
		for _, r := range created {
			switch {
			case !slices.Contains(counted(r), resource):
			case r.mayBeNew():
				perhaps++
			case r.result == plan.WillCreate && used+1 > limit:
				r.rejected(fmt.Sprintf("exceeded quota %s together with the other objects of this change: %s, used %d, limited to %d", name, resource, used, limit))
			case r.result == plan.WillCreate && used+1+perhaps > limit:
				r.unknown(fmt.Sprintf("whether it fits into quota %s is not known: that depends on other objects of this change, of which nothing is known", name))
				perhaps++
			case r.result == plan.WillCreate:
				used++
			}
		}
	}
}

// counted are the names under which a quota counts an object.
func counted(r *row) []string {
	names := []string{"count/" + strings.TrimSuffix(r.kind.Resource+"."+r.kind.Group, ".")}
	if r.kind.Group == "" {
		names = append(names, r.kind.Resource)
	}
	if r.kind.Group == "" && r.kind.Kind == "Service" {
		switch text(fields(r.afterHead, "spec")["type"]) {
		case "LoadBalancer":
			names = append(names, "services.loadbalancers", "services.nodeports")
		case "NodePort":
			names = append(names, "services.nodeports")
		}
	}
	return names
}

// count is a quantity that is a whole number.
func count(v any) (int, bool) {
	var digits string
	switch v := v.(type) {
	case string:
		digits = v
	case json.Number:
		digits = string(v)
	}
	n, err := strconv.Atoi(digits)
	return n, err == nil
}
