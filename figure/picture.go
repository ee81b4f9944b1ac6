package figure

import (
	"image"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Picture draws an image, such as tiles, with a title and, where Scale has a
// label, the colours' meaning.
type Picture struct {
	Title, Note   string
	Image         image.Image
	Scale         Axis    // of the values in the image, from Min to Max
	Shading       Shading // of the image
	Width, Height float64 // points; 0 is 432 wide and as high as the image needs
}

const barRoom = 62 // points for a scale of colours

func (f *Picture) title() string { return f.Title }

func (f *Picture) size() (width, height vg.Length) {
	b := f.Image.Bounds()
	inner := 432.0 - 20
	if f.Scale.Label != "" {
		inner -= barRoom
	}
	return orSize(f.Width, f.Height, 432, inner*float64(b.Dy())/float64(b.Dx())+56)
}

func (f *Picture) fitted(width float64) Chart {
	g := *f
	g.Width, g.Height = width, fit(f, width)
	return &g
}

func (f *Picture) draw(c draw.Canvas, theme Theme) {
	c = frame(c, f.Title, f.Note, theme)
	room := c
	if f.Scale.Label != "" {
		room.Max.X -= barRoom
	}
	b := f.Image.Bounds()
	scale := min((room.Max.X-room.Min.X)/vg.Length(b.Dx()), (room.Max.Y-room.Min.Y)/vg.Length(b.Dy()))
	at := vg.Rectangle{Min: vg.Point{X: room.Min.X, Y: room.Max.Y - scale*vg.Length(b.Dy())}, Max: vg.Point{X: room.Min.X + scale*vg.Length(b.Dx()), Y: room.Max.Y}}
	c.DrawImage(at, enlarged(f.Image))
	if f.Scale.Label != "" {
		bar := c
		bar.Min.X, bar.Max.X = at.Max.X+14, at.Max.X+barRoom
		bar.Max.Y = at.Max.Y
		bar.Min.Y = max(at.Min.Y, at.Max.Y-200)
		g := &cells{scale: f.Scale, shading: f.Shading, theme: theme, low: f.Scale.Min, high: f.Scale.Max}
		g.bar(bar)
	}
}

// enlarged repeats the dots of a small image, so that smoothing does not blur them.
func enlarged(img image.Image) image.Image {
	return larger(img, 900/max(img.Bounds().Dx(), img.Bounds().Dy(), 1))
}
