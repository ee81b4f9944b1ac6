// Package figure draws every picture: tiles of spins, and charts (curves with
// intervals, histograms, heat maps, matrices) as PNG and SVG. Colours can be told
// apart by the colour-blind, and lines in grey print.
package figure

import (
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"slices"

	"bethe/internal/durable"
	"bethe/rbm"
	"bethe/sample"
	"bethe/spin"
)

// Shape returns the width and height in which n spins are drawn when nothing
// better is known: the nearest to a square that holds them.
func Shape(n int) (width, height int) {
	width = int(math.Ceil(math.Sqrt(float64(n))))
	return width, (n + width - 1) / width
}

// Tiles draws count pictures of width x height spins in a grid, scale pixels a
// spin, with a border between them. value returns what picture k shows at spin
// i, from -1 to 1.
func Tiles(count, width, height, scale int, value func(k, i int) float64, shade func(float64) color.RGBA) *image.RGBA {
	if count < 1 || width < 1 || height < 1 || scale < 1 {
		panic(fmt.Sprintf("figure: %d tiles of %d x %d at scale %d", count, width, height, scale))
	}
	columns := int(math.Ceil(math.Sqrt(float64(count) * float64(height) / float64(width))))
	return inRows(count, columns, width, height, scale, func(k, i int) color.RGBA { return shade(value(k, i)) })
}

// Compare draws rows of pictures of n spins side by side, such as a sample, what
// is known of it and its completions; shade returns the colour of spin i of the
// picture in a row and column. A width or height of 0 stands for the nearest
// square.
func Compare(rows, columns, n, width, height int, shade func(row, column, i int) color.RGBA) *image.RGBA {
	width, height = orShape(width, height, n)
	return inRows(rows*columns, columns, width, height, 2, func(k, i int) color.RGBA {
		if i >= n {
			return Grey(-1)
		}
		return shade(k/columns, k%columns, i)
	})
}

// Unknown is the colour of spins that are not known.
var Unknown = color.RGBA{0x9e, 0xc5, 0xe8, 0xff}

// inRows draws count pictures in rows of the given number of columns.
func inRows(count, columns, width, height, scale int, shade func(k, i int) color.RGBA) *image.RGBA {
	rows := (count + columns - 1) / columns
	border := max(1, scale)
	cellW, cellH := width*scale+border, height*scale+border
	img := image.NewRGBA(image.Rect(0, 0, columns*cellW+border, rows*cellH+border))
	for k := range img.Pix {
		img.Pix[k] = 0x80
		if k%4 == 3 {
			img.Pix[k] = 0xff
		}
	}
	for k := range count {
		x0, y0 := border+k%columns*cellW, border+k/columns*cellH
		for i := range width * height {
			c := shade(k, i)
			for d := range scale * scale {
				img.SetRGBA(x0+i%width*scale+d%scale, y0+i/width*scale+d/scale, c)
			}
		}
	}
	return img
}

// Grey shades from white (-1) to black (1): ink on paper.
func Grey(v float64) color.RGBA {
	g := uint8(math.Round(255 * (1 - clamp(v)) / 2))
	return color.RGBA{g, g, g, 0xff}
}

// Diverging shades from blue (-1) over white (0) to orange (1), which the
// colour-blind can tell apart.
func Diverging(v float64) color.RGBA {
	v = clamp(v)
	low, high := [3]float64{0x21, 0x66, 0xac}, [3]float64{0xd9, 0x5f, 0x02}
	end := high
	if v < 0 {
		end, v = low, -v
	}
	var c [3]uint8
	for k := range c {
		c[k] = uint8(math.Round(255 + (end[k]-255)*v))
	}
	return color.RGBA{c[0], c[1], c[2], 0xff}
}

func clamp(v float64) float64 { return max(-1, min(1, v)) }

// maxTiles is the number of tiles drawn of a larger set.
const maxTiles = 400

// tilesOf returns how many tiles of so many spins are drawn at most, two dots wide
// each: fewer where they are large.
func tilesOf(spins int) int { return max(1, min(maxTiles, mostDots/(4*spins))) }

// Synapses draws the posterior mean of the synapses of each hidden unit as a
// tile: blue -1, white undecided, orange +1. A width or height of 0 stands for
// the nearest square.
func Synapses(q *rbm.Posterior[float32], width, height int) *image.RGBA {
	width, height = orShape(width, height, q.Visible)
	mean := make([]float32, len(q.Theta))
	q.Mean(mean)
	return Tiles(min(q.Hidden, tilesOf(width*height)), width, height, 2, func(k, i int) float64 {
		if i >= q.Visible {
			return 0
		}
		return float64(mean[k*q.Visible+i])
	}, Diverging)
}

// FileSynapses draws the synapses of a model file: posterior means as Synapses
// does, if the file has them. Else it draws the weights; full colour is the
// size that 199 of 200 stay within.
func FileSynapses(f *rbm.File) *image.RGBA {
	f = f.Below()
	if u, ok := f.Synapses.(rbm.Uncertain); ok {
		return Synapses(u.Posterior(), f.Info.Width, f.Info.Height)
	}
	n, p := f.Visible(), f.Hidden()
	values := rbm.Values(f.Synapses)
	sizes := make([]float64, len(values))
	for k, w := range values {
		sizes[k] = math.Abs(float64(w))
	}
	slices.Sort(sizes)
	unit := max(sizes[(len(sizes)-1)*199/200], 1e-30)
	width, height := orShape(f.Info.Width, f.Info.Height, n)
	return Tiles(min(p, tilesOf(width*height)), width, height, 2, func(k, i int) float64 {
		if i >= n {
			return 0
		}
		return float64(values[k*n+i]) / unit
	}, Diverging)
}

// Samples draws the columns of s as tiles: +1 black, -1 white.
func Samples(s *spin.Matrix, width, height int) *image.RGBA {
	return Means(s.Rows(), s.Cols(), func(i, a int) float64 { return float64(s.At(i, a)) }, width, height)
}

// Means draws count pictures of n visible means, from -1 white to 1 black.
func Means(n, count int, value func(i, a int) float64, width, height int) *image.RGBA {
	width, height = orShape(width, height, n)
	return Tiles(min(count, tilesOf(width*height)), width, height, 2, func(k, i int) float64 {
		if i >= n {
			return -1
		}
		return value(i, k)
	}, Grey)
}

// Pictured reports whether samples of n real numbers are shown as pictures: if their shape is known, or they would fill a square of 8 x 8
// or larger.
func Pictured(n, width, height int) bool {
	const least = 8
	side := int(math.Round(math.Sqrt(float64(n))))
	return width > 0 && width*height == n || side >= least && side*side == n
}

func orShape(width, height, n int) (int, int) {
	if width < 1 || height < 1 || width*height != n {
		return Shape(n)
	}
	return width, height
}

// WritePNG writes a picture to path, as a whole or not at all. The dots of a small one are repeated, so that it can be seen.
func WritePNG(path string, img image.Image) error {
	img = larger(img, enough(img))
	return durable.WriteFile(path, func(w io.Writer) error { return png.Encode(w, img) })
}

// ChainMeans draws the means that the last states of the first visible units of chains were
// drawn from.
func ChainMeans(c *sample.SpinChains[float32], visible, width, height int) *image.RGBA {
	count, fields := c.Visible.Cols(), c.VisibleFields()
	return Means(visible, count, func(i, a int) float64 { return math.Tanh(float64(fields[i*count+a])) }, width, height)
}
