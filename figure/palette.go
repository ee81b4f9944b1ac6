package figure

import (
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A Theme is the ground that a chart is drawn on.
type Theme int

// Light is for paper and files, Dark for a page at night.
const (
	Light Theme = iota
	Dark
)

// colours of a theme.
type colours struct {
	paper, ink, faint, grid, missing color.RGBA
	series                           []color.RGBA
}

func rgb(hex uint32) color.RGBA {
	return color.RGBA{uint8(hex >> 16), uint8(hex >> 8), uint8(hex), 0xff}
}

// The series' colours are those of Okabe and Ito (2008), which people with any
// kind of colour vision tell apart, in an order that also falls into distinct
// greys for the first few; lines differ by dash and mark as well.
var themes = [...]colours{
	Light: {
		paper: rgb(0xffffff), ink: rgb(0x1a1a1a), faint: rgb(0x5c5c5c), grid: rgb(0xe3e3e3), missing: rgb(0xdddddd),
		series: []color.RGBA{rgb(0x0072b2), rgb(0xd55e00), rgb(0x009e73), rgb(0xcc79a7), rgb(0x56b4e9), rgb(0xe69f00), rgb(0x000000)},
	},
	Dark: {
		paper: rgb(0x15181d), ink: rgb(0xe8e8e8), faint: rgb(0xa6abb3), grid: rgb(0x30353d), missing: rgb(0x3a3f47),
		series: []color.RGBA{rgb(0x56b4e9), rgb(0xe69f00), rgb(0x00b386), rgb(0xcc79a7), rgb(0x2f8fd0), rgb(0xf0e442), rgb(0xe8e8e8)},
	},
}

func (t Theme) colours() *colours { return &themes[t] }

func (c *colours) of(k int) color.RGBA { return c.series[k%len(c.series)] }

// SeriesColours returns the colours of series in a theme, in order. After the last one they come again.
func SeriesColours(t Theme) []color.RGBA { return slices.Clone(t.colours().series) }

// dashes and marks of the series, so that they differ in grey print.
var dashes = [][]vg.Length{nil, {6, 3}, {2, 2}, {8, 3, 2, 3}, {12, 4}, {4, 2, 1, 2, 1, 2}, {1, 3}}

var marks = []draw.GlyphDrawer{
	draw.CircleGlyph{}, draw.BoxGlyph{}, draw.PyramidGlyph{}, diamond{}, draw.RingGlyph{}, draw.PlusGlyph{}, draw.CrossGlyph{},
}

// diamond is a filled square on its corner.
type diamond struct{}

func (diamond) DrawGlyph(c *draw.Canvas, style draw.GlyphStyle, at vg.Point) {
	r := style.Radius * 1.2
	var p vg.Path
	p.Move(vg.Point{X: at.X, Y: at.Y + r})
	p.Line(vg.Point{X: at.X + r, Y: at.Y})
	p.Line(vg.Point{X: at.X, Y: at.Y - r})
	p.Line(vg.Point{X: at.X - r, Y: at.Y})
	p.Close()
	c.Fill(p)
}

// What a colour of a series stands for in every chart that shows one run. Charts of several runs, or of several starts, have a colour
// for each of them instead, the same in all charts.
const (
	Chief     = 1 // what the chart is of, such as the bound
	Forward   = 2 // a likelihood annealed forward
	Exact     = 3 // an exact value
	Reverse   = 4 // a likelihood annealed in reverse
	HeldOut   = 5 // of data that are not learned from
	LearnedOn = 6 // of training samples
)

// A Shading is how values between two ends become colours.
type Shading int

// Signed goes from blue over white in the middle to orange, Share from pale to dark, Ink from white to black.
const (
	Signed Shading = iota
	Share
	Ink
)

// of returns the colour of a place between the ends, from 0 to 1.
func (s Shading) of(t float64) color.RGBA {
	switch s {
	case Share:
		return Sequential(t)
	case Ink:
		return Grey(2*t - 1)
	}
	return Diverging(2*t - 1)
}

// Sequential shades from pale yellow (0) over green to dark blue (1); its
// lightness falls steadily, so that it also reads in grey.
func Sequential(v float64) color.RGBA {
	v = max(0, min(1, v)) * float64(len(sequence)-1)
	k := min(int(v), len(sequence)-2)
	return between(sequence[k], sequence[k+1], v-float64(k))
}

var sequence = []color.RGBA{rgb(0xfdf5c9), rgb(0xd3e5a0), rgb(0x95cfa0), rgb(0x55b0a3), rgb(0x2f8ba0), rgb(0x2b6394), rgb(0x2a3a78), rgb(0x1c1450)}

func between(a, b color.RGBA, t float64) color.RGBA {
	mix := func(x, y uint8) uint8 { return uint8(math.Round(float64(x) + (float64(y)-float64(x))*t)) }
	return color.RGBA{mix(a.R, b.R), mix(a.G, b.G), mix(a.B, b.B), 0xff}
}
