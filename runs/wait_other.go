//go:build !unix

package runs

const noWait = 0
