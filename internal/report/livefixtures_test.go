package report

import (
	"fmt"
	"strings"

	"github.com/mergegate/mergegate/internal/plan"
)

// liveReasons are worded as the verdict stage words them.
func (f *fixture) liveReasons() {
	for _, a := range f.p.Applications {
		for _, c := range a.Changes {
			for _, x := range answersOf(a.Cluster, c.Live, c.Clusters) {
				subject := c.Object.String() + " of " + a.Name
				switch x.Live.Result {
				case plan.Rejected:
					f.p.Reasons = append(f.p.Reasons, "cluster "+strings.Join(x.Clusters, ", ")+" would refuse "+subject+": "+x.Live.Reason)
				case plan.Unknown:
					f.p.Reasons = append(f.p.Reasons, "cluster "+strings.Join(x.Clusters, ", ")+": what happens to "+subject+" is not known: "+x.Live.Reason)
				}
			}
		}
	}
}

func live(c plan.Change, l plan.Live) plan.Change {
	c.Live = &l
	return c
}

func (f *fixture) clusters(names ...string) *fixture {
	for _, n := range names {
		f.p.Clusters = append(f.p.Clusters, plan.Cluster{Name: n, Version: "v1.34.1", Fingerprint: "sha256:1"})
	}
	return f
}

func liveField(at string, before, after any, owners ...plan.Owner) plan.LiveField {
	return plan.LiveField{Field: plan.Field{Path: "/" + strings.ReplaceAll(at, ".", "/"), At: at, Before: before, After: after}, Owners: owners}
}

var (
	autoscaler = plan.Owner{Manager: "kube-controller-manager", Operation: "Update", Subresource: "scale", Time: "2026-11-20T10:04:05Z", Controller: "HorizontalPodAutoscaler"}
	person     = plan.Owner{Manager: "kubectl-edit", Operation: "Update", Time: "2026-11-19T23:12:00+01:00"}
	kubectl    = plan.Owner{Manager: "kubectl-client-side-apply", Operation: "Update", Time: "2024-02-01T08:00:00Z"}
)

// liveMixed has one change of each kind that a cluster sees otherwise.
func liveMixed() plan.Plan {
	f := newFixture(12).clusters("prod-eu", "staging-eu")
	image := bump("shop", "web", "1.4.2", "1.5.0", 3)
	refused := bump("shop", "payments", "1.4.2", "1.5.0", 3)
	refused.Fields[0].Source = spot("apps/shop/overlays/production/kustomization.yaml", 21, "images")
	config := plan.Change{
		Action: plan.Update, Object: id("", "ConfigMap", "shop", "flags"), Fields: []plan.Field{{Path: "/data/beta", At: "data.beta", Before: "off", After: "on"}},
		Diff: "@@ -1,3 +1,3 @@\n apiVersion: v1\n data:\n-  beta: off\n+  beta: on\n",
	}
	mirrored := plan.Field{Path: "/spec/template/spec/containers/0/image", At: "spec.template.spec.containers[name=app].image", Before: "mirror.local/acme/web:1.4.2", After: "mirror.local/acme/web:1.5.0"}
	sidecar := plan.Field{Path: "/metadata/annotations/sidecar.example.com~1revision", At: `metadata.annotations[sidecar.example.com/revision]`, Before: "7", After: "8"}
	f.app(plan.Application{Name: "shop-production", Environment: "production", Path: "apps/shop/overlays/production", Cluster: "prod-eu", Changes: []plan.Change{
		live(image, plan.Live{
			Result: plan.WillUpdate, Restarts: true, Effect: []plan.Field{mirrored, sidecar},
			TakesFrom: []plan.LiveField{liveField("spec.replicas", 7, 3, autoscaler)},
			Keeps:     []plan.LiveField{liveField("spec.template.spec.nodeSelector", nil, nil, kubectl)},
			Drift:     []plan.LiveField{liveField("spec.template.spec.containers[name=app].resources.limits.memory", "1Gi", "512Mi", person)},
		}),
		live(refused, plan.Live{Result: plan.Rejected, Reason: `admission webhook "validate.kyverno.svc" denied the request: images must be pinned by digest`}),
		live(config, plan.Live{Result: plan.NoEffect}),
		live(plan.Change{Action: plan.Create, Object: id("", "Service", "shop", "metrics"), Diff: "@@ -0,0 +1,3 @@\n+apiVersion: v1\n+kind: Service\n"}, plan.Live{
			Result: plan.WillAdopt, Effect: []plan.Field{{Path: "/spec/ports/0/port", At: "spec.ports[0].port", Before: 9000, After: 9090}},
		}),
		live(plan.Change{Action: plan.Create, Object: id("batch", "Job", "shop", "migrate"), Diff: "@@ -0,0 +1,3 @@\n+apiVersion: batch/v1\n+kind: Job\n"}, plan.Live{
			Result: plan.Unknown, Reason: `the webhook "mutate.vault.svc" does not support dry run`,
		}),
	}, Drifted: []plan.Drifted{{Object: id("apps", "Deployment", "shop", "search"), Live: plan.Live{
		Result: plan.WillUpdate, Restarts: true, Drift: []plan.LiveField{
			liveField("spec.replicas", 7, 3, autoscaler), liveField("spec.template.spec.containers[name=search].env[name=DEBUG].value", "1", nil, person),
		},
	}}}})
	f.app(plan.Application{Name: "shop-staging", Environment: "staging", Path: "apps/shop/overlays/staging", Cluster: "staging-eu", Changes: []plan.Change{
		live(bump("shop", "web", "1.4.2", "1.5.0", 1), plan.Live{Result: plan.WillUpdate, Restarts: true}),
		live(config, plan.Live{Result: plan.WillUpdate}),
	}})
	return f.plan()
}

