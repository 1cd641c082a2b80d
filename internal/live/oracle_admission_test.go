package live

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"hash/fnv"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// installed are what is in the cluster from the start: custom resources, policies.
const installed = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: gadgets, singular: gadget, kind: Gadget}
  versions:
  - {name: v1, served: true, storage: true, subresources: {status: {}}, schema: {openAPIV3Schema: GADGET}}
  - {name: v1beta1, served: true, storage: false, subresources: {status: {}}, schema: {openAPIV3Schema: GADGET}}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: looses.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: looses, singular: loose, kind: Loose}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        x-kubernetes-preserve-unknown-fields: true
        properties:
          spec:
            type: object
            properties:
              a: {x-kubernetes-int-or-string: true, default: 5}
              kept: {type: object, x-kubernetes-preserve-unknown-fields: true}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: globals.example.com}
spec:
  group: example.com
  scope: Cluster
  names: {plural: globals, singular: global, kind: Global}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            default: {size: 1}
            x-kubernetes-validations:
            - {rule: "self.size < 4 || self.class == 'a'", message: "big ones are of class a"}
            properties:
              size: {type: integer, minimum: 1, default: 2}
              class: {type: string, enum: [a, b], default: a}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: oracle}
spec:
  failurePolicy: Fail
  matchConstraints:
    namespaceSelector: {matchLabels: {gate: policy}}
    resourceRules:
    - {apiGroups: ["", apps, batch, example.com, networking.k8s.io], apiVersions: ["*"], operations: [CREATE, UPDATE], resources: ["*"]}
  validations:
  - expression: "!has(object.metadata.labels) || !('x' in object.metadata.labels) || object.metadata.labels['x'] != 'v2'"
    message: x must not be v2
  - expression: "!has(object.metadata.annotations) || !('note' in object.metadata.annotations) || object.metadata.annotations['note'] != 'v1'"
    reason: Forbidden
  - expression: "oldObject == null || !has(oldObject.metadata.labels) || !('app' in oldObject.metadata.labels) || oldObject.metadata.labels['app'] != 'a'"
    messageExpression: "'objects of app a are frozen: ' + object.metadata.name"
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: oracle}
spec: {policyName: oracle, validationActions: [Deny]}
`

const gadgetSchema = `{type: object, properties: {status: {type: object, properties: {seen: {type: integer}}}, spec: {type: object, default: {class: silver},
 x-kubernetes-validations: [{rule: "!has(oldSelf.class) || oldSelf.class != 'gold' || self.class == 'gold'", message: gold stays gold},
  {rule: "!has(self.size) || !has(self.parts) || self.size >= self.parts.size()", message: "more parts than size"}],
 properties: {size: {type: integer, minimum: 1, maximum: 50, default: 3, x-kubernetes-validations: [{rule: "self >= oldSelf", message: it does not shrink}]},
 class: {type: string, enum: [gold, silver]}, ratio: {type: number}, when: {type: string, format: date-time}, port: {x-kubernetes-int-or-string: true},
 locked: {type: boolean, default: false}, free: {type: object, x-kubernetes-preserve-unknown-fields: true},
 tags: {type: array, x-kubernetes-list-type: set, items: {type: string}}, list: {type: array, items: {type: string}},
 parts: {type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [name], items: {type: object, required: [name], properties: {name: {type: string}, weight: {type: integer, default: 4}}}},
 opts: {type: object, additionalProperties: {type: string}}, whole: {type: object, x-kubernetes-map-type: atomic, properties: {a: {type: integer}, b: {type: integer}}}}}}}`

// install puts everything there that the cases meet, but for webhooks.
func (w *world) install(t *testing.T) {
	t.Helper()
	schema := strings.ReplaceAll(gadgetSchema, "\n", "")
	for _, text := range strings.Split(strings.ReplaceAll(installed, "GADGET", schema), "\n---") {
		object := fromYAML(text).(map[string]any)
		collection, name := w.path(object)
		w.must(t, http.MethodPatch, collection+"/"+name, "?fieldManager=test&force=true", object)
	}
	for _, plural := range []string{"v1/gadgets", "v1beta1/gadgets", "v1/looses", "v1/globals"} {
		w.until(t, plural, func() bool {
			r, err := w.do(t.Context(), http.MethodGet, "/apis/example.com/"+plural, "", nil)
			return err == nil && r.ok()
		})
	}
	w.until(t, "discovery", func() bool {
		w.discover(t)
		_, ok := w.kinds.Any("example.com", "Global")
		_, both := w.kinds.Any("example.com", "Gadget")
		return ok && both
	})
	w.until(t, standIn, func() bool {
		r, err := w.do(t.Context(), http.MethodGet, "/api/v1/namespaces/"+standIn, "", nil)
		return err == nil && r.ok()
	})
	w.namespace(t, standIn, "", false)
	w.namespace(t, "default", "", false)
	w.namespace(t, "kube-public", "", false)
	w.namespace(t, "probe", "policy", true)
	w.until(t, "the policy", func() bool { return !w.probe(t, "labels", "x", "v2").ok() })
}

// namespace makes a namespace with the account that a controller would make.
func (w *world) namespace(t *testing.T, name, gate string, create bool) {
	t.Helper()
	if create {
		labels := map[string]any{"gate": gate}
		w.must(t, http.MethodPost, "/api/v1/namespaces", "", map[string]any{"metadata": map[string]any{"name": name, "labels": labels}})
	}
	account := fromYAML("{apiVersion: v1, kind: ServiceAccount, metadata: {name: default}}")
	w.must(t, http.MethodPatch, "/api/v1/namespaces/"+name+"/serviceaccounts/default", "?fieldManager=test", account)
}

// probe tries a ConfigMap in the namespace of probes.
func (w *world) probe(t *testing.T, field, key, value string) reply {
	t.Helper()
	object := fromYAML("{apiVersion: v1, kind: ConfigMap, metadata: {name: probe, namespace: probe}}").(map[string]any)
	put(object, []string{"metadata", field, key}, value)
	r, err := w.do(t.Context(), http.MethodPost, "/api/v1/namespaces/probe/configmaps", "?dryRun=All", object)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// hooks starts the webhooks, in namespaces of gate hooks, and waits until the server calls them.
func (w *world) hooks(t *testing.T) {
	t.Helper()
	url, ca := serveHooks(t)
	for _, name := range []string{"Mutating", "Validating"} {
		object := fromYAML(fmt.Sprintf(`
