package cluster

import (
	"context"
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/mergegate/mergegate/internal/kube"
)

// Try asks what would become of an object, by a dry run: admission runs, nothing is stored. The
// identity in use needs the permission for the verb itself. Errors are *kube.Failure.
//
// Fields that the server does not know come back as warnings, as kubectl's --validate=warn does.
func (c *Cluster) Try(ctx context.Context, a kube.Attempt) (kube.Outcome, error) {
	body, err := json.Marshal(a.Content)
	if err != nil {
		return kube.Outcome{}, &kube.Failure{Reason: "Garbled", Message: fmt.Sprintf("the object cannot be encoded: %v", err)}
	}
	path, err := objectPath(a.Kind, a.Namespace, a.Name)
	if err != nil {
		return kube.Outcome{}, err
	}
	sent, err := c.send(ctx, func() *rest.Request {
		return c.client.Patch(types.ApplyYAMLPatchType).AbsPath(path...).Param("force", "true").
			Param("dryRun", "All").Param("fieldManager", kube.FieldManager).Param("fieldValidation", "Warn").
			SetHeader("Accept", "application/json").Body(body)
	})
	if err != nil {
		return kube.Outcome{}, err
	}
	content, err := decode(sent.body)
	if err != nil {
		return kube.Outcome{}, err
	}
	if metadata, ok := content["metadata"].(map[string]any); !ok || content["apiVersion"] != a.Kind.APIVersion() || content["kind"] != a.Kind.Kind || metadata["name"] == nil {
		return kube.Outcome{}, garbled(errAnother)
	}
	return kube.Outcome{Content: content, Warnings: sent.warnings}, nil
}

// May says whether the identity in use may do something, by a SelfSubjectAccessReview, which every
// authenticated identity may create.
func (c *Cluster) May(ctx context.Context, a kube.Access) (bool, error) {
	review := map[string]any{
		"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
		"spec": map[string]any{"resourceAttributes": map[string]any{
			"verb": a.Verb, "group": a.Kind.Group, "version": a.Kind.Version, "resource": a.Kind.Resource,
			"namespace": a.Namespace, "name": a.Name,
		}},
	}
	body, err := json.Marshal(review)
	if err != nil {
		return false, fmt.Errorf("encode access review: %w", err)
	}
	sent, err := c.send(ctx, func() *rest.Request {
		return c.client.Post().AbsPath("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews").
			SetHeader("Content-Type", "application/json").SetHeader("Accept", "application/json").Body(body)
	})
	if err != nil {
		return false, err
	}
	var answer struct {
		Kind   string
		Status struct{ Allowed *bool }
	}
	if err := json.Unmarshal(sent.body, &answer); err != nil {
		return false, garbled(err)
	}
	if answer.Kind != "SelfSubjectAccessReview" || answer.Status.Allowed == nil {
		return false, garbled(errAnother)
	}
	return *answer.Status.Allowed, nil
}
