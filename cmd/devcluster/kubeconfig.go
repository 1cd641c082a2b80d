package main

import (
	"fmt"
	"os"

	"k8s.io/client-go/tools/clientcmd"
	kubeconfig "k8s.io/client-go/tools/clientcmd/api"
)

// user is somebody for whom there is a kubeconfig.
type user struct{ name, group, path string }

func (c *cluster) users() []user {
	return []user{
		{name: "devcluster-admin", group: "system:masters", path: c.dir.kubeconfig()},
		{name: "kwok", group: "system:masters", path: c.dir.file("kwok", ".kubeconfig")},
		{name: "system:kube-controller-manager", path: c.dir.file("kube-controller-manager", ".kubeconfig")},
		{name: "system:kube-scheduler", path: c.dir.file("kube-scheduler", ".kubeconfig")},
	}
}

// writeIdentities makes the certificates and kubeconfigs of everybody in the cluster.
func (c *cluster) writeIdentities() error {
	authority, err := openAuthority(c.dir)
	if err != nil {
		return err
	}
	if err := writeTokenKeys(c.dir); err != nil {
		return err
	}
	for _, name := range []string{"etcd", "kube-apiserver"} {
		server, err := authority.server(name)
		if err != nil {
			return err
		}
		if err := server.write(c.dir, name); err != nil {
			return err
		}
	}
	for _, user := range c.users() {
		if err := c.writeKubeconfig(authority, user); err != nil {
			return err
		}
	}
	return nil
}

func (c *cluster) writeKubeconfig(authority *authority, user user) error {
	client, err := authority.client(user.name, user.group)
	if err != nil {
		return err
	}
	trusted, err := os.ReadFile(c.dir.path("ca.crt"))
	if err != nil {
		return fmt.Errorf("read authority: %w", err)
	}
	config := kubeconfig.NewConfig()
	config.Clusters[c.name] = &kubeconfig.Cluster{Server: "https://" + loopback(c.ports.API), CertificateAuthorityData: trusted}
	config.AuthInfos[c.name] = &kubeconfig.AuthInfo{ClientCertificateData: client.certificate, ClientKeyData: client.key}
	config.Contexts[c.name] = &kubeconfig.Context{Cluster: c.name, AuthInfo: c.name}
	config.CurrentContext = c.name
	if err := clientcmd.WriteToFile(*config, user.path); err != nil {
		return fmt.Errorf("write kubeconfig of %s: %w", user.name, err)
	}
	return nil
}
