// Package faultproxy stands between a client and a real API server, and does to requests what networks,
// load balancers and servers under load do to them. It is for tests only.
//
// It knows HTTP, TLS and how a kubeconfig file looks; of Kubernetes it knows as much as it needs to
// pass a request on. It forwards nothing of who asks: to the server it is the user of the kubeconfig
// that it was given.
package faultproxy

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// Request is a request of the client.
type Request struct {
	Number int // of all requests since the script was set, from 0
	Before int // how many with the same key came before it
	Method string
	Path   string
	Query  url.Values
}

// Key says what is asked for, so that a request can be met again in another run: the method and the path,
// and how an object is written. Pages of a list have the same key.
func (r Request) Key() string { return r.Method + " " + r.Path }

// Script says what happens to a request. Nothing, where it returns nil. It is called by one request at
// a time.
type Script func(Request) *Fault

// Certificate is what the proxy shows of itself.
type Certificate int

// The certificates. The kubeconfig of the proxy trusts the authority of all but the one of a stranger.
const (
	Valid Certificate = iota
	Expired
	NotYetValid
	OfAStranger
	OfAnotherHost
)

// Options are of a proxy.
type Options struct {
	// HTTP1 leaves out HTTP/2.
	HTTP1       bool
	Certificate Certificate
}

// Proxy is a running proxy.
type Proxy struct {
	// Kubeconfig is the path of a kubeconfig file that leads through the proxy.
	Kubeconfig string
	// Address is where it listens: what must never be told.
	Address string

	upstream *url.URL
	client   *http.Client
	closing  chan struct{}

	mu     sync.Mutex
	script Script
	seen   []Request
	keys   map[string]int
}

// Start starts a proxy before the server of a kubeconfig, for one test.
func Start(t testing.TB, kubeconfig string, o Options) *Proxy {
	t.Helper()
	p, err := start(t, kubeconfig, o)
	if err != nil {
		t.Fatalf("start fault proxy: %v", err)
	}
	return p
}

func start(t testing.TB, kubeconfig string, o Options) (*Proxy, error) {
	t.Helper()
	server, err := readKubeconfig(kubeconfig)
	if err != nil {
		return nil, err
	}
	identity, authority, err := identify(o.Certificate)
	if err != nil {
		return nil, err
	}
	var listen net.ListenConfig
	listener, err := listen.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	transport := &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: server.authority, Certificates: []tls.Certificate{server.user}, MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2: true,
	}
	p := &Proxy{
		Kubeconfig: filepath.Join(t.TempDir(), "kubeconfig"), Address: listener.Addr().String(), upstream: server.url,
		client: &http.Client{Transport: transport}, closing: make(chan struct{}), keys: map[string]int{},
	}
	if err := server.write(p.Kubeconfig, p.Address, authority); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	p.serve(t, listener, identity, o.HTTP1)
	t.Cleanup(transport.CloseIdleConnections)
	return p, nil
}

// connectionKey is under which the connection of a request is in its context.
type connectionKey struct{}

func (p *Proxy) serve(t testing.TB, listener net.Listener, identity tls.Certificate, onlyHTTP1 bool) {
	t.Helper()
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(!onlyHTTP1)
	server := &http.Server{
		Handler: p, Protocols: protocols, ReadHeaderTimeout: time.Minute, ErrorLog: quiet(),
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{identity}, MinVersion: tls.VersionTLS12},
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, connectionKey{}, c)
		},
	}
	done := make(chan error, 1)
	go func() { done <- server.ServeTLS(listener, "", "") }()
	t.Cleanup(func() {
		close(p.closing)
		_ = server.Close() // open connections are of tests that are over
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("fault proxy: %v", err)
		}
	})
}

// Do sets what happens to the requests from here on, and forgets those that were.
func (p *Proxy) Do(s Script) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.script, p.seen, p.keys = s, nil, map[string]int{}
}

// Seen are the requests since the script was set, in the order in which they came.
func (p *Proxy) Seen() []Request {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Request(nil), p.seen...)
}

// decide notes a request and says what happens to it.
func (p *Proxy) decide(r *http.Request) *Fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	asked := Request{Number: len(p.seen), Method: r.Method, Path: r.URL.Path, Query: r.URL.Query()}
	asked.Before = p.keys[asked.Key()]
	p.keys[asked.Key()]++
	p.seen = append(p.seen, asked)
	if p.script == nil {
		return nil
	}
	return p.script(asked)
}

// ServeHTTP does to a request what the script says.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client is gone
	}
	f := p.decide(r)
	if f == nil {
		f = &Fault{}
	}
	f.play(w, r, p.closing, func() (answer, error) { return p.forward(r, body, f) })
}

// forward sends a request to the server and reads its answer.
func (p *Proxy) forward(r *http.Request, body []byte, f *Fault) (answer, error) {
	to := *r.URL
	to.Scheme, to.Host = p.upstream.Scheme, p.upstream.Host
	if f.Limit != "" && r.URL.Query().Has("limit") {
		query := r.URL.Query()
		query.Set("limit", f.Limit)
		to.RawQuery = query.Encode()
	}
	asked, err := http.NewRequestWithContext(r.Context(), r.Method, to.String(), bytes.NewReader(body))
	if err != nil {
		return answer{}, fmt.Errorf("pass a request on: %w", err)
	}
	for _, name := range []string{"Accept", "Content-Type", "User-Agent"} { // and nothing that says who asks
		if value := r.Header.Get(name); value != "" {
			asked.Header.Set(name, value)
		}
	}
	said, err := p.client.Do(asked)
	if err != nil {
		return answer{}, fmt.Errorf("pass a request on: %w", err)
	}
	read, err := io.ReadAll(said.Body)
	return answer{said.StatusCode, said.Header, read}, errors.Join(err, said.Body.Close())
}

// pool is a set of authorities of one.
func pool(pem []byte) (*x509.CertPool, error) {
	authorities := x509.NewCertPool()
	if !authorities.AppendCertsFromPEM(pem) {
		return nil, errors.New("it has no certificate of an authority")
	}
	return authorities, nil
}

// Is says whether a request is one of a kind of requests: a method, and a part of the path.
func (r Request) Is(method, part string) bool {
	return r.Method == method && strings.Contains(r.Path, part)
}
