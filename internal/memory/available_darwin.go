package memory

import "golang.org/x/sys/unix"

// available returns the memory of the machine: what of it is free is not asked.
func available() (float64, bool) {
	bytes, err := unix.SysctlUint64("hw.memsize")
	return float64(bytes), err == nil
}
