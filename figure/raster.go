package figure

import (
	"image"
	"image/color"
)

// Colours of a raster.
const (
	silent = iota
	spiked
	divides
)

// Raster draws spikes: a column per step, a row per neuron, populations below each other with a grey
// line between them. Each population is neurons x steps; rows of few neurons are higher, so that they
// can be seen.
func Raster(steps int, populations ...[]bool) *image.Paletted {
	const line, least = 2, 60
	rowsOf := func(p []bool) (neurons, high int) {
		neurons = len(p) / steps
		return neurons, max(1, least/max(1, neurons))
	}
	height := line * (len(populations) - 1)
	for _, p := range populations {
		neurons, high := rowsOf(p)
		height += neurons * high
	}
	img := image.NewPaletted(image.Rect(0, 0, steps, height), color.Palette{silent: color.White, spiked: color.Black, divides: color.Gray{0x80}})
	y := 0
	for k, p := range populations {
		if k > 0 {
			for at := range line * steps {
				img.Pix[y*img.Stride+at] = divides
			}
			y += line
		}
		neurons, high := rowsOf(p)
		for i := range neurons * high {
			for x, on := range p[i/high*steps : (i/high+1)*steps] {
				if on {
					img.Pix[(y+i)*img.Stride+x] = spiked
				}
			}
		}
		y += neurons * high
	}
	return img
}