apiVersion: admissionregistration.k8s.io/v1
kind: %sWebhookConfiguration
metadata: {name: oracle}
webhooks:
- name: oracle.example.com
  admissionReviewVersions: [v1]
  sideEffects: None
  namespaceSelector: {matchLabels: {gate: hooks}}
  clientConfig: {url: "%s/%s", caBundle: %s}
  rules: [{apiGroups: ["", apps, example.com], apiVersions: ["*"], operations: [CREATE, UPDATE], resources: [configmaps, secrets, pods, deployments, gadgets, services]}]
`, name, url, name, ca)).(map[string]any)
		collection, own := w.path(object)
		w.must(t, http.MethodPatch, collection+"/"+own, "?fieldManager=test&force=true", object)
	}
	w.must(t, http.MethodPatch, "/api/v1/namespaces/probe", "?merge=1", fromYAML(`{metadata: {labels: {gate: hooks}}}`))
	w.until(t, "the mutating webhook", func() bool {
		return fields(w.probe(t, "labels", "a", "b").object, "metadata", "annotations")["hooked"] == "yes"
	})
	w.until(t, "the validating webhook", func() bool { return !w.probe(t, "labels", "x", "v1").ok() })
}

// serveHooks is a server of admission webhooks, with a certificate of its own making.
func serveHooks(t *testing.T) (url, caBundle string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		var review struct {
			Request struct {
				UID               string
				Object, OldObject map[string]any
			}
		}
		if err := json.NewDecoder(r.Body).Decode(&review); err != nil {
			http.Error(rw, err.Error(), http.StatusBadRequest)
			return
		}
		answer := map[string]any{"uid": review.Request.UID, "allowed": true}
		if strings.HasPrefix(r.URL.Path, "/Mutating") {
			patch, _ := json.Marshal(mutations(review.Request.Object))
			answer["patchType"], answer["patch"] = "JSONPatch", base64.StdEncoding.EncodeToString(patch)
		} else if status := objection(review.Request.Object, review.Request.OldObject); status != nil {
			answer["allowed"], answer["status"] = false, status
		}
		rw.Header().Set("Content-Type", "application/json")
		json.NewEncoder(rw).Encode(map[string]any{"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": answer})
	}))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL, base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// mutations are what the mutating webhook does: an annotation for all, and more as objects have it.
func mutations(object map[string]any) []any {
	set := func(path string, value any) map[string]any {
		return map[string]any{"op": "add", "path": path, "value": value}
	}
	var patch []any
	if fields(object, "metadata", "annotations") == nil {
		patch = append(patch, set("/metadata/annotations", map[string]any{}))
	}
	patch = append(patch, set("/metadata/annotations/hooked", "yes"))
	switch object["kind"] {
	case "ConfigMap":
		if data := fields(object, "data"); data["b"] != nil {
			patch = append(patch, set("/data/seen", fmt.Sprintf("%v", data["a"])))
		}
	case "Deployment":
		containers := items(fields(object, "spec", "template", "spec")["containers"])
		if len(containers) == 0 {
			break
		}
		last := fields(containers[len(containers)-1])
		if last["name"] != "injected" && last["name"] != "side" {
			patch = append(patch, set("/spec/template/spec/containers/-", map[string]any{"name": "injected", "image": "proxy:1"}))
		}
		if env := items(fields(containers[0])["env"]); len(env) > 0 && fields(env[0])["name"] != "HOOK" {
			patch = append(patch, set("/spec/template/spec/containers/0/env/0", map[string]any{"name": "HOOK", "value": "1"}))
		}
	case "Gadget":
		if spec := fields(object, "spec"); spec["ratio"] != nil {
			patch = append(patch, set("/spec/opts", map[string]any{"hook": "set"}))
		}
	}
	return patch
}

// objection is why the validating webhook refuses an object; nil where it does not.
func objection(object, old map[string]any) map[string]any {
	name := text(fields(object, "metadata")["name"])
	labels := fields(object, "metadata", "labels")
	before := fields(old, "metadata", "labels")
	if labels["x"] != "v1" && labels["tier"] != "db" && before["note"] != "v1" {
		return nil
	}
	sum := fnv.New32()
	sum.Write([]byte(name))
	code := []int{http.StatusForbidden, http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusConflict, http.StatusTeapot, 0}[sum.Sum32()%6]
	status := map[string]any{"message": "the webhook does not like " + name}
	if code != 0 {
		status["code"] = code
	}
	return status
}
