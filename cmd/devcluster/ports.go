package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
)

// ports are what the cluster listens on, all on the loopback address.
type ports struct {
	Etcd, Peer, API int

	claims []net.Listener // kept open as long as the ports are ours
}

// choosePorts takes the ports of the last time, so that old kubeconfigs stay right, or else new ones.
// They lie below those that the kernel gives to outgoing connections, lest one takes them between
// this choice and their use.
func choosePorts(dir folder) (*ports, error) {
	chosen := new(ports)
	if text, err := os.ReadFile(dir.path("ports.json")); err == nil && json.Unmarshal(text, chosen) == nil &&
		chosen.claim(chosen.Etcd) && chosen.claim(chosen.Peer) && chosen.claim(chosen.API) {
		return chosen, nil
	}
	for _, port := range []*int{&chosen.Etcd, &chosen.Peer, &chosen.API} {
		var err error
		if *port, err = chosen.choose(); err != nil {
			return nil, err
		}
	}
	text, err := json.Marshal(chosen)
	if err != nil {
		return nil, fmt.Errorf("write ports: %w", err)
	}
	if err := os.WriteFile(dir.path("ports.json"), text, 0o600); err != nil {
		return nil, fmt.Errorf("write ports: %w", err)
	}
	return chosen, nil
}

func (p *ports) choose() (int, error) {
	const first, last, tries = 12000, 32000, 200
	for range tries {
		if port := first + rand.IntN(last-first); p.claim(port) {
			return port, nil
		}
	}
	return 0, errors.New("choose a port: no free one found")
}

// claim takes a free port among all devclusters of this machine, who would otherwise choose the same
// one before the first of them uses it: whoever holds the socket of that name, which has no file and
// goes with its process, has the port.
func (p *ports) claim(port int) bool {
	claim, err := net.Listen("unix", "@mergegate-devcluster-"+strconv.Itoa(port))
	if err != nil {
		return false
	}
	p.claims = append(p.claims, claim)
	listener, err := net.Listen("tcp4", loopback(port))
	if err != nil {
		return false
	}
	return listener.Close() == nil
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