// liveDrift changes next to nothing and would revert much.
func liveDrift() plan.Plan {
	f := newFixture(12).clusters("prod-eu")
	a := plan.Application{Name: "shop", Environment: "production", Cluster: "prod-eu", Changes: []plan.Change{live(plan.Change{
		Action: plan.Update, Object: id("apps", "Deployment", "shop", "web"),
		Fields: []plan.Field{{Path: "/metadata/labels/team", At: "metadata.labels.team", Before: "a", After: "b"}}, Diff: "@@ -1,2 +1,2 @@\n-    team: a\n+    team: b\n",
	}, plan.Live{Result: plan.WillUpdate, Drift: []plan.LiveField{liveField("spec.replicas", 7, 3, autoscaler)}})}}
	for i := range 8 {
		by := person
		by.Time = fmt.Sprintf("2026-11-1%dT08:00:00Z", i)
		a.Drifted = append(a.Drifted, plan.Drifted{Object: id("", "ConfigMap", "shop", fmt.Sprint("config-", i)), Live: plan.Live{
			Result: plan.WillUpdate, Drift: []plan.LiveField{liveField("data.LOG_LEVEL", "debug", "info", by)},
		}})
	}
	a.Drifted = append(a.Drifted,
		plan.Drifted{Object: id("", "Service", "shop", "web"), Live: plan.Live{Result: plan.WillCreate}},
		plan.Drifted{Object: id("", "Secret", "shop", "token"), Live: plan.Live{
			Result: plan.Rejected, Reason: "field is immutable when `immutable` is set",
			Drift: []plan.LiveField{liveField("data.token", "(secret #0001)", "(secret #0002)")},
		}})
	return f.app(a).plan()
}

// liveSilent has a cluster that does not answer.
func liveSilent() plan.Plan {
	f := newFixture(50).clusters("prod-eu")
	why := "connect to prod-us: certificate has expired"
	f.p.Clusters = append(f.p.Clusters, plan.Cluster{Name: "prod-us", Error: why}, plan.Cluster{Name: "prod-old", Error: "no credentials"})
	for i := range 10 {
		for _, cluster := range []string{"prod-eu", "prod-us"} {
			l := plan.Live{Result: plan.WillUpdate, Restarts: true}
			if cluster == "prod-us" {
				l = plan.Live{Result: plan.Unknown, Reason: "the cluster prod-us did not answer", Fault: true}
			}
			service := fmt.Sprint("svc-", i)
			f.app(plan.Application{Name: service + "-" + cluster, Environment: cluster, Cluster: cluster, Changes: []plan.Change{
				live(bump(service, "web", "1.4.2", "1.5.0", 2), l), live(bump(service, "worker", "1.4.2", "1.5.0", 2), l),
			}})
		}
	}
	return f.plan()
}

