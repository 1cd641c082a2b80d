//go:build linux && (amd64 || arm64)

package render

import (
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// memorySlack is what a process may use beside its heap budget before the kernel refuses more:
// the runtime's own structures, garbage that is not yet collected, stacks.
const memorySlack = 1 << 30

// Isolation says how workers are kept from everything but their pipes on this system.
func Isolation() string {
	if seccompAvailable() {
		return "separate process, empty environment, seccomp system call filter, memory limit"
	}
	return "separate process, empty environment, memory limit; no system call filter: the kernel has no seccomp"
}

func seccompAvailable() bool {
	action := uint32(unix.SECCOMP_RET_ERRNO)
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_GET_ACTION_AVAIL, 0, uintptr(unsafe.Pointer(&action))) //nolint:gosec // system call argument
	return errno == 0
}

// isolate takes from the whole process what a worker does not need. It cannot be undone.
func isolate(memory int64) error {
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("forbid memory dumps: %w", err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return fmt.Errorf("forbid core files: %w", err)
	}
	if !raceEnabled { // the race detector's own memory is far over every budget
		most := uint64(max(memory, 0)) + memorySlack
		if err := unix.Setrlimit(unix.RLIMIT_DATA, &unix.Rlimit{Cur: most, Max: most}); err != nil {
			return fmt.Errorf("limit memory: %w", err)
		}
	}
	if !seccompAvailable() {
		return nil
	}
	return filterSystemCalls()
}

// filterSystemCalls lets all threads of the process call only what the Go runtime needs to compute
// and to use its pipes. Everything else (exec, sockets, open, unlink, rename, ptrace, ...) is EPERM.
func filterSystemCalls() error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("forbid new privileges: %w", err)
	}
	program := filterProgram()
	prog := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}                                                                      //nolint:gosec // some 150 instructions
	r, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&prog))) //nolint:gosec // system call argument
	runtime.KeepAlive(program)
	if errno != 0 {
		return fmt.Errorf("filter system calls: %w", errno)
	}
	if r != 0 {
		return fmt.Errorf("filter system calls: thread %d does not take the filter", r)
	}
	return nil
}

// offsets into struct seccomp_data
const (
	dataNumber = 0
	dataArch   = 4
	dataArg0   = 16
)

// filterProgram is the filter: the number of the call decides, clone only for threads.
func filterProgram() []unix.SockFilter {
	deny := uint32(unix.SECCOMP_RET_ERRNO) | uint32(unix.EPERM)
	load := func(offset uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offset}
	}
	unless := func(test uint16, k uint32) unix.SockFilter { // skips the next instruction unless the test holds
		return unix.SockFilter{Code: unix.BPF_JMP | test | unix.BPF_K, K: k, Jf: 1}
	}
	give := func(k uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: k}
	}
	program := []unix.SockFilter{
		load(dataArch),
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: filterArch, Jt: 1},
		give(unix.SECCOMP_RET_KILL_PROCESS),
		load(dataNumber),
	}
	for _, number := range allowedCalls() {
		program = append(program, unless(unix.BPF_JEQ, uint32(number)), give(unix.SECCOMP_RET_ALLOW)) //nolint:gosec // system call numbers are small
	}
	return append(program,
		// clone3 hides its flags behind a pointer: as if the kernel had none, so that clone is used.
		unless(unix.BPF_JEQ, unix.SYS_CLONE3), give(unix.SECCOMP_RET_ERRNO|uint32(unix.ENOSYS)),
		unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.SYS_CLONE, Jt: 1},
		give(deny),
		load(dataArg0),
		unless(unix.BPF_JSET, unix.CLONE_THREAD), give(unix.SECCOMP_RET_ALLOW),
		give(deny),
	)
}

// allowedCalls are the calls that the Go runtime, and a C library's threads under it, make while
// they compute: memory, threads, time, signals inside the process, pipes that are open already.
func allowedCalls() []int {
	return append(archCalls(),
		unix.SYS_READ, unix.SYS_WRITE, unix.SYS_CLOSE, unix.SYS_FSTAT, unix.SYS_PREAD64, unix.SYS_FCNTL,
		unix.SYS_MMAP, unix.SYS_MUNMAP, unix.SYS_MPROTECT, unix.SYS_MADVISE, unix.SYS_MINCORE, unix.SYS_MREMAP, unix.SYS_BRK, unix.SYS_MEMBARRIER,
		unix.SYS_RT_SIGACTION, unix.SYS_RT_SIGPROCMASK, unix.SYS_RT_SIGRETURN, unix.SYS_SIGALTSTACK, unix.SYS_TGKILL, unix.SYS_RESTART_SYSCALL,
		unix.SYS_FUTEX, unix.SYS_SCHED_YIELD, unix.SYS_SCHED_GETAFFINITY, unix.SYS_SET_ROBUST_LIST, unix.SYS_RSEQ, unix.SYS_GETTID, unix.SYS_GETPID,
		unix.SYS_NANOSLEEP, unix.SYS_CLOCK_NANOSLEEP, unix.SYS_CLOCK_GETTIME, unix.SYS_CLOCK_GETRES, unix.SYS_GETTIMEOFDAY, unix.SYS_GETRANDOM,
		unix.SYS_EPOLL_PWAIT, unix.SYS_EPOLL_CTL, unix.SYS_EPOLL_CREATE1, unix.SYS_EVENTFD2,
		unix.SYS_GETRUSAGE, unix.SYS_GETRLIMIT,
		unix.SYS_EXIT, unix.SYS_EXIT_GROUP,
	)
}
