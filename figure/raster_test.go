package figure

import "testing"

// TestRaster: spikes are where they were, of one population below the other.
func TestRaster(t *testing.T) {
	many := make([]bool, 100*5)
	many[7*5+2] = true
	img := Raster(5, many, []bool{false, true, false, false, false, true, false, false, false, false})
	if b := img.Bounds(); b.Dx() != 5 || b.Dy() != 100+2+60 {
		t.Fatalf("a picture of %v", b)
	}
	dark := 0
	for y := range 162 {
		for x := range 5 {
			if img.ColorIndexAt(x, y) == spiked {
				dark++
			}
		}
	}
	if dark != 1+30+30 || img.ColorIndexAt(2, 7) != spiked || img.ColorIndexAt(1, 102) != spiked || img.ColorIndexAt(0, 132) != spiked || img.ColorIndexAt(0, 100) != divides {
		t.Errorf("%d dots are dark", dark)
	}
}
