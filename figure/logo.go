package figure

import (
	"fmt"
	"math"
	"sort"
	"strconv"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Logo is a sequence logo (Schneider and Stephens 1990): in each column of an alignment the letters stand upon each other,
// each as high as its share of the column's information, log2 of the number of letters less the entropy, in bits.
type Logo struct {
	Title, Note string
	Letters     string      // of the alphabet
	Shares      [][]float64 // of each letter in each column
	PerLine     int         // columns in a line; 0 is 64
}

// Sizes of a logo, in points.
const (
	logoColumn = 9
	logoLine   = 64
	logoLabel  = 14 // for the numbers of columns below a line
	logoSide   = 34
	logoRight  = 24
	logoHead   = 46
)

// capHeight is how high a capital letter is, as a share of the size of type.
const capHeight = 0.69

func (f *Logo) title() string { return f.Title }

func (f *Logo) perLine() int {
	if f.PerLine > 0 {
		return f.PerLine
	}
	return min(64, max(1, len(f.Shares)))
}

func (f *Logo) lines() int { return max(1, (len(f.Shares)+f.perLine()-1)/f.perLine()) }

func (f *Logo) size() (width, height vg.Length) {
	return vg.Length(logoSide + logoColumn*f.perLine() + logoRight), vg.Length(logoHead + f.lines()*(logoLine+logoLabel))
}

func (f *Logo) fitted(width float64) Chart {
	g := *f
	g.PerLine = max(1, min(f.perLine(), int(width-logoSide-logoRight)/logoColumn))
	return &g
}

func (f *Logo) draw(c draw.Canvas, theme Theme) {
	of := len(f.Letters)
	for _, shares := range f.Shares {
		if len(shares) != of {
			panic(fmt.Sprintf("figure: a column of %d shares for %d letters", len(shares), of))
		}
	}
	c = frame(c, f.Title, f.Note, theme)
	most := math.Log2(float64(max(2, of)))
	style := textStyle(smallSize, theme)
	for line := range f.lines() {
		top := c.Max.Y - vg.Length(line*(logoLine+logoLabel))
		bottom := top - logoLine
		style.Color = theme.colours().faint
		c.FillText(style, vg.Point{X: c.Min.X, Y: top}, strconv.FormatFloat(most, 'f', 1, 64))
		c.FillText(style, vg.Point{X: c.Min.X, Y: bottom + smallSize}, "0 bits")
		for k := range f.perLine() {
			at := line*f.perLine() + k
			if at >= len(f.Shares) {
				break
			}
			left := c.Min.X + logoSide + vg.Length(k*logoColumn)
			if (at+1)%10 == 0 {
				c.FillText(style, vg.Point{X: left, Y: bottom - 1}, strconv.Itoa(at+1))
			}
			f.column(c, theme, f.Shares[at], most, left, bottom)
		}
	}
}

// column draws the letters of a column, the most frequent one on top.
func (f *Logo) column(c draw.Canvas, theme Theme, shares []float64, most float64, left, bottom vg.Length) {
	order := make([]int, len(shares))
	information := most
	for k, p := range shares {
		order[k] = k
		if p > 0 {
			information += p * math.Log2(p)
		}
	}
	sort.SliceStable(order, func(a, b int) bool { return shares[order[a]] < shares[order[b]] })
	const size = 40
	face := font.DefaultCache.Lookup(textStyle(size, theme).Font, size)
	y := bottom
	for _, k := range order {
		height := vg.Length(shares[k] * information / most * logoLine)
		letter := f.Letters[k : k+1]
		if height < 0.5 {
			y += height
			continue
		}
		colour := theme.colours().of(k)
		if letter == "-" {
			colour = theme.colours().faint
		}
		if letter == "-" { // a dash is no capital
			c.FillPolygon(colour, []vg.Point{{X: left + 1, Y: y}, {X: left + logoColumn - 1, Y: y}, {X: left + logoColumn - 1, Y: y + height}, {X: left + 1, Y: y + height}})
			y += height
			continue
		}
		c.Push()
		c.SetColor(colour)
		c.Translate(vg.Point{X: left, Y: y})
		c.Scale(float64((logoColumn-0.6)/face.Width(letter)), float64(height)/(capHeight*size))
		c.FillString(face, vg.Point{}, letter)
		c.Pop()
		y += height
	}
}
