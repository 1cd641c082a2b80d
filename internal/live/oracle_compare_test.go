package live

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/mergegate/mergegate/internal/diff"
	"github.com/mergegate/mergegate/internal/kube"
	"github.com/mergegate/mergegate/internal/manifest"
	"github.com/mergegate/mergegate/internal/plan"
)

// compare tells whether a prediction has come true.
func (b *batch) compare(c *outcome) {
	r := c.row
	b.mu.Lock()
	b.results[r.result]++
	b.kinds[c.kind]++
	if r.result == plan.Unknown {
		reason := fmt.Sprintf("%s (%s, case %d): %.200s; real %s: %d %.200v", c.kind, b.profile, c.number, r.reason, c.result, c.said.code, c.said.object["message"])
		b.reasons[reason]++
	}
	b.mu.Unlock()
	if r.result != c.result && (occupied(r.reason) || occupied(text(c.said.object["message"]))) {
		b.mu.Lock()
		b.collisions++
		b.mu.Unlock()
		return
	}
	if r.result == plan.NoEffect && c.result == plan.Rejected && r.unchanged() && asIs(r.head, r.live) && denied(text(c.said.object["message"])) {
		// What is as it is wanted is not applied, so nobody asks what admission has come to think of it.
		b.mu.Lock()
		b.leftAlone++
		b.mu.Unlock()
		return
	}
	if r.result != plan.Unknown && r.result != c.result {
		b.fail(c, fmt.Sprintf("predicted %s %q, real %s: %d %v; %v", r.result, r.reason, c.result, c.said.code, c.said.object["message"], c.then.object["message"]), r.afterHead, c.after)
		return
	}
	// What a LimitRange of the stand-in would have a part in is judged by the schema alone.
	bySchema := r.offline && (c.kind == "Pod" || c.kind == "PersistentVolumeClaim")
	if r.result != plan.Unknown && c.after != nil && !bySchema {
		found := differences(kube.Prepare(c.head.Content), r.afterHead, c.after)
		if len(found) > 0 {
			b.fail(c, "after the change: "+strings.Join(found, "; "), r.afterHead, c.after)
			return
		}
	}
	b.compareBase(c)
	b.compareFilter(c)
}

// occupied says whether something that only one Service can have has gone to another, of a case that
// runs at the same time.
func occupied(message string) bool { return strings.Contains(message, "already allocated") }

// denied says whether a policy refuses an object that is there, rather than the server.
func denied(message string) bool { return strings.Contains(message, "ValidatingAdmissionPolicy") }

// compareBase tells whether what base would do, and so what is drift, has come true.
func (b *batch) compareBase(c *outcome) {
	r := c.row
	switch {
	case c.afterBase == nil && c.baseRefused == "" || r.result == plan.Unknown:
	case r.afterBase == nil && r.baseUnknown == "":
		b.fail(c, "base was forgotten", nil, c.afterBase)
	case r.afterBase == nil && c.baseRefused == "":
		b.fail(c, "base can be applied, predicted: "+r.baseUnknown, nil, c.afterBase)
	case r.afterBase == nil:
	case c.baseRefused != "" && r.unchanged() && c.result == plan.WillReplace: // base is replaced as well
	case denied(c.baseRefused) && asIs(b.baseOf(c), c.live): // it would be left alone, as above
	case c.baseRefused != "":
		b.fail(c, "base is refused: "+c.baseRefused, r.afterBase, nil)
	default:
		if found := differences(b.baseOf(c), r.afterBase, c.afterBase); len(found) > 0 {
			b.fail(c, "after base: "+strings.Join(found, "; "), r.afterBase, c.afterBase)
		}
	}
}

// compareFilter tells whether the local filter ever takes an object for unchanged that changes, also
// where the prediction did not need it.
func (b *batch) compareFilter(c *outcome) {
	if c.live == nil || b.kindMutated(c) {
		return
	}
	check := func(sent, after map[string]any) {
		if !asIs(sent, c.live) {
			return
		}
		b.mu.Lock()
		b.local++
		b.mu.Unlock()
		if after == nil {
			b.fail(c, "the filter takes it for unchanged, and it is refused", c.live, nil)
		} else if found := differences(nil, c.live, after); len(found) > 0 {
			b.fail(c, "the filter takes it for unchanged: "+strings.Join(found, "; "), c.live, after)
		}
	}
	if c.head != nil && c.result != plan.WillReplace && c.result != plan.Rejected {
		check(c.row.head, c.after)
	}
	if c.afterBase != nil {
		check(b.baseOf(c), c.afterBase)
	}
}

func (b *batch) kindMutated(c *outcome) bool {
	return b.profile == "hooks" || b.profile == "policy" || b.profile == "defines"
}

// differences are the places in which two objects differ, but for what a server makes up by itself
// and sent does not ask for.
func differences(sent, a, b map[string]any) []string {
	var all []string
	for _, f := range diff.Locate(settle(sent, a), settle(sent, b)) {
		all = append(all, fmt.Sprintf("%s: %v -> %v", f.Path, compact(f.Before), compact(f.After)))
	}
	return all
}

var generatedVolume = regexp.MustCompile(`^kube-api-access-[a-z0-9]{5}$`)

