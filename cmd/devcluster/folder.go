package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// folder is the directory of one cluster, as an absolute path.
type folder string

func openFolder(dir string) (folder, error) {
	if dir == "" {
		return "", usageError{errors.New("--dir is missing: the folder of the cluster")}
	}
	absolute, err := filepath.Abs(dir)
	return folder(absolute), err
}

func (f folder) path(name ...string) string {
	return filepath.Join(append([]string{string(f)}, name...)...)
}

func (f folder) kubeconfig() string              { return f.path("kubeconfig") }
func (f folder) log(program string) string       { return f.path("logs", program+".log") }
func (f folder) file(name, suffix string) string { return f.path("pki", name+suffix) }

// prepare makes the folder, unless it is somebody else's.
func (f folder) prepare() error {
	entries, err := os.ReadDir(string(f))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read folder of the cluster: %w", err)
	}
	if _, err := os.Stat(f.path("pid")); err != nil && len(entries) > 0 {
		return fmt.Errorf("%s is not empty, and no cluster was in it: name another folder", f)
	}
	for _, dir := range []string{"", "logs", "pki"} {
		if err := os.MkdirAll(f.path(dir), 0o700); err != nil {
			return fmt.Errorf("make folder of the cluster: %w", err)
		}
	}
	mark, err := os.OpenFile(f.path("pid"), os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("mark folder of the cluster: %w", err)
	}
	return mark.Close()
}

// lock makes this process the one that runs the cluster of the folder, and keeps its id in the file
// pid. The kernel drops the lock when the process ends, however that happens.
func (f folder) lock() (*os.File, error) {
	file, err := os.OpenFile(f.path("pid"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open process file: %w", err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		file.Close() // nothing was written
		if pid, _ := f.owner(); pid != 0 {
			return nil, alreadyRuns(f, pid)
		}
		return nil, fmt.Errorf("lock process file %s: %w", f.path("pid"), err)
	}
	if err := file.Truncate(0); err != nil {
		return nil, fmt.Errorf("write process file: %w", err)
	}
	if _, err := fmt.Fprintln(file, os.Getpid()); err != nil {
		return nil, fmt.Errorf("write process file: %w", err)
	}
	return file, nil
}

// owner is the process that runs the cluster of the folder, or 0.
func (f folder) owner() (int, error) {
	file, err := os.Open(f.path("pid"))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read process file: %w", err)
	}
	defer file.Close() // it was only read; this drops the lock as well
	if syscall.Flock(int(file.Fd()), syscall.LOCK_SH|syscall.LOCK_NB) == nil {
		return 0, nil
	}
	text, err := os.ReadFile(f.path("pid"))
	if err != nil {
		return 0, fmt.Errorf("read process file: %w", err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0, fmt.Errorf("read process file %s: %w", f.path("pid"), err)
	}
	return pid, nil
}

func alreadyRuns(dir folder, pid int) error {
	if pid == 0 {
		return nil
	}
	return fmt.Errorf("a cluster runs in %s already, as process %d", dir, pid)
}
