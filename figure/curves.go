package figure

import (
	"fmt"
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Curves draws one or more series over a common axis.
type Curves struct {
	Title, Note   string // the note is small text below the title
	X, Y          Axis
	Series        []Series
	Width, Height float64 // points; 0 is 432 x 288
}

// A Series is a curve, points, or both. Where a value is not finite, or not
// positive on a logarithmic axis, the curve has a gap.
type Series struct {
	Name      string // empty: not in the legend
	X, Y      []float64
	Low, High []float64 // the ends of the interval at each point; nil: none
	Band      bool      // shades between Low and High, instead of a bar at each point
	Points    bool      // marks the points and draws no curve, as for published values
	Colour    int       // counts from 1 to fix colour, dash and mark, as Bound does; 0: by the order of the series
	Beside    int       // a series of one point stands so many marks to the right of its place, if others end there too
	Thin      bool      // a thin line, for one of many runs or a guide to the eye
}

func (s *Series) check() {
	if len(s.X) != len(s.Y) || s.Low != nil && len(s.Low) != len(s.X) || s.High != nil && len(s.High) != len(s.X) || (s.Low == nil) != (s.High == nil) {
		panic(fmt.Sprintf("figure: series %q of %d x, %d y, %d low and %d high values", s.Name, len(s.X), len(s.Y), len(s.Low), len(s.High)))
	}
}

func (f *Curves) title() string { return f.Title }

func (f *Curves) size() (width, height vg.Length) { return orSize(f.Width, f.Height, 432, 288) }

func orSize(width, height, defaultWidth, defaultHeight float64) (vg.Length, vg.Length) {
	if width > 0 && height > 0 {
		return vg.Length(width), vg.Length(height)
	}
	return vg.Length(defaultWidth), vg.Length(defaultHeight)
}

func (f *Curves) fitted(width float64) Chart {
	g := *f
	g.Width, g.Height = width, max(fit(f, width), f.words(width)+leastPlot)
	return &g
}

// leastPlot in points is the height of curves with their horizontal axis, below all words.
const leastPlot = 150

// words returns how high title, note and legend are in a width, about.
func (f *Curves) words(width float64) float64 {
	title, small := textStyle(titleSize, Light), textStyle(smallSize, Light)
	room := vg.Length(width - 20)
	height := vg.Length(16+len(wrap(f.Title, title, room))*18) + vg.Length(len(wrap(f.Note, small, room))*12)
	x, rows := vg.Length(0), 0
	for _, s := range f.Series {
		need := small.Width(s.Name) + legendSample + legendGap
		if s.Name == "" {
			continue
		}
		if x += need + legendRoom; rows == 0 || x > room {
			x, rows = need+legendRoom, rows+1
		}
	}
	return float64(height) + float64(rows)*14
}

func (f *Curves) draw(c draw.Canvas, theme Theme) {
	note, drawn := f.Note, f.Series
	if n := len(drawn); n > mostCurves {
		drawn = drawn[:mostCurves]
		note = strings.TrimPrefix(fmt.Sprintf("%s; the first %d of %d curves", note, mostCurves, n), "; ")
	}
	c = frame(c, f.Title, note, theme)
	p := axes(c, f.X, f.Y, theme)
	p.Add(grid{theme})
	var entries []entry
	x0, x1, y0, y1, beside := math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1), 0
	for k := range drawn {
		s := &drawn[k]
		s.check()
		one := newSeriesPlotter(s, k, f.X.Log, f.Y.Log, theme)
		p.Add(one)
		beside = max(beside, one.beside())
		for _, q := range one.points {
			if math.IsNaN(q.x) {
				continue
			}
			x0, x1 = min(x0, q.x), max(x1, q.x)
			y0, y1 = min(y0, q.low), max(y1, q.high)
		}
		if s.Name != "" {
			entries = append(entries, entry{s.Name, one.sample})
		}
	}
	setRange(&p.X, f.X, x0, x1)
	setRange(&p.Y, f.Y, y0, y1)
	c = above(legend(c, entries, theme), p, theme)
	across, up := float64(c.Max.X-c.Min.X)-60, max(40, float64(c.Max.Y-c.Min.Y)-40) // the axes take the rest
	widen(&p.X, f.X, markRoom/across, (markRoom+markStep*float64(beside))/across)
	widen(&p.Y, f.Y, markRoom/up, markRoom/up)
	p.Draw(c)
}

