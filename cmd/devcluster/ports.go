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
type ports struct{ Etcd, Peer, API int }

// choosePorts takes the ports of the last time, so that old kubeconfigs stay right, or else new ones.
// They lie below those that the kernel gives to outgoing connections, lest one takes them between
// this choice and their use.
func choosePorts(dir folder) (ports, error) {
	var chosen ports
	if text, err := os.ReadFile(dir.path("ports.json")); err == nil && json.Unmarshal(text, &chosen) == nil &&
		free(chosen.Etcd) && free(chosen.Peer) && free(chosen.API) {
		return chosen, nil
	}
	for _, port := range []*int{&chosen.Etcd, &chosen.Peer, &chosen.API} {
		var err error
		if *port, err = freePort(); err != nil {
			return ports{}, err
		}
	}
	text, err := json.Marshal(chosen)
	if err != nil {
		return ports{}, fmt.Errorf("write ports: %w", err)
	}
	if err := os.WriteFile(dir.path("ports.json"), text, 0o600); err != nil {
		return ports{}, fmt.Errorf("write ports: %w", err)
	}
	return chosen, nil
}

func freePort() (int, error) {
	const first, last, tries = 12000, 32000, 200
	for range tries {
		if port := first + rand.IntN(last-first); free(port) {
			return port, nil
		}
	}
	return 0, errors.New("choose a port: no free one found")
}

func free(port int) bool {
	listener, err := net.Listen("tcp4", loopback(port))
	if err != nil {
		return false
	}
	return listener.Close() == nil
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
