package live

// catalogue2 is the rest of the catalogue: the groups beside core and apps, and custom resources.
var catalogue2 = []specimen{ //nolint:gochecknoglobals // a table
	{kind: "Job", weight: 4, text: `
apiVersion: batch/v1
kind: Job
metadata: {name: NAME}
spec:
  backoffLimit: <2|6> #?
  parallelism: 1 #?
  ttlSecondsAfterFinished: 60 #?
  suspend: <true|false> #?
  template:
    metadata: {labels: {app: a}} #?
    spec: {restartPolicy: <Never|OnFailure>, containers: [{name: a, image: "app:<1|2>", env: [{name: A, value: <a|b>}]}]}
`, edits: []edit{{"/spec/template/spec/containers/0/image", `app:3`}, {"/spec/backoffLimit", `3`}, {"/spec/parallelism", `2`}, {"/spec/completions", `4`}, {"/spec/template/spec/restartPolicy", `Always`}, {"/spec/suspend", `true`}, {"/spec/completionMode", `Indexed`}, {"/spec/template/metadata/labels/x", `y`}}},
	{kind: "CronJob", weight: 2, text: `
apiVersion: batch/v1
kind: CronJob
metadata: {name: NAME}
spec:
  schedule: "<0 * * * *|*/5 * * * *>"
  concurrencyPolicy: <Forbid|Allow> #?
  suspend: true #?
  jobTemplate:
    spec:
      template:
        spec: {restartPolicy: Never, containers: [{name: a, image: "app:<1|2>"}]}
`, edits: []edit{{"/spec/schedule", `every day`}, {"/spec/schedule", `1 1 * * *`}, {"/spec/timeZone", `Europe/Berlin`}, {"/spec/timeZone", `Mars/X`}, {"/spec/jobTemplate/spec/template/spec/containers/0/image", `app:5`}}},
	{kind: "HorizontalPodAutoscaler", weight: 2, text: `
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: NAME}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: <a|b>}
  minReplicas: <1|2> #?
  maxReplicas: <5|6>
  metrics: #?
  - {type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: <50|80>}}}
  - {type: Resource, resource: {name: memory, target: {type: AverageValue, averageValue: <500Mi|0.5Gi>}}} #?
  behavior: {scaleDown: {stabilizationWindowSeconds: 60}} #?
`, edits: []edit{{"/spec/maxReplicas", `0`}, {"/spec/minReplicas", `9`}, {"/spec/metrics", ``}, {"/spec/metrics/0/resource/target/averageUtilization", `60`}}},
	{kind: "Ingress", weight: 3, text: `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: NAME, annotations: {a: <b|c>}}
spec:
  ingressClassName: <nginx|other> #?
  tls: [{hosts: [a.example.com], secretName: t}] #?
  rules:
  - host: <a|b>.example.com
    http: {paths: [{path: /, pathType: <Prefix|Exact>, backend: {service: {name: s, port: {number: 80}}}}]}
  - host: "*.example.org" #?
`, edits: []edit{{"/spec/rules/0/host", `UPPER`}, {"/spec/rules/0/http/paths/0/path", `/x`}, {"/spec/rules/0/http/paths/0/pathType", ``}, {"/spec/defaultBackend", `{service: {name: d, port: {name: p}}}`}}},
	{kind: "NetworkPolicy", weight: 2, text: `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: NAME}
spec:
  podSelector: <{}|{matchLabels: {app: a}}>
  policyTypes: [Ingress] #?
  ingress: #?
  - from: [{namespaceSelector: {matchLabels: {a: b}}}, {ipBlock: {cidr: 10.0.0.0/<8|16>}}]
    ports: [{port: <80|http>}]
`, edits: []edit{{"/spec/egress", `[{}]`}, {"/spec/ingress", `[{ports: [{port: 99999}]}]`}, {"/spec/podSelector/matchLabels/x", `y`}, {"/spec/policyTypes", `[Egress]`}}},
	{kind: "IngressClass", cluster: true, text: `
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: NAME}
spec:
  controller: example.com/<a|b>
  parameters: {apiGroup: k8s.example.com, kind: P, name: <x|y>} #?
`, edits: []edit{{"/spec/controller", `example.com/z`}, {"/spec/parameters", `{kind: Q, name: q}`}}},
	{kind: "ServiceCIDR", cluster: true, text: `
apiVersion: networking.k8s.io/v1
kind: ServiceCIDR
metadata: {name: NAME, labels: {a: <b|c>}}
spec: {cidrs: ["fd00:<1|2>::/112"]}
`, edits: []edit{{"/spec/cidrs", `["fd00:3::/112"]`}, {"/spec/cidrs", `[wrong]`}}},
	{kind: "PodDisruptionBudget", weight: 2, text: `
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: NAME}
spec:
  <minAvailable|maxUnavailable>: <1|25%>
  selector: {matchLabels: {app: <a|b>}}
  unhealthyPodEvictionPolicy: AlwaysAllow #?
`, edits: []edit{{"/spec/minAvailable", `2`}, {"/spec/maxUnavailable", `2`}, {"/spec/selector", ``}, {"/spec/selector/matchExpressions", `[{key: a, operator: Exists}]`}}},
	{kind: "Role", weight: 2, text: `
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: NAME}
rules: #?
- {apiGroups: [""], resources: [pods, <secrets|configmaps>], verbs: [get, <list|watch>]}
- {apiGroups: [apps], resources: [deployments], verbs: ["*"], resourceNames: [a]} #?
`, edits: []edit{{"/rules", `[{apiGroups: [batch], resources: [jobs], verbs: [create]}]`}, {"/rules", `[{resources: [pods], verbs: []}]`}, {"/rules", ``}}},
	{kind: "ClusterRole", cluster: true, weight: 2, text: `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: NAME, labels: {agg: <a|b>}}
aggregationRule: {clusterRoleSelectors: [{matchLabels: {none: such}}]} #?
rules:
- {apiGroups: ["example.com"], resources: [widgets], verbs: [<get|list>]}
- {nonResourceURLs: [/x], verbs: [get]} #?
`, edits: []edit{{"/rules/0/verbs", `[watch]`}, {"/rules", `[]`}, {"/rules/0/apiGroups", ``}}},
	{kind: "RoleBinding", weight: 2, text: `
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: NAME}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: <Role|ClusterRole>, name: <view|r>}
subjects: #?
- {kind: ServiceAccount, name: <a|b>, namespace: default}
- {kind: User, name: u, apiGroup: rbac.authorization.k8s.io} #?
`, edits: []edit{{"/roleRef/name", `edit`}, {"/subjects", `[{kind: Group, name: g}]`}, {"/roleRef/kind", `Wrong`}, {"/subjects", `[{kind: ServiceAccount, name: x}]`}}},
	{kind: "ClusterRoleBinding", cluster: true, weight: 2, text: `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: NAME}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: <view|edit>}
subjects: [{kind: User, name: <u|v>}]
`, edits: []edit{{"/roleRef/name", `admin`}, {"/subjects/0/name", `w`}, {"/subjects", ``}}},
	{kind: "StorageClass", cluster: true, weight: 2, text: `
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: NAME}
provisioner: example.com/<a|b>
parameters: {type: <gp2|gp3>} #?
reclaimPolicy: Retain #?
allowVolumeExpansion: <true|false> #?
mountOptions: [x, y] #?
`, edits: []edit{{"/parameters/type", `io1`}, {"/provisioner", `example.com/c`}, {"/allowVolumeExpansion", `true`}, {"/volumeBindingMode", `WaitForFirstConsumer`}, {"/reclaimPolicy", `Wrong`}}},
	{kind: "CSIDriver", cluster: true, text: `
apiVersion: storage.k8s.io/v1
kind: CSIDriver
metadata: {name: NAME.example.com}
spec:
  attachRequired: <true|false> #?
  podInfoOnMount: true #?
  volumeLifecycleModes: [Persistent, Ephemeral] #?
`, edits: []edit{{"/spec/attachRequired", `false`}, {"/spec/podInfoOnMount", `false`}, {"/spec/volumeLifecycleModes", `[Ephemeral]`}, {"/spec/fsGroupPolicy", `File`}}},
	{kind: "PriorityClass", cluster: true, text: `
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: NAME}
value: <100|200>
description: <a|b> #?
preemptionPolicy: Never #?
`, edits: []edit{{"/value", `300`}, {"/description", `c`}, {"/value", `2000000000`}, {"/preemptionPolicy", `PreemptLowerPriority`}}},
	{kind: "Lease", text: `
apiVersion: coordination.k8s.io/v1
kind: Lease
metadata: {name: NAME}
spec: {holderIdentity: <a|b>, leaseDurationSeconds: 15, renewTime: "2024-01-02T03:04:05.<000000|123456>Z"}
`, edits: []edit{{"/spec/holderIdentity", `c`}, {"/spec/leaseDurationSeconds", `-1`}, {"/spec/renewTime", `yesterday`}, {"/spec/renewTime", `"2024-01-02T03:04:05Z"`}}},
	{kind: "EndpointSlice", weight: 2, text: `
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: NAME, labels: {kubernetes.io/service-name: s}}
addressType: IPv4
endpoints: [{addresses: [10.1.2.<3|4>], conditions: {ready: true}}]
ports: [{name: http, port: 80}, {name: "", port: 81, protocol: UDP}] #?
`, edits: []edit{{"/addressType", `IPv6`}, {"/endpoints/0/addresses", `[10.9.9.9]`}, {"/endpoints", `[]`}, {"/ports", `[{port: 80, name: b}]`}}},
	{kind: "RuntimeClass", cluster: true, text: `
apiVersion: node.k8s.io/v1
kind: RuntimeClass
metadata: {name: NAME}
handler: <runc|gvisor>
scheduling: {nodeSelector: {a: b}, tolerations: [{key: k, operator: Exists}]} #?
`, edits: []edit{{"/handler", `kata`}, {"/overhead", `{podFixed: {cpu: 10m}}`}, {"/handler", `UPPER_`}}},
	{kind: "ValidatingAdmissionPolicy", cluster: true, text: `
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: NAME}
spec:
  failurePolicy: <Fail|Ignore> #?
  matchConstraints: {resourceRules: [{apiGroups: [none.example.com], apiVersions: [v1], operations: [CREATE], resources: [nothings]}]}
  validations: [{expression: "<true|1 == 1>", message: m}]
`, edits: []edit{{"/spec/validations/0/expression", `object.x +`}, {"/spec/validations/0/expression", `2 > 1`}, {"/spec/matchConditions", `[{name: a, expression: "true"}]`}, {"/spec/validations", ``}}},
	{kind: "ValidatingAdmissionPolicyBinding", cluster: true, text: `
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: NAME}
spec:
  policyName: <none-such|none-other>
  validationActions: [<Deny|Warn>, Audit]
`, edits: []edit{{"/spec/policyName", `third`}, {"/spec/validationActions", `[Deny, Warn]`}, {"/spec/validationActions", `[Audit]`}}},
	{kind: "ValidatingWebhookConfiguration", cluster: true, text: hookText("Validating"), edits: hookEdits},
	{kind: "MutatingWebhookConfiguration", cluster: true, text: hookText("Mutating"), edits: append([]edit{{"/webhooks/0/reinvocationPolicy", `IfNeeded`}}, hookEdits...)},
	{kind: "CertificateSigningRequest", cluster: true, text: `
apiVersion: certificates.k8s.io/v1
kind: CertificateSigningRequest
metadata: {name: NAME}
spec: {request: CSR, signerName: example.com/<a|b>, usages: [client auth], expirationSeconds: 3600}
`, edits: []edit{{"/spec/signerName", `example.com/c`}, {"/spec/expirationSeconds", `7200`}, {"/spec/request", `bm8=`}, {"/metadata/labels/a", `b`}}},
	{kind: "FlowSchema", cluster: true, text: `
apiVersion: flowcontrol.apiserver.k8s.io/v1
kind: FlowSchema
metadata: {name: NAME}
spec:
  matchingPrecedence: <9000|9001> #?
  priorityLevelConfiguration: {name: <catch-all|none-such>}
  distinguisherMethod: {type: ByUser} #?
  rules: #?
  - subjects: [{kind: User, user: {name: <u|v>}}]
    resourceRules: [{apiGroups: [x], resources: [y], verbs: [get], clusterScope: true}]
`, edits: []edit{{"/spec/matchingPrecedence", `0`}, {"/spec/matchingPrecedence", `9002`}, {"/spec/priorityLevelConfiguration/name", `global-default`}}},
	{kind: "PriorityLevelConfiguration", cluster: true, text: `
apiVersion: flowcontrol.apiserver.k8s.io/v1
kind: PriorityLevelConfiguration
metadata: {name: NAME}
spec:
  type: Limited
  limited:
    nominalConcurrencyShares: <0|1> #?
    limitResponse: <{type: Reject}|{type: Queue, queuing: {queues: 8}}>
`, edits: []edit{{"/spec/limited/nominalConcurrencyShares", `2`}, {"/spec/limited/lendablePercent", `150`}, {"/spec/type", `Exempt`}, {"/spec/limited/limitResponse", `{type: Queue, queuing: {handSize: 4}}`}}},
	{kind: "APIService", cluster: true, text: `
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: v1.NAME.example.com}
spec: {group: NAME.example.com, version: v1, groupPriorityMinimum: <100|200>, versionPriority: 10, insecureSkipTLSVerify: true, service: {name: s, namespace: default, port: 443}}
`, edits: []edit{{"/spec/groupPriorityMinimum", `300`}, {"/spec/version", `v2`}, {"/spec/service/port", `8443`}, {"/spec/caBundle", `bm8=`}}},
	{kind: "CustomResourceDefinition", cluster: true, text: `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: NAMEs.crd.example.com, labels: {a: <b|c>}}
spec:
  group: crd.example.com
  scope: <Cluster|Namespaced>
  names: {plural: NAMEs, kind: KNAME, shortNames: [sNAME]}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {a: {type: <string|integer>}}}}}}
    additionalPrinterColumns: [{name: A, type: string, jsonPath: .spec.a}] #?
`, edits: []edit{{"/spec/scope", `Cluster`}, {"/spec/scope", `Namespaced`}, {"/spec/names/kind", `Other`}, {"/spec/names/categories", `[all]`}, {"/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/b", `{type: boolean, default: true}`}, {"/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/b", `{type: wrong}`}, {"/spec/versions/0/storage", `false`}, {"/spec/versions/0/subresources", `{status: {}}`}, {"/spec/versions/0/name", `v2`}}},
	{kind: "Gadget", weight: 8, text: gadgetText("v1"), edits: gadgetEdits},
	{kind: "GadgetBeta", weight: 2, text: gadgetText("v1beta1"), edits: append([]edit{{"/apiVersion", `example.com/v1`}}, gadgetEdits...)},
	{kind: "Loose", weight: 2, text: `
apiVersion: example.com/v1
kind: Loose
metadata: {name: NAME, labels: {a: <b|c>}}
anything: {goes: [1, {x: <y|z>}], f: 1.5} #?
spec: {a: <1|text>, kept: {any: thing}} #?
`, edits: []edit{{"/spec/kept/more", `{x: 1}`}, {"/spec/kept/any", `[1]`}, {"/anything", ``}, {"/spec/b", `2`}}},
	{kind: "Global", cluster: true, weight: 2, text: `
apiVersion: example.com/v1
kind: Global
metadata: {name: NAME}
spec: {size: <1|2>, class: <a|b>} #?
`, edits: []edit{{"/spec/class", `c`}, {"/spec/size", `0`}, {"/spec/size", `5`}, {"/spec/zzz", `1`}}},
}

