package render

import "golang.org/x/sys/unix"

// filterArch is the only architecture whose call numbers the filter knows. Calls of the x32 kind
// have numbers that are not allowed.
const filterArch = unix.AUDIT_ARCH_X86_64

// archCalls are the calls that only this architecture has.
func archCalls() []int { return []int{unix.SYS_ARCH_PRCTL, unix.SYS_EPOLL_WAIT} }
