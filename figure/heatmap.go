package figure

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// HeatMap draws a value for each pair of an x and a y value, such as a phase
// diagram. Cells whose value is NaN are marked as missing.
type HeatMap struct {
	Title, Note   string
	X, Y          Axis // Log, Min and Max are not used: every value has its own column or row
	Scale         Axis // of the values; Log is not used
	XValues       []float64
	YValues       []float64   // the first is the lowest row
	Values        [][]float64 // Values[y][x]
	Shading       Shading
	Lines         []Series // drawn over the cells, in units of x and y
	Width, Height float64  // points; 0 is 432 x 360
}

func (f *HeatMap) title() string { return f.Title }

func (f *HeatMap) size() (width, height vg.Length) { return orSize(f.Width, f.Height, 432, 360) }

func (f *HeatMap) fitted(width float64) Chart {
	g := *f
	g.Width, g.Height = width, fit(f, width)
	return &g
}

func (f *HeatMap) draw(c draw.Canvas, theme Theme) {
	if len(f.Values) != len(f.YValues) || len(f.XValues) == 0 || len(f.YValues) == 0 {
		panic(fmt.Sprintf("figure: heat map of %d rows for %d x %d values", len(f.Values), len(f.YValues), len(f.XValues)))
	}
	for _, row := range f.Values {
		if len(row) != len(f.XValues) {
			panic(fmt.Sprintf("figure: heat map with a row of %d for %d values", len(row), len(f.XValues)))
		}
	}
	c = frame(c, f.Title, f.Note, theme)
	cells := &cells{columns: len(f.XValues), rows: len(f.YValues), at: func(x, y int) float64 { return f.Values[y][x] },
		scale: f.Scale, shading: f.Shading, theme: theme}
	cells.setRange()
	p := axes(c, Axis{Label: f.X.Label, Unit: f.X.Unit}, Axis{Label: f.Y.Label, Unit: f.Y.Unit}, theme)
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = -0.5, float64(cells.columns)-0.5, -0.5, float64(cells.rows)-0.5
	p.X.Padding, p.Y.Padding = 0, 0
	p.X.Tick.Marker, p.Y.Tick.Marker = labelsOf(f.XValues, 10), labelsOf(f.YValues, 12)
	p.Add(cells)
	var entries []entry
	if cells.missing() {
		entries = append(entries, entry{"missing", cells.missingSample})
	}
	for k := range f.Lines {
		line := f.Lines[k]
		line.check()
		line.X, line.Y = positions(line.X, f.XValues), positions(line.Y, f.YValues)
		line.Low, line.High = nil, nil
		if line.Colour == 0 {
			line.Colour = 2 + k // vermillion stands out from the cells
		}
		one := newSeriesPlotter(&line, 0, false, false, theme)
		p.Add(one)
		if line.Name != "" {
			entries = append(entries, entry{line.Name, one.sample})
		}
	}
	c = legend(c, entries, theme)
	plain, bar := c, c
	plain.Max.X -= barRoom
	bar.Min.X = plain.Max.X + 14
	p.Draw(plain)
	data := p.DataCanvas(plain)
	bar.Min.Y, bar.Max.Y = data.Min.Y, data.Max.Y
	cells.bar(bar)
}

// labelsOf names the cells along an axis by their values, not more than n of them.
func labelsOf(values []float64, n int) plot.ConstantTicks {
	if len(values) > n {
		if ticks := evenly(values); ticks != nil {
			return ticks
		}
		if ticks := nearlyEvenly(values); ticks != nil {
			return ticks
		}
	}
	every := (len(values) + n - 1) / n
	var ticks plot.ConstantTicks
	for k, v := range values {
		tick := plot.Tick{Value: float64(k)}
		if k%every == 0 {
			tick.Label = strconv.FormatFloat(v, 'g', 4, 64)
		}
		if tick.Label != "" || len(values) <= mostPoints {
			ticks = append(ticks, tick)
		}
	}
	return ticks
}

// nearlyEvenly returns ticks at round values, between the cells whose values they
// lie between, nil unless the values rise in about equal steps.
func nearlyEvenly(values []float64) plot.ConstantTicks {
	n := len(values)
	first, last := values[0], values[n-1]
	for k := range n - 1 {
		even := first + (last-first)*float64(k)/float64(n-1)
		if !(values[k] < values[k+1]) || math.Abs(values[k]-even) > 0.25*(last-first) {
			return nil
		}
	}
	ticks := linearTicks(first, last, mostTicks, false)
	for k := range ticks {
		ticks[k].Value = positions([]float64{min(max(ticks[k].Value, first), last)}, values)[0]
	}
	return ticks
}

// evenly returns ticks at round values, nil unless the values are evenly spaced.
func evenly(values []float64) plot.ConstantTicks {
	first, last := values[0], values[len(values)-1]
	step := (last - first) / float64(len(values)-1)
	for k, v := range values {
		if !(math.Abs(v-first-step*float64(k)) <= 1e-6*math.Abs(step)) || step == 0 {
			return nil
		}
	}
	low, high := first-step/2, last+step/2
	ticks := linearTicks(min(low, high), max(low, high), mostTicks, false)
	for k := range ticks {
		ticks[k].Value = (ticks[k].Value - first) / step
	}
	return ticks
}

// positions turns values into places between cells; NaN outside of them.
func positions(v, values []float64) []float64 {
	out := make([]float64, len(v))
	for k, x := range v {
		out[k] = math.NaN()
		for j := range len(values) - 1 {
			if a, b := values[j], values[j+1]; a <= x && x <= b {
				out[k] = float64(j) + (x-a)/(b-a)
			}
		}
	}
	return out
}

