package live_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/mergegate/mergegate/internal/plan"
)

func base64Of(v string) string { return base64.StdEncoding.EncodeToString([]byte(v)) }

func secret(fields string) string {
	return `{apiVersion: v1, kind: Secret, metadata: {name: keys}, ` + fields + `}`
}

// CVE-2026-42880 (GHSA-3v3m-wc6v-x4x3): the result of a dry run showed the Secrets of the cluster.
// GHSA-rg3g-4rw9-gqrp, CVE-2023-40029: so did the annotation last-applied-configuration.
func TestCVE2026And2023SecretsOfTheCluster(t *testing.T) {
	s := newStage(t)
	s.kubectl(secret(`stringData: {old: "live-only-value-1", pin: "4711", same: "both-have-this"}`), "apply", "-f", "-")
	values := []string{"live-only-value-1", "4711", "both-have-this", "brand-new-value", "value-of-base"}
	base := secret(`stringData: {old: "value-of-base", same: "both-have-this"}`)
	head := secret(`stringData: {old: "brand-new-value", same: "both-have-this"}`)
	for name, c := range map[string]change{"update": {base, head}, "adopt": {"", head}, "delete": {base, ""}, "unchanged": {base, base}} {
		a := s.hides(values, c)[0]
		if a.Result == plan.Unknown || a.Result == plan.Rejected {
			t.Errorf("%s: %+v", name, a.Live)
		}
		if name != "delete" && len(a.Effect)+len(a.Drift) == 0 {
			t.Errorf("%s: the difference is not shown at all", name)
		}
	}
	if shown := text(s.hides(values, change{base, head})); !strings.Contains(shown, "(secret #") {
		t.Errorf("no mask in %s", shown)
	}
}

// CVE-2025-23216 (GHSA-274v-mgcv-cm8j): an invalid Secret had its values in the error text of the API.
// They may be short, decoded, cut, of the wrong type, or stand where a key should.
func TestCVE2025InvalidSecrets(t *testing.T) {
	s := newStage(t)
	s.kubectl(secret(`stringData: {a: "what-was-there"}`), "apply", "-f", "-")
	base := secret(`stringData: {a: "what-was-there"}`)
	for name, fields := range map[string]string{
		"no base64":            `data: {a: "hunter2-is-no-base64!"}`,
		"short":                `data: {a: "hunter2"}`,
		"a number":             `data: {a: 8127733}`,
		"a number in clear":    `stringData: {a: 8127733}`,
		"a list":               `stringData: {a: [hunter2, "8127733"]}`,
		"no map":               `data: hunter2-is-all`,
		"a value as a key":     `stringData: {"hunter2 is the key": "x"}`,
		"a misspelt field":     `stringdata: {a: hunter2-misspelt}`,
		"a type that says it":  `type: kubernetes.io/dockerconfigjson, stringData: {".dockerconfigjson": "hunter2-no-json"}`,
		"a label that says it": `stringData: {a: hunter2-x}, metadata: {name: keys, labels: {a: "hunter2-x is no label"}}`,
	} {
		for _, c := range []change{{base, secret(fields)}, {"", strings.ReplaceAll(secret(fields), "keys", "fresh")}} {
			if name == "a label that says it" {
				c.head = strings.Replace(c.head, "metadata: {name: "+map[bool]string{true: "keys", false: "fresh"}[c.base != ""]+"}, ", "", 1)
			}
			a := s.hides([]string{"hunter2", "8127733", "what-was-there"}, c)[0]
			if a.Result != plan.Rejected && a.Result != plan.Unknown || a.Reason == "" {
				t.Errorf("%s: %+v", name, a.Live)
			}
		}
	}
}

// A value that somebody has set by kubectl set env, since it does not belong into Git, was to be seen
// in the difference that mergegate shows.
func TestValueThatGitDoesNotKnow(t *testing.T) {
	s := newStage(t)
	s.apply(deployment)
	s.kubectl("", "set", "env", "deployment/web", "DB=by-hand-4242", "SHORT=pw1")
	head := strings.Replace(deployment, "nginx:1", "nginx:2", 1)
	for _, c := range []change{{deployment, head}, {deployment, deployment}, {deployment, ""}, {"", head}} {
		s.hides([]string{"by-hand-4242", "pw1"}, c)
	}
	taking := strings.Replace(deployment, `image: "nginx:1"`, `image: "nginx:1", env: [{name: DB, value: in-clear}]`, 1)
	s.hides([]string{"by-hand-4242"}, change{deployment, taking})
}

const denyByPolicy = `
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: NAME}
spec:
  matchConstraints: {resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [secrets, configmaps]}]}
  validations:
  - {expression: "object.metadata.name != 'keys'", messageExpression: "'it holds ' + string(object.data['a'])"}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: NAME}
spec: {policyName: NAME, validationActions: [Deny], matchResources: {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: NAME}}}}
`

// A ValidatingAdmissionPolicy quotes what it refuses. Of a Secret that is its value, in base64; of
// a ConfigMap it may be the value of a Secret of the same plan.
func TestPolicyQuotesValues(t *testing.T) {
	s := newStage(t)
	s.kubectl(denyByPolicy, "apply", "-f", "-")
	t.Cleanup(func() { s.remove("validatingadmissionpolicies,validatingadmissionpolicybindings") })
	s.ready("it holds", `{apiVersion: v1, kind: ConfigMap, metadata: {name: keys}, data: {a: b}}`, "create", "--dry-run=server", "-f", "-")
	for _, value := range []string{"hunter2", "hunter2-and-more-of-it"} {
		a := s.hides([]string{value}, change{"", secret(`stringData: {a: ` + value + `}`)})[0]
		s.expect(plan.Rejected, "ValidatingAdmissionPolicy", a)
	}
	quoting := s.hides([]string{"hunter2-and-more-of-it"},
		change{"", `{apiVersion: v1, kind: Secret, metadata: {name: other}, stringData: {a: hunter2-and-more-of-it}}`},
		change{"", `{apiVersion: v1, kind: ConfigMap, metadata: {name: keys}, data: {a: hunter2-and-more-of-it}}`})
	s.expect(plan.Rejected, "it holds (secret #", quoting[1])
}

// replicas that an autoscaler has set are said to be the autoscaler's: a merge that sets them fights it.
// Kubernetes keeps this only where somebody had set them before.
func TestReplicasOfAnAutoscaler(t *testing.T) {
	s := newStage(t)
	s.apply(deployment)
	s.kubectl("", "patch", "deployment", "web", "--subresource=scale", "--field-manager=kube-controller-manager", "--type=merge", "-p", `{"spec":{"replicas":5}}`)
	a := s.ask(change{deployment, strings.Replace(deployment, "replicas: 2", "replicas: 3", 1)})[0]
	s.expect(plan.WillUpdate, "", a)
	for _, f := range a.TakesFrom {
		if f.Path == "/spec/replicas" && len(f.Owners) == 1 && f.Owners[0].Controller == "HorizontalPodAutoscaler" && fmt.Sprint(f.Before) == "5" {
			return
		}
	}
	t.Errorf("nobody is named: %s", text(a.Live))
}
