package causes

// Tiles returns the patches of a picture of the given size, row by row: rectangles of
// patchWidth x patchHeight, smaller at the right and lower edges.
func Tiles(width, height, patchWidth, patchHeight int) [][]int {
	var patches [][]int
	for y := 0; y < height; y += patchHeight {
		for x := 0; x < width; x += patchWidth {
			var units []int
			for r := y; r < min(y+patchHeight, height); r++ {
				for c := x; c < min(x+patchWidth, width); c++ {
					units = append(units, r*width+c)
				}
			}
			patches = append(patches, units)
		}
	}
	return patches
}
