package faultproxy

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"time"
)

// StrangersName is in the certificates of another host and of a stranger: what must never be told.
const StrangersName = "stranger.internal.example"

// authority is a certificate authority.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// identify makes a certificate for the proxy, and the authority that its clients trust, as PEM.
func identify(which Certificate) (tls.Certificate, []byte, error) {
	trusted, err := newAuthority("the authority of a fault proxy")
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	by := trusted
	if which == OfAStranger {
		if by, err = newAuthority(StrangersName); err != nil {
			return tls.Certificate{}, nil, err
		}
	}
	now := time.Now()
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: "fault proxy"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	switch which {
	case Expired:
		template.NotAfter = now.Add(-time.Minute)
	case NotYetValid:
		template.NotBefore = now.Add(time.Minute)
	case OfAnotherHost:
		template.IPAddresses, template.DNSNames = nil, []string{StrangersName}
	case Valid, OfAStranger:
	}
	identity, err := by.issue(template)
	return identity, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: trusted.certificate.Raw}), err
}

func newAuthority(name string) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make authority: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(2 * time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("make authority: %w", err)
	}
	certificate, err := x509.ParseCertificate(raw)
	if err != nil {
		return nil, fmt.Errorf("make authority: %w", err)
	}
	return &authority{certificate, key}, nil
}

func (a *authority) issue(template *x509.Certificate) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("issue certificate: %w", err)
	}
	template.SerialNumber = big.NewInt(2)
	raw, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("issue certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key}, nil
}
