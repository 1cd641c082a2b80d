package render

import "golang.org/x/sys/unix"

// filterArch is the only architecture whose call numbers the filter knows.
const filterArch = unix.AUDIT_ARCH_AARCH64

// archCalls are the calls that only this architecture has.
func archCalls() []int { return nil }
