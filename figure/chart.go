package figure

import (
	"bytes"
	"fmt"
	"html"
	"image/png"
	"io"
	"math"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"

	"bethe/internal/durable"
)

// A Chart is a picture that Save, EncodeSVG and EncodePNG draw: Curves,
// Histogram, HeatMap, Matrix, Logo, Picture, or Panels of them. Its texts may hold
// Latin and Greek letters; the fonts lack most superscripts.
type Chart interface {
	// size is that of the chart in points; title names it for a reader of the SVG.
	size() (width, height vg.Length)
	title() string
	// fitted is the chart drawn so many points wide. It keeps its proportions, unless too little height would be left for them.
	fitted(width float64) Chart
	draw(c draw.Canvas, theme Theme)
}

// An Axis of a chart.
type Axis struct {
	Label, Unit string
	Log         bool    // logarithmic: values that are not positive are left out
	Whole       bool    // of whole numbers, such as steps: ticks are whole
	Min, Max    float64 // where Min < Max, the range; else that of the data
}

func (a Axis) text() string {
	if a.Unit == "" {
		return a.Label
	}
	return fmt.Sprintf("%s (%s)", a.Label, a.Unit)
}

// dotsPerInch of PNG files.
const dotsPerInch = 144

// Save draws a chart to base.png and base.svg, each written as a whole or not
// at all, and returns their names. Equal charts give equal bytes.
func Save(base string, chart Chart) ([]string, error) {
	names := []string{base + ".png", base + ".svg"}
	for k, write := range []func(io.Writer, Chart, Theme) error{EncodePNG, EncodeSVG} {
		if err := durable.WriteFile(names[k], func(w io.Writer) error { return write(w, chart, Light) }); err != nil {
			return nil, err
		}
	}
	return names, nil
}

// EncodePNG draws a chart as a PNG picture of 144 dots an inch.
func EncodePNG(w io.Writer, chart Chart, theme Theme) error {
	width, height := chart.size()
	c := vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(dotsPerInch), vgimg.UseBackgroundColor(theme.colours().paper))
	chart.draw(draw.New(c), theme)
	return png.Encode(w, c.Image())
}

// EncodeSVG draws a chart as an SVG picture, which names fonts rather than
// carrying them.
func EncodeSVG(w io.Writer, chart Chart, theme Theme) error {
	width, height := chart.size()
	c := vgsvg.NewWith(vgsvg.UseWH(width, height))
	canvas := draw.New(c)
	canvas.FillPolygon(theme.colours().paper, corners(canvas.Rectangle))
	chart.draw(canvas, theme)
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		return err
	}
	// What a reader of the screen speaks, fonts where Liberation is not
	// installed, and the true kind of the images inside.
	text := b.Bytes()
	if k := bytes.Index(text, []byte("<g ")); k >= 0 {
		name := "<title>" + html.EscapeString(plain(chart.title())) + "</title>\n"
		text = append(text[:k:k], append([]byte(name), text[k:]...)...)
	}
	text = bytes.ReplaceAll(text, []byte("font-family:Liberation Sans;"), []byte("font-family:'Liberation Sans',Arial,Helvetica,sans-serif;"))
	text = bytes.ReplaceAll(text, []byte("data:image/jpg;"), []byte("data:image/png;"))
	_, err := w.Write(text)
	return err
}

// EncodeSVGWide draws a chart as EncodeSVG does, so many points wide, whatever width it would have by itself. Type keeps its size,
// and panels go below each other where they do not fit side by side. A point is 4/3 pixels of a browser.
func EncodeSVGWide(w io.Writer, chart Chart, theme Theme, width float64) error {
	return EncodeSVG(w, chart.fitted(width), theme)
}

// fit returns the height of a chart that is drawn in another width: in proportion, and at least the height of two thirds of a
// narrow chart.
func fit(chart Chart, to float64) float64 {
	width, height := chart.size()
	return max(float64(height)*to/float64(width), min(float64(height), leastHeight))
}

// leastHeight in points is what a chart needs under its title, note and legend.
const leastHeight = 200

func corners(r vg.Rectangle) []vg.Point {
	return []vg.Point{r.Min, {X: r.Max.X, Y: r.Min.Y}, r.Max, {X: r.Min.X, Y: r.Max.Y}}
}

