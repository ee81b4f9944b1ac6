//go:build unix

package runs

import "syscall"

// noWait has a pipe in the place of a file opened at once.
const noWait = syscall.O_NONBLOCK
