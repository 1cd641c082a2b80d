package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mergegate/mergegate/internal/manifest"
	"github.com/mergegate/mergegate/internal/plan"
)

const (
	baseSHA = "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d"
	headSHA = "9f8e7d6c5b4a39281706f5e4d3c2b1a09f8e7d6c"
)

var fixtureOptions = CommentOptions{
	Marker:     "plan",
	BaseName:   "main",
	DetailsURL: "https://mergegate.example.com/acme/gitops/pull/42/plans/7",
	BlobURL:    "https://github.com/acme/gitops/blob/" + headSHA,
}

// fixture builds a plan and its summary.
type fixture struct{ p plan.Plan }

func newFixture(applications int) *fixture {
	f := &fixture{plan.Plan{
		SchemaVersion: plan.SchemaVersion, Base: baseSHA, Head: headSHA, Digest: "sha256:" + strings.Repeat("ab12cd34", 8),
		Verdict: plan.Pass, PolicyRevision: "built-in v1", Policies: []plan.Policy{},
	}}
	f.p.Summary.Applications = applications
	for i := range 24 {
		f.p.Policies = append(f.p.Policies, plan.Policy{Name: fmt.Sprintf("MG1%02d", i+1), Source: "built-in"})
	}
	return f
}

func (f *fixture) app(a plan.Application) *fixture {
	if a.Path == "" {
		a.Path = "apps/" + a.Name
	}
	if a.Status == "" {
		a.Status = plan.Changed
	}
	a.Type = "kustomize"
	f.p.Applications = append(f.p.Applications, a)
	return f
}

// plan counts and judges as the verdict stage does.
func (f *fixture) plan() plan.Plan {
	s := plan.Summary{Applications: f.p.Summary.Applications, Affected: len(f.p.Applications)}
	findings := slices.Clone(f.p.Findings)
	for _, a := range f.p.Applications {
		if failed(a) {
			s.Error++
		}
		t := tallyOf(a.Changes)
		s.Create, s.Update, s.Delete, s.Replace = s.Create+t.created, s.Update+t.updated, s.Delete+t.deleted, s.Replace+t.replaced
		findings = append(findings, a.Findings...)
	}
	for _, x := range findings {
		switch {
		case x.Severity == plan.SeverityError:
			s.Error++
		case x.New && x.WaivedBy == "" && x.Severity == plan.Deny:
			s.Deny++
		case x.New && x.WaivedBy == "" && x.Severity == plan.Warn:
			s.Warn++
		}
	}
	t := liveTally(f.p.Applications...)
	s.Rejected, s.Unknown, s.Drifted, s.Restarts = t.results[plan.Rejected], t.results[plan.Unknown], t.drifted, t.restarts
	f.p.Summary = s
	switch {
	case s.Error+s.Unknown > 0:
		f.p.Verdict = plan.Error
	case s.Deny+s.Rejected > 0:
		f.p.Verdict = plan.Fail
	}
	f.liveReasons()
	f.reasons(findings)
	return f.p
}

// reasons are worded as the verdict stage words them.
func (f *fixture) reasons(findings []plan.Finding) {
	for _, a := range f.p.Applications {
		if failed(a) {
			f.p.Reasons = append(f.p.Reasons, "application "+a.Name+" could not be evaluated: "+a.Error)
		}
	}
	for _, x := range findings {
		if blocked := (finding{Finding: x}); blocked.blocks() {
			f.p.Reasons = append(f.p.Reasons, x.Policy+" denies the change: "+x.Message)
		}
	}
}

func id(group, kind, namespace, name string) manifest.ID {
	return manifest.ID{Group: group, Version: "v1", Kind: kind, Namespace: namespace, Name: name}
}

func spot(file string, line int, via string) *manifest.Location {
	return &manifest.Location{File: file, Line: line, Via: via}
}

// bump is an update of a deployment's image.
func bump(namespace, name, from, to string, replicas int) plan.Change {
	image := "ghcr.io/acme/" + name
	return plan.Change{
		Action: plan.Update,
		Object: id("apps", "Deployment", namespace, name),
		Fields: []plan.Field{{
			Path: "/spec/template/spec/containers/0/image", At: "spec.template.spec.containers[name=app].image",
			Before: image + ":" + from, After: image + ":" + to, Source: spot("apps/base/kustomization.yaml", 14, "images"),
		}},
		Diff: fmt.Sprintf(`--- base
+++ head
@@ -8,17 +8,17 @@
 spec:
   replicas: %d
   template:
     spec:
       containers:
       - name: app
-        image: %[2]s:%[3]s
+        image: %[2]s:%[4]s
         ports:
         - containerPort: 8080
`, replicas, image, from, to),
	}
}

