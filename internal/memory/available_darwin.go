package memory

import "golang.org/x/sys/unix"

// available returns all the memory of the machine, free or not.
func available() (float64, bool) {
	bytes, err := unix.SysctlUint64("hw.memsize")
	return float64(bytes), err == nil
}
