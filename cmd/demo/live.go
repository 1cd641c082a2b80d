package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
)

// The clusters of the sample, and the environments that they are for.
const (
	stagingCluster    = "staging-eu"
	productionCluster = "prod-eu"
)

// hand is a change that somebody makes in a cluster, past Git.
type hand struct {
	why     string
	cluster string
	kubectl []string
}

func hands() []hand {
	return []hand{
		{"an incident at night", productionCluster, []string{"-n", "shop-production", "set", "resources", "deployment/shop", "--limits=memory=1Gi"}},
		{"a test of the network", productionCluster, []string{"-n", "shop-production", "delete", "networkpolicy", "default-deny"}},
		{"a load test", stagingCluster, []string{"-n", "shop-staging", "scale", "deployment/shop", "--replicas=3"}},
	}
}

// clusters starts the clusters of the sample, brings main to them, and changes them by hand.
func (d *demo) clusters(ctx context.Context) error {
	if err := d.world.startClusters(ctx, d.devcluster, stagingCluster, productionCluster); err != nil {
		return err
	}
	d.step("Started two clusters, %s and %s: Kubernetes API servers, of %s", bold(stagingCluster), bold(productionCluster), d.devcluster)
	environments := map[string]string{stagingCluster: "staging", productionCluster: "production"}
	if err := each(d.world.clusters, func(c *cluster) error { return d.bring(ctx, c, environments[c.name]) }); err != nil {
		return err
	}
	d.step("Applied main to them as a rollout would: server-side, as field manager mergegate")
	for _, h := range hands() {
		if _, err := d.world.cluster(h.cluster).kubectl(ctx, "", h.kubectl...); err != nil {
			return err
		}
		d.step("By hand in %s, for %s: %s", bold(h.cluster), h.why, code("kubectl "+strings.Join(h.kubectl, " ")))
	}
	return nil
}

// bring applies the applications of an environment, and waits until the platform judges them.
func (d *demo) bring(ctx context.Context, c *cluster, environment string) error {
	overlays, err := filepath.Glob(filepath.Join(d.sample, "apps", "*", "overlays", environment))
	if err != nil || len(overlays) == 0 {
		return errors.Join(err, fmt.Errorf("find the applications of %s in %s: there are none", environment, d.sample))
	}
	if _, err := c.kubectl(ctx, "", "wait", "--for=condition=Established", "crd/externalsecrets.external-secrets.io", "--timeout=30s"); err != nil {
		return err
	}
	for _, dir := range overlays {
		if _, err := c.kubectl(ctx, "", "apply", "--server-side", "--field-manager=mergegate", "-k", dir); err != nil {
			return err
		}
	}
	return d.world.wait(ctx, "cluster "+c.name+" enforces its policies", func(ctx context.Context) (bool, error) {
		_, err := c.kubectl(ctx, hostPath, "create", "--dry-run=server", "-f", "-")
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		return err != nil && strings.Contains(err.Error(), "no-host-path"), nil
	})
}

// hostPath is what the platform refuses.
const hostPath = `{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "probe", "namespace": "default"}, "spec": {
"selector": {"matchLabels": {"app": "probe"}}, "template": {"metadata": {"labels": {"app": "probe"}}, "spec": {
"containers": [{"name": "main", "image": "probe"}], "volumes": [{"name": "node", "hostPath": {"path": "/"}}]}}}}`

// outage stops the cluster of production while a pull request waits for its merge, and starts it again.
func (d *demo) outage(ctx context.Context, p *pullRequest) error {
	d.heading("%s goes away while #%d is open", productionCluster, p.number)
	production := d.world.cluster(productionCluster)
	if err := production.stop(); err != nil {
		return err
	}
	d.step("Stopped %s", bold(productionCluster))
	if err := d.planAgain(ctx, p); err != nil {
		return err
	}
	d.line("")
	d.presentComment(p, maxOutage)
	d.line("")
	shown, name := words(p.said.Body), fmt.Sprintf("#%d %s: ", p.number, p.kind)
	d.claims.add(name+"what a cluster that is away would do is unknown, and no success",
		p.plan.Conclusion != "success" && strings.Contains(shown, "UNKNOWN") && strings.Contains(shown, productionCluster+" did not answer"), "plan "+p.plan.Conclusion)
	d.claims.add(name+"nor is it taken for different", !strings.Contains(shown, "lready different"), "nothing is called different")
	if err := d.refused(ctx, p); err != nil {
		return err
	}
	if err := production.start(ctx); err != nil {
		return err
	}
	d.step("Started %s again", bold(productionCluster))
	if err := d.planAgain(ctx, p); err != nil {
		return err
	}
	d.step("Check %s: %s: %s", bold(planCheck), p.plan.Conclusion, clean(p.plan.Output.Title))
	d.claims.add(name+"the cluster is back, and so is success", p.plan.Conclusion == "success", "plan "+p.plan.Conclusion)
	return nil
}

// planAgain has ann ask for a new plan, and waits until the comment says something else.
func (d *demo) planAgain(ctx context.Context, p *pullRequest) error {
	before, body := p.plan.ID, p.said.Body
	if _, err := d.ann.say(ctx, p.number, "/plan"); err != nil {
		return err
	}
	d.step("ann wrote %s in a comment on #%d", code("/plan"), p.number)
	return d.world.wait(ctx, fmt.Sprintf("mergegate has planned #%d again", p.number), func(ctx context.Context) (bool, error) {
		p.said = comment{}
		lacks, err := d.look(ctx, p)
		return lacks == "" && p.plan.ID != before && p.said.Body != body, err
	})
}

// fenced is a difference in a comment: what the pull request does.
var fenced = regexp.MustCompile("(?s)```diff\n.*?\n\\s*```")

// claimDrift records that the comment tells what the pull request does from what was changed by hand.
func (d *demo) claimDrift(p *pullRequest) {
	name := fmt.Sprintf("#%d %s: ", p.number, p.kind)
	shown := words(p.said.Body)
	table, drift, _ := strings.Cut(shown, "Already different in the cluster")
	drift, _, _ = strings.Cut(drift, "\nChanges\n")
	d.claims.has(name+"what was changed by hand stands apart", drift, "1Gi → 512Mi", "3 → 1", "default-deny")
	d.claims.has(name+"and who changed it", drift, "kubectl-set", "by hand")
	does := strings.Join(fenced.FindAllString(p.said.Body, -1), "\n")
	d.claims.add(name+"its difference is its own alone", strings.Contains(does, "+        image: registry.example.com/shop/web:1.9.0") && !strings.Contains(does, "1Gi"),
		"1.9.0, and no 1Gi")
	d.claims.has(name+"what the clusters would do", table, "as planned", "pods restart", "reverts drift of")
}

// words is a comment as its readers see it, without line breaks of the screen and without marks of style.
func words(body string) string {
	return plainScreen(nil).styles.Replace(strings.Join(markdown(body, 1000), "\n"))
}

// claimRefused records that the comment has the words of the cluster that refuses.
func (d *demo) claimRefused(p *pullRequest) {
	d.claims.has(fmt.Sprintf("#%d %s: %s would refuse it", p.number, p.kind, productionCluster), p.said.Body, "REJECTED", "no-host-path")
}
