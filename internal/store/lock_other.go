//go:build !unix

package store

import "errors"

// directoryLock is what makes a directory ours alone.
type directoryLock struct{}

func lockDirectory(string) (*directoryLock, error) {
	return nil, errors.New("the embedded database is not supported on this system: use PostgreSQL")
}

func (l *directoryLock) release() error { return nil }