// markRoom in points is the room between marks and the frame, markStep that between marks that stand beside each other.
const (
	markRoom = 7
	markStep = 9
)

// beside returns how many marks to the right of its place the series stands.
func (p *seriesPlotter) beside() int {
	if len(p.points) != 1 {
		return 0
	}
	return p.s.Beside
}

// grid draws faint lines at the labelled ticks.
type grid struct{ theme Theme }

func (g grid) Plot(c draw.Canvas, p *plot.Plot) {
	style := draw.LineStyle{Color: g.theme.colours().grid, Width: 0.5}
	for _, t := range p.X.Tick.Marker.Ticks(p.X.Min, p.X.Max) {
		if x := c.X(p.X.Norm(t.Value)); !t.IsMinor() && c.ContainsX(x) {
			c.StrokeLine2(style, x, c.Min.Y, x, c.Max.Y)
		}
	}
	for _, t := range p.Y.Tick.Marker.Ticks(p.Y.Min, p.Y.Max) {
		if y := c.Y(p.Y.Norm(t.Value)); !t.IsMinor() && c.ContainsY(y) {
			c.StrokeLine2(style, c.Min.X, y, c.Max.X, y)
		}
	}
}

// point is a point of a series with its interval; x is NaN in a gap.
type point struct{ x, y, low, high float64 }

// seriesPlotter draws one series.
type seriesPlotter struct {
	s      *Series
	points []point
	line   draw.LineStyle
	glyph  draw.GlyphStyle
	theme  Theme
}

func newSeriesPlotter(s *Series, k int, logX, logY bool, theme Theme) *seriesPlotter {
	if s.Colour > 0 {
		k = s.Colour - 1
	}
	colour := theme.colours().of(k)
	p := &seriesPlotter{s: s, theme: theme,
		line:  draw.LineStyle{Color: colour, Width: 1.5, Dashes: dashes[k%len(dashes)]},
		glyph: draw.GlyphStyle{Color: colour, Radius: 3, Shape: marks[k%len(marks)]},
	}
	if s.Thin {
		p.line.Width = 0.6
	}
	// Beyond 1e300 differences overflow.
	drawn := func(v float64, log bool) bool { return math.Abs(v) < 1e300 && (!log || v > 0) }
	for k := range s.X {
		q := point{s.X[k], s.Y[k], s.Y[k], s.Y[k]}
		if !drawn(q.x, logX) || !drawn(q.y, logY) {
			q = point{math.NaN(), math.NaN(), math.NaN(), math.NaN()}
		} else if s.Low != nil {
			if drawn(s.Low[k], logY) {
				q.low = min(s.Low[k], q.y)
			}
			if drawn(s.High[k], logY) {
				q.high = max(s.High[k], q.y)
			}
		}
		p.points = append(p.points, q)
	}
	p.points = thin(p.points, mostPoints)
	return p
}

// thin keeps of each stretch of points the first, the lowest and the highest,
// so that at most about n are left and no peak is lost.
func thin(points []point, n int) []point {
	if len(points) <= n {
		return points
	}
	stretch := (3*len(points) + n - 1) / n
	var kept []point
	for at := 0; at < len(points); at += stretch {
		end := min(at+stretch, len(points))
		low, high := at, at
		for k := at; k < end; k++ {
			if math.IsNaN(points[k].x) {
				continue
			}
			if !(points[low].y <= points[k].y) {
				low = k
			}
			if !(points[high].y >= points[k].y) {
				high = k
			}
		}
		a, b := min(low, high), max(low, high)
		kept = append(kept, points[at])
		if a > at {
			kept = append(kept, points[a])
		}
		if b > a {
			kept = append(kept, points[b])
		}
	}
	if last := points[len(points)-1]; kept[len(kept)-1] != last {
		kept = append(kept, last)
	}
	return kept
}

