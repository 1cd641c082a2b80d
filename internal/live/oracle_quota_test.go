package live

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/mergegate/mergegate/internal/manifest"
)

func objectOf(content map[string]any) *manifest.Object {
	return &manifest.Object{ID: identityOf(content), Content: content}
}

// countedAt are the paths of what quotas count.
var countedAt = map[string]string{ //nolint:gochecknoglobals // a table
	"count/configmaps": "/api/v1/%s/configmaps", "secrets": "/api/v1/%s/secrets", "services": "/api/v1/%s/services", "services.nodeports": "/api/v1/%s/services",
	"count/deployments.apps": "/apis/apps/v1/%s/deployments", "persistentvolumeclaims": "/api/v1/%s/persistentvolumeclaims", "requests.storage": "/api/v1/%s/persistentvolumeclaims",
	"requests.cpu": "/api/v1/%s/pods", "pods": "/api/v1/%s/pods", "count/gadgets.example.com": "/apis/example.com/v1/%s/gadgets", "count/jobs.batch": "/apis/batch/v1/%s/jobs",
	"count/roles.rbac.authorization.k8s.io": "/apis/rbac.authorization.k8s.io/v1/%s/roles", "count/endpoints": "/api/v1/%s/endpoints",
}

// limitedKinds are the kinds that are in the namespaces of a quota.
var limitedKinds = []string{"ConfigMap", "Secret", "Service", "Deployment", "PersistentVolumeClaim", "Pod", "Gadget", "Job", "Role", "Lease", "Ingress"} //nolint:gochecknoglobals // a table

// boundKinds are predicted together: what one of them is to others is known to one prediction only.
var boundKinds = []string{"LimitRange", "ResourceQuota", "Pod", "PersistentVolumeClaim", "Job", "Lease"} //nolint:gochecknoglobals // a table

// used is how much of a resource is in use in the namespace, as the quota controller would count.
func (b *batch) used(ctx context.Context, name string) (int, error) {
	path := fmt.Sprintf(countedAt[name], "namespaces/"+b.namespace)
	r, err := b.do(ctx, "GET", path, "", nil)
	if err != nil || !r.ok() {
		return 0, fmt.Errorf("count %s: %w %v", name, err, r.object["message"])
	}
	n := 0
	for _, item := range items(r.object["items"]) {
		switch spec := fields(item, "spec"); name {
		case "requests.storage":
			q, err := resource.ParseQuantity(text(fields(spec, "resources", "requests")["storage"]))
			if err != nil {
				return 0, err
			}
			n += int(q.Value())
		case "requests.cpu":
			for _, c := range items(spec["containers"]) {
				q, err := resource.ParseQuantity(cmp.Or(text(fields(c, "resources", "requests")["cpu"]), "0"))
				if err != nil {
					return 0, err
				}
				n += int(q.MilliValue())
			}
		case "services.nodeports":
			if spec["type"] == "NodePort" || spec["type"] == "LoadBalancer" {
				n += len(items(spec["ports"]))
			}
		default:
			n++
		}
	}
	return n, nil
}

// release removes an object, and gives back what it used of the quota, as the quota controller would.
func (b *batch) release(ctx context.Context, object map[string]any) (reply, error) {
	said, err := b.remove(ctx, object)
	if err != nil || b.profile != "quota" || !said.ok() {
		return said, err
	}
	for range 20 {
		path := "/api/v1/namespaces/" + b.namespace + "/resourcequotas/quota"
		r, err := b.do(ctx, "GET", path, "", nil)
		if err != nil || !r.ok() {
			return said, fmt.Errorf("read the quota: %w %v", err, r.object["message"])
		}
		for name := range countedAt {
			n, err := b.used(ctx, name)
			if err != nil {
				return said, err
			}
			unit := ""
			if name == "requests.cpu" {
				unit = "m"
			}
			if fields(r.object, "status", "used")[name] != nil {
				put(r.object, []string{"status", "used", name}, fmt.Sprintf("%d%s", n, unit))
			}
		}
		r, err = b.do(ctx, "PUT", path+"/status", "", r.object)
		if err != nil || r.ok() {
			return said, err
		}
		if !strings.Contains(text(r.object["message"]), "modified") {
			return said, fmt.Errorf("give back: %v", r.object["message"])
		}
	}
	return said, nil
}