// liveFleet is one application on forty clusters that agree but for two.
func liveFleet() plan.Plan {
	f := newFixture(3)
	var same, differ []string
	for i := range 38 {
		same = append(same, fmt.Sprintf("edge-%02d", i))
	}
	differ = []string{"prod-ap", "prod-us"}
	f.clusters(same...).clusters(differ...)
	f.p.Clusters[3].Version = "v1.31.9"
	all := append(append([]string{}, same...), differ...)
	several := func(c plan.Change, answers ...plan.ClusterLive) plan.Change {
		c.Clusters, c.Live = answers, &answers[len(answers)-1].Live
		return c
	}
	revert := plan.Live{Result: plan.WillUpdate, Drift: []plan.LiveField{liveField("data.level", "debug", "info", person)}}
	f.app(plan.Application{Name: "agent", Environment: "edge", Changes: []plan.Change{
		several(bump("agent", "agent", "1.4.2", "1.5.0", 1),
			plan.ClusterLive{Clusters: same, Live: plan.Live{Result: plan.WillUpdate, Restarts: true}},
			plan.ClusterLive{Clusters: differ, Live: plan.Live{Result: plan.Rejected, Reason: "exceeded quota: compute, requested: limits.memory=2Gi, used: limits.memory=7Gi, limited: limits.memory=8Gi"}}),
		several(bump("agent", "logs", "1.4.2", "1.5.0", 1),
			plan.ClusterLive{Clusters: all[:39], Live: plan.Live{Result: plan.WillUpdate, Restarts: true}},
			plan.ClusterLive{Clusters: all[39:], Live: plan.Live{Result: plan.WillCreate}}),
		several(plan.Change{Action: plan.Create, Object: id("", "ConfigMap", "agent", "extra"), Diff: "+kind: ConfigMap\n"},
			plan.ClusterLive{Clusters: all, Live: plan.Live{Result: plan.WillCreate}}),
	}, Drifted: []plan.Drifted{{
		Object: id("", "ConfigMap", "agent", "base"), Live: revert, Clusters: []plan.ClusterLive{{Clusters: all[:2], Live: revert}},
	}}})
	return f.plan()
}

// liveOffline brings a kind and an object of it.
func liveOffline() plan.Plan {
	f := newFixture(3).clusters("prod-eu")
	f.app(plan.Application{Name: "widgets", Environment: "production", Cluster: "prod-eu", Status: plan.Added, Changes: []plan.Change{
		live(plan.Change{Action: plan.Update, Object: id("apiextensions.k8s.io", "CustomResourceDefinition", "", "gears.example.com"), Diff: "-  minimum: 1\n+  minimum: 2\n"}, plan.Live{
			Result: plan.WillUpdate, Invalid: []string{"shop/small: spec.teeth: should be at least 2", "shop/tiny: spec.teeth: should be at least 2"},
		}),
		live(plan.Change{Action: plan.Create, Object: id("apiextensions.k8s.io", "CustomResourceDefinition", "", "widgets.example.com"), Diff: "+kind: CustomResourceDefinition\n"}, plan.Live{Result: plan.WillCreate}),
		live(plan.Change{Action: plan.Create, Object: id("example.com", "Widget", "shop", "blue"), Diff: "+kind: Widget\n+spec: {size: 3}\n"}, plan.Live{
			Result: plan.WillCreate, Offline: true, Notes: []string{"spec.color gets its default: blue"},
		}),
		live(plan.Change{Action: plan.Create, Object: id("example.com", "Widget", "shop", "red"), Diff: "+kind: Widget\n+spec: {size: x}\n"}, plan.Live{
			Result: plan.Rejected, Offline: true, Reason: "spec.size: must be an integer, is a string",
		}),
	}})
	return f.plan()
}