// cells draws a grid of values by colour.
type cells struct {
	columns, rows int
	at            func(x, y int) float64 // row 0 is the lowest
	scale         Axis
	low, high     float64
	shading       Shading
	theme         Theme
}

// setRange takes the range of the scale from the values unless it is given.
func (g *cells) setRange() {
	if g.low, g.high = g.scale.Min, g.scale.Max; g.low < g.high {
		return
	}
	g.low, g.high = math.Inf(1), math.Inf(-1)
	for y := range g.rows {
		for x := range g.columns {
			if v := g.at(x, y); !math.IsNaN(v) && !math.IsInf(v, 0) {
				g.low, g.high = min(g.low, v), max(g.high, v)
			}
		}
	}
	if g.low > g.high {
		g.low, g.high = 0, 1
	}
	if g.shading == Signed {
		g.high = max(math.Abs(g.low), math.Abs(g.high))
		g.low = -g.high
	}
	if g.low == g.high {
		g.low, g.high = g.low-0.5, g.high+0.5
	}
}

func (g *cells) shade(v float64) color.RGBA {
	return g.shading.of((v - g.low) / (g.high - g.low))
}

func (g *cells) missing() bool {
	for y := range g.rows {
		for x := range g.columns {
			if math.IsNaN(g.at(x, y)) {
				return true
			}
		}
	}
	return false
}

// manyCells are drawn as an image rather than one by one.
const manyCells = 2500

func (g *cells) Plot(c draw.Canvas, p *plot.Plot) {
	tx, ty := p.Transforms(&c)
	if g.columns*g.rows > manyCells {
		c.DrawImage(vg.Rectangle{Min: vg.Point{X: tx(-0.5), Y: ty(-0.5)}, Max: vg.Point{X: tx(float64(g.columns) - 0.5), Y: ty(float64(g.rows) - 0.5)}}, g.coarser(mostPoints).image())
		return
	}
	for y := range g.rows {
		for x := range g.columns {
			r := vg.Rectangle{Min: vg.Point{X: tx(float64(x) - 0.5), Y: ty(float64(y) - 0.5)}, Max: vg.Point{X: tx(float64(x) + 0.5), Y: ty(float64(y) + 0.5)}}
			v := g.at(x, y)
			if math.IsNaN(v) {
				g.missingCell(c, r)
				continue
			}
			// A little over the edge that the next cells cover: no seams.
			r.Max.X, r.Max.Y = min(r.Max.X+0.3, c.Max.X), min(r.Max.Y+0.3, c.Max.Y)
			c.FillPolygon(g.shade(v), corners(r))
		}
	}
}

func (g *cells) missingCell(c draw.Canvas, r vg.Rectangle) {
	c.FillPolygon(g.theme.colours().missing, corners(r))
	style := draw.LineStyle{Color: g.theme.colours().faint, Width: 0.5}
	c.StrokeLine2(style, r.Min.X, r.Min.Y, r.Max.X, r.Max.Y)
	c.StrokeLine2(style, r.Min.X, r.Max.Y, r.Max.X, r.Min.Y)
}

func (g *cells) missingSample(c draw.Canvas) {
	height := c.Max.Y - c.Min.Y
	c.Min.X = c.Max.X - height
	g.missingCell(c, c.Rectangle)
}

// image draws every cell as a square of pixels, so many that smoothing does not blur it.
func (g *cells) image() image.Image {
	scale := max(2, 800/max(g.columns, g.rows))
	img := image.NewRGBA(image.Rect(0, 0, g.columns*scale, g.rows*scale))
	colours := g.theme.colours()
	for y := range g.rows {
		for x := range g.columns {
			v := g.at(x, y)
			for k := range scale * scale {
				dx, dy := k%scale, k/scale
				shade := colours.missing
				switch {
				case !math.IsNaN(v):
					shade = g.shade(v)
				case dx == dy || dx == scale-1-dy:
					shade = colours.faint
				}
				img.SetRGBA(x*scale+dx, (g.rows-1-y)*scale+dy, shade)
			}
		}
	}
	return img
}

// bar draws the scale of colours with its label.
func (g *cells) bar(c draw.Canvas) {
	p := axes(c, Axis{}, Axis{Label: g.scale.Label, Unit: g.scale.Unit}, g.theme)
	style, label := textStyle(smallSize, g.theme), textStyle(smallSize, g.theme)
	const width, steps = 12, 64
	height := c.Max.Y - c.Min.Y
	for k := range steps {
		y := c.Min.Y + height*vg.Length(k)/steps
		top := min(c.Max.Y, y+height/steps+0.3)
		c.FillPolygon(g.shade(g.low+(g.high-g.low)*(float64(k)+0.5)/steps), corners(vg.Rectangle{Min: vg.Point{X: c.Min.X, Y: y}, Max: vg.Point{X: c.Min.X + width, Y: top}}))
	}
	line := draw.LineStyle{Color: g.theme.colours().ink, Width: 0.5}
	style.YAlign = draw.YCenter
	widest := vg.Length(0)
	for _, t := range linearTicks(g.low, g.high, mostTicks, g.scale.Whole) {
		widest = max(widest, style.Width(t.Label))
		y := c.Min.Y + height*vg.Length((t.Value-g.low)/(g.high-g.low))
		c.StrokeLine2(line, c.Min.X+width, y, c.Min.X+width+3, y)
		c.FillText(style, vg.Point{X: c.Min.X + width + 5, Y: y}, t.Label)
	}
	if text := p.Y.Label.Text; text != "" {
		label.Rotation, label.XAlign, label.YAlign = math.Pi/2, draw.XCenter, draw.YBottom
		c.FillText(label, vg.Point{X: min(c.Max.X+10, c.Min.X+width+8+widest+label.Height(text)), Y: (c.Min.Y + c.Max.Y) / 2}, text)
	}
}
