package schema

import (
	"strings"
	"testing"
)

const (
	plainPod      = "{containers: [{name: a, image: b}]}"
	privilegedPod = "{containers: [{name: a, image: b, securityContext: {privileged: true}}]}"
	restrictedPod = "{securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}, containers: [{name: a, image: b, securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}}]}"
)

func TestPodSecurity(t *testing.T) {
	pod := func(spec string) string {
		return "{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: " + spec + "}"
	}
	deployment := func(spec string) string {
		return "{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {template: {spec: " + spec + "}}}"
	}
	cron := func(spec string) string {
		return "{apiVersion: batch/v1, kind: CronJob, metadata: {name: a}, spec: {jobTemplate: {spec: {template: {spec: " + spec + "}}}}}"
	}
	const enforce, warn = "pod-security.kubernetes.io/enforce", "pod-security.kubernetes.io/warn"
	for name, test := range map[string]struct {
		labels          map[string]string
		object          string
		problem, warned string
	}{
		"no labels":             {nil, pod(privilegedPod), "", ""},
		"baseline, plain":       {map[string]string{enforce: "baseline"}, pod(plainPod), "", ""},
		"baseline, privileged":  {map[string]string{enforce: "baseline"}, pod(privilegedPod), `violates PodSecurity "baseline:latest": privileged (container "a"`, ""},
		"restricted, plain":     {map[string]string{enforce: "restricted"}, pod(plainPod), `violates PodSecurity "restricted:latest": allowPrivilegeEscalation`, ""},
		"restricted, good":      {map[string]string{enforce: "restricted"}, pod(restrictedPod), "", ""},
		"of a version":          {map[string]string{enforce: "restricted", enforce + "-version": "v1.18"}, pod(restrictedPod), "", ""},
		"unknown level":         {map[string]string{enforce: "strict"}, pod(plainPod), `violates PodSecurity "restricted:latest"`, ""},
		"warn":                  {map[string]string{warn: "restricted"}, pod(plainPod), "", `would violate PodSecurity "restricted:latest"`},
		"deployment, enforced":  {map[string]string{enforce: "baseline"}, deployment(privilegedPod), "", `would violate PodSecurity "baseline:latest": privileged`},
		"deployment, plain":     {map[string]string{enforce: "baseline", warn: "baseline"}, deployment(plainPod), "", ""},
		"cron job":              {map[string]string{warn: "baseline"}, cron(privilegedPod), "", `would violate PodSecurity "baseline:latest": privileged`},
		"no template":           {map[string]string{enforce: "restricted"}, "{apiVersion: v1, kind: ReplicationController, spec: {}}", "", ""},
		"another kind":          {map[string]string{enforce: "restricted"}, "{apiVersion: v1, kind: ConfigMap}", "", ""},
		"another kind of Pod":   {map[string]string{enforce: "restricted"}, "{apiVersion: example.com/v1, kind: Pod, spec: {}}", "", ""},
		"host path in baseline": {map[string]string{enforce: "baseline"}, pod("{volumes: [{name: v, hostPath: {path: /}}], containers: []}"), `hostPath volumes (volume "v")`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			found, warnings, err := PodSecurity(test.labels, object(t, test.object))
			if err != nil {
				t.Fatal(err)
			}
			if got := text(found); (got == "") != (test.problem == "") || !strings.Contains(got, test.problem) {
				t.Errorf("problems %q, want %q", got, test.problem)
			}
			if got := strings.Join(warnings, "\n"); (got == "") != (test.warned == "") || !strings.Contains(got, test.warned) {
				t.Errorf("warnings %q, want %q", got, test.warned)
			}
		})
	}
	if _, _, err := PodSecurity(map[string]string{enforce: "baseline"}, object(t, pod("{containers: 5}"))); err == nil {
		t.Error("no error for a Pod that does not decode")
	}
}