func (p *seriesPlotter) Plot(c draw.Canvas, plt *plot.Plot) {
	places, ty := plt.Transforms(&c)
	tx := func(x float64) vg.Length { return places(x) + vg.Length(markStep*p.beside()) }
	// stretches without gaps
	var runs [][]point
	var run []point
	for _, q := range append(p.points, point{x: math.NaN()}) {
		if !math.IsNaN(q.x) {
			run = append(run, q)
		} else if run != nil {
			runs, run = append(runs, run), nil
		}
	}
	if p.s.Low != nil && p.s.Band {
		shade := p.line.Color
		r, g, b, _ := shade.RGBA()
		fill := mixed{r, g, b, 0x40}
		for _, run := range runs {
			var edge []vg.Point
			for _, q := range run {
				edge = append(edge, vg.Point{X: tx(q.x), Y: ty(q.high)})
			}
			for k := len(run) - 1; k >= 0; k-- {
				edge = append(edge, vg.Point{X: tx(run[k].x), Y: ty(run[k].low)})
			}
			c.FillPolygon(fill, c.ClipPolygonXY(edge))
		}
	}
	if p.s.Low != nil && !p.s.Band {
		bar := draw.LineStyle{Color: p.line.Color, Width: 0.8}
		for _, run := range runs {
			for _, q := range run {
				if x := tx(q.x); c.ContainsX(x) && q.low < q.high {
					lines := [][]vg.Point{
						{{X: x, Y: ty(q.low)}, {X: x, Y: ty(q.high)}},
						{{X: x - 2, Y: ty(q.low)}, {X: x + 2, Y: ty(q.low)}},
						{{X: x - 2, Y: ty(q.high)}, {X: x + 2, Y: ty(q.high)}},
					}
					c.StrokeLines(bar, c.ClipLinesXY(lines...)...)
				}
			}
		}
	}
	glyphs := p.s.Points
	if !p.s.Points {
		for _, run := range runs {
			if len(run) == 1 {
				c.DrawGlyph(p.glyph, vg.Point{X: tx(run[0].x), Y: ty(run[0].y)})
				continue
			}
			var line []vg.Point
			for _, q := range run {
				line = append(line, vg.Point{X: tx(q.x), Y: ty(q.y)})
			}
			c.StrokeLines(p.line, c.ClipLinesXY(line)...)
		}
		glyphs = !p.s.Thin && len(p.points) <= 25
	}
	if glyphs {
		for _, q := range p.points {
			if !math.IsNaN(q.x) {
				c.DrawGlyph(p.glyph, vg.Point{X: tx(q.x), Y: ty(q.y)})
			}
		}
	}
}

// mixed is a see-through colour; r, g and b are of 16 bits.
type mixed struct {
	r, g, b uint32
	alpha   uint32 // of 255
}

// RGBA implements color.Color.
func (m mixed) RGBA() (r, g, b, a uint32) {
	return m.r * m.alpha / 255, m.g * m.alpha / 255, m.b * m.alpha / 255, m.alpha * 0x101
}

// sample draws what stands for the series in the legend.
func (p *seriesPlotter) sample(c draw.Canvas) {
	y := (c.Min.Y + c.Max.Y) / 2
	if !p.s.Points && len(p.points) > 1 {
		c.StrokeLine2(p.line, c.Min.X, y, c.Max.X, y)
	}
	if p.s.Points || !p.s.Thin && len(p.points) <= 25 {
		c.DrawGlyphNoClip(p.glyph, vg.Point{X: (c.Min.X + c.Max.X) / 2, Y: y})
	}
}

// An entry of a legend.
type entry struct {
	name   string
	sample func(c draw.Canvas)
}

// Widths in a legend, in points: of the sample of a line or mark, of the gap before its name, and of the gap between entries.
const (
	legendSample = 24
	legendGap    = 4
	legendRoom   = 14
)

// legend draws entries in rows at the top and returns the canvas below them.
func legend(c draw.Canvas, entries []entry, theme Theme) draw.Canvas {
	if len(entries) == 0 {
		return c
	}
	style := textStyle(smallSize, theme)
	height := style.Height("X") + 3
	lowest := c.Max.Y - (c.Max.Y-c.Min.Y)/2 // the curves need the rest
	x := c.Min.X
	for k, e := range entries {
		name := plain(e.name)
		width := legendSample + legendGap + style.Width(name)
		if x > c.Min.X && x+width > c.Max.X {
			x = c.Min.X
			c.Max.Y -= height
			if c.Max.Y-height < lowest {
				c.FillText(style, vg.Point{X: x, Y: c.Max.Y}, fmt.Sprintf("and %d more", len(entries)-k))
				break
			}
		}
		box := draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{Min: vg.Point{X: x, Y: c.Max.Y - height + 3}, Max: vg.Point{X: x + legendSample, Y: c.Max.Y}}}
		e.sample(box)
		c.FillText(style, vg.Point{X: x + legendSample + legendGap, Y: c.Max.Y}, name)
		x += width + legendRoom
	}
	c.Max.Y -= height + 4
	return c
}
