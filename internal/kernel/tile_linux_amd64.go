//go:build !purego

package kernel

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// askForTiles asks Linux for the state of tiles, once for all threads of the process: each then gets memory for it
// when it first uses one.
func askForTiles() error {
	const request, tileData = 0x1023, 18 // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
	if _, _, err := unix.RawSyscall(unix.SYS_ARCH_PRCTL, request, tileData, 0); err != 0 {
		return fmt.Errorf("arch_prctl(ARCH_REQ_XCOMP_PERM): %w", err)
	}
	return nil
}
