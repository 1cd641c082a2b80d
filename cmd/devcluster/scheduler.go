package main

// scheduler puts Pods on the node.
func (c *cluster) scheduler() program {
	return program{name: "kube-scheduler", args: []string{
		"--kubeconfig=" + c.dir.file("kube-scheduler", ".kubeconfig"),
		"--secure-port=0",
		"--leader-elect=false",
		"--kube-api-qps=1000",
		"--kube-api-burst=2000",
	}}
}