func imageBump() plan.Plan {
	f := newFixture(40)
	for _, service := range []string{"cart", "checkout", "payments"} {
		for i, environment := range []string{"production", "staging"} {
			c := bump(service, "web", "1.4.2", "1.5.0", 6-4*i)
			f.app(plan.Application{
				Name: service + "-" + environment, Environment: environment, Path: "apps/" + service + "/overlays/" + environment,
				AffectedBy: []string{"apps/base/kustomization.yaml"}, Changes: []plan.Change{c},
			})
		}
	}
	f.app(plan.Application{Name: "search-staging", Environment: "staging", Status: plan.Unchanged, AffectedBy: []string{"apps/base/kustomization.yaml"}})
	return f.plan()
}

func policyViolation() plan.Plan {
	f := newFixture(40)
	for _, environment := range []string{"production", "staging"} {
		deployment := id("apps", "Deployment", "payments", "payments")
		privileged := plan.Finding{
			Policy: "MG104", Title: "Privileged container", Severity: plan.Deny, New: true,
			Message: `container "agent" runs privileged: it has every right of the node`, Object: &deployment,
			Location: spot("apps/payments/base/deployment.yaml", 31, "resource"), URL: "https://mergegate.example.com/policies/MG104", Fingerprint: "aa11",
		}
		mutable := plan.Finding{
			Policy: "MG112", Title: "Mutable image tag", Severity: plan.Warn, New: true,
			Message: `container "agent" uses the tag latest: pin a version or a digest`, Object: &deployment,
			Location: spot("apps/payments/base/deployment.yaml", 30, "resource"), Fingerprint: "bb22",
		}
		probes := plan.Finding{
			Policy: "MG120", Title: "No readiness probe", Severity: plan.Warn, New: false,
			Message: `container "app" has no readiness probe`, Object: &deployment, Location: spot("apps/payments/base/deployment.yaml", 18, "resource"),
		}
		role := id("rbac.authorization.k8s.io", "ClusterRole", "", "payments-agent")
		wildcard := plan.Finding{
			Policy: "MG130", Title: "Wildcard in a role", Severity: plan.Deny, New: true, WaivedBy: "waivers/agent until 2031-01-01",
			Message: "the role allows every verb on every resource", Object: &role, Location: spot("apps/payments/base/role.yaml", 9, "resource"),
		}
		f.app(plan.Application{
			Name: "payments-" + environment, Environment: environment, Path: "apps/payments/overlays/" + environment,
			Findings: []plan.Finding{privileged, mutable, probes, wildcard},
			Changes: []plan.Change{
				{
					Action: plan.Update, Object: deployment,
					Fields: []plan.Field{{
						Path: "/spec/template/spec/containers/1", At: "spec.template.spec.containers[name=agent]",
						After: map[string]any{"name": "agent", "image": "acme/agent:latest"}, Source: spot("apps/payments/base/deployment.yaml", 29, "resource"),
					}},
					Diff: `--- base
+++ head
@@ -17,3 +17,8 @@
       - name: app
         image: ghcr.io/acme/payments:2.1.0
+      - name: agent
+        image: acme/agent:latest
+        securityContext:
+          privileged: true
       serviceAccountName: payments
`,
				},
				{Action: plan.Create, Object: role, Diff: `--- base
+++ head
@@ -0,0 +1,9 @@
+apiVersion: rbac.authorization.k8s.io/v1
+kind: ClusterRole
+metadata:
+  name: payments-agent
+rules:
+- apiGroups: ["*"]
+  resources: ["*"]
+  verbs: ["*"]
`},
			},
		})
	}
	return f.plan()
}

func renderFailure() plan.Plan {
	f := newFixture(40)
	f.app(plan.Application{
		Name: "billing-production", Environment: "production", Status: plan.StatusError,
		Error:         "read kustomization apps/billing/overlays/production/kustomization.yaml: unknown field \"resorces\": did you mean \"resources\"?",
		ErrorLocation: spot("apps/billing/overlays/production/kustomization.yaml", 4, ""),
	})
	f.app(plan.Application{
		Name: "cart-production", Environment: "production", Changes: []plan.Change{bump("cart", "web", "1.4.2", "1.5.0", 2)},
		Notes: []string{"not a Kubernetes object, left out: apps/cart/values.yaml"},
	})
	f.p.Notes = []string{"policies/labels.rego changes in this pull request: policies are those of the base branch"}
	f.p.Findings = []plan.Finding{{
		Policy: "team.labels", Severity: plan.SeverityError, New: true,
		Message: "compile policies/labels.rego: rego_unsafe_var_error: var owner is unsafe", Location: spot("policies/labels.rego", 12, ""),
	}}
	return f.plan()
}

