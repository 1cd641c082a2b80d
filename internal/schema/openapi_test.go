package schema

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// document is a small OpenAPI document with one kind of each flavor.
const document = `
components:
  schemas:
    io.k8s.api.core.v1.Thing:
      type: object
      required: [spec]
      properties:
        apiVersion: {type: string}
        kind: {type: string}
        metadata: {allOf: [{$ref: '#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'}], default: {}}
        spec: {allOf: [{$ref: '#/components/schemas/io.k8s.api.core.v1.ThingSpec'}], default: {}}
        data: {type: object, additionalProperties: {type: string, format: byte, default: ''}}
      x-kubernetes-group-version-kind: [{group: '', version: v1, kind: Thing}, {group: '', version: v1, kind: Secret}]
    io.k8s.api.core.v1.ThingSpec:
      type: object
      required: [name]
      properties:
        name: {type: string, default: ''}
        size: {type: integer, format: int32}
        policy: {type: string, enum: [Always, Never]}
        ports:
          type: array
          items: {allOf: [{$ref: '#/components/schemas/io.k8s.api.core.v1.Port'}], default: {}}
          x-kubernetes-list-type: map
          x-kubernetes-list-map-keys: [port, protocol]
    io.k8s.api.core.v1.Port:
      type: object
      required: [port]
      properties: {port: {type: integer, default: 0}, protocol: {type: string, default: TCP}}
`

func thing(spec string) string {
	return "{apiVersion: v1, kind: Thing, metadata: {name: a}, spec: " + spec + "}"
}

