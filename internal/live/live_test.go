package live_test

import (
	"strings"
	"testing"
	"time"

	"github.com/mergegate/mergegate/internal/cluster"
	"github.com/mergegate/mergegate/internal/clustertest"
	"github.com/mergegate/mergegate/internal/diff"
	"github.com/mergegate/mergegate/internal/live"
	"github.com/mergegate/mergegate/internal/plan"
)

// What the property test has found, each as the smallest case that shows it.

// An API server has no better status than 500 for what it cannot convert: that is its answer.
func TestFaultOfTheObjectUnderStatusOfTheServer(t *testing.T) {
	s := newStage(t)
	for what, head := range map[string]string{
		"number of another kind": `{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {ports: [{port: 80.5}]}}`,
		"no quantity":            `{apiVersion: v1, kind: ResourceQuota, metadata: {name: a}, spec: {hard: {pods: many}}}`,
		"no base64":              `{apiVersion: v1, kind: Secret, metadata: {name: a}, data: {a: "###"}}`,
	} {
		if a := s.ask(change{"", head})[0]; a.Result != plan.Rejected {
			t.Errorf("%s: %s", what, text(a.Live))
		}
	}
}

// The twin that proves a replacement leaves no trace of its name, nor of its identity.
func TestTwinLeavesNoTrace(t *testing.T) {
	s := newStage(t)
	job := `{apiVersion: batch/v1, kind: Job, metadata: {name: once}, spec: {suspend: true, template: {spec: {restartPolicy: Never, containers: [{name: a, image: "a:1"}]}}}}`
	s.apply(job)
	a := s.ask(change{job, strings.Replace(job, "a:1", "a:2", 1)})[0]
	s.expect(plan.WillReplace, "spec.template", a)
	if after := text(a.After); strings.Contains(after, "once-") || strings.Contains(after, "controller-uid") {
		t.Error(after)
	}
}

// A replacement has to be admitted as it is asked for: ports and addresses are left out of its twin where
// the live object holds them, and nowhere else; and a null is refused in both ways.
func TestTwinIsWhatIsAskedFor(t *testing.T) {
	s := newStage(t)
	service := `{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {type: ClusterIP, ports: [{port: 80}]}}`
	s.apply(service, definition)
	s.ready("", thing("small", "1"), "apply", "-f", "-")
	s.expect(plan.Rejected, "nodePort", s.ask(change{service, strings.Replace(service, "{port: 80}", "{port: 80, nodePort: 30007}", 1)})[0])
	s.expect(plan.Rejected, "spec.size", s.ask(change{thing("small", "1"), thing("small", "null")})[0])
}

// A definition that is replaced is what the server would store, or is refused.
func TestReplacedDefinition(t *testing.T) {
	s := newStage(t)
	s.apply(definition)
	cluster := strings.Replace(definition, "scope: Namespaced", "scope: Cluster", 1)
	a := s.ask(change{definition, cluster})[0]
	s.expect(plan.WillReplace, "spec.scope", a)
	if after := text(a.After); !strings.Contains(after, s.fill(`"name":"things.NAME.example.com"`)) || !strings.Contains(after, `"listKind":"ThingList"`) || !strings.Contains(after, `"plural":"things"`) {
		t.Error(after)
	}
	s.expect(plan.Rejected, "size", s.ask(change{definition, strings.ReplaceAll(cluster, "size: {type: integer}", "size: {type: wrong}")})[0])
}

// A custom resource that may not become what is proposed under its new definition is replaced, as it
// is under one that stays.
func TestReplacedUnderNewDefinition(t *testing.T) {
	s := newStage(t)
	s.apply(definition)
	s.ready("", thing("small", "2"), "apply", "--server-side", "--field-manager", "mergegate", "-f", "-")
	grows := strings.ReplaceAll(definition, "{size: {type: integer}}", "{size: {type: integer, x-kubernetes-validations: [{rule: self >= oldSelf, message: it does not shrink}]}}")
	s.expect(plan.WillReplace, "size", s.ask(change{definition, grows}, change{thing("small", "2"), thing("small", "1")})[1])
}

// What objects use of a quota is added up, whatever it counts: objects, ports, cores, bytes.
func TestQuotaOfAmounts(t *testing.T) {
	s := newStage(t)
	s.kubectl(`{apiVersion: v1, kind: ResourceQuota, metadata: {name: q}, spec: {hard: {requests.cpu: "1", requests.storage: 3Gi, services.nodeports: 3}}}`, "apply", "-f", "-")
	s.kubectl("", "wait", "--for=jsonpath={.status.used.services\\.nodeports}=0", "resourcequota/q", "--timeout=60s")
	pod := func(name string) change {
		return change{"", `{apiVersion: v1, kind: Pod, metadata: {name: ` + name + `}, spec: {containers: [{name: a, image: a, resources: {requests: {cpu: 600m}}}]}}`}
	}
	claim := func(name string) change {
		return change{"", strings.Replace(pvc("2Gi"), "name: data", "name: "+name, 1)}
	}
	service := func(name string) change {
		return change{"", `{apiVersion: v1, kind: Service, metadata: {name: ` + name + `}, spec: {type: NodePort, ports: [{name: a, port: 80}, {name: b, port: 81}]}}`}
	}
	s.ready("exceeded quota", strings.Replace(pod("probe").head, "600m", "1600m", 1), "create", "--dry-run=server", "-f", "-")
	for i, make := range []func(string) change{pod, claim, service} {
		answers := s.ask(make("one"), make("two"))
		s.expect(plan.WillCreate, "", answers[0])
		s.expect(plan.Rejected, "exceeded quota q together", answers[1])
		if t.Failed() {
			t.Fatalf("kind %d", i)
		}
	}
}

