package main

import "strconv"

// apiserver is the API server, as it comes: RBAC, quota, admission policies and webhooks are on.
func (c *cluster) apiserver() program {
	return program{name: "kube-apiserver", args: []string{
		"--bind-address=127.0.0.1",
		"--advertise-address=127.0.0.1",
		"--secure-port=" + strconv.Itoa(c.ports.API),
		"--tls-cert-file=" + c.dir.file("kube-apiserver", ".crt"),
		"--tls-private-key-file=" + c.dir.file("kube-apiserver", ".key"),
		"--client-ca-file=" + c.dir.path("ca.crt"),
		"--etcd-servers=https://" + loopback(c.ports.Etcd),
		"--etcd-cafile=" + c.dir.path("ca.crt"),
		"--etcd-certfile=" + c.dir.file("etcd", ".crt"),
		"--etcd-keyfile=" + c.dir.file("etcd", ".key"),
		"--authorization-mode=RBAC",
		"--allow-privileged=true",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + c.dir.file("tokens", ".pub"),
		"--service-account-signing-key-file=" + c.dir.file("tokens", ".key"),
		"--service-cluster-ip-range=10.96.0.0/16",
		"--endpoint-reconciler-type=none",
	}}
}