// liveReplace replaces what cannot be changed and takes much with it.
func liveReplace() plan.Plan {
	f := newFixture(3).clusters("prod-eu")
	selector := plan.Change{
		Action: plan.Update, Object: id("apps", "Deployment", "shop", "web"),
		Fields: []plan.Field{{Path: "/spec/selector/matchLabels/app", At: "spec.selector.matchLabels.app", Before: "web", After: "shop"}},
		Diff:   "@@ -5,3 +5,3 @@\n   matchLabels:\n-    app: web\n+    app: shop\n",
	}
	class := plan.Change{
		Action: plan.Replace, Object: id("", "Service", "shop", "lb"), Fields: []plan.Field{{Path: "/spec/type", At: "spec.type", Before: "ClusterIP", After: "LoadBalancer"}},
		Diff: "@@ -5,3 +5,3 @@\n-  type: ClusterIP\n+  type: LoadBalancer\n",
	}
	f.app(plan.Application{Name: "shop", Environment: "production", Cluster: "prod-eu", Changes: []plan.Change{
		live(bump("shop", "worker", "1", "2", 1), plan.Live{Result: plan.WillUpdate, Restarts: true}),
		live(selector, plan.Live{Result: plan.WillReplace, Restarts: true, Reason: "spec.selector is immutable"}),
		live(class, plan.Live{Result: plan.WillUpdate}),
		live(plan.Change{Action: plan.Delete, Object: id("apiextensions.k8s.io", "CustomResourceDefinition", "", "widgets.example.com"), Diff: "-kind: CustomResourceDefinition\n"}, plan.Live{
			Result:  plan.WillDelete,
			Cascade: []plan.Cascade{{Kind: "example.com/Widget", Count: 12, Names: []string{"shop/a", "shop/b", "other/c"}, Note: "some of them in other namespaces"}},
		}),
		live(plan.Change{Action: plan.Delete, Object: id("", "Service", "shop", "old"), Diff: "-kind: Service\n"}, plan.Live{Result: plan.NoEffect}),
	}})
	return f.plan()
}

// liveHostile has clusters whose every text tries to be something else.
func liveHostile() plan.Plan {
	f := newFixture(3)
	evil := "`x` | @acme/admins #1 <!-- </details> <script>alert(1)</script> [x](https://evil.example) **b**\n\n# h\n```\n::error::x \u202e\x1b[31m | \\`"
	f.p.Clusters = []plan.Cluster{{Name: evil, Version: evil}, {Name: "silent" + evil, Error: evil}, {Name: "odd", Error: evil + "2"}}
	owner := plan.Owner{Manager: evil, Operation: evil, Subresource: evil, Time: evil, Controller: evil}
	fields := []plan.LiveField{liveField("a|`b`", evil, map[string]any{evil: evil}, owner, owner), liveField(evil, nil, evil), liveField("c", evil, nil, owner)}
	var effect []plan.Field
	for _, x := range fields {
		effect = append(effect, x.Field)
	}
	all := plan.Live{
		Result: plan.WillReplace, Reason: evil, Offline: true, Restarts: true, Effect: effect, Drift: fields, TakesFrom: fields, Keeps: fields,
		Cascade: []plan.Cascade{{Kind: evil, Count: 9, Names: []string{evil, "b"}, Note: evil}}, Invalid: []string{evil}, Notes: []string{evil},
	}
	refused, unknown, odd := all, all, all
	refused.Result, unknown.Result, odd.Result = plan.Rejected, plan.Unknown, plan.Result(evil)
	var changes []plan.Change
	for i, l := range []plan.Live{all, refused, unknown, odd} {
		c := bump(evil, fmt.Sprint("web", i, evil), "1", "2", 1)
		c.Diff = ""
		changes = append(changes, live(c, l))
	}
	changes[0].Clusters = []plan.ClusterLive{{Clusters: []string{evil}, Live: all}, {Clusters: []string{"silent" + evil, "b|c"}, Live: unknown}}
	f.app(plan.Application{Name: evil, Cluster: evil, Environment: "prod", Changes: changes, Drifted: []plan.Drifted{{Object: changes[0].Object, Live: refused}}})
	return f.plan()
}
