package figure

import (
	"fmt"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Histogram draws counts, or shares, of values that fall between edges.
type Histogram struct {
	Title, Note   string
	X, Y          Axis
	Edges         []float64 // rising; one more than Counts
	Counts        []float64
	Width, Height float64 // points; 0 is 432 x 288
}

// Bin counts values in n bins of equal width from low to high; the ends take
// what lies beyond them.
func Bin(values []float64, low, high float64, n int) (edges, counts []float64) {
	if n < 1 || !(low < high) {
		panic(fmt.Sprintf("figure: %d bins from %v to %v", n, low, high))
	}
	edges, counts = make([]float64, n+1), make([]float64, n)
	for k := range edges {
		edges[k] = low + (high-low)*float64(k)/float64(n)
	}
	for _, v := range values {
		if !math.IsNaN(v) {
			counts[int(max(0, min(float64(n-1), math.Floor((v-low)/(high-low)*float64(n)))))]++
		}
	}
	return edges, counts
}

func (f *Histogram) title() string { return f.Title }

func (f *Histogram) size() (width, height vg.Length) { return orSize(f.Width, f.Height, 432, 288) }

func (f *Histogram) fitted(width float64) Chart {
	g := *f
	g.Width, g.Height = width, fit(f, width)
	return &g
}

func (f *Histogram) draw(c draw.Canvas, theme Theme) {
	if len(f.Edges) != len(f.Counts)+1 {
		panic(fmt.Sprintf("figure: histogram of %d edges and %d counts", len(f.Edges), len(f.Counts)))
	}
	c = frame(c, f.Title, f.Note, theme)
	if counts, together := merged(f.Counts, mostPoints); together > 1 {
		coarse := *f
		coarse.Counts, coarse.Edges = counts, nil
		for k := 0; k < len(f.Counts); k += together {
			coarse.Edges = append(coarse.Edges, f.Edges[k])
		}
		coarse.Edges = append(coarse.Edges, f.Edges[len(f.Counts)])
		f = &coarse
	}
	p := axes(c, f.X, f.Y, theme)
	low, high := math.Inf(1), 0.0
	for _, n := range f.Counts {
		if high = max(high, n); n > 0 {
			low = min(low, n)
		}
	}
	if f.Y.Log {
		low, high = low/2, high*2
	} else {
		low, high = 0, high*1.05
	}
	if high == 0 {
		low, high = 0.5, 1
	}
	setRange(&p.X, f.X, f.Edges[0], f.Edges[len(f.Edges)-1])
	setRange(&p.Y, f.Y, low, high)
	p.Y.Padding = 0
	p.Add(grid{theme}, bars{f, theme})
	c = above(c, p, theme)
	p.Draw(c)
}

type bars struct {
	f     *Histogram
	theme Theme
}

func (b bars) Plot(c draw.Canvas, p *plot.Plot) {
	tx, ty := p.Transforms(&c)
	colour := b.theme.colours().of(0)
	edge := draw.LineStyle{Color: b.theme.colours().paper, Width: 0.4}
	for k, n := range b.f.Counts {
		if !(n > 0) {
			continue
		}
		bar := c.ClipPolygonXY(corners(vg.Rectangle{
			Min: vg.Point{X: tx(b.f.Edges[k]), Y: c.Min.Y},
			Max: vg.Point{X: tx(b.f.Edges[k+1]), Y: ty(n)},
		}))
		if len(bar) > 0 {
			c.FillPolygon(colour, bar)
			c.StrokeLines(edge, append(bar, bar[0]))
		}
	}
}