// Sizes of type, in points.
const (
	titleSize = 12
	labelSize = 10
	smallSize = 9
)

// textStyle is sans-serif type of a size.
func textStyle(size vg.Length, theme Theme) text.Style {
	return text.Style{
		Color: theme.colours().ink, Font: font.From(font.Font{Typeface: "Liberation", Variant: "Sans"}, size),
		XAlign: draw.XLeft, YAlign: draw.YTop, Handler: plot.DefaultTextHandler,
	}
}

// frame draws a title and a note at the top and returns the canvas below them.
func frame(c draw.Canvas, title, note string, theme Theme) draw.Canvas {
	c = draw.Crop(c, 8, -12, 8, -8)
	title, note = plain(title), plain(note)
	if title != "" {
		style := textStyle(titleSize, theme)
		for _, line := range wrap(title, style, c.Max.X-c.Min.X) {
			c.FillText(style, vg.Point{X: c.Min.X, Y: c.Max.Y}, line)
			c.Max.Y -= style.Height(line) + 3
		}
	}
	if note != "" {
		style := textStyle(smallSize, theme)
		style.Color = theme.colours().faint
		for _, line := range wrap(note, style, c.Max.X-c.Min.X) {
			c.FillText(style, vg.Point{X: c.Min.X, Y: c.Max.Y}, line)
			c.Max.Y -= style.Height(line) + 1
		}
		c.Max.Y -= 2
	}
	c.Max.Y -= 3
	return c
}

// above draws the label of the vertical axis over it, if it is longer than the axis is high, and returns the canvas below.
func above(c draw.Canvas, p *plot.Plot, theme Theme) draw.Canvas {
	const room = 40 // of the horizontal axis
	text := p.Y.Label.Text
	style := textStyle(labelSize, theme)
	if text == "" || style.Width(text) < c.Max.Y-c.Min.Y-room {
		return c
	}
	p.Y.Label.Text = ""
	for _, line := range wrap(text, style, c.Max.X-c.Min.X) {
		c.FillText(style, vg.Point{X: c.Min.X, Y: c.Max.Y}, line)
		c.Max.Y -= style.Height(line) + 1
	}
	c.Max.Y -= 4
	return c
}

// wrap cuts a text into lines that fit a width, between words.
func wrap(text string, style text.Style, width vg.Length) []string {
	var lines []string
	line := ""
	start := 0
	for k := 0; k <= len(text); k++ {
		if k < len(text) && text[k] != ' ' {
			continue
		}
		word := text[start:k]
		start = k + 1
		switch {
		case line == "":
			line = word
		case style.Width(line+" "+word) <= width:
			line += " " + word
		default:
			lines = append(lines, line)
			line = word
		}
	}
	return append(lines, line)
}

// axes returns empty axes in the style of a theme, with as many ticks as there is room for in a canvas.
func axes(c draw.Canvas, x, y Axis, theme Theme) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil
	const tickWidth, tickHeight, beside = 36, 20, 60 // points; beside is what the vertical axis takes
	for _, a := range []struct {
		axis  *plot.Axis
		of    Axis
		ticks vg.Length
	}{{&p.X, x, (c.Max.X - c.Min.X - beside) / tickWidth}, {&p.Y, y, (c.Max.Y - c.Min.Y - beside/2) / tickHeight}} {
		label, tick := textStyle(labelSize, theme), textStyle(smallSize, theme)
		label.XAlign, label.YAlign, label.Rotation = a.axis.Label.TextStyle.XAlign, a.axis.Label.TextStyle.YAlign, a.axis.Label.TextStyle.Rotation
		tick.XAlign, tick.YAlign = a.axis.Tick.Label.XAlign, a.axis.Tick.Label.YAlign
		a.axis.Label.Text, a.axis.Label.TextStyle, a.axis.Tick.Label = plain(a.of.text()), label, tick
		a.axis.Color, a.axis.Tick.Color = theme.colours().ink, theme.colours().ink
		a.axis.Tick.Length, a.axis.Label.Padding, a.axis.Padding = 4, 2, 4
		if a.of.Log {
			a.axis.Scale, a.axis.Tick.Marker = plot.LogScale{}, plot.TickerFunc(logTicks)
		} else {
			a.axis.Tick.Marker = a.of.ticks(min(mostTicks, max(3, int(a.ticks))))
		}
	}
	return p
}

