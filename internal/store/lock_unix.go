//go:build unix

package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// directoryLock is what makes a directory ours alone. The system gives it up with the process,
// however that ends.
type directoryLock struct{ file *os.File }

func lockDirectory(dir string) (*directoryLock, error) {
	file, err := os.OpenFile(filepath.Join(dir, "mergegate.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock data directory: %w", err)
	}
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		holder, _ := os.ReadFile(file.Name()) // only for the message
		return nil, errors.Join(inUse(dir, string(holder), err), file.Close())
	}
	return &directoryLock{file: file}, writePID(file)
}

func inUse(dir, holder string, err error) error {
	if !errors.Is(err, unix.EWOULDBLOCK) {
		return fmt.Errorf("lock data directory %s: %w", dir, err)
	}
	return fmt.Errorf("data directory %s is in use by another mergegate process (%s): stop that one, or give each its own directory, or use PostgreSQL", dir, strings.TrimSpace(holder))
}

// writePID is for people who look; the lock is the lock, not the file.
func writePID(file *os.File) error {
	if err := file.Truncate(0); err != nil {
		return err
	}
	_, err := file.WriteAt(fmt.Appendf(nil, "pid %d\n", os.Getpid()), 0)
	return err
}

func (l *directoryLock) release() error { return l.file.Close() }
