package live

// catalogue holds a manifest of each kind as a text with choices: <a|b> is one of them, and a line that
// ends with #? is there or not, with what is indented below it. NAME is the object's name. An edit is
// a change that means something for the kind: a place, and what is put there; nothing removes it.
var catalogue = []specimen{ //nolint:gochecknoglobals // a table
	{kind: "ConfigMap", weight: 5, text: `
apiVersion: v1
kind: ConfigMap
metadata: {name: NAME, labels: {app: a, tier: <web|db>}} #?
data: #?
  a: <x|y|"">
  b: "<1|two lines>\nmore" #?
  <c|d.yaml>: text #?
binaryData: {bin: aGVsbG8=} #?
immutable: <true|false> #?
`, edits: []edit{{"/data/a", `z`}, {"/data/new", `q`}, {"/immutable", `true`}, {"/data", ``}, {"/binaryData/bin", `"###"`}, {"/data/num", `5`}}},
	{kind: "Secret", weight: 5, text: `
apiVersion: v1
kind: Secret
metadata: {name: NAME}
type: <Opaque|example.com/mine|Opaque>
data: {a: aGVsbG8=, b: <d29ybGQ=|"">} #?
stringData: {c: clear-<1|2>, a: over} #?
immutable: <true|false> #?
`, edits: []edit{{"/stringData/c", `changed`}, {"/data/a", `Y2hhbmdlZA==`}, {"/data/a", `"no base64!"`}, {"/type", `example.com/other`}, {"/stringData/n", `5`}, {"/immutable", `true`}, {"/type", `kubernetes.io/tls`}}},
	{kind: "Service", weight: 6, text: `
apiVersion: v1
kind: Service
metadata: {name: NAME, annotations: {note: <a|b>}}
spec:
  type: <ClusterIP|ClusterIP|NodePort|LoadBalancer>
  selector: {app: <a|b>} #?
  sessionAffinity: <ClientIP|None> #?
  internalTrafficPolicy: <Cluster|Local> #?
  ports:
  - {name: http, port: 80, targetPort: <8080|http>}
  - {name: dns, port: 53, protocol: UDP} #?
  - {name: dns-tcp, port: 53, protocol: TCP} #?
  - {name: s, port: <443|8443>, protocol: TCP, appProtocol: https} #?
`, edits: []edit{{"/spec/clusterIP", `'{ip}'`}, {"/spec/clusterIP", `None`}, {"/spec/type", `NodePort`}, {"/spec/type", `ClusterIP`}, {"/spec/type", `ExternalName`}, {"/spec/ports/0/port", `81`}, {"/spec/ports/0/nodePort", `{port}`}, {"/spec/ports/0/port", `70000`}, {"/spec/ipFamilies", `[IPv4, IPv4]`}, {"/spec/selector", ``}, {"/spec/ports/0/protocol", `SCTP`}, {"/spec/externalTrafficPolicy", `Local`}, {"/spec/externalIPs", `[1.2.3.4]`}}},
	{kind: "ServiceAccount", text: `
apiVersion: v1
kind: ServiceAccount
metadata: {name: NAME, labels: {a: b}} #?
automountServiceAccountToken: <true|false> #?
imagePullSecrets: [{name: one}, {name: two}] #?
secrets: [{name: s}] #?
`, edits: []edit{{"/imagePullSecrets", `[{name: two}, {name: three}]`}, {"/automountServiceAccountToken", `false`}, {"/secrets", `[{name: t}, {name: s}]`}}},
	{kind: "PersistentVolumeClaim", weight: 3, text: `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: NAME}
spec:
  accessModes: [<ReadWriteOnce|ReadWriteMany>]
  storageClassName: <slow|fast|""> #?
  volumeMode: <Filesystem|Block> #?
  resources: {requests: {storage: <1Gi|1024Mi|1000M>}}
`, edits: []edit{{"/spec/resources/requests/storage", `2Gi`}, {"/spec/resources/requests/storage", `500M`}, {"/spec/storageClassName", `other`}, {"/spec/accessModes", `[ReadOnlyMany]`}, {"/spec/volumeName", `v`}, {"/spec/resources/requests/storage", `1073741824`}, {"/spec/resources", ``}}},
	{kind: "PersistentVolume", cluster: true, text: `
apiVersion: v1
kind: PersistentVolume
metadata: {name: NAME, labels: {disk: <ssd|hdd>}}
spec:
  capacity: {storage: <5Gi|5120Mi>}
  accessModes: [ReadWriteOnce]
  persistentVolumeReclaimPolicy: <Retain|Delete> #?
  storageClassName: slow #?
  mountOptions: [a, b] #?
  csi: {driver: d.example.com, volumeHandle: <h1|h2>}
`, edits: []edit{{"/spec/csi/volumeHandle", `h3`}, {"/spec/capacity/storage", `10Gi`}, {"/spec/persistentVolumeReclaimPolicy", `Delete`}, {"/spec/accessModes", `[ReadWriteMany]`}, {"/spec/hostPath", `{path: /x}`}}},
	{kind: "ResourceQuota", text: `
apiVersion: v1
kind: ResourceQuota
metadata: {name: NAME}
spec:
  hard: {"count/widgets.example.com": <"1000"|1k>, count/leases.coordination.k8s.io: "9000"}
  scopes: [<BestEffort|NotTerminating>] #?
`, edits: []edit{{"/spec/hard/count~1jobs.batch", `"99"`}, {"/spec/hard/x", `many`}, {"/spec/scopes", `[Terminating]`}}},
	{kind: "LimitRange", text: `
apiVersion: v1
kind: LimitRange
metadata: {name: NAME}
spec:
  limits:
  - type: PersistentVolumeClaim
    max: {storage: <900Ti|921600Gi>}
  - {type: Pod, max: {cpu: <900|900k>}} #?
`, edits: []edit{{"/spec/limits/0/max/storage", `800Ti`}, {"/spec/limits/0/min", `{storage: 1}`}, {"/spec/limits/0/type", `Wrong`}, {"/spec/limits/0/min", `{storage: 999Ti}`}}},
	{kind: "Namespace", cluster: true, text: `
apiVersion: v1
kind: Namespace
metadata: {name: NAME, labels: {team: <a|b>}} #?
`, edits: []edit{{"/metadata/labels/team", `c`}, {"/metadata/labels/pod-security.kubernetes.io~1enforce", `restricted`}, {"/spec/finalizers", `[a.example/b]`}}},
	{kind: "ReplicationController", text: `
apiVersion: v1
kind: ReplicationController
metadata: {name: NAME}
spec:
  replicas: <1|2> #?
  selector: {app: a} #?
  template:
    metadata: {labels: {app: a}}
    spec: POD
`, edits: []edit{{"/spec/selector", `{app: b}`}, {"/spec/replicas", `5`}, {"/spec/replicas", `-1`}}},
	{kind: "Endpoints", text: `
apiVersion: v1
kind: Endpoints
metadata: {name: NAME}
subsets:
- addresses: [{ip: 10.1.0.1}, {ip: 10.1.0.2}]
  ports: [{name: a, port: 80}, {name: b, port: 81, protocol: UDP}]
`, edits: []edit{{"/subsets/0/addresses/0/ip", `10.1.0.9`}, {"/subsets/0/addresses/0/ip", `300.1.1.1`}, {"/subsets", ``}}},
	{kind: "PodTemplate", text: `
apiVersion: v1
kind: PodTemplate
metadata: {name: NAME}
template:
  metadata: {labels: {app: <a|b>}}
  spec: POD
`, edits: []edit{{"/template/metadata/labels/app", `c`}}},
	{kind: "Pod", weight: 4, text: `
apiVersion: v1
kind: Pod
metadata: {name: NAME, labels: {app: <a|b>}}
spec: POD
`, edits: []edit{{"/spec/containers/0/image", `app:3`}, {"/spec/restartPolicy", `Never`}, {"/spec/nodeName", `n`}, {"/spec/activeDeadlineSeconds", `5`}, {"/spec/serviceAccountName", `nobody`}, {"/spec/priorityClassName", `none-such`}, {"/spec/containers/0/resources", `{requests: {cpu: 2}}`}}},
	{kind: "Deployment", weight: 8, text: `
apiVersion: apps/v1
kind: Deployment
metadata: {name: NAME, labels: {app: a}, annotations: {note: <a|b>}}
spec:
  replicas: <1|3> #?
  revisionHistoryLimit: <3|10> #?
  strategy: <{type: Recreate}|{type: RollingUpdate, rollingUpdate: {maxSurge: 1, maxUnavailable: 50%}}> #?
  selector: {matchLabels: {app: a}}
  template:
    metadata: {labels: {app: a, v: <one|two>}}
    spec: POD
`, edits: []edit{{"/spec/selector/matchLabels/v", `one`}, {"/spec/replicas", `7`}, {"/spec/replicas", ``}, {"/spec/strategy", `{type: Recreate}`}, {"/spec/template/metadata/labels/app", `other`}, {"/spec/replicas", `"3"`}, {"/spec/template/spec/containers/0/image", `app:9`}, {"/spec/template/spec/restartPolicy", `Never`}}},
	{kind: "StatefulSet", weight: 3, text: `
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: NAME}
spec:
  serviceName: <a|b>
  replicas: 2 #?
  podManagementPolicy: <Parallel|OrderedReady> #?
  selector: {matchLabels: {app: a}}
  persistentVolumeClaimRetentionPolicy: {whenDeleted: Delete} #?
  template:
    metadata: {labels: {app: a}}
    spec: POD
  volumeClaimTemplates: #?
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: <1Gi|2Gi>}}}
`, edits: []edit{{"/spec/serviceName", `c`}, {"/spec/volumeClaimTemplates", `[{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 9Gi}}}}]`}, {"/spec/podManagementPolicy", `Parallel`}, {"/spec/replicas", `4`}, {"/spec/updateStrategy", `{type: OnDelete}`}, {"/spec/selector/matchLabels/x", `y`}}},
	{kind: "DaemonSet", weight: 2, text: `
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: NAME}
spec:
  minReadySeconds: 3 #?
  updateStrategy: {type: <OnDelete|RollingUpdate>} #?
  selector: {matchLabels: {app: a}}
  template:
    metadata: {labels: {app: a}}
    spec: POD
`, edits: []edit{{"/spec/selector/matchLabels", `{app: b}`}, {"/spec/minReadySeconds", `9`}, {"/spec/updateStrategy", `{rollingUpdate: {maxUnavailable: 2}}`}}},
	{kind: "ReplicaSet", text: `
apiVersion: apps/v1
kind: ReplicaSet
metadata: {name: NAME}
spec:
  replicas: 1 #?
  selector: {matchExpressions: [{key: app, operator: In, values: [a, c]}]}
  template:
    metadata: {labels: {app: a}}
    spec: POD
`, edits: []edit{{"/spec/selector", `{matchLabels: {app: a}}`}, {"/spec/replicas", `3`}}},
	{kind: "ControllerRevision", text: `
apiVersion: apps/v1
kind: ControllerRevision
metadata: {name: NAME}
revision: <1|2>
data: {a: <b|c>}
`, edits: []edit{{"/revision", `3`}, {"/data", `{a: d}`}}},
}