// setRange sets the range of an axis: the one asked for, else that of the data
// with room for a flat curve.
func setRange(axis *plot.Axis, of Axis, low, high float64) {
	if of.Min < of.Max && (!of.Log || of.Min > 0) {
		axis.Min, axis.Max = of.Min, of.Max
		return
	}
	switch {
	case low > high && of.Log: // no data
		low, high = 1, 10
	case low > high:
		low, high = 0, 1
	case of.Log && high < low*1.01:
		low, high = low/2, high*2
	case !of.Log && high-low <= 1e-9*max(math.Abs(low), math.Abs(high)):
		room := max(0.1*math.Abs(low), 1e-6)
		low, high = low-room, high+room
	}
	axis.Min, axis.Max = low, high
}

// mostTicks of an axis.
const mostTicks = 7

// widen adds room at both ends of an axis, in shares of its length. It does not where the range is so large that numbers overflow.
func widen(axis *plot.Axis, of Axis, below, above float64) {
	low, high := axis.Min, axis.Max
	if of.Log {
		low, high = math.Log(low), math.Log(high)
	}
	low, high = low-below*(high-low), high+above*(high-low)
	if of.Log {
		low, high = math.Exp(low), math.Exp(high)
	}
	if low < axis.Min && axis.Max < high && !math.IsInf(high-low, 0) {
		axis.Min, axis.Max = low, high
	}
}

// ticks returns what labels round values of a linear axis, at most so many.
func (a Axis) ticks(most int) plot.TickerFunc {
	return func(low, high float64) []plot.Tick { return linearTicks(low, high, most, a.Whole) }
}

// linearTicks labels round values, at most so many; whole ones are all that are wanted of whole numbers.
func linearTicks(low, high float64, most int, whole bool) []plot.Tick {
	steps := float64(most - 1)
	step := math.Pow(10, math.Floor(math.Log10((high-low)/steps)))
	for _, m := range []float64{1, 2, 2.5, 5, 10} {
		if (high-low)/(m*step) <= steps && !(whole && m*step != math.Round(m*step)) {
			step *= m
			break
		}
	}
	if whole {
		step = max(1, step)
	}
	digits := 0
	for digits < 12 && math.Abs(step*math.Pow10(digits)-math.Round(step*math.Pow10(digits))) > 1e-6*step*math.Pow10(digits) {
		digits++
	}
	var ticks []plot.Tick
	const stuck = 20 // where rounding hides that k grows
	for k := math.Ceil(low/step - 1e-9); k*step <= high+1e-9*step && len(ticks) < stuck; k++ {
		ticks = append(ticks, plot.Tick{Value: k * step, Label: number(k*step, step, digits)})
	}
	return ticks
}

// number writes a tick's value: plainly where that is short.
func number(v, step float64, digits int) string {
	if size := max(math.Abs(v), step); size >= 1e6 || step < 1e-5 {
		if v == 0 {
			return "0"
		}
		return strconv.FormatFloat(v, 'g', 4, 64)
	}
	return strconv.FormatFloat(v+0, 'f', digits, 64)
}

// logTicks labels powers of ten, and in a range of less than two also 2 and 5
// times them; in one that holds hardly any of these, round values.
func logTicks(low, high float64) []plot.Tick {
	decades := math.Log10(high / low)
	every := max(1, int(math.Ceil(decades/6)))
	var ticks []plot.Tick
	for e := int(math.Floor(math.Log10(low) - 1e-9)); e <= int(math.Ceil(math.Log10(high))); e++ {
		for m := range 9 {
			tick := plot.Tick{Value: float64(m+1) * math.Pow10(e)}
			if tick.Value < low*(1-1e-9) || tick.Value > high*(1+1e-9) {
				continue
			}
			if m == 0 && e%every == 0 || decades < 2 && (m == 1 || m == 4) || decades < 0.5 {
				tick.Label = strconv.FormatFloat(tick.Value, 'g', 4, 64)
			}
			ticks = append(ticks, tick)
		}
	}
	if decades < 0.5 && len(ticks) < 3 {
		return linearTicks(low, high, mostTicks, false)
	}
	return ticks
}
