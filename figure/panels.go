package figure

import (
	"fmt"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Panels draws several charts in one picture, row by row.
type Panels struct {
	Title   string // above all of them; may be empty
	Columns int
	Charts  []Chart
}

func (f *Panels) title() string {
	if f.Title != "" || len(f.Charts) == 0 {
		return f.Title
	}
	return f.Charts[0].title()
}

// grid returns the width of each column and the height of each row.
func (f *Panels) grid() (widths, heights []vg.Length) {
	if f.Columns < 1 || len(f.Charts) == 0 {
		panic(fmt.Sprintf("figure: %d panels in %d columns", len(f.Charts), f.Columns))
	}
	widths = make([]vg.Length, min(f.Columns, len(f.Charts)))
	heights = make([]vg.Length, (len(f.Charts)+f.Columns-1)/f.Columns)
	for k, chart := range f.Charts {
		w, h := chart.size()
		widths[k%f.Columns] = max(widths[k%f.Columns], w)
		heights[k/f.Columns] = max(heights[k/f.Columns], h)
	}
	return widths, heights
}

const panelsTitle = 26 // points above the panels for the title of all

func (f *Panels) size() (width, height vg.Length) {
	widths, heights := f.grid()
	for _, w := range widths {
		width += w
	}
	for _, h := range heights {
		height += h
	}
	if f.Title != "" {
		height += panelsTitle
	}
	return width, height
}

// leastWidth in points is what a panel needs beside another.
const leastWidth = 240

func (f *Panels) fitted(width float64) Chart {
	g := &Panels{Title: f.Title, Columns: max(1, min(f.Columns, int(width/leastWidth)))}
	for _, chart := range f.Charts {
		g.Charts = append(g.Charts, chart.fitted(width/float64(min(g.Columns, len(f.Charts)))))
	}
	return g
}

func (f *Panels) draw(c draw.Canvas, theme Theme) {
	widths, heights := f.grid()
	y := c.Max.Y
	if f.Title != "" {
		style := textStyle(titleSize+2, theme)
		c.FillText(style, vg.Point{X: c.Min.X + 8, Y: y - 8}, plain(f.Title))
		y -= panelsTitle
	}
	for row, height := range heights {
		x := c.Min.X
		for column, width := range widths {
			if k := row*f.Columns + column; k < len(f.Charts) {
				box := vg.Rectangle{Min: vg.Point{X: x, Y: y - height}, Max: vg.Point{X: x + width, Y: y}}
				f.Charts[k].draw(draw.Canvas{Canvas: c.Canvas, Rectangle: box}, theme)
			}
			x += width
		}
		y -= height
	}
}
