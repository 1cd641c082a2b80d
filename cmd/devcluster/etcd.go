package main

// etcd keeps the objects. It does not flush to disk: the data outlives a stop, not a power cut. Only
// holders of a certificate of the cluster's authority get in.
func (c *cluster) etcd() program {
	client, peer := "https://"+loopback(c.ports.Etcd), "https://"+loopback(c.ports.Peer)
	certificate, key, authority := c.dir.file("etcd", ".crt"), c.dir.file("etcd", ".key"), c.dir.path("ca.crt")
	return program{name: "etcd", args: []string{
		"--name=default",
		"--data-dir=" + c.dir.path("etcd"),
		"--listen-client-urls=" + client,
		"--advertise-client-urls=" + client,
		"--listen-peer-urls=" + peer,
		"--initial-advertise-peer-urls=" + peer,
		"--initial-cluster=default=" + peer,
		"--cert-file=" + certificate,
		"--key-file=" + key,
		"--client-cert-auth",
		"--trusted-ca-file=" + authority,
		"--peer-cert-file=" + certificate,
		"--peer-key-file=" + key,
		"--peer-client-cert-auth",
		"--peer-trusted-ca-file=" + authority,
		"--unsafe-no-fsync=true",
		"--log-level=warn",
	}}
}
