package figure

import (
	"image"
	"image/color"
	"image/draw"
	"math"

	"gonum.org/v1/plot/vg"
	plotdraw "gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

// A Swatch says what a colour of a picture stands for.
type Swatch struct {
	Colour color.RGBA
	Means  string
}

// SpinKey are the colours of spins and of their means. LevelKey are those of other units, between the least and the largest value that
// they are drawn with.
var (
	SpinKey  = []Swatch{{Grey(1), "+1"}, {Grey(0), "mean 0"}, {Grey(-1), "−1"}}
	LevelKey = []Swatch{{Grey(1), "high"}, {Grey(0), "middle"}, {Grey(-1), "low"}}
)

// SamplesTitle is the title of pictures of samples.
const SamplesTitle = "Samples: mean of each visible unit given the hidden ones"

// A head is a word above the columns of a picture, from a dot on.
type head struct {
	at   int
	text string
}

// leastDots is how wide or high a picture is made, about, by drawing each of its dots several times.
const leastDots = 450

// leastColumn in dots holds the word above a column.
const leastColumn = 64

// Headed returns a picture, enlarged if it is small, under a title and above the meaning of its colours.
func Headed(img image.Image, title string, key []Swatch) image.Image {
	return headed(larger(img, enough(img)), title, nil, key)
}

// enough returns how many times the dots of a small picture are repeated.
func enough(img image.Image) int {
	return max(1, leastDots/max(img.Bounds().Dx(), img.Bounds().Dy(), 1))
}

// headed draws a title, heads above columns and a key around a picture. Type grows with the picture.
func headed(img image.Image, title string, heads []head, key []Swatch) image.Image {
	b := img.Bounds()
	dpi := max(96, 96*b.Dx()/700)
	style, large := textStyle(smallSize, Light), textStyle(titleSize, Light)
	dots := func(l vg.Length) int { return int(math.Ceil(float64(l) * float64(dpi) / 72)) }
	length := func(dots int) vg.Length { return vg.Length(float64(dots) * 72 / float64(dpi)) }

	const gap, square = 5, smallSize // points
	lines := wrap(title, large, max(length(b.Dx()), 60))
	top := vg.Length(gap)
	for _, line := range lines {
		top += large.Height(line) + gap
	}
	if len(heads) > 0 {
		top += style.Height("X") + gap
	}
	// The key goes on as many lines as it needs.
	width := length(b.Dx())
	type place struct{ x, line vg.Length }
	places, x, line := make([]place, len(key)), vg.Length(0), vg.Length(0)
	for k, s := range key {
		need := square + gap + style.Width(s.Means)
		if x > 0 && x+need > width {
			x, line = 0, line+1
		}
		places[k] = place{x, line}
		x += need + 3*gap
	}
	row := style.Height("X") + gap
	bottom := gap + row*(line+1)
	if len(key) == 0 {
		bottom = 0
	}
	canvas := vgimg.NewWith(vgimg.UseImage(image.NewRGBA(image.Rect(0, 0, b.Dx(), dots(top)+b.Dy()+dots(bottom)))), vgimg.UseDPI(dpi))
	c := plotdraw.New(canvas)
	y := c.Max.Y - gap
	for _, line := range lines {
		c.FillText(large, vg.Point{X: c.Min.X, Y: y}, line)
		y -= large.Height(line) + gap
	}
	for _, h := range heads {
		c.FillText(style, vg.Point{X: c.Min.X + length(h.at), Y: y}, h.text)
	}
	for k, s := range key {
		at := vg.Point{X: c.Min.X + places[k].x, Y: c.Min.Y + bottom - gap - row*places[k].line}
		box := vg.Rectangle{Min: vg.Point{X: at.X, Y: at.Y - square}, Max: vg.Point{X: at.X + square, Y: at.Y}}
		c.FillPolygon(s.Colour, corners(box))
		edge := corners(box)
		c.StrokeLines(plotdraw.LineStyle{Color: Light.colours().faint, Width: 0.5}, append(edge, edge[0]))
		c.FillText(style, vg.Point{X: at.X + square + gap, Y: at.Y}, s.Means)
	}
	out := canvas.Image()
	draw.Draw(out, image.Rect(0, dots(top), b.Dx(), dots(top)+b.Dy()), img, b.Min, draw.Src)
	return out
}

// larger repeats each dot of an image k times, both ways.
func larger(img image.Image, k int) image.Image {
	if k < 2 {
		return img
	}
	b := img.Bounds()
	out := image.NewRGBA(image.Rect(0, 0, k*b.Dx(), k*b.Dy()))
	for y := range b.Dy() {
		for x := range b.Dx() {
			colour := img.At(b.Min.X+x, b.Min.Y+y)
			for right := range k {
				out.Set(k*x+right, k*y, colour)
			}
		}
		row := out.Pix[k*y*out.Stride:][:out.Stride]
		for down := 1; down < k; down++ {
			copy(out.Pix[(k*y+down)*out.Stride:], row)
		}
	}
	return out
}
