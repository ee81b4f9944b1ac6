//go:build !amd64 || purego

package kernel

func vectorTiers() []tier { return nil }
