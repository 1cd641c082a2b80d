package live

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/mergegate/mergegate/internal/kube"
	"github.com/mergegate/mergegate/internal/plan"
)

// maxNames is how many objects of one kind a cascade names. All are counted.
const maxNames = 10

// consequences finds out what goes with an object that is deleted or replaced.
func (p *predictor) consequences(ctx context.Context, r *row) {
	if r.live == nil || r.result != plan.WillDelete && r.result != plan.WillReplace {
		return
	}
	var err error
	switch {
	case isCRD(r.id):
		err = p.customResources(ctx, r)
	case r.id.Group == "" && r.id.Kind == "Namespace":
		err = p.contents(ctx, r)
	case r.id.Group == "" && r.id.Kind == "PersistentVolumeClaim":
		err = p.volume(ctx, r)
	case r.id.Group == "apps" && r.id.Kind == "StatefulSet" && r.result == plan.WillDelete:
		err = p.claims(ctx, r)
	}
	if err != nil {
		r.unknown("it is deleted, and what goes with it is not known: " + brief(err.Error()))
	}
}

// customResources are the objects of a definition.
func (p *predictor) customResources(ctx context.Context, r *row) error {
	target := strings.SplitN(crdTarget(r.live), "/", 2)
	kind, ok := p.server.Any(target[0], target[1])
	if !ok {
		return p.silence(target[0]) // else it is not served, so it has no objects that anyone could see
	}
	found, err := p.api.List(ctx, kind, "", nil)
	if err != nil {
		return err
	}
	r.goesToo(kind, found, "")
	return nil
}

// transient kinds come and go by themselves and say nothing about what is lost.
var transient = []string{"Event", "Endpoints", "EndpointSlice", "Lease", "ControllerRevision", "ReplicaSet", "PodMetrics", "CertificateSigningRequest"} //nolint:gochecknoglobals // a table

// silence is an error where an API does not answer: of a group, or of any where none is given. What of
// its kinds there is, nobody can say, and Kubernetes itself removes no namespace until it knows.
func (p *predictor) silence(group string) error {
	for _, version := range slices.Sorted(maps.Keys(p.server.Silent)) {
		if group == "" || strings.HasPrefix(version, group+"/") {
			return fmt.Errorf("%s is served by an API that does not answer: %s", version, p.server.Silent[version])
		}
	}
	return nil
}

// contents are the objects in a namespace, of every kind. What their owners delete is not counted twice.
func (p *predictor) contents(ctx context.Context, r *row) error {
	if err := p.silence(""); err != nil {
		return err
	}
	var kinds []kube.Kind
	seen := map[string]bool{}
	for _, k := range p.server.Kinds {
		if k.Namespaced && !k.CreateOnly && !seen[k.GroupKind()] && !slices.Contains(transient, k.Kind) {
			seen[k.GroupKind()] = true
			kinds = append(kinds, k)
		}
	}
	lists := make([][]map[string]any, len(kinds))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for i, k := range kinds {
		group.Go(func() error {
			found, err := p.api.List(ctx, k, r.id.Name, nil)
			var failed *kube.Failure
			if errors.As(err, &failed) && failed.Code == http.StatusNotFound {
				return nil // its definition has gone meanwhile
			}
			lists[i] = slices.DeleteFunc(found, func(o map[string]any) bool { return owned(o) || automatic(o) })
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for i, found := range lists {
		r.goesToo(kinds[i], found, "")
	}
	return nil
}

// owned says whether an object is a controller's.
func owned(object map[string]any) bool {
	for _, owner := range items(fields(object, "metadata")["ownerReferences"]) {
		if fields(owner)["controller"] == true {
			return true
		}
	}
	return false
}

// automatic says whether an object is in every namespace.
func automatic(object map[string]any) bool {
	name := text(fields(object, "metadata")["name"])
	return object["kind"] == "ConfigMap" && name == "kube-root-ca.crt" || object["kind"] == "ServiceAccount" && name == "default"
}

// volume is what becomes of the volume of a claim.
func (p *predictor) volume(ctx context.Context, r *row) error {
	name := text(fields(r.live, "spec")["volumeName"])
	if name == "" {
		r.note("The claim has no volume yet.")
		return nil
	}
	found, err := p.list(ctx, "", "PersistentVolume", func(_, have string) bool { return have == name })
	if err != nil || len(found) == 0 {
		return err
	}
	kind, _ := p.server.Any("", "PersistentVolume")
	switch policy := text(fields(found[0], "spec")["persistentVolumeReclaimPolicy"]); policy {
	case "Delete":
		r.goesToo(kind, found, "its reclaim policy is Delete: the data is lost")
	default:
		r.note("The volume %s stays: its reclaim policy is %s.", name, cmp.Or(policy, "not set"))
	}
	return nil
}

// claims are the volume claims that a StatefulSet made, which go with it where it says so.
func (p *predictor) claims(ctx context.Context, r *row) error {
	var prefixes []string
	for _, template := range items(fields(r.live, "spec")["volumeClaimTemplates"]) {
		prefixes = append(prefixes, text(fields(template, "metadata")["name"])+"-"+r.id.Name+"-")
	}
	kind, ok := p.server.Any("", "PersistentVolumeClaim")
	if !ok || len(prefixes) == 0 {
		return nil
	}
	found, err := p.api.List(ctx, kind, r.id.Namespace, func(_, name string) bool {
		return slices.ContainsFunc(prefixes, func(prefix string) bool {
			ordinal, is := strings.CutPrefix(name, prefix)
			return is && ordinal != "" && strings.Trim(ordinal, "0123456789") == ""
		})
	})
	if err != nil || len(found) == 0 {
		return err
	}
	if text(fields(r.live, "spec", "persistentVolumeClaimRetentionPolicy")["whenDeleted"]) == "Delete" {
		r.goesToo(kind, found, "its retention policy is Delete")
		return nil
	}
	r.note("Its %d volume claims stay.", len(found))
	return nil
}

// goesToo records objects that go with the row's. Those that the change deletes anyway are among them.
func (r *row) goesToo(kind kube.Kind, found []map[string]any, note string) {
	if len(found) == 0 {
		return
	}
	var names []string
	for _, object := range found {
		metadata := fields(object, "metadata")
		names = append(names, strings.TrimPrefix(place(text(metadata["namespace"]), text(metadata["name"])), "/"))
	}
	slices.Sort(names)
	r.cascade = append(r.cascade, plan.Cascade{Kind: kind.GroupKind(), Count: len(names), Names: names[:min(len(names), maxNames)], Note: note})
}
