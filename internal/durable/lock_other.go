//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd || windows)

package durable

import (
	"errors"
	"os"
)

// lockFile knows no locks here.
func lockFile(*os.File) error { return errors.ErrUnsupported }
