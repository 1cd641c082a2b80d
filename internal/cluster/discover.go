package cluster

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"k8s.io/client-go/rest"

	"github.com/mergegate/mergegate/internal/kube"
)

// aggregated asks for discovery of all groups in one answer, as servers since 1.26 give it.
const aggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"

// Discover asks a server what it serves and who may change what is written to it: two requests for all
// kinds, one for its version, and a handful for the configuration of admission. Errors are *kube.Failure.
func (c *Cluster) Discover(ctx context.Context) (*kube.Server, error) {
	var version struct{ GitVersion string }
	var core, named []byte
	err := together(
		func() error { return c.json(ctx, "/version", &version) },
		func() (err error) { core, err = c.discovery(ctx, "/api"); return err },
		func() (err error) { named, err = c.discovery(ctx, "/apis"); return err },
	)
	if err != nil {
		return nil, err
	}
	s := &kube.Server{Version: version.GitVersion, Silent: map[string]string{}}
	for _, body := range [][]byte{core, named} {
		if err := addKinds(s, body); err != nil {
			return nil, err
		}
	}
	if s.Version == "" || !slices.ContainsFunc(s.Kinds, func(k kube.Kind) bool { return k.Group == "" && k.Kind == "Namespace" }) {
		return nil, garbled(errAnother)
	}
	slices.SortFunc(s.Kinds, func(a, b kube.Kind) int {
		return cmp.Or(strings.Compare(a.Group, b.Group), strings.Compare(a.Version, b.Version), strings.Compare(a.Kind, b.Kind), strings.Compare(a.Resource, b.Resource))
	})
	return s, c.admission(ctx, s)
}

// together does several things at the same time and returns the error of the first one that has any, in
// their order and not in that of time: the same fault is told in the same words.
func together(things ...func() error) error {
	errs := make([]error, len(things))
	var group sync.WaitGroup
	for i, do := range things {
		group.Go(func() { errs[i] = do() })
	}
	group.Wait()
	return cmp.Or(errs...)
}

func (c *Cluster) discovery(ctx context.Context, path string) ([]byte, error) {
	a, err := c.send(ctx, func() *rest.Request { return c.client.Get().AbsPath(path).SetHeader("Accept", aggregated) })
	return a.body, err
}

// json reads a document at a path.
func (c *Cluster) json(ctx context.Context, path string, into any) error {
	a, err := c.send(ctx, func() *rest.Request { return c.client.Get().AbsPath(path).SetHeader("Accept", "application/json") })
	if err != nil {
		return err
	}
	if err := json.Unmarshal(a.body, into); err != nil {
		return garbled(err)
	}
	return nil
}

// groupList is an APIGroupDiscoveryList of apidiscovery.k8s.io/v2.
type groupList struct {
	Kind  string
	Items []struct {
		Metadata struct{ Name string }
		Versions []struct {
			Version   string
			Freshness string // Stale: an aggregated API that does not answer
			Resources []struct {
				Resource     string
				ResponseKind struct{ Group, Version, Kind string }
				Scope        string
				Verbs        []string
			}
		}
	}
}

func addKinds(s *kube.Server, body []byte) error {
	var list groupList
	if err := json.Unmarshal(body, &list); err != nil {
		return garbled(err)
	}
	switch list.Kind {
	case "APIGroupDiscoveryList":
	case "APIVersions", "APIGroupList":
		return &kube.Failure{Reason: "TooOld", Message: "the API server has no aggregated discovery, which Kubernetes has since 1.26"}
	default:
		return garbled(errAnother)
	}
	for _, g := range list.Items {
		for _, v := range g.Versions {
			if v.Freshness == "Stale" {
				s.Silent[strings.TrimPrefix(g.Metadata.Name+"/"+v.Version, "/")] = "its API service does not answer"
			}
			for _, r := range v.Resources {
				if !slices.Contains(r.Verbs, "list") && !slices.Contains(r.Verbs, "create") {
					continue
				}
				s.Kinds = append(s.Kinds, kube.Kind{
					Group: cmp.Or(r.ResponseKind.Group, g.Metadata.Name), Version: cmp.Or(r.ResponseKind.Version, v.Version),
					Kind: r.ResponseKind.Kind, Resource: r.Resource, Namespaced: r.Scope == "Namespaced",
					CreateOnly: !slices.Contains(r.Verbs, "list"),
				})
			}
		}
	}
	return nil
}

