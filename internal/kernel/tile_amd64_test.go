//go:build !purego

package kernel

import (
	"os"
	"slices"
)

// emulated names the environment variable of a process that does instructions of tiles in Go.
const emulated = "BETHE_TEST_EMULATED_TILES"

// vectorTileTiers returns tiers of tiles for tests: where there is AVX-512 its factors, multiplied in Go; and
// the tier amx where they are emulated (TestTilesEmulated).
func vectorTileTiers() (list []tier) {
	if !slices.Contains(Tiers(), "avx512") {
		return nil
	}
	layout := amxTier(&tiers[2])
	layout.name = "AVX-512 factors, tiles in Go"
	f := tilesAMX
	f.product = tileProduct
	layout.rounded = &byTiles{f}
	list = append(list, layout)
	if os.Getenv(emulated) != "" {
		list = append(list, amxTier(&tiers[2]))
	}
	return list
}
