package render

import (
	"fmt"
	"testing"
	"time"
)

const smallOverlay = `
-- base/kustomization.yaml --
resources: [deployment.yaml]
configMapGenerator:
  - name: settings
    literals: [level=debug]
-- base/deployment.yaml --
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 1
  template:
    spec:
      containers:
        - name: web
          image: nginx:1.0
          envFrom: [{configMapRef: {name: settings}}]
-- prod/kustomization.yaml --
resources: [../base]
namePrefix: prod-
images: [{name: nginx, newTag: "1.2"}]
patches:
  - patch: |
      apiVersion: apps/v1
      kind: Deployment
      metadata:
        name: web
      spec:
        replicas: 3
`

func TestSmoke(t *testing.T) {
	p := newPool(t, Config{Workers: 1})
	for range 4 {
		begin := time.Now()
		r, err := p.Render(t.Context(), Request{Tree: tree(smallOverlay), Path: "prod", Type: TypeKustomize})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println(time.Since(begin), r.Inputs)
		for _, o := range r.Objects {
			fmt.Println(o.ID, o.Stem, o.Content)
		}
	}
	for _, probe := range []string{"exec", "fork", "dial", "listen", "unix", "read", "write", "remove", "rename", "kill", "environment", "crash", "memory", "leap"} {
		begin := time.Now()
		out, err := probeWorker(t.Context(), p, probe)
		fmt.Println(probe, out, err, time.Since(begin))
	}
}