const admissionGroup = "admissionregistration.k8s.io"

// admission reads what may change or refuse what is written. Whatever may not be read leaves the
// answer unknown, which makes others ask the server more often, and is no failure.
func (c *Cluster) admission(ctx context.Context, s *kube.Server) error {
	kinds := []string{
		"MutatingWebhookConfiguration", "MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding",
		"ValidatingWebhookConfiguration", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding",
	}
	lists := make([][]map[string]any, len(kinds))
	var reads []func() error
	for i, name := range kinds {
		if kind, ok := newest(s, name); ok {
			reads = append(reads, func() (err error) { lists[i], err = c.List(ctx, kind, "", nil); return err })
		}
	}
	var schemas []byte
	reads = append(reads, func() (err error) { schemas, err = c.schemas(ctx); return err })
	err := together(reads...)
	var failure *kube.Failure
	if errors.As(err, &failure) && failure.Code == http.StatusForbidden {
		return nil
	}
	if err != nil {
		return err
	}
	s.MutatingKnown = true
	for _, object := range slices.Concat(lists[0], lists[1]) {
		s.Mutating = append(s.Mutating, rules(object)...)
	}
	if schemas != nil {
		s.Admission = fingerprint(s, slices.Concat(lists...), schemas)
	}
	return nil
}

// schemas is the list of the server's OpenAPI documents, which names each by a hash of what it says: it
// changes with every definition of custom resources. It is nil where it may not be read.
func (c *Cluster) schemas(ctx context.Context) ([]byte, error) {
	a, err := c.send(ctx, func() *rest.Request {
		return c.client.Get().AbsPath("/openapi/v3").SetHeader("Accept", "application/json")
	})
	var failure *kube.Failure
	if errors.As(err, &failure) && failure.Code == http.StatusForbidden {
		return nil, nil
	}
	return a.body, err
}

// newest is the kind of admission configuration in its most stable version.
func newest(s *kube.Server, name string) (kube.Kind, bool) {
	for _, version := range []string{"v1", "v1beta1", "v1alpha1"} {
		for _, k := range s.Kinds {
			if k.Group == admissionGroup && k.Version == version && k.Kind == name {
				return k, true
			}
		}
	}
	return kube.Kind{}, false
}

// rules are what a configuration of webhooks, or a policy, matches.
func rules(object map[string]any) []kube.Rule {
	var all []kube.Rule
	add := func(list any) {
		for _, item := range asList(list) {
			fields, ok := item.(map[string]any)
			if !ok || !onWrites(asTexts(fields["operations"])) {
				continue
			}
			all = append(all, kube.Rule{Groups: asTexts(fields["apiGroups"]), Versions: asTexts(fields["apiVersions"]), Resources: asTexts(fields["resources"])})
		}
	}
	for _, hook := range asList(object["webhooks"]) {
		if fields, ok := hook.(map[string]any); ok {
			add(fields["rules"])
		}
	}
	if spec, ok := object["spec"].(map[string]any); ok {
		if constraints, ok := spec["matchConstraints"].(map[string]any); ok {
			add(constraints["resourceRules"])
		}
	}
	return all
}

// onWrites says whether operations are among those that store an object.
func onWrites(operations []string) bool {
	return slices.ContainsFunc(operations, func(o string) bool { return o == "*" || o == "CREATE" || o == "UPDATE" })
}

func asList(v any) []any {
	list, _ := v.([]any)
	return list
}

func asTexts(v any) []string {
	var texts []string
	for _, item := range asList(v) {
		if text, ok := item.(string); ok {
			texts = append(texts, text)
		}
	}
	return texts
}

// fingerprint is of everything that decides what the server makes of an object, beside the object.
func fingerprint(s *kube.Server, configuration []map[string]any, schemas []byte) string {
	sum := sha256.New()
	fmt.Fprintf(sum, "%v %v %s\n", s.Version, s.Kinds, schemas)
	for _, object := range configuration {
		if metadata, ok := object["metadata"].(map[string]any); ok {
			fmt.Fprintln(sum, object["kind"], metadata["uid"], metadata["resourceVersion"])
		}
	}
	return hex.EncodeToString(sum.Sum(nil))
}
