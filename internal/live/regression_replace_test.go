package live_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/mergegate/mergegate/internal/diff"
	"github.com/mergegate/mergegate/internal/live"
	"github.com/mergegate/mergegate/internal/manifest"
	"github.com/mergegate/mergegate/internal/plan"
)

// Immutable fields of every kind that has them: the change is a replacement, and never "none" or an
// error. What the replacement would be refused for refuses it.
func TestImmutable(t *testing.T) {
	s := newStage(t)
	job := `{apiVersion: batch/v1, kind: Job, metadata: {name: once}, spec: {suspend: true, template: {spec: {restartPolicy: Never, containers: [{name: a, image: "a:1"}]}}}}`
	set := `{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: db}, spec: {replicas: 0, serviceName: db, selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: a, image: "a:1"}]}},
  volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}]}}`
	service := `{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {ports: [{port: 80}]}}`
	fixed := `{apiVersion: v1, kind: ConfigMap, metadata: {name: fixed}, immutable: true, data: {a: one}}`
	hidden := `{apiVersion: v1, kind: Secret, metadata: {name: fixed}, immutable: true, stringData: {a: hunter2-one}}`
	s.apply(job, set, service, fixed, hidden, pvc("2Gi"))
	for name, tt := range map[string]struct{ base, from, to, field string }{
		"Job template":                       {job, "a:1", "a:2", "spec.template"},
		"StatefulSet volumeClaimTemplates":   {set, "1Gi", "2Gi", "spec"},
		"Service clusterIP":                  {service, "{ports", "{clusterIP: 10.96.200.1, ports", "clusterIP"},
		"immutable ConfigMap":                {fixed, "one", "two", "data"},
		"immutable Secret":                   {hidden, "hunter2-one", "hunter2-two", "data"},
		"PersistentVolumeClaim that shrinks": {pvc("2Gi"), "2Gi", "1Gi", "spec"},
	} {
		a := s.hides([]string{"hunter2"}, change{tt.base, strings.Replace(tt.base, tt.from, tt.to, 1)})[0]
		if a.Result != plan.WillReplace || !strings.Contains(a.Reason, tt.field) {
			t.Errorf("%s: %s", name, text(a.Live))
		}
	}
}

const definition = `{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: things.NAME.example.com}, spec: {group: NAME.example.com,
  scope: Namespaced, names: {plural: things, kind: Thing}, versions: [
  {name: v1, served: true, storage: false, schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {size: {type: integer}}}}}}},
  {name: v2, served: true, storage: true, schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {size: {type: integer}}}}}}}]}}`

func thing(name, size string) string {
	return `{apiVersion: NAME.example.com/v2, kind: Thing, metadata: {name: ` + name + `}, spec: {size: ` + size + `}}`
}

// What a changed or deleted definition does to the objects of its kind: kapp compares schemas only, the
// others look at nothing.
func TestDefinitions(t *testing.T) {
	s := newStage(t)
	s.apply(definition)
	s.ready("", thing("small", "1"), "apply", "-f", "-")
	s.kubectl(thing("big", "100"), "apply", "-f", "-")
	t.Cleanup(func() { s.remove("namespaces") })
	scope := s.ask(change{definition, strings.Replace(definition, "scope: Namespaced", "scope: Cluster", 1)})[0]
	s.expect(plan.WillReplace, "spec.scope", scope)
	s.expectCascade(scope, "Thing.NAME.example.com", 2)
	gone := s.ask(change{definition, ""})[0]
	s.expect(plan.WillDelete, "", gone)
	s.expectCascade(gone, "Thing.NAME.example.com", 2)
	strict := s.ask(change{definition, strings.ReplaceAll(definition, "{type: integer}", "{type: integer, maximum: 10}")})[0]
	s.expect(plan.WillUpdate, "", strict)
	if len(strict.Invalid) != 1 || !strings.Contains(strict.Invalid[0], "/big: ") {
		t.Errorf("objects that become invalid: %q", strict.Invalid)
	}
	first, second := strings.Index(definition, "{name: v1"), strings.Index(definition, "{name: v2")
	withoutV1 := s.ask(change{definition, definition[:first] + definition[second:]})[0]
	s.expect(plan.WillUpdate, "", withoutV1)
	if !slices.ContainsFunc(withoutV1.Notes, func(n string) bool { return strings.Contains(n, "version v1") }) {
		t.Errorf("nobody is told that v1 goes: %q", withoutV1.Notes)
	}
	both := s.ask(change{definition, strings.ReplaceAll(definition[:first]+definition[second:], "{type: integer}", "{type: integer, maximum: 10}")})[0]
	if len(both.Invalid) != 1 || len(both.Notes) == 0 {
		t.Errorf("a version goes, and objects become invalid in the other: %s", text(both))
	}
	storesV1 := strings.Replace(definition[:second], "storage: false", "storage: true", 1)
	storesV1 = storesV1[:strings.LastIndex(storesV1, ",")] + "]}}"
	s.expect(plan.Rejected, "storedVersions", s.ask(change{definition, storesV1})[0])
}

