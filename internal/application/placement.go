package application

import (
	"slices"
	"strings"
)

// placement is where a path says that its application is deployed.
type placement struct{ environment, cluster string }

// placementOf reads a path: overlays/ENVIRONMENT, envs/ENVIRONMENT, environments/ENVIRONMENT and
// clusters/CLUSTER, the last of each kind; else the last segment that is a well-known environment.
func placementOf(dir string) placement {
	var p placement
	known := ""
	segments := strings.Split(dir, "/")
	for i, segment := range segments {
		if slices.Contains([]string{"production", "prod", "staging", "stage", "dev", "development", "test", "qa"}, segment) {
			known = segment
		}
		if i == 0 {
			continue
		}
		switch segments[i-1] {
		case "overlays", "envs", "environments":
			p.environment = segment
		case "clusters":
			p.cluster = segment
		}
	}
	if p.environment == "" {
		p.environment = known
	}
	return p
}