func deletedClaim() plan.Plan {
	f := newFixture(12)
	claim := id("", "PersistentVolumeClaim", "orders", "orders-db")
	f.app(plan.Application{Name: "orders-production", Environment: "production", Path: "clusters/prod-eu/orders", Cluster: "prod-eu", Changes: []plan.Change{
		{
			Action: plan.Update, Object: id("", "ConfigMap", "orders", "orders-config"),
			Fields: []plan.Field{{Path: "/data/LOG_LEVEL", At: "data.LOG_LEVEL", Before: "info", After: "debug"}},
			Diff:   "--- base\n+++ head\n@@ -1,4 +1,4 @@\n apiVersion: v1\n data:\n-  LOG_LEVEL: info\n+  LOG_LEVEL: debug\n kind: ConfigMap\n",
		},
		{Action: plan.Delete, Object: claim, Diff: `--- base
+++ head
@@ -1,13 +0,0 @@
-apiVersion: v1
-kind: PersistentVolumeClaim
-metadata:
-  name: orders-db
-  namespace: orders
-spec:
-  accessModes:
-  - ReadWriteOnce
-  resources:
-    requests:
-      storage: 200Gi
-  storageClassName: fast
`},
		{
			Action: plan.Update, Object: id("", "Secret", "orders", "orders-token"),
			Fields: []plan.Field{{Path: "/data/token", At: "data.token", Before: "(secret #0001)", After: "(secret #0002)", Sensitive: true}},
			Diff:   "--- base\n+++ head\n@@ -1,4 +1,4 @@\n apiVersion: v1\n data:\n-  token: (secret #0001)\n+  token: (secret #0002)\n kind: Secret\n",
		},
	}})
	f.app(plan.Application{Name: "orders-staging", Environment: "staging", Path: "clusters/staging-eu/orders", Cluster: "staging-eu", Changes: []plan.Change{
		{Action: plan.Create, Object: id("batch", "CronJob", "orders", "backup"), Diff: "--- base\n+++ head\n@@ -0,0 +1,4 @@\n+apiVersion: batch/v1\n+kind: CronJob\n+metadata:\n+  name: backup\n"},
	}})
	return f.plan()
}

// fleet is one change that reaches very many applications, with findings on each.
func fleet(n int) plan.Plan {
	f := newFixture(n + 500)
	for i := range n {
		service := fmt.Sprintf("tenant-%04d", i/3)
		environment := []string{"development", "production", "staging"}[i%3]
		c := bump(service, "web", "1.4.2", "1.5.0", 2)
		object := c.Object
		a := plan.Application{Name: service + "-" + environment, Environment: environment, Changes: []plan.Change{c}}
		if i%10 == 0 {
			a.Findings = append(a.Findings, plan.Finding{
				Policy: "MG112", Severity: plan.Warn, New: true, Object: &object,
				Message: fmt.Sprintf("container of %s uses größere Abbilder 数値", service), Location: spot("apps/"+service+"/deployment.yaml", i+1, ""),
			})
		}
		if i%500 == 7 {
			a.Changes = append(a.Changes, plan.Change{Action: plan.Delete, Object: id("", "Service", service, "old"), Diff: "-kind: Service\n"})
		}
		f.app(a)
	}
	return f.plan()
}

// hostile is a plan whose every text tries to be something else.
func hostile() plan.Plan {
	f := newFixture(3)
	evil := "`web` | @acme/admins #1 GH-2 acme/x#3 <!-- </details> <script>alert(1)</script> [x](https://evil.example) **b** \u202egpj.exe\u200b\x1b[31m ::error::x https://evil.example \\`"
	object := id("evil`group", "Kind|<b>", "ns\n# heading", evil)
	f.app(plan.Application{Name: evil, Environment: "prod|uction", Path: "apps/`x`\n| a |", Changes: []plan.Change{
		{
			Action: plan.Update, Object: object,
			Fields: []plan.Field{{Path: "/a`b", At: "a`b|c", Before: "```\n</details>", After: "@everyone", Source: spot("a b/`c`(d).yaml", 3, "pa`tch")}},
			Diff:   "@@\n-```\n-</details>\n+````\n+@acme/admins <!-- \u202e ::error::x\r\n ::stop-commands::x\n",
		},
		{Action: plan.Delete, Object: id("", "Namespace", "", "`````"), Diff: "-~~~\n-```````\n"},
	}, Findings: []plan.Finding{
		{
			Policy: "evil|`p`.deny", Title: evil, Severity: plan.Deny, New: true, Message: evil + "\n\n# heading\n\n- item\n| a | b |\n|---|---|\n::error::x", Object: &object,
			Location: spot("a b/`c`(d).yaml", 3, ""), URL: "javascript:alert(1)", WaivedBy: "",
		},
		{Policy: "ok", Severity: plan.Warn, New: true, Message: "1. " + evil, URL: "https://evil.example/)\n# x <b>"},
		{Policy: "ok", Severity: plan.Warn, WaivedBy: "@acme/admins <b>", Message: "waived"},
	}})
	f.app(plan.Application{Name: "broken", Environment: "prod", Status: plan.StatusError, Error: "render: " + evil + "\n::error::x\n```\n"})
	return f.plan()
}
