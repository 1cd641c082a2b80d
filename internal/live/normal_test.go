package live_test

import (
	"strings"
	"testing"

	"github.com/mergegate/mergegate/internal/kube"
	"github.com/mergegate/mergegate/internal/plan"
)

// What is written in another form than the server stores it in is not different: neither where it was
// applied just so, nor as a part of what a change does beside.
func TestFormsThatAreNoDifference(t *testing.T) {
	const web = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {a: b}}
spec:
  replicas: 0
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "web:1", FORM}]}`
	tests := map[string]string{
		"a port without its protocol":       strings.ReplaceAll(web, "FORM", `ports: [{containerPort: 80}, {containerPort: 80, protocol: UDP}]`),
		"a quantity in another unit":        strings.ReplaceAll(web, "FORM", `resources: {requests: {cpu: 1000m, memory: 1024Mi}, limits: {cpu: 1.0, memory: 2147483648}}`),
		"an empty list":                     strings.ReplaceAll(web, "FORM", `args: [], env: []`),
		"an empty map":                      strings.ReplaceAll(web, "FORM", `resources: {}`),
		"null":                              strings.ReplaceAll(web, "FORM", `command: null, resources: null`),
		"a default that is written":         strings.ReplaceAll(web, "FORM", `imagePullPolicy: IfNotPresent, terminationMessagePath: /dev/termination-log`),
		"a null timestamp, and a status":    strings.ReplaceAll(strings.ReplaceAll(web, "FORM", "tty: false"), "metadata: {", "metadata: {creationTimestamp: null, ") + "\nstatus: {replicas: 7}",
		"stringData":                        "apiVersion: v1\nkind: Secret\nmetadata: {name: secret}\nstringData: {a: clear-text}\ndata: {b: Yg==}",
		"stringData over data":              "apiVersion: v1\nkind: Secret\nmetadata: {name: over}\nstringData: {a: clear-text}\ndata: {a: Yg==}",
		"a Service's port without protocol": "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: web}, ports: [{port: 80, name: a}, {port: 81, name: b, targetPort: 81}]}",
		"a Role's rules":                    "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: reader}\nrules: [{apiGroups: [''], resources: [pods, configmaps], verbs: [get], resourceNames: []}]",
		"a Role without rules":              "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: nobody}\nrules: []",
		"data that is null":                 "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: nothing, annotations: null}\ndata: null",
		"an int-or-string":                  "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: web}\nspec: {minAvailable: '50%', selector: {matchLabels: {app: web}}}",
	}
	for name, manifest := range tests {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			s.appliedAsRolledOut(manifest)
			same := s.ask(change{manifest, manifest})[0]
			if same.Result != plan.NoEffect || len(same.Drift)+len(same.Effect)+len(same.TakesFrom) > 0 {
				t.Errorf("an object that is as it is wanted: %s", text(same.Live))
			}
			labelled := strings.Replace(manifest, "metadata: {", "metadata: {finalizers: [example.com/one], ", 1)
			more := s.ask(change{manifest, labelled})[0]
			if more.Result != plan.WillUpdate || len(more.Drift) > 0 || len(more.Effect) != 1 {
				t.Errorf("an object of which one field changes: %s", text(more.Live))
			}
		})
	}
}

// appliedAsRolledOut is a manifest applied in the form in which mergegate applies it.
func (s *stage) appliedAsRolledOut(manifest string) {
	s.Helper()
	s.apply(text(kube.Prepare(s.object(manifest).Content)))
}

// The same forms where something is different: nothing is hidden by them.
func TestFormsHideNoDifference(t *testing.T) {
	s := newStage(t)
	const manifest = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 0
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "web:1", resources: {requests: {cpu: 1000m}}, ports: [{containerPort: 80}]}]}`
	s.appliedAsRolledOut(manifest)
	s.kubectl("", "set", "resources", "deployment/web", "--requests=cpu=2")
	answer := s.ask(change{manifest, manifest})[0]
	if len(answer.Drift) != 1 || answer.Drift[0].At != "spec.template.spec.containers[name=web].resources.requests.cpu" {
		t.Fatalf("got %s", text(answer.Live))
	}
	if d := answer.Drift[0]; d.Before != "2" || d.After != "1" || len(d.Owners) == 0 || !strings.HasPrefix(d.Owners[0].Manager, "kubectl") || d.Owners[0].Time == "" {
		t.Errorf("got %s", text(d))
	}
	if !answer.Restarts || answer.Result != plan.WillUpdate {
		t.Errorf("the revert replaces pods: %s", text(answer.Live))
	}
}
