package report

import (
	"strings"
	"testing"

	"github.com/mergegate/mergegate/internal/manifest"
	"github.com/mergegate/mergegate/internal/plan"
)

func TestFieldNameTellsWhichFieldIsMeant(t *testing.T) {
	for at, want := range map[string]string{
		"spec.template.spec.containers[name=a.b].image": "image",
		"spec.replicas": "replicas",
		"spec.template.spec.containers[name=web].envFrom[0].configMapRef.name":   "envFrom[0].configMapRef.name",
		"spec.template.spec.containers[name=web].env[name=A.B].value":            "env[name=A.B].value",
		"spec.template.spec.containers[name=web].env[name=A].valueFrom.xRef.key": "env[name=A].valueFrom.xRef.key",
		"spec.scaleTargetRef.name":                  "scaleTargetRef.name",
		"spec.template.spec.containers[name=agent]": "containers[name=agent]",
		`metadata.labels["app.kubernetes.io/name"]`: `labels["app.kubernetes.io/name"]`,
		"/spec/template/spec/containers/0/image":    "image",
		"/spec/scaleTargetRef/name":                 "scaleTargetRef/name",
		"name":                                      "name",
		"":                                          "",
		"[.":                                        "[.",
	} {
		if got := fieldName(at); got != want {
			t.Errorf("fieldName(%q) is %q, want %q", at, got, want)
		}
	}
}

// config is the update of a ConfigMap that gets another generated name with its new content.
func config(before, after string) plan.Change {
	return plan.Change{
		Action: plan.Update, Object: id("", "ConfigMap", "shop", "web-config"),
		Fields: []plan.Field{{Path: "/data/LOG_LEVEL", At: "data.LOG_LEVEL", Before: "info", After: "debug"}},
		Diff:   "--- base\n+++ head\n@@ -3,5 +3,5 @@\n metadata:\n-  name: " + before + "\n+  name: " + after + "\n data:\n-  LOG_LEVEL: info\n+  LOG_LEVEL: debug\n",
	}
}

// reference is an update of a Deployment whose pods read another ConfigMap.
func reference(before, after string) plan.Change {
	return plan.Change{
		Action: plan.Update, Object: id("apps", "Deployment", "shop", "web"),
		Fields: []plan.Field{{
			Path: "/spec/template/spec/containers/0/envFrom/0/configMapRef/name",
			At:   "spec.template.spec.containers[name=web].envFrom[0].configMapRef.name", Before: before, After: after,
		}},
		Diff: "@@ -1 +1 @@\n-          name: " + before + "\n+          name: " + after + "\n",
	}
}

func TestPodsThatOnlyReadTheNewConfigurationRestart(t *testing.T) {
	const before, after = "web-config-hf678c7m2b", "web-config-47668c6k28"
	twice := reference(before, after)
	twice.Fields = append(twice.Fields, plan.Field{Path: "/spec/template/spec/volumes/0/configMap/name", Before: before, After: after})
	more := reference(before, after)
	more.Fields = append(more.Fields, plan.Field{Path: "/spec/replicas", Before: 1, After: 2})
	elsewhere := reference(before, after)
	elsewhere.Object.Namespace = "other"
	outside := reference(before, after)
	outside.Fields[0].Path = "/spec/selector/name"
	argument := reference(before, after)
	argument.Fields[0].Path = "/spec/template/spec/containers/0/env/0/name"
	data := config(before, after)
	data.Fields = append(data.Fields, plan.Field{Path: "/data/name", Before: before, After: after})
	moved := config(before, after)
	moved.Fields = []plan.Field{{Path: "/binaryData", Before: map[string]any{"name": before}}, {Path: "/data", After: map[string]any{"name": after}}}
	for name, c := range map[string]struct {
		config, user plan.Change
		want         bool
	}{
		"the same names":                {config(before, after), reference(before, after), true},
		"two references":                {config(before, after), twice, true},
		"a masked hash":                 {config("'db-(hash #0001)'", "'db-(hash #0002)'"), reference("db-(hash #0001)", "db-(hash #0002)"), true},
		"another name":                  {config(before, after), reference(before, "web-config-aaaaaaaaaa"), false},
		"another field beside":          {config(before, after), more, false},
		"another namespace":             {config(before, after), elsewhere, false},
		"outside of the pod template":   {config(before, after), outside, false},
		"a variable":                    {config(before, after), argument, false},
		"names of two whole fields":     {moved, reference(before, after), false},
		"a name that is only in a data": {data, reference(before, after), false},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(1)
			create := plan.Change{Action: plan.Create, Object: id("", "Service", "shop", "zzz")}
			f.app(plan.Application{Name: "web", Changes: []plan.Change{c.user, c.config, create}})
			body := Comment(f.plan(), fixtureOptions)
			if got := strings.Contains(body, "<b>update</b> <code>Deployment/web</code> · restarts with the new <code>web-config</code>"); got != c.want {
				t.Errorf("restarts: %v, want %v:\n%s", got, c.want, body)
			}
			if last := strings.LastIndex(body, "<summary>"); c.want && !strings.Contains(body[last:], "Deployment/web") {
				t.Errorf("a restart comes before what causes it:\n%s", body)
			}
		})
	}
}

func TestPlacesNameTheirFileOnce(t *testing.T) {
	c := change{Change: plan.Change{Fields: []plan.Field{
		{Source: spot("a.yaml", 9, "patch")}, {Source: spot("a.yaml", 16, "patch")}, {Source: spot("b.yaml", 3, "images")}, {Source: spot("a.yaml", 9, "patch")}, {},
	}}}
	want := "[`a.yaml:9`](https://g.example/a.yaml#L9) and [`:16`](https://g.example/a.yaml#L16) (`patch`) and [`b.yaml:3`](https://g.example/b.yaml#L3) (`images`)"
	if got := c.sources(scope{blob: "https://g.example"}); got != want {
		t.Errorf("sources are %s, want %s", got, want)
	}
}

func TestMessagesDoNotRepeatTheirPlace(t *testing.T) {
	at := &manifest.Location{File: "a/b.yaml", Line: 3}
	for message, want := range map[string]string{
		"a/b.yaml:3: no such key":  "no such key",
		"a/b.yaml: no such key":    "no such key",
		"a/b.yaml:4: no such key":  "a/b.yaml:4: no such key",
		"a/b.yaml:3: ":             "a/b.yaml:3: ",
		"see a/b.yaml:3: here":     "see a/b.yaml:3: here",
		"a/b.yaml:3: a/b.yaml:3: ": "a/b.yaml:3: ",
	} {
		if got := told(message, at); got != want {
			t.Errorf("told(%q) is %q, want %q", message, got, want)
		}
	}
	if got := told(": x", &manifest.Location{}); got != ": x" {
		t.Errorf("without a place: %q", got)
	}
}
