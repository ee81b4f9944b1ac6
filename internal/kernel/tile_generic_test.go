//go:build !amd64 || purego

package kernel

func vectorTileTiers() []tier { return nil }
