package render

import (
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"time"
)

// probe tries, inside an isolated worker, what must not work there.
func probe(what string) string {
	switch what {
	case "exec":
		return fmt.Sprint(syscall.Exec("/bin/true", []string{"true"}, nil))
	case "fork":
		pid, _, errno := syscall.RawSyscall(syscall.SYS_CLONE, uintptr(syscall.SIGCHLD), 0, 0)
		if errno == 0 && pid == 0 {
			syscall.RawSyscall(syscall.SYS_EXIT, 0, 0, 0)
		}
		return fmt.Sprint(errno)
	case "dial":
		_, err := net.DialTimeout("tcp", "127.0.0.1:1", time.Second)
		return fmt.Sprint(err)
	case "listen":
		_, err := net.Listen("tcp", "127.0.0.1:0")
		return fmt.Sprint(err)
	case "unix":
		_, err := net.Dial("unix", "/run/none")
		return fmt.Sprint(err)
	case "read":
		_, err := os.ReadFile("/etc/passwd")
		return fmt.Sprint(err)
	case "write":
		return fmt.Sprint(os.WriteFile("/tmp/mergegate-probe", nil, 0o600))
	case "remove":
		return fmt.Sprint(os.Remove("/tmp/none"))
	case "rename":
		return fmt.Sprint(os.Rename("/tmp/none", "/tmp/other"))
	case "kill":
		return fmt.Sprint(syscall.Kill(os.Getppid(), 0))
	case "environment":
		return strings.Join(os.Environ(), " ")
	case "directory":
		return os.Getenv("PWD") + fmt.Sprint(syscall.Getpid() > 0)
	case "crash":
		var recurse func(int) int
		recurse = func(n int) int { return recurse(n+1) + n }
		return fmt.Sprint(recurse(0))
	case "memory":
		var hold [][]byte
		for {
			block := make([]byte, 1<<20)
			for i := range block {
				block[i] = 1
			}
			hold = append(hold, block)
			if len(hold) > 1<<14 {
				return "not stopped"
			}
		}
	case "leap":
		return fmt.Sprint(len(make([]byte, 3<<30)))
	case "loop":
		for i := 0; ; i++ {
			if i < 0 {
				return ""
			}
		}
	}
	return "unknown probe"
}
