package figure

import (
	"fmt"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Matrix draws a matrix, row 0 at the top, such as the
// overlaps of hidden units.
type Matrix struct {
	Title, Note   string
	Rows, Columns int
	Values        []float64 // row by row; NaN is marked as missing
	Y, X          Axis      // labels of rows and columns; Log, Min and Max are not used
	Scale         Axis      // of the values; where Shading is Signed, its range is symmetric about 0 unless given
	Shading       Shading
	Width, Height float64 // points; 0 is 360 x 320
}

// fewCells carry their value as text.
const fewCells = 64

func (f *Matrix) title() string { return f.Title }

func (f *Matrix) size() (width, height vg.Length) { return orSize(f.Width, f.Height, 360, 320) }

func (f *Matrix) fitted(width float64) Chart {
	g := *f
	g.Width, g.Height = width, fit(f, width)
	return &g
}

func (f *Matrix) draw(c draw.Canvas, theme Theme) {
	if f.Rows < 1 || f.Columns < 1 || len(f.Values) != f.Rows*f.Columns {
		panic(fmt.Sprintf("figure: matrix of %d values for %d x %d", len(f.Values), f.Rows, f.Columns))
	}
	c = frame(c, f.Title, f.Note, theme)
	cells := &cells{columns: f.Columns, rows: f.Rows, at: func(x, y int) float64 { return f.Values[(f.Rows-1-y)*f.Columns+x] },
		scale: f.Scale, shading: f.Shading, theme: theme}
	cells.setRange()
	p := axes(c, Axis{Label: f.X.Label, Unit: f.X.Unit}, Axis{Label: f.Y.Label, Unit: f.Y.Unit}, theme)
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = -0.5, float64(f.Columns)-0.5, -0.5, float64(f.Rows)-0.5
	p.X.Padding, p.Y.Padding = 0, 0
	p.X.Tick.Marker, p.Y.Tick.Marker = counting(f.Columns, false), counting(f.Rows, true)
	p.Add(cells)
	if f.Rows*f.Columns <= fewCells {
		p.Add(cellTexts{cells})
	}
	if cells.missing() {
		c = legend(c, []entry{{"missing", cells.missingSample}}, theme)
	}
	plain, bar := c, c
	plain.Max.X -= barRoom
	bar.Min.X = plain.Max.X + 14
	p.Draw(plain)
	data := p.DataCanvas(plain)
	bar.Min.Y, bar.Max.Y = data.Min.Y, data.Max.Y
	cells.bar(bar)
}

// counting labels n rows or columns from 1, turned where the first is the highest.
func counting(n int, turned bool) plot.ConstantTicks {
	values := make([]float64, n)
	for k := range values {
		values[k] = float64(k + 1)
	}
	ticks := labelsOf(values, 10)
	if turned {
		for k := range ticks {
			ticks[k].Value = float64(n-1) - ticks[k].Value
		}
	}
	return ticks
}

// cellTexts writes the values into the cells.
type cellTexts struct{ *cells }

func (g cellTexts) Plot(c draw.Canvas, p *plot.Plot) {
	tx, ty := p.Transforms(&c)
	style := textStyle(8, g.theme)
	style.XAlign, style.YAlign = draw.XCenter, draw.YCenter
	for y := range g.rows {
		for x := range g.columns {
			v := g.at(x, y)
			if v != v {
				continue
			}
			// Ink that stands out from the cell, whatever the theme.
			shade := g.shade(v)
			style.Color = themes[Light].ink
			if 0.3*float64(shade.R)+0.59*float64(shade.G)+0.11*float64(shade.B) < 140 {
				style.Color = themes[Light].paper
			}
			c.FillText(style, vg.Point{X: tx(float64(x)), Y: ty(float64(y))}, strconv.FormatFloat(v, 'f', 2, 64))
		}
	}
}