// podText is the specification of the pods in the catalogue.
const podText = `
priorityClassName: <system-node-critical|""> #?
terminationGracePeriodSeconds: <5|30> #?
automountServiceAccountToken: false #?
securityContext: {runAsNonRoot: true, runAsUser: 1000} #?
tolerations: #?
- {key: a, operator: Exists}
- {key: b, operator: Equal, value: <c|d>, effect: NoSchedule}
nodeSelector: {disk: <ssd|hdd>} #?
volumes: #?
- {name: tmp, emptyDir: {}}
- {name: conf, configMap: {name: c, items: [{key: a, path: b}]}}
initContainers: #?
- {name: init, image: init:1, command: [sh, -c, "true"]}
containers:
- name: app
  image: app:<1|2|latest>
  args: [--a, --<b|c>] #?
  env: #?
  - {name: A, value: <one|two>}
  - {name: B, value: ""}
  - {name: C, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
  ports: #?
  - {containerPort: 8080, name: http}
  - {containerPort: 53, name: dns, protocol: UDP}
  resources: {requests: {cpu: <100m|0.1|1000m>, memory: 64Mi}, limits: {memory: <128Mi|134217728>}} #?
  livenessProbe: {httpGet: {path: /, port: <http|8080>}, periodSeconds: <10|5>} #?
- name: side #?
  image: side@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
`