func smallOpenAPI(t testing.TB) *OpenAPI {
	t.Helper()
	o, err := ParseOpenAPI([]byte(js(object(t, document))), objectMetaDocument())
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func objectMetaDocument() []byte {
	return fmt.Appendf(nil, `{"components": {"schemas": %s}}`, objectMeta)
}

func TestOpenAPIAdmit(t *testing.T) {
	o := smallOpenAPI(t)
	for name, test := range map[string]struct{ object, want, refuse, pruned string }{
		"valid":         {object: thing("{name: a, size: 1, policy: Never}")},
		"default":       {object: thing("{name: a, ports: [{port: 80}]}"), want: thing("{name: a, ports: [{port: 80, protocol: TCP}]}")},
		"missing":       {object: thing("{size: 1}"), refuse: "spec.name: Required value"},
		"missing below": {object: "{apiVersion: v1, kind: Thing, metadata: {name: a}}", refuse: "spec.name: Required value"},
		"type":          {object: thing("{name: 5}"), refuse: "spec.name: expected string"},
		"fraction":      {object: thing("{name: a, size: 1.5}"), refuse: "spec.size: must be a whole number"},
		"enum":          {object: thing("{name: a, policy: Sometimes}"), refuse: `spec.policy: Unsupported value: "Sometimes": supported values: "Always", "Never"`},
		"empty enum":    {object: thing("{name: a, policy: ''}")},
		"duplicate":     {object: thing("{name: a, ports: [{port: 80}, {port: 80, protocol: TCP}]}"), refuse: "duplicate entries for key"},
		"unknown field": {object: thing("{name: a, nome: b}"), want: thing("{name: a}"), pruned: "spec.nome"},
		"bad label":     {object: "{apiVersion: v1, kind: Thing, metadata: {name: a, labels: {a: 'b c'}}, spec: {name: a}}", refuse: "metadata.labels: Invalid value"},
		"no name":       {object: "{apiVersion: v1, kind: Thing, metadata: {}, spec: {name: a}}", refuse: "metadata.name: Required value"},
		"other kind":    {object: "{apiVersion: v1, kind: Thong}", refuse: "must be v1 Thing"},
	} {
		t.Run(name, func(t *testing.T) {
			given := object(t, test.object)
			a, err := o.Admit("v1", "Thing", given)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(object(t, test.object), given); diff != "" {
				t.Errorf("the argument was changed:\n%s", diff)
			}
			if got := text(a.Problems); (got == "") != (test.refuse == "") || !strings.Contains(got, test.refuse) {
				t.Fatalf("problems %q, want %q", got, test.refuse)
			}
			if got := strings.Join(a.Pruned, " "); got != test.pruned || got != strings.Join(a.Undeclared, " ") {
				t.Errorf("pruned %q, undeclared %q, want %q", got, a.Undeclared, test.pruned)
			}
			if test.want == "" {
				test.want = test.object
			}
			if diff := cmp.Diff(object(t, test.want), a.Object); diff != "" && test.refuse == "" {
				t.Error(diff)
			}
		})
	}
	if _, err := o.Admit("v2", "Thing", nil); !errors.Is(err, ErrNoSchema) {
		t.Errorf("got error %v", err)
	}
}

// TestOpenAPIRecursion holds a model that requires itself.
func TestOpenAPIRecursion(t *testing.T) {
	o, err := ParseOpenAPI([]byte(`{"components": {"schemas": {"A": {"type": "object", "required": ["a"], "properties": {"a": {"$ref": "#/components/schemas/A"}, "apiVersion": {"type": "string"},
		"kind": {"type": "string"}, "metadata": {"type": "object"}}, "x-kubernetes-group-version-kind": [{"group": "", "version": "v1", "kind": "A"}]}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	if a, err := o.Admit("v1", "A", object(t, "{apiVersion: v1, kind: A, metadata: {name: a}}")); err != nil || len(a.Problems) > 0 {
		t.Errorf("got %v, %v", a, err)
	}
}

func TestOpenAPIKeepsSecrets(t *testing.T) {
	o := smallOpenAPI(t)
	a, err := o.Admit("v1", "Secret", object(t, "{apiVersion: v1, kind: Secret, metadata: {name: a}, data: {a: 271828}, spec: {name: a, policy: hunter2}}"))
	if err != nil {
		t.Fatal(err)
	}
	if got := text(a.Problems); got != "data.a: expected string" {
		t.Errorf("got %q", got)
	}
	a, err = o.Admit("v1", "Secret", object(t, "{apiVersion: v1, kind: Secret, metadata: {name: a}, spec: {name: a, policy: hunter2}}"))
	if err != nil || text(a.Problems) != "spec.policy: Unsupported value" {
		t.Errorf("got %q, %v", text(a.Problems), err)
	}
}

// builtIn are kinds with where they live and an object that servers accept.
var builtIn = map[string]struct{ path, valid string }{
	"v1 ConfigMap":                             {"/api/v1/namespaces/default/configmaps/", "data: {a: b}"},
	"v1 Secret":                                {"/api/v1/namespaces/default/secrets/", "data: {a: YQ==}"},
	"v1 Service":                               {"/api/v1/namespaces/default/services/", "spec: {type: ClusterIP, selector: {a: b}, ports: [{name: web, port: 80, protocol: TCP, targetPort: web}]}"},
	"v1 ServiceAccount":                        {"/api/v1/namespaces/default/serviceaccounts/", "automountServiceAccountToken: false"},
	"v1 Pod":                                   {"/api/v1/namespaces/default/pods/", "spec: {restartPolicy: Never, containers: [{name: a, image: b, env: [{name: A, value: b}], ports: [{containerPort: 80}], resources: {limits: {cpu: 1}}, livenessProbe: {httpGet: {port: 80, httpHeaders: [{name: A, value: b}]}}}], securityContext: {sysctls: [{name: net.ipv4.ip_local_port_range, value: 1 2}], seccompProfile: {type: RuntimeDefault}}, tolerations: [{key: a, operator: Exists}], topologySpreadConstraints: [{maxSkew: 1, topologyKey: z, whenUnsatisfiable: DoNotSchedule}]}"},
	"v1 PersistentVolumeClaim":                 {"/api/v1/namespaces/default/persistentvolumeclaims/", "spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}"},
	"v1 ResourceQuota":                         {"/api/v1/namespaces/default/resourcequotas/", "spec: {hard: {pods: 5}}"},
	"v1 LimitRange":                            {"/api/v1/namespaces/default/limitranges/", "spec: {limits: [{type: Container, default: {cpu: 1}}]}"},
	"v1 Namespace":                             {"/api/v1/namespaces/", "spec: {finalizers: [kubernetes]}"},
	"apps/v1 Deployment":                       {"/apis/apps/v1/namespaces/default/deployments/", "spec: {replicas: 1, selector: {matchLabels: {a: b}}, strategy: {type: Recreate}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: a, image: b, ports: [{containerPort: 80}]}], volumes: [{name: v, configMap: {name: c}}]}}}"},
	"apps/v1 StatefulSet":                      {"/apis/apps/v1/namespaces/default/statefulsets/", "spec: {serviceName: a, selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: a, image: b}]}}, volumeClaimTemplates: [{metadata: {name: v}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}]}"},
	"apps/v1 DaemonSet":                        {"/apis/apps/v1/namespaces/default/daemonsets/", "spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: a, image: b}], tolerations: [{key: a, operator: Exists, effect: NoSchedule}]}}}"},
	"batch/v1 Job":                             {"/apis/batch/v1/namespaces/default/jobs/", "spec: {backoffLimit: 2, template: {spec: {restartPolicy: Never, containers: [{name: a, image: b}]}}}"},
	"batch/v1 CronJob":                         {"/apis/batch/v1/namespaces/default/cronjobs/", "spec: {schedule: '* * * * *', concurrencyPolicy: Forbid, jobTemplate: {spec: {template: {spec: {restartPolicy: OnFailure, containers: [{name: a, image: b}]}}}}}"},
	"networking.k8s.io/v1 Ingress":             {"/apis/networking.k8s.io/v1/namespaces/default/ingresses/", "spec: {rules: [{host: a.example.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: a, port: {number: 80}}}}]}}]}"},
	"networking.k8s.io/v1 NetworkPolicy":       {"/apis/networking.k8s.io/v1/namespaces/default/networkpolicies/", "spec: {podSelector: {}, policyTypes: [Ingress], ingress: [{from: [{podSelector: {matchExpressions: [{key: a, operator: Exists}]}}, {ipBlock: {cidr: 10.0.0.0/8}}], ports: [{port: 80, protocol: TCP}]}]}"},
	"rbac.authorization.k8s.io/v1 Role":        {"/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles/", "rules: [{apiGroups: [''], resources: [pods], verbs: [get]}]"},
	"rbac.authorization.k8s.io/v1 RoleBinding": {"/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings/", "{roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: a}, subjects: [{kind: ServiceAccount, name: a, namespace: default}]}"},
	"autoscaling/v2 HorizontalPodAutoscaler":   {"/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers/", "spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: a}, minReplicas: 1, maxReplicas: 3, metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}]}"},
	"policy/v1 PodDisruptionBudget":            {"/apis/policy/v1/namespaces/default/poddisruptionbudgets/", "spec: {maxUnavailable: 1, selector: {matchLabels: {a: b}}, unhealthyPodEvictionPolicy: AlwaysAllow}"},
	"storage.k8s.io/v1 StorageClass":           {"/apis/storage.k8s.io/v1/storageclasses/", "{provisioner: a.example.com/b, reclaimPolicy: Delete, volumeBindingMode: Immediate}"},
	"scheduling.k8s.io/v1 PriorityClass":       {"/apis/scheduling.k8s.io/v1/priorityclasses/", "{value: 5, preemptionPolicy: Never}"},
	"rbac.authorization.k8s.io/v1 ClusterRole": {"/apis/rbac.authorization.k8s.io/v1/clusterroles/", "rules: [{nonResourceURLs: [/a], verbs: [get]}]"},
	"admissionregistration.k8s.io/v1 ValidatingWebhookConfiguration": {"/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/", "webhooks: [{name: a.example.com, sideEffects: None, admissionReviewVersions: [v1], failurePolicy: Ignore, clientConfig: {url: 'https://a.example.com/'}, rules: [{apiGroups: [a], apiVersions: [v1], resources: [b], operations: [CREATE]}]}]"},
	"coordination.k8s.io/v1 Lease":                                   {"/apis/coordination.k8s.io/v1/namespaces/default/leases/", "spec: {holderIdentity: a, leaseDurationSeconds: 5}"},
}

// TestOpenAPIAgainstServer holds that whatever is refused offline is refused by a real API server,
// with mutations of valid objects: each field removed, and each replaced by all kinds of values.
func TestOpenAPIAgainstServer(t *testing.T) {
	s := startServer(t)
	documents := map[string]*OpenAPI{}
	for kind, test := range builtIn {
		t.Run(kind, func(t *testing.T) {
			apiVersion, name, _ := strings.Cut(kind, " ")
			if documents[apiVersion] == nil {
				documents[apiVersion] = s.openAPI(t, apiVersion)
			}
			valid := object(t, test.valid)
			valid["apiVersion"], valid["kind"], valid["metadata"] = apiVersion, name, map[string]any{"name": "a", "labels": map[string]any{"a": "b"}}
			if !strings.Contains(test.path, "default") {
				valid["metadata"].(map[string]any)["name"] = "a-new-one"
			}
			path := test.path + valid["metadata"].(map[string]any)["name"].(string)
			compareBuiltIn(t, s, documents[apiVersion], path, valid, true)
			g := &generator{Rand: rand.New(rand.NewPCG(5, 6))}
			tried, refused, predicted := 0, 0, 0
			for mutant := range g.mutants(valid) {
				tried++
				r, p := compareBuiltIn(t, s, documents[apiVersion], path, mutant, false)
				refused, predicted = refused+r, predicted+p
			}
			t.Logf("%d mutants, the server refuses %d, %d of them are predicted", tried, refused, predicted)
		})
	}
}

// openAPI fetches the document of a group and version.
func (s *server) openAPI(t *testing.T, apiVersion string) *OpenAPI {
	t.Helper()
	path := "/openapi/v3/apis/" + apiVersion
	if apiVersion == "v1" {
		path = "/openapi/v3/api/v1"
	}
	code, data := s.raw(t, http.MethodGet, path, nil)
	if code != http.StatusOK {
		t.Fatalf("%s: %d", path, code)
	}
	o, err := ParseOpenAPI(data)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// compareBuiltIn counts whether the server refuses and whether that is predicted.
func compareBuiltIn(t *testing.T, s *server, o *OpenAPI, path string, object map[string]any, accept bool) (refused, predicted int) {
	t.Helper()
	stored, reason := s.tried(t, path, object)
	a, err := o.Admit(object["apiVersion"].(string), object["kind"].(string), object)
	if err != nil {
		t.Fatal(err)
	}
	found := a.Refusals()
	if stored != nil && len(found) > 0 {
		t.Errorf("%s\naccepted by the server, refused offline: %s", js(object), text(found))
	}
	if accept && stored == nil {
		t.Fatalf("%s\nis no valid example: %s", js(object), reason)
	}
	if stored != nil {
		return 0, 0
	}
	return 1, min(len(found), 1)
}
