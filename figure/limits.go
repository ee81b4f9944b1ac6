package figure

import (
	"math"

	"bethe/runs"
)

// Limits of a chart. Files of runs may hold any number of values, and nobody sees
// details finer than the dots of a picture.
const (
	mostPoints  = 864     // of a curve, or cells or bars along a side: as many as a chart has dots across
	mostCurves  = 100     // of a chart
	mostUnits   = 400     // hidden units whose overlaps are drawn
	mostDots    = 1 << 24 // of a picture of tiles, about
	mostLetters = 300     // of a text

	mostPictureDots = 64 << 20 // of a picture that is drawn again
)

// plain returns a text of one line and some hundred letters that a picture can hold.
func plain(text string) string {
	cut := text
	if len(cut) > 4*mostLetters {
		cut = cut[:4*mostLetters]
	}
	letters := []rune(runs.Printable(cut))
	if len(letters) > mostLetters {
		letters = append(letters[:mostLetters-1:mostLetters-1], '…')
	}
	return string(letters)
}

// merged adds up neighbouring counts, so many together that at most n are left.
func merged[T int | float64](counts []T, n int) (sums []T, together int) {
	together = (len(counts) + n - 1) / n
	if together <= 1 {
		return counts, 1
	}
	for k, v := range counts {
		if k%together == 0 {
			sums = append(sums, 0)
		}
		sums[len(sums)-1] += v
	}
	return sums, together
}

// coarser returns at most n cells along each side. Each is the mean of the cells that
// it covers, or NaN if none of them has a value.
func (g *cells) coarser(n int) *cells {
	across, down := (g.columns+n-1)/n, (g.rows+n-1)/n
	if across <= 1 && down <= 1 {
		return g
	}
	c := *g
	c.columns, c.rows = (g.columns+across-1)/across, (g.rows+down-1)/down
	means := make([]float64, c.columns*c.rows)
	for y := range c.rows {
		for x := range c.columns {
			sum, count := 0.0, 0
			for v := y * down; v < min(g.rows, (y+1)*down); v++ {
				for u := x * across; u < min(g.columns, (x+1)*across); u++ {
					if value := g.at(u, v); !math.IsNaN(value) {
						sum += value
						count++
					}
				}
			}
			means[y*c.columns+x] = sum / float64(count) // NaN where there is none
		}
	}
	c.at = func(x, y int) float64 { return means[y*c.columns+x] }
	return &c
}
