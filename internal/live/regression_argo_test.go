package live_test

import (
	"strings"
	"testing"

	"github.com/mergegate/mergegate/internal/plan"
)

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {replicas: 2, selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: "nginx:1"}]}}}
`

// argo-cd#28722: a dry run that refused an immutable change was taken for "no difference", and the
// application was shown as synced.
func TestArgoCD28722(t *testing.T) {
	s := newStage(t)
	s.apply(deployment)
	head := strings.ReplaceAll(deployment, "app: web", "app: other")
	a := s.ask(change{deployment, head})[0]
	s.expect(plan.WillReplace, "spec.selector", a)
	if len(a.Effect) == 0 {
		t.Error("it shows no effect")
	}
	mixed := strings.Replace(head, `image: "nginx:1"`, `image: ""`, 1)
	s.expect(plan.Rejected, "image", s.ask(change{deployment, mixed})[0])
}

// argo-cd#21660: server-side diff does not run for objects that are not there yet, so neither admission
// nor quotas have seen them before the merge.
func TestArgoCD21660(t *testing.T) {
	s := newStage(t)
	s.apply(`{apiVersion: v1, kind: ResourceQuota, metadata: {name: none}, spec: {hard: {services: "0"}}}`,
		`{apiVersion: v1, kind: LimitRange, metadata: {name: small}, spec: {limits: [{type: PersistentVolumeClaim, max: {storage: 1Gi}}]}}`)
	service := `{apiVersion: v1, kind: Service, metadata: {name: new}, spec: {ports: [{port: 80}]}}`
	s.ready("exceeded quota", service, "create", "--dry-run=server", "-f", "-")
	s.expect(plan.Rejected, "exceeded quota: none", s.ask(change{"", service})[0])
	s.expect(plan.Rejected, "maximum storage usage per PersistentVolumeClaim is 1Gi", s.ask(change{"", pvc("2Gi")})[0])
	s.expect(plan.WillCreate, "", s.ask(change{"", pvc("1Gi")})[0])
}

func pvc(size string) string {
	return `{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: ` + size + `}}}}`
}

const looseDefinition = `{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: looses.NAME.example.com}, spec: {group: NAME.example.com,
  scope: Namespaced, names: {plural: looses, kind: Loose}, versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object,
  properties: {spec: {type: object, x-kubernetes-preserve-unknown-fields: true}}}}}]}}`

func loose(spec string) string {
	return `{apiVersion: NAME.example.com/v1, kind: Loose, metadata: {name: one}, spec: ` + spec + `}`
}

// argo-cd#27625 and #28818: what is below x-kubernetes-preserve-unknown-fields was left out of the
// comparison, so that changes in it were not seen.
func TestArgoCD27625And28818(t *testing.T) {
	s := newStage(t)
	s.apply(looseDefinition)
	base := loose(`{deep: {value: 1, other: x}, list: [{a: 1}, {a: 2}]}`)
	s.ready("", base, "apply", "--server-side", "--field-manager", "mergegate", "-f", "-")
	for head, paths := range map[string][]string{
		`{deep: {value: 2, other: x}, list: [{a: 1}, {a: 2}]}`:              {"/spec/deep/value"},
		`{deep: {value: 1}, list: [{a: 1}, {a: 2}]}`:                        {"/spec/deep/other"},
		`{deep: {value: 1, other: x, new: {y: z}}, list: [{a: 1}, {a: 2}]}`: {"/spec/deep/new"},
	} {
		a := s.ask(change{base, loose(head)})[0]
		s.expect(plan.WillUpdate, "", a)
		s.expectFields(head, a.Effect, paths...)
	}
	a := s.ask(change{base, loose(`{deep: {value: 1, other: x}, list: [{a: 1}, {a: 3}]}`)})[0]
	s.expect(plan.WillUpdate, "", a)
	if len(a.Effect) == 0 {
		t.Error("a change in a list is not seen")
	}
	s.expect(plan.NoEffect, "", s.ask(change{base, base})[0])
}

// argo-cd#17568: an item of a list with keys that lacks its key broke the comparison of the whole
// application, with an error of the tool.
func TestArgoCD17568(t *testing.T) {
	s := newStage(t)
	s.apply(deployment)
	keyless := strings.Replace(deployment, `image: "nginx:1"`, `image: "nginx:1", env: [{value: x}]`, 1)
	s.expect(plan.Rejected, "env", s.ask(change{deployment, keyless})[0])
	s.expect(plan.Rejected, "", s.ask(change{"", strings.Replace(keyless, "name: web}", "name: new}", 1)})[0])
	twice := strings.Replace(deployment, `image: "nginx:1"`, `image: "nginx:1", env: [{name: A, value: x}, {name: A, value: y}]`, 1)
	if a := s.ask(change{deployment, twice})[0]; a.Result != plan.Rejected && a.Result != plan.WillUpdate || a.Fault {
		t.Errorf("a key that occurs twice: %+v", a.Live)
	}
}

// flux2#3270: a diff failed as a whole where the change creates the namespace of its objects.
// kubectl#1331, kubernetes#114141: so does kubectl's, and it cannot tell why.
func TestFlux3270AndKubectl1331(t *testing.T) {
	s := newStage(t)
	inside := `{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: NAME-new}, data: {a: b}}`
	namespace := `{apiVersion: v1, kind: Namespace, metadata: {name: NAME-new}}`
	for _, a := range s.ask(change{"", namespace}, change{"", inside}) {
		s.expect(plan.WillCreate, "", a)
	}
	s.expect(plan.Rejected, "The namespace NAME-new is not in the cluster", s.ask(change{"", inside})[0])
	refused := s.ask(change{"", `{apiVersion: v1, kind: Namespace, metadata: {name: NAME-new, labels: {"not a label": x}}}`}, change{"", inside})
	s.expect(plan.Rejected, "", refused[0])
	s.expect(plan.Rejected, "The namespace NAME-new, which this change creates, is refused", refused[1])
}

// An invalid object was shown as created where its ServiceAccount of the same name arrived with it: the
// refusal names the object, and that was taken for a look at what arrives.
func TestRefusalNamesWhatArrives(t *testing.T) {
	s := newStage(t)
	account := `{apiVersion: v1, kind: ServiceAccount, metadata: {name: web}}`
	invalid := strings.Replace(deployment, "labels: {app: web}", "labels: {app: another}", 1)
	answers := s.ask(change{"", account}, change{"", invalid})
	s.expect(plan.WillCreate, "", answers[0])
	s.expect(plan.Rejected, "selector", answers[1])
	pod := `{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {serviceAccountName: web, containers: [{name: web, image: nginx}]}}`
	answers = s.ask(change{"", account}, change{"", pod})
	s.expect(plan.WillCreate, "", answers[1])
}
