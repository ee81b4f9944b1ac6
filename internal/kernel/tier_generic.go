//go:build !amd64 || purego

package kernel

func vectorTiers() ([]tier, []absentTier) {
	const why = "the program was built without assembly, or for another processor than amd64"
	return nil, []absentTier{{"avx2", why}, {"avx512", why}, {"amx", why}}
}
