package schema

import (
	"encoding/json"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// podTemplate says where the kinds that Pod Security admission looks at keep their template
// (pod-security-admission admission/admission.go, DefaultPodSpecExtractor).
var podTemplate = map[string][]string{
	"v1 Pod":                   {},
	"v1 PodTemplate":           {"template"},
	"v1 ReplicationController": {"spec", "template"},
	"apps/v1 ReplicaSet":       {"spec", "template"},
	"apps/v1 Deployment":       {"spec", "template"},
	"apps/v1 DaemonSet":        {"spec", "template"},
	"apps/v1 StatefulSet":      {"spec", "template"},
	"batch/v1 Job":             {"spec", "template"},
	"batch/v1 CronJob":         {"spec", "jobTemplate", "spec", "template"},
}

// PodSecurity says what the Pod Security admission of a namespace with these labels says of an
// object, with the built-in configuration of an API server: no exemptions, and privileged where a
// label is missing. The version latest is that of the library, and an unknown label value counts as
// the server counts it: as restricted.
//
// Problems are why a Pod would be refused. Warnings are what a server says of a Pod that it accepts,
// and of an object with a pod template; that is accepted in any case, so what refuses its Pods later
// is a warning, too. Objects of other kinds have neither. The error is for a Pod that does not decode.
func PodSecurity(namespaceLabels map[string]string, object map[string]any) (found []Problem, warnings []string, err error) {
	err = guard(func() (err error) {
		found, warnings, err = podSecurity(namespaceLabels, object)
		return err
	})
	if err != nil {
		return nil, nil, fmt.Errorf("evaluate pod security: %w", err)
	}
	return found, warnings, nil
}

func podSecurity(labels map[string]string, object map[string]any) ([]Problem, []string, error) {
	kind := fmt.Sprintf("%v %v", object["apiVersion"], object["kind"])
	path, known := podTemplate[kind]
	if !known {
		return nil, nil, nil
	}
	privileged := api.LevelVersion{Level: api.LevelPrivileged, Version: api.LatestVersion()}
	// Errors of the labels are the server's warnings about the namespace, not about the object.
	of, _ := api.PolicyToEvaluate(labels, api.Policy{Enforce: privileged, Audit: privileged, Warn: privileged})
	if of.Enforce.Level == api.LevelPrivileged && of.Warn.Level == api.LevelPrivileged {
		return nil, nil, nil
	}
	metadata, spec, err := podOf(object, path)
	if err != nil || spec == nil {
		return nil, nil, err
	}
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		return nil, nil, err
	}
	judge := func(level api.LevelVersion) string {
		result := policy.AggregateCheckResults(evaluator.EvaluatePod(level, metadata, spec))
		if result.Allowed {
			return ""
		}
		return fmt.Sprintf("PodSecurity %q: %s", level.String(), result.ForbiddenDetail())
	}
	enforced, warned := judge(of.Enforce), judge(of.Warn)
	if len(path) == 0 && enforced != "" {
		return []Problem{{Message: "violates " + enforced}}, nil, nil
	}
	var warnings []string
	for _, text := range []string{enforced, warned} {
		if text != "" && !slices.Contains(warnings, "would violate "+text) {
			warnings = append(warnings, "would violate "+text)
		}
	}
	return nil, warnings, nil
}

// podOf decodes the Pod or template at a path, as the server does; nil where there is none.
func podOf(object map[string]any, path []string) (*metav1.ObjectMeta, *corev1.PodSpec, error) {
	data, err := encode(object)
	if err != nil {
		return nil, nil, err
	}
	content := map[string]any{}
	if err := utiljson.Unmarshal(data, &content); err != nil {
		return nil, nil, fmt.Errorf("decode: %w", err)
	}
	template, found, err := unstructured.NestedMap(content, path...)
	if err != nil || !found {
		return nil, nil, err
	}
	if data, err = json.Marshal(template); err != nil {
		return nil, nil, fmt.Errorf("encode: %w", err)
	}
	pod := corev1.PodTemplateSpec{}
	if err := utiljson.Unmarshal(data, &pod); err != nil {
		return nil, nil, fmt.Errorf("decode: %w", err)
	}
	return &pod.ObjectMeta, &pod.Spec, nil
}