func (s *stage) expectCascade(a live.Answer, kind string, count int) {
	s.Helper()
	for _, c := range a.Cascade {
		if c.Kind == s.fill(kind) && c.Count == count && len(c.Names) == count {
			return
		}
	}
	s.Errorf("%d of %s do not go too: %s", count, s.fill(kind), text(a.Live))
}

// Nobody else says what goes with an object that is pruned.
func TestCascades(t *testing.T) {
	s := newStage(t)
	namespace := `{apiVersion: v1, kind: Namespace, metadata: {name: NAME}}`
	set := `{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: db}, spec: {replicas: 0, persistentVolumeClaimRetentionPolicy: {whenDeleted: Delete}, serviceName: db, selector: {matchLabels: {a: b}},
  template: {metadata: {labels: {a: b}}, spec: {containers: [{name: a, image: "a:1"}]}}, volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}]}}`
	s.apply(set, configMap("one", "a"), configMap("two", "a"))
	s.kubectl(strings.Replace(pvc("1Gi"), "name: data", "name: data-db-0", 1)+"\n---\n"+strings.Replace(pvc("1Gi"), "name: data", "name: claim, finalizers: [example.com/hold]", 1), "apply", "-f", "-")
	a := s.ask(change{namespace, ""})[0]
	s.expect(plan.WillDelete, "", a)
	s.expectCascade(a, "ConfigMap", 2)
	s.expectCascade(a, "PersistentVolumeClaim", 2)
	s.expectCascade(a, "StatefulSet.apps", 1)
	a = s.ask(change{set, ""})[0]
	s.expectCascade(a, "PersistentVolumeClaim", 1)
	claim := strings.Replace(pvc("1Gi"), "name: data", "name: claim", 1)
	a = s.ask(change{claim, ""})[0]
	s.expect(plan.WillDelete, "", a)
	s.kubectl("", "delete", "pvc", "claim", "--wait=false")
	a = s.ask(change{claim, ""})[0]
	if !slices.ContainsFunc(a.Notes, func(n string) bool { return strings.Contains(n, "is being deleted") }) {
		t.Errorf("nobody is told that it is being deleted: %s", text(a.Live))
	}
	s.kubectl("", "patch", "pvc", "claim", "--type=merge", "-p", `{"metadata":{"finalizers":null}}`)
}

// A quota is not charged for dry runs, so that each of two new objects fits alone.
func TestQuotaForTwo(t *testing.T) {
	s := newStage(t)
	s.apply(`{apiVersion: v1, kind: ResourceQuota, metadata: {name: one}, spec: {hard: {services: "1"}}}`)
	service := func(name string) string {
		return `{apiVersion: v1, kind: Service, metadata: {name: ` + name + `}, spec: {ports: [{port: 80}]}}`
	}
	s.ready("", "", "wait", "--for=jsonpath={.status.hard.services}=1", "resourcequota/one", "--timeout=1s")
	answers := s.ask(change{"", service("a")}, change{"", service("b")})
	s.expect(plan.WillCreate, "", answers[0])
	s.expect(plan.Rejected, "exceeded quota one together with", answers[1])
}

// An object in another version than it is stored in is the same object.
func TestVersions(t *testing.T) {
	s := newStage(t)
	s.apply(deployment)
	old := `{apiVersion: autoscaling/v1, kind: HorizontalPodAutoscaler, metadata: {name: web}, spec: {minReplicas: 1, maxReplicas: 3, targetCPUUtilizationPercentage: 50, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}}`
	s.apply(old)
	new := strings.Replace(strings.Replace(old, "autoscaling/v1", "autoscaling/v2", 1), "targetCPUUtilizationPercentage: 50",
		"metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}]", 1)
	s.expect(plan.NoEffect, "", s.ask(change{old, old})[0])
	s.expect(plan.NoEffect, "", s.ask(change{old, new})[0])
	a := s.ask(change{old, strings.Replace(new, "maxReplicas: 3", "maxReplicas: 4", 1)})[0]
	s.expect(plan.WillUpdate, "", a)
	s.expectFields("another maximum", a.Effect, "/spec/maxReplicas")
	unserved := s.ask(change{"", strings.Replace(old, "autoscaling/v1", "autoscaling/v2beta1", 1)})[0]
	s.expect(plan.Rejected, "does not serve HorizontalPodAutoscaler in autoscaling/v2beta1", unserved)
}

// An object with a generated name is created under the new one, and its former self goes.
func TestGeneratedNames(t *testing.T) {
	s := newStage(t)
	s.apply(configMap("settings-7h2f9k", "a"))
	before, after := s.object(configMap("settings-7h2f9k", "a")), s.object(configMap("settings-m4t8bc", "b"))
	before.Stem, after.Stem = "settings", "settings"
	rows := diff.Pairs(manifest.Set{*before}, manifest.Set{*after})
	m := diff.NewMasker()
	answers := s.predictRows(m, rows).Results(m)
	if len(answers) != 1 {
		t.Fatalf("%d rows", len(answers))
	}
	s.expect(plan.WillCreate, "", answers[0])
	if !slices.ContainsFunc(answers[0].Notes, func(n string) bool { return strings.Contains(n, "former object") }) {
		t.Errorf("nobody is told of the former one: %s", text(answers[0].Live))
	}
}