// A LimitRange or a quota that arrives says something of what arrives with it, and nobody knows what.
func TestLimitsArriveWithWhatTheyLimit(t *testing.T) {
	s := newStage(t)
	limit := change{"", `{apiVersion: v1, kind: LimitRange, metadata: {name: small}, spec: {limits: [{type: PersistentVolumeClaim, max: {storage: 1Gi}}]}}`}
	quota := change{"", `{apiVersion: v1, kind: ResourceQuota, metadata: {name: few}, spec: {hard: {count/configmaps: "0"}}}`}
	config := change{"", `{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}`}
	answers := s.ask(limit, quota, change{"", pvc("2Gi")}, config)
	s.expect(plan.Unknown, "LimitRange/NAME/small", answers[2])
	s.expect(plan.Unknown, "ResourceQuota/NAME/few", answers[3])
}

// What is wrong with an object is wrong in a namespace that arrives with it too.
func TestInvalidInNamespaceThatArrives(t *testing.T) {
	s := newStage(t)
	in := func(text string) change {
		return change{"", strings.Replace(text, "name: a", "name: a, namespace: NAME-new", 1)}
	}
	answers := s.ask(
		change{"", `{apiVersion: v1, kind: Namespace, metadata: {name: NAME-new}}`},
		in(`{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: c}}, spec: {containers: [{name: c, image: c}]}}}}`),
		in(`{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {serviceAccountName: nobody, containers: [{name: c, image: c}]}}`),
		in(`{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {ports: [{port: 80}]}}`),
	)
	s.expect(plan.Rejected, "selector", answers[1])
	s.expect(plan.Rejected, "ServiceAccount nobody", answers[2])
	s.expect(plan.WillCreate, "", answers[3])
	if !strings.Contains(text(answers[3].After), `"sessionAffinity":"None"`) {
		t.Error("the server's defaults are missing: " + text(answers[3].After))
	}
}

// An answer that is kept is that of the definition under which it was given.
func TestKeptAnswersOfDefinitions(t *testing.T) {
	s := newStage(t)
	s.apply(definition)
	s.ready("", thing("small", "1"), "apply", "--server-side", "--field-manager", "mergegate", "-f", "-")
	clusters, err := cluster.FromKubeconfig(s.kubeconfig, "", cluster.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	api, err := clusters.Open(clusters.Resolve(""))
	if err != nil {
		t.Fatal(err)
	}
	kept := live.Options{Cache: &live.Cache{}}
	after := func() string {
		rows := []live.Row{{Base: s.object(thing("small", "1")), Head: s.object(thing("small", "2"))}}
		return text(live.Predict(t.Context(), api, rows, kept).Results(diff.NewMasker())[0].After)
	}
	if text := after(); !strings.Contains(text, `"size":2`) {
		t.Fatal(text)
	}
	s.kubectl(strings.ReplaceAll(definition, "{size: {type: integer}}", "{size: {type: integer}, form: {type: string, default: round}}"), "apply", "--server-side", "--field-manager", "mergegate", "-f", "-")
	deadline := time.Now().Add(time.Minute)
	for !strings.Contains(after(), "round") {
		if time.Now().After(deadline) {
			t.Fatal("the new default never shows: " + after())
		}
	}
}

// What a server makes up anew each time is not in a prediction: two of them are the same.
func TestNothingIsMadeUp(t *testing.T) {
	s := newStage(t)
	service := `{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {type: ClusterIP, ports: [{port: 80}]}}`
	s.apply(service)
	opened := change{service, strings.Replace(service, "ClusterIP", "NodePort", 1)}
	created := change{"", strings.Replace(service, "name: web", "name: other", 1)}
	pod := change{"", `{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, image: c}]}}`}
	once, again := text(s.ask(opened, created, pod)), text(s.ask(opened, created, pod))
	if once != again {
		t.Errorf("two predictions differ:\n%s\n%s", once, again)
	}
}

// Where the name of an object follows from what is in it, its twin keeps to that.
func TestTwinWithNameOfItsKind(t *testing.T) {
	t.Parallel()
	c := clustertest.New(t, clustertest.Options{ControlPlaneOnly: true}) // others would miss an API that does not answer
	s := &stage{T: t, cluster: c, name: c.Namespace(t), kubeconfig: c.Kubeconfig}
	service := `{apiVersion: apiregistration.k8s.io/v1, kind: APIService, metadata: {name: v1.NAME.example.com}, spec: {group: NAME.example.com, version: v1, groupPriorityMinimum: 100, versionPriority: 10, caBundle: bm8=, service: {name: s, namespace: default}}}`
	s.apply(`{apiVersion: apiregistration.k8s.io/v1, kind: APIService, metadata: {name: v1.NAME.example.com}, spec: {group: NAME.example.com, version: v1, groupPriorityMinimum: 100, versionPriority: 10, service: {name: s, namespace: default}}}`)
	local := strings.Replace(service, "caBundle: bm8=, service: {name: s, namespace: default}", "insecureSkipTLSVerify: true, service: {name: s, namespace: default}", 1)
	s.kubectl("", "patch", "apiservice", "v1."+s.name+".example.com", "--type=merge", "--field-manager=cert", "-p", `{"spec": {"caBundle": "bm8="}}`)
	a := s.ask(change{local, local})[0]
	s.expect(plan.WillReplace, "insecureSkipTLSVerify", a)
	if after := text(a.After); !strings.Contains(after, s.fill(`"group":"NAME.example.com"`)) {
		t.Error(after)
	}
	s.apply(definition)
	moved := strings.NewReplacer("scope: Namespaced", "scope: Cluster", "group: NAME.example.com", "group: NAME.example.org").Replace(definition)
	s.expect(plan.Rejected, "must be", s.ask(change{definition, moved})[0])
}
