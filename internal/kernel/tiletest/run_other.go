//go:build !linux || !amd64

package tiletest

import (
	"errors"
	"os/exec"
)

// Run says that only Linux on amd64 is traced.
func Run(*exec.Cmd) (int, error) { return 0, errors.New("tiletest: only on Linux, amd64") }
