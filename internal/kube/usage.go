package kube

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
)

// Usage is what an object uses of what quotas limit, by the names that quotas have for it.
func Usage(k Kind, object map[string]any) map[string]resource.Quantity {
	used := map[string]resource.Quantity{}
	one := *resource.NewQuantity(1, resource.DecimalSI)
	used["count/"+strings.TrimSuffix(k.Resource+"."+k.Group, ".")] = one
	if k.Group != "" {
		return used
	}
	spec := at(object, "spec")
	switch k.Kind {
	case "Pod":
		podUsage(spec, used)
	case "Service":
		serviceUsage(spec, used)
	case "PersistentVolumeClaim":
		storage := amount(at(spec, "resources", "requests", "storage"))
		used["requests.storage"] = storage
		if class, ok := at(spec, "storageClassName").(string); ok {
			used[class+".storageclass.storage.k8s.io/requests.storage"] = storage
			used[class+".storageclass.storage.k8s.io/persistentvolumeclaims"] = one
		}
	}
	used[k.Resource] = one
	return used
}

func serviceUsage(spec any, used map[string]resource.Quantity) {
	ports := list(at(spec, "ports"))
	kind := at(spec, "type")
	switch {
	case kind == "LoadBalancer":
		used["services.loadbalancers"] = *resource.NewQuantity(1, resource.DecimalSI)
		if at(spec, "allocateLoadBalancerNodePorts") == false {
			ports = slices.DeleteFunc(slices.Clone(ports), func(p any) bool { return at(p, "nodePort") == nil })
		}
	case kind != "NodePort":
		return
	}
	used["services.nodeports"] = *resource.NewQuantity(int64(len(ports)), resource.DecimalSI)
}

// podUsage sums up what containers ask for: all that run at the same time, or what one that runs
// before them needs, whichever is more.
func podUsage(spec any, used map[string]resource.Quantity) {
	for _, field := range []string{"requests", "limits"} {
		total := podSum(spec, field)
		for name, value := range fieldsOf(at(spec, "overhead")) {
			addTo(total, name, amount(value))
		}
		for name, value := range total {
			used[field+"."+name] = value
			if field == "requests" {
				used[name] = value
			}
		}
	}
}

func podSum(spec any, field string) map[string]resource.Quantity {
	running, most := map[string]resource.Quantity{}, map[string]resource.Quantity{}
	atLeast := func(name string, value resource.Quantity) {
		if have := most[name]; have.Cmp(value) < 0 {
			most[name] = value
		}
	}
	for _, c := range list(at(spec, "initContainers")) {
		stays := at(c, "restartPolicy") == "Always"
		for name, value := range fieldsOf(at(c, "resources", field)) {
			if stays {
				addTo(running, name, amount(value))
				continue
			}
			need := amount(value)
			need.Add(running[name])
			atLeast(name, need)
		}
	}
	for _, c := range list(at(spec, "containers")) {
		for name, value := range fieldsOf(at(c, "resources", field)) {
			addTo(running, name, amount(value))
		}
	}
	for name, value := range running {
		atLeast(name, value)
	}
	return most
}

func addTo(total map[string]resource.Quantity, name string, value resource.Quantity) {
	sum := total[name]
	sum.Add(value)
	total[name] = sum
}

func fieldsOf(v any) map[string]any {
	fields, _ := v.(map[string]any) // nothing where there is none
	return fields
}

func amount(v any) resource.Quantity {
	q, err := resource.ParseQuantity(fmt.Sprint(v))
	if err != nil {
		return resource.Quantity{}
	}
	return q
}
