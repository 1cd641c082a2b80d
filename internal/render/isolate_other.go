//go:build !(linux && (amd64 || arm64))

package render

import "runtime"

// Isolation says how workers are kept from everything but their pipes on this system.
func Isolation() string {
	return "separate process, empty environment, heap limit; no system call filter on " + runtime.GOOS + "/" + runtime.GOARCH
}

// isolate can take nothing from the process here.
func isolate(int64) error { return nil }
