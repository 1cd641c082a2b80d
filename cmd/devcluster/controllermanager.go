package main

// controllerManager turns Deployments into ReplicaSets and those into Pods, and so on. It listens
// nowhere and waits for no lease, being alone.
func (c *cluster) controllerManager() program {
	return program{name: "kube-controller-manager", args: []string{
		"--kubeconfig=" + c.dir.file("kube-controller-manager", ".kubeconfig"),
		"--secure-port=0",
		"--leader-elect=false",
		"--use-service-account-credentials=true",
		"--root-ca-file=" + c.dir.path("ca.crt"),
		"--service-account-private-key-file=" + c.dir.file("tokens", ".key"),
		"--cluster-signing-cert-file=" + c.dir.path("ca.crt"),
		"--cluster-signing-key-file=" + c.dir.path("ca.key"),
		"--allocate-node-cidrs=false",
		"--kube-api-qps=1000",
		"--kube-api-burst=2000",
	}}
}
