package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mergegate/mergegate/internal/clustertest"
)

// fleet is the clusters of the sample repository, with what is on its branch main applied to them.
type fleet struct {
	staging, production *clustertest.Cluster
	kubeconfig          string // of both, by the names that the applications give them
}

func newFleet(t *testing.T) *fleet {
	t.Helper()
	f := &fleet{
		staging:    clustertest.New(t, clustertest.Options{ControlPlaneOnly: true, Name: "staging-eu"}),
		production: clustertest.New(t, clustertest.Options{ControlPlaneOnly: true, Name: "prod-eu"}),
	}
	for environment, cluster := range map[string]*clustertest.Cluster{"staging": f.staging, "production": f.production} {
		overlay, err := filepath.Abs("../../testdata/sample/apps/shop/overlays/" + environment)
		if err != nil {
			t.Fatal(err)
		}
		cluster.Kubectl(t, "", "apply", "--server-side", "--field-manager", "mergegate", "-k", overlay)
	}
	merge := exec.CommandContext(t.Context(), clustertest.Binary(t), "kubectl", "config", "view", "--flatten")
	merge.Env = append(os.Environ(), "KUBECONFIG="+f.staging.Kubeconfig+string(os.PathListSeparator)+f.production.Kubeconfig)
	both, err := merge.Output()
	if err != nil {
		t.Fatal(err)
	}
	f.kubeconfig = filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(f.kubeconfig, both, 0o600); err != nil {
		t.Fatal(err)
	}
	return f
}

const already = "Already different in the cluster, this merge would revert it"

// The whole way of what is live: a plan tells drift from change, the sweep shows what changes in a
// cluster while the pull request is open and nothing when nothing does, and a cluster that is gone
// makes its own rows unknown and the check no success.
func TestLiveClusters(t *testing.T) {
	f := newFleet(t)
	f.staging.Kubectl(t, "", "-n", "shop-staging", "scale", "deployment", "shop", "--replicas=9")
	w := newWorld(t)
	w.serve("MERGEGATE_CLUSTERS_KUBECONFIG="+f.kubeconfig, "MERGEGATE_CLUSTERS_REFRESH=200ms", "MERGEGATE_SWEEP_INTERVAL=500ms")
	number, head := w.change("bump", kustomization("1.9.0", ""))
	w.expect(head, 1, "success", "success")
	body := w.commented(number, "1.9.0", already, "`9`", "`prod-eu`", "`staging-eu`")
	if drift := body[strings.Index(body, already):]; strings.Contains(drift[:strings.Index(drift, "**Changes**")], "shop-production") {
		t.Errorf("production has not drifted:\n%s", body)
	}

	f.staging.Kubectl(t, "", "-n", "shop-staging", "scale", "deployment", "shop", "--replicas=1")
	w.until("the comment shows that the drift is gone", func() bool {
		return !strings.Contains(w.ours(number)[0].Body, already)
	})
	w.expect(head, 2, "success", "success")
	before := strings.Count(w.log.String(), "clusters say something else now")
	looked := strings.Count(w.log.String(), "sweep found work")
	w.until("the sweep has looked three more times", func() bool { return strings.Count(w.log.String(), "sweep found work") >= looked+3 })
	if now := strings.Count(w.log.String(), "clusters say something else now"); now != before {
		t.Errorf("%d plans were shown anew although nothing changed", now-before)
	}
	w.expectRuns(head, 2)

	server := f.production.Kubectl(t, "", "config", "view", "--minify", "-o", "jsonpath={.clusters[0].cluster.server}")
	f.production.Stop(t)
	plan, _ := w.settled(head, 3)
	if plan.Conclusion != "failure" {
		t.Errorf("nothing is known of production, and the check is %s", plan.Conclusion)
	}
	body = w.commented(number, "cannot be reached", "prod-eu", "did not answer")
	if strings.Contains(body, already) {
		t.Errorf("what is not known is called different:\n%s", body)
	}
	if _, address, _ := strings.Cut(server, "//"); address == "" || strings.Contains(body, address) {
		t.Errorf("the comment shows where the cluster is:\n%s", body)
	}
}

// Nothing live is read for a fork: its author could have the cluster say what is in it.
func TestLiveIsNotReadForForks(t *testing.T) {
	f := newFleet(t)
	f.staging.Kubectl(t, "", "-n", "shop-staging", "scale", "deployment", "shop", "--replicas=9")
	w := newWorld(t)
	w.serve("MERGEGATE_CLUSTERS_KUBECONFIG=" + f.kubeconfig)
	number, head := w.forkChange("bump", kustomization("1.9.0", ""))
	plan, _ := w.settled(head, 1)
	body := w.commented(number, "1.9.0", "no cluster was asked")
	if strings.Contains(body+plan.Output.Summary+plan.Output.Text, already) {
		t.Errorf("what is live is shown to a fork:\n%s", body)
	}
	if !slices.Contains([]string{"success", "failure"}, plan.Conclusion) {
		t.Errorf("the check is %s", plan.Conclusion)
	}
}
