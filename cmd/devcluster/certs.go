package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"time"
)

// authority signs the certificates of one cluster. It stays the same when the cluster starts again;
// what it signs is made anew each time.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// identity is a certificate with its key, both as PEM.
type identity struct{ certificate, key []byte }

// openAuthority reads ca.crt and ca.key, or makes them.
func openAuthority(dir folder) (*authority, error) {
	key, err := openKey(dir.path("ca.key"))
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(dir.path("ca.crt"))
	if errors.Is(err, fs.ErrNotExist) {
		return newAuthority(dir, key)
	}
	if err != nil {
		return nil, fmt.Errorf("read authority: %w", err)
	}
	certificate, err := parseCertificate(text)
	return &authority{certificate: certificate, key: key}, err
}

func newAuthority(dir folder, key *ecdsa.PrivateKey) (*authority, error) {
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "devcluster"},
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	text, err := sign(template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(dir.path("ca.crt"), text, 0o600); err != nil {
		return nil, fmt.Errorf("write authority: %w", err)
	}
	certificate, err := parseCertificate(text)
	return &authority{certificate: certificate, key: key}, err
}

// client is an identity for a user of the API server, in a group unless that is empty.
func (a *authority) client(user, group string) (identity, error) {
	subject := pkix.Name{CommonName: user}
	if group != "" {
		subject.Organization = []string{group}
	}
	return a.issue(&x509.Certificate{Subject: subject, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
}

// server is an identity for what listens on this machine; etcd calls itself with it too.
func (a *authority) server(name string) (identity, error) {
	return a.issue(&x509.Certificate{
		Subject:     pkix.Name{CommonName: name},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		DNSNames:    []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv4(10, 96, 0, 1)},
	})
}

func (a *authority) issue(template *x509.Certificate) (identity, error) {
	template.KeyUsage = x509.KeyUsageDigitalSignature
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return identity{}, fmt.Errorf("make key: %w", err)
	}
	certificate, err := sign(template, a.certificate, key.Public(), a.key)
	if err != nil {
		return identity{}, err
	}
	text, err := encodeKey(key)
	return identity{certificate: certificate, key: text}, err
}

// write leaves the identity in pki/NAME.crt and pki/NAME.key.
func (i identity) write(dir folder, name string) error {
	if err := os.WriteFile(dir.file(name, ".crt"), i.certificate, 0o600); err != nil {
		return fmt.Errorf("write certificate: %w", err)
	}
	if err := os.WriteFile(dir.file(name, ".key"), i.key, 0o600); err != nil {
		return fmt.Errorf("write key: %w", err)
	}
	return nil
}

func sign(template, parent *x509.Certificate, public any, key *ecdsa.PrivateKey) ([]byte, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, fmt.Errorf("choose serial number: %w", err)
	}
	template.SerialNumber = serial
	template.NotBefore = time.Now().Add(-time.Hour) // clocks differ
	template.NotAfter = template.NotBefore.AddDate(10, 0, 0)
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	if err != nil {
		return nil, fmt.Errorf("sign certificate of %s: %w", template.Subject.CommonName, err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), nil
}

func parseCertificate(text []byte) (*x509.Certificate, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("read certificate: it is no PEM")
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("read certificate: %w", err)
	}
	return certificate, nil
}
