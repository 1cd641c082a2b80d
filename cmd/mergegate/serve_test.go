package main

import (
	"strings"
	"testing"
)

const shopImage = "apps/shop/base/kustomization.yaml"

// bump is the shop's base with another image tag.
func bump(tag string) map[string]string {
	return map[string]string{shopImage: `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
  - deployment.yaml
  - service.yaml
images:
  - name: registry.example.com/shop/web
    newTag: ` + tag + `
configMapGenerator:
  - name: shop-config
    literals:
      - LOG_LEVEL=info
`}
}

func TestPullRequestGetsItsChecksAndComment(t *testing.T) {
	w := newWorld(t)
	w.serve()
	number, head := w.change("bump", bump("1.9.0"))
	plan, policy := w.settled(head, 1)
	if plan.Conclusion != "success" || policy.Conclusion != "success" {
		t.Errorf("plan %s, policy %s, want success twice\n%s\n%s", plan.Conclusion, policy.Conclusion, plan.Output.Summary, policy.Output.Summary)
	}
	body := w.commented(number, "shop-production", "shop-staging", "1.9.0")
	if strings.Contains(body, "checkout") {
		t.Errorf("the comment speaks of applications that are not affected:\n%s", body)
	}
}