func hookText(kind string) string {
	return `
apiVersion: admissionregistration.k8s.io/v1
kind: ` + kind + `WebhookConfiguration
metadata: {name: NAME}
webhooks:
- name: one.example.com
  admissionReviewVersions: [v1]
  sideEffects: None
  clientConfig: {url: "https://127.0.0.1:9/<a|b>"}
  rules: [{apiGroups: [none.example.com], apiVersions: [v1], operations: [CREATE], resources: [nothings]}]
- name: two.example.com #?
  admissionReviewVersions: [v1]
  sideEffects: NoneOnDryRun
  failurePolicy: Ignore
  clientConfig: {service: {name: s, namespace: default}}
  rules: [{apiGroups: [none.example.com], apiVersions: [v1], operations: ["*"], resources: [nothings]}]
`
}

var hookEdits = []edit{ //nolint:gochecknoglobals // a table
	{"/webhooks/0/timeoutSeconds", `7`},
	{"/webhooks/0/timeoutSeconds", `99`},
	{"/webhooks/0/clientConfig/url", `"https://127.0.0.1:9/c"`},
	{"/webhooks/0/clientConfig/caBundle", `bm8=`},
	{"/webhooks/0/name", `renamed.example.com`},
}

// gadgetText is a custom resource of many kinds of fields.
func gadgetText(version string) string {
	return `
apiVersion: example.com/` + version + `
kind: Gadget
metadata: {name: NAME, labels: {a: <b|c>}}
spec:
  size: <1|2|3> #?
  class: <gold|silver> #?
  ratio: <0.5|1|1.5> #?
  port: <80|http> #?
  free: {any: [<1|2>], b: {c: d}} #?
  tags: [<x|y>, z] #?
  parts: #?
  - {name: one, weight: <1|2>}
  - {name: two}
  list: [<a|b>, c, c] #?
  opts: {<fast|slow>: "yes", k: v} #?
  whole: {a: <1|2>, b: 2} #?
`
}

var gadgetEdits = []edit{ //nolint:gochecknoglobals // a table
	{"/spec/size", `0`},
	{"/spec/size", `9`},
	{"/spec/size", `99`},
	{"/spec/class", `gold`},
	{"/spec/class", `silver`},
	{"/spec/class", `lead`},
	{"/spec/tags", `[z, q]`},
	{"/spec/tags", `[q, q]`},
	{"/spec/parts", `[{name: two, weight: 5}, {name: three}]`},
	{"/spec/parts/0/weight", `7`},
	{"/spec/port", `true`},
	{"/spec/free/any", `{n: 1}`},
	{"/spec/whole", `{b: 3}`},
	{"/spec/unknown", `x`},
	{"/spec/list", `[c]`},
	{"/spec/opts/k", `w`},
	{"/spec/opts/n", `5`},
	{"/spec/when", `"2024-01-02T03:04:05Z"`},
	{"/spec/when", `soon`},
	{"/status", `{seen: 5}`},
	{"/spec", ``},
	{"/spec/locked", `true`},
}