// settle is an object without what a server makes up.
func settle(sent, object map[string]any) map[string]any {
	object = manifest.Clone(kube.Comparable(object)).(map[string]any)
	spec := fields(object, "spec")
	switch object["kind"] {
	case "Service":
		asked := fields(sent, "spec")
		for _, field := range []string{"clusterIP", "clusterIPs", "healthCheckNodePort"} {
			if value := spec[field]; asked[field] == nil && value != "None" && compact(value) != `["None"]` {
				delete(spec, field)
			}
		}
		for _, port := range items(spec["ports"]) {
			m := fields(port)
			given := slices.ContainsFunc(items(asked["ports"]), func(p any) bool { return diff.EqualValues(fields(p)["nodePort"], m["nodePort"]) })
			if m != nil && !given {
				delete(m, "nodePort")
			}
		}
	case "Job":
		drop := func(m map[string]any) {
			delete(m, "controller-uid")
			delete(m, "batch.kubernetes.io/controller-uid")
		}
		drop(fields(object, "metadata", "labels"))
		drop(fields(spec, "selector", "matchLabels"))
		drop(fields(spec, "template", "metadata", "labels"))
	case "Pod":
		for _, v := range items(spec["volumes"]) {
			plainTokenVolume(fields(v))
		}
		for _, field := range []string{"containers", "initContainers"} {
			for _, c := range items(spec[field]) {
				for _, m := range items(fields(c)["volumeMounts"]) {
					plainTokenVolume(fields(m))
				}
			}
		}
	}
	return object
}

// plainTokenVolume gives the volume of a pod's token a name that is the same for all pods.
func plainTokenVolume(m map[string]any) {
	if name := text(m["name"]); generatedVolume.MatchString(name) {
		m["name"] = "kube-api-access"
	}
}

// arrive makes the namespace of a batch one that arrives with the change: nothing lives in it yet.
func (b *batch) arrive() {
	for _, c := range b.trials {
		if !c.specimen.cluster {
			c.history = nil
			c.alone = false
		}
	}
	ns := fromYAML(fmt.Sprintf("{apiVersion: v1, kind: Namespace, metadata: {name: %s, labels: {gate: arrives}}}", b.namespace)).(map[string]any)
	first := b.trials[0]
	all := specimens()
	at := slices.IndexFunc(all, func(s specimen) bool { return s.kind == "Namespace" })
	*first = outcome{trial: trial{number: first.number, kind: "Namespace", head: objectOf(ns)}, specimen: all[at]}
}

// prepare makes the namespace of a batch.
func (b *batch) prepare(ctx context.Context) error {
	if b.profile == "arrives" {
		return nil
	}
	labels := map[string]any{"gate": b.profile}
	for _, request := range []struct{ path, body string }{
		{"/api/v1/namespaces", compact(map[string]any{"metadata": map[string]any{"name": b.namespace, "labels": labels}})},
		{"/api/v1/namespaces/" + b.namespace + "/serviceaccounts", `{"metadata": {"name": "default"}}`},
		{"/api/v1/namespaces/" + b.namespace + "/limitranges", limits},
	} {
		if strings.HasSuffix(request.path, "limitranges") && b.profile != "defaults" {
			continue
		}
		r, err := b.do(ctx, "POST", request.path, "", fromYAML(request.body))
		if err != nil || !r.ok() {
			return fmt.Errorf("prepare %s: %w %v", request.path, err, r.object["message"])
		}
	}
	return nil
}

const limits = `
metadata: {name: limits}
spec:
  limits:
  - {type: Container, default: {cpu: 500m, memory: 256Mi}, defaultRequest: {cpu: 50m}, max: {cpu: "1"}}
  - {type: PersistentVolumeClaim, max: {storage: 1500Mi}}
`

// hard is the quota of a namespace: as much as histories may need.
const hard = `
metadata: {name: quota}
spec:
  hard: {count/configmaps: 500, secrets: 500, services: 500, services.nodeports: 500, count/deployments.apps: 500, persistentvolumeclaims: 500,
    requests.storage: 500Gi, pods: 500, requests.cpu: 500, count/gadgets.example.com: 500, count/jobs.batch: 500, count/roles.rbac.authorization.k8s.io: 500, count/endpoints: 500}
`

// tighten lets a quota be near what is used.
func (b *batch) tighten(ctx context.Context, g gen) error {
	if b.profile != "quota" {
		return nil
	}
	path := "/api/v1/namespaces/" + b.namespace + "/resourcequotas"
	quota := fromYAML(hard).(map[string]any)
	used, limit := map[string]any{}, fields(quota, "spec", "hard")
	for _, name := range slices.Sorted(maps.Keys(limit)) {
		n, err := b.used(ctx, name)
		if err != nil {
			return err
		}
		used[name], limit[name] = fmt.Sprint(n), fmt.Sprint(n+g.IntN(3))
		switch name {
		case "requests.storage":
			limit[name] = fmt.Sprint(n + g.IntN(3)<<30)
		case "requests.cpu":
			used[name], limit[name] = fmt.Sprintf("%dm", n), fmt.Sprintf("%dm", n+g.IntN(3)*150)
		}
	}
	if g.chance(50) {
		delete(limit, "requests.cpu")
		delete(used, "requests.cpu")
	}
	limit["count/endpoints"] = used["count/endpoints"]
	r, err := b.do(ctx, "POST", path, "", quota)
	if err != nil || !r.ok() {
		return fmt.Errorf("make a quota: %w %v", err, r.object["message"])
	}
	quota = r.object
	quota["status"] = map[string]any{"hard": limit, "used": used}
	if r, err = b.do(ctx, "PUT", path+"/quota/status", "", quota); err != nil || !r.ok() {
		return fmt.Errorf("fill a quota: %w %v", err, r.object["message"])
	}
	probe := fromYAML("{metadata: {name: probe}}")
	for range 1000 { // until admission has seen it
		r, err = b.do(ctx, "POST", "/api/v1/namespaces/"+b.namespace+"/endpoints", "?dryRun=All", probe)
		if err != nil || strings.Contains(text(r.object["message"]), "exceeded quota") {
			return err
		}
	}
	return fmt.Errorf("the quota of %s does not work: %v", b.namespace, r.object["message"])
}
