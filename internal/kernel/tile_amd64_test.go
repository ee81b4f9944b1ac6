//go:build !purego

package kernel

import (
	"os"
	"slices"
)

// vectorTileTiers returns tiers of tiles for tests: where there is AVX-512 its factors, multiplied in Go; and
// the tier amx where the environment says that something emulates tiles, as internal/kernel/tilerun does.
func vectorTileTiers() (list []tier) {
	if !slices.Contains(Tiers(), "avx512") {
		return nil
	}
	layout := amxTier(&tiers[2])
	layout.name = "AVX-512 factors, tiles in Go"
	f := tilesAMX
	f.product, f.counts = tileProduct, tileCounts
	mixed := &byTiles{f, countDiff}
	layout.rounded, layout.bitCounts = mixed, mixed
	list = append(list, layout)
	if os.Getenv("BETHE_TEST_TILES") == "emulated" {
		list = append(list, amxTier(&tiers[2]))
	}
	return list
}
