package live

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/mergegate/mergegate/internal/kube"
	"github.com/mergegate/mergegate/internal/plan"
	"github.com/mergegate/mergegate/internal/schema"
)

// What cannot be tried, since a dry run stores nothing that the next one could build on, is judged here
// by the schema that the object will meet: objects in a namespace that the same change creates, and
// custom resources whose definition arrives or changes in it.

// needsOffline says whether trying the object would tell nothing.
func (p *predictor) needsOffline(r *row) bool {
	if p.crds[groupKind(r)] != nil {
		return true
	}
	_, arrives := p.namespaces[r.id.Namespace]
	return arrives && r.live == nil && r.kind.Namespaced
}

func groupKind(r *row) string { return r.id.Group + "/" + r.id.Kind }

// namespaceFails settles an object whose namespace the change has and the cluster does not take, or of
// whose namespace nothing is known, and says whether that is so.
func (p *predictor) namespaceFails(r *row) bool {
	n := p.incoming[r.id.Namespace]
	switch {
	case n == nil || r.live != nil:
		return false
	case n.result == plan.Rejected:
		r.rejected(fmt.Sprintf("The namespace %s, which this change creates, is refused by the API server.", n.id.Name))
		return true
	case n.result == plan.Unknown:
		r.unknown(fmt.Sprintf("The namespace %s is part of this change, and what becomes of it is not known: %s", n.id.Name, n.reason))
		return true
	}
	return false
}

// offline judges the proposed object by its schema.
func (p *predictor) offline(ctx context.Context, r *row) {
	r.offline = true
	if p.namespaceFails(r) {
		return
	}
	var admitted schema.Admission
	var err error
	if d := p.crds[groupKind(r)]; d != nil {
		admitted, err = d.admit(ctx, r)
	} else {
		admitted, err = p.admitBySchema(ctx, r)
	}
	var refusal *definitionError
	switch {
	case errors.As(err, &refusal):
		r.rejected(refusal.Error())
		return
	case err != nil:
		r.unknown("it cannot be tried, and not be judged by its schema either: " + brief(err.Error()))
		return
	case len(admitted.Refusals()) > 0 && p.replacedOffline(ctx, r, admitted.Refusals()):
		return
	case len(admitted.Refusals()) > 0:
		r.rejected(listProblems(admitted.Refusals()))
		return
	}
	if !p.podSecurity(r) {
		return
	}
	r.afterHead = admitted.Object
	if p.inStandIn(ctx, r); r.settled() {
		return
	}
	r.conclude()
}

// replacedOffline settles a live custom resource that may not become what is proposed, and could be
// created like that. It says whether that is so.
func (p *predictor) replacedOffline(ctx context.Context, r *row, problems []schema.Problem) bool {
	d := p.crds[groupKind(r)]
	if d == nil || r.live == nil {
		return false
	}
	created, err := d.parsed.Admit(ctx, r.id.Version, r.head, nil)
	if err != nil || len(created.Refusals()) > 0 {
		return false
	}
	f := &kube.Failure{}
	for _, problem := range problems {
		f.Causes = append(f.Causes, kube.Cause{Field: problem.Field, Message: problem.Message})
	}
	r.afterHead, r.result, r.reason = created.Object, plan.WillReplace, immutable(f)
	return true
}

// listProblems is problems as one reason.
func listProblems(problems []schema.Problem) string {
	const most = 10
	var texts []string
	for _, problem := range problems[:min(len(problems), most)] {
		text := problem.Message
		if problem.Field != "" && !strings.HasPrefix(text, problem.Field) {
			text = problem.Field + ": " + text
		}
		texts = append(texts, text)
	}
	if more := len(problems) - most; more > 0 {
		texts = append(texts, fmt.Sprintf("and %d more problems", more))
	}
	return brief(strings.Join(texts, "; "))
}

// documents are the schemas of a server, read when they are needed.
type documents struct {
	openAPI once[*schema.OpenAPI]
	crds    once[*schema.Definition]
}

// admitBySchema judges an object by the schema that the server has for it: the definition of a custom
// resource, else its OpenAPI document.
func (p *predictor) admitBySchema(ctx context.Context, r *row) (schema.Admission, error) {
	if d, err := p.servedDefinition(ctx, r); d != nil || err != nil {
		if err != nil {
			return schema.Admission{}, err
		}
		return d.Admit(ctx, r.id.Version, r.head, nil)
	}
	version := r.id.APIVersion()
	document, err := p.docs.openAPI.get(version, func() (*schema.OpenAPI, error) {
		body, err := p.api.OpenAPI(ctx, version)
		if err != nil {
			return nil, fmt.Errorf("read the OpenAPI document of %s: %w", version, err)
		}
		return schema.ParseOpenAPI(body)
	})
	if err != nil {
		return schema.Admission{}, err
	}
	return document.Admit(version, r.id.Kind, r.head)
}

// servedDefinition is the definition by which the server serves a kind; nil where the kind is built in.
func (p *predictor) servedDefinition(ctx context.Context, r *row) (*schema.Definition, error) {
	if !strings.Contains(r.id.Group, ".") || strings.HasSuffix(r.id.Group, ".k8s.io") && !p.isCustom(r) {
		return nil, nil
	}
	name := r.kind.Resource + "." + r.id.Group
	return p.docs.crds.get(name, func() (*schema.Definition, error) {
		found, err := p.list(ctx, crdGroup, "CustomResourceDefinition", func(_, have string) bool { return have == name })
		if err != nil || len(found) == 0 {
			return nil, err
		}
		return schema.ParseCRD(ctx, found[0])
	})
}

// isCustom says whether a kind of a group of Kubernetes itself may be a custom resource, as those of
// gateway.networking.k8s.io and snapshot.storage.k8s.io are: the built-in groups have fewer parts.
func (p *predictor) isCustom(r *row) bool {
	return strings.Count(strings.TrimSuffix(r.id.Group, ".k8s.io"), ".") > 0 ||
		!slices.Contains([]string{"admissionregistration", "apiextensions", "apiregistration", "authentication", "authorization", "certificates", "coordination", "discovery", "events", "flowcontrol", "internal", "networking", "node", "rbac.authorization", "resource", "scheduling", "storage", "storagemigration"}, strings.TrimSuffix(r.id.Group, ".k8s.io"))
}

// list reads objects of a kind wherever they are.
func (p *predictor) list(ctx context.Context, group, kind string, wanted func(namespace, name string) bool) ([]map[string]any, error) {
	k, ok := p.server.Any(group, kind)
	if !ok {
		return nil, &kube.Failure{Reason: "NoKind", Message: "the cluster does not serve " + kind}
	}
	return p.api.List(ctx, k, "", wanted)
}

// podSecurity says whether the namespace that arrives with the object takes the pods that it makes.
func (p *predictor) podSecurity(r *row) bool {
	labels, arrives := p.namespaces[r.id.Namespace]
	if !arrives || kube.PodSpec(r.head) == nil {
		return true
	}
	problems, warnings, err := schema.PodSecurity(labels, r.head)
	switch {
	case err != nil:
		r.unknown("the pod security of its namespace cannot be judged: " + brief(err.Error()))
		return false
	case len(problems) > 0:
		r.rejected(listProblems(problems))
		return false
	}
	for _, w := range warnings {
		r.note("%s", w)
	}
	return true
}
