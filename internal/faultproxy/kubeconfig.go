package faultproxy

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"

	"sigs.k8s.io/yaml"
)

// server is what a kubeconfig file says of one.
type server struct {
	url       *url.URL
	authority *x509.CertPool
	user      tls.Certificate
	file      kubeconfig
}

// kubeconfig is the part of such a file that devcluster writes.
type kubeconfig struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Clusters   []struct {
		Name    string `json:"name"`
		Cluster struct {
			Server    string `json:"server"`
			Authority []byte `json:"certificate-authority-data"`
		} `json:"cluster"`
	} `json:"clusters"`
	Users []struct {
		Name string `json:"name"`
		User struct {
			Certificate []byte `json:"client-certificate-data"`
			Key         []byte `json:"client-key-data"`
		} `json:"user"`
	} `json:"users"`
	Contexts       []any  `json:"contexts"`
	CurrentContext string `json:"current-context"`
}

func readKubeconfig(path string) (*server, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read kubeconfig: %w", err)
	}
	s := &server{}
	if err := yaml.Unmarshal(data, &s.file); err != nil {
		return nil, fmt.Errorf("read kubeconfig: %w", err)
	}
	if len(s.file.Clusters) != 1 || len(s.file.Users) != 1 {
		return nil, errors.New("read kubeconfig: it has not one cluster and one user")
	}
	if s.url, err = url.Parse(s.file.Clusters[0].Cluster.Server); err != nil {
		return nil, fmt.Errorf("read kubeconfig: %w", err)
	}
	if s.authority, err = pool(s.file.Clusters[0].Cluster.Authority); err != nil {
		return nil, fmt.Errorf("read kubeconfig: %w", err)
	}
	user := s.file.Users[0].User
	if s.user, err = tls.X509KeyPair(user.Certificate, user.Key); err != nil {
		return nil, fmt.Errorf("read kubeconfig: %w", err)
	}
	return s, nil
}

// write writes the kubeconfig file with the proxy in place of the server.
func (s *server) write(path, address string, authority []byte) error {
	s.file.Clusters[0].Cluster.Server = "https://" + address
	s.file.Clusters[0].Cluster.Authority = authority
	data, err := yaml.Marshal(s.file)
	if err != nil {
		return fmt.Errorf("write kubeconfig: %w", err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		return fmt.Errorf("write kubeconfig: %w", err)
	}
	return nil
}
