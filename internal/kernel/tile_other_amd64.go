//go:build !purego && !linux

package kernel

import (
	"errors"
	"runtime"
)

// askForTiles says that only Linux is asked.
func askForTiles() error {
	return errors.New("bethe uses tiles on Linux alone, this is " + runtime.GOOS)
}
