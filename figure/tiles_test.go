package figure

import (
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"bethe/rbm"
	"bethe/sample"
	"bethe/spin"
	"bethe/stream"
)

func at(img image.Image, x, y int) color.RGBA {
	return color.RGBAModel.Convert(img.At(x, y)).(color.RGBA)
}

// TestTiles reads every spin of every tile back from the picture.
func TestTiles(t *testing.T) {
	s := spin.Random(12, 5, stream.New(1).Rand())
	img := Samples(s, 4, 3) // scale 2, border 2: a tile takes 10 x 8
	columns := (img.Bounds().Dx() - 2) / 10
	if columns*10+2 != img.Bounds().Dx() || (img.Bounds().Dy()-2)%8 != 0 || columns*(img.Bounds().Dy()-2)/8 < 5 {
		t.Fatalf("picture of %v", img.Bounds())
	}
	for a := range 5 {
		for i := range 12 {
			want := Grey(float64(s.At(i, a)))
			for d := range 4 {
				if got := at(img, 2+a%columns*10+i%4*2+d%2, 2+a/columns*8+i/4*2+d/2); got != want {
					t.Fatalf("sample %d, spin %d: %v, not %v", a, i, got, want)
				}
			}
		}
	}
	if got := at(img, 0, 0); got.R != 0x80 || got.A != 0xff {
		t.Errorf("border %v", got)
	}
}

func TestShades(t *testing.T) {
	white, black := color.RGBA{255, 255, 255, 255}, color.RGBA{0, 0, 0, 255}
	for _, c := range []struct{ got, want color.RGBA }{
		{Grey(-1), white}, {Grey(1), black}, {Grey(5), black}, {Diverging(0), white},
		{Diverging(1), color.RGBA{0xd9, 0x5f, 0x02, 255}}, {Diverging(-7), color.RGBA{0x21, 0x66, 0xac, 255}},
	} {
		if c.got != c.want {
			t.Errorf("%v, not %v", c.got, c.want)
		}
	}
}

func TestSynapsesAndChains(t *testing.T) {
	q := rbm.NewPosterior[float32](7, 3) // 7 spins in a 3 x 3 tile
	q.Theta[0] = 20
	q.Theta[6] = -20
	img := Synapses(q, 28, 28)
	if at(img, 2, 2) != Diverging(1) || at(img, 2, 6) != Diverging(-1) || at(img, 4, 2) != Diverging(0) {
		t.Errorf("synapses %v %v %v", at(img, 2, 2), at(img, 2, 6), at(img, 4, 2))
	}
	net := rbm.NewNetwork[float32](7, 3)
	for i := range net.VisibleField {
		net.VisibleField[i] = 20 * float32(1-i%2*2)
	}
	chains := sample.NewChains(sample.OnNetwork(net), 2, stream.New(2))
	chains.Sweep(1)
	img = ChainMeans(chains, chains.Visible.Rows(), 0, 0)
	if at(img, 2, 2) != Grey(1) || at(img, 4, 2) != Grey(-1) || at(img, 6, 6) != Grey(-1) {
		t.Errorf("means %v %v %v", at(img, 2, 2), at(img, 4, 2), at(img, 6, 6))
	}
	for _, c := range [][3]int{{1, 1, 1}, {7, 3, 3}, {784, 28, 28}, {785, 29, 28}} {
		if w, h := Shape(c[0]); w != c[1] || h != c[2] {
			t.Errorf("%d spins in %d x %d", c[0], w, h)
		}
	}
}

func TestWritePNG(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.png")
	img := Samples(spin.New(4, 1), 2, 2)
	if err := WritePNG(path, img); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if back, err := png.Decode(f); err != nil || back.Bounds().Dx() != img.Bounds().Dx()*(leastDots/img.Bounds().Dx()) || at(back, back.Bounds().Dx()/2, 200) != at(img, img.Bounds().Dx()/2, 200*img.Bounds().Dx()/back.Bounds().Dx()) {
		t.Errorf("read back: %v", err)
	}
	if err := WritePNG(filepath.Join(path, "y.png"), img); err == nil {
		t.Error("no error for a folder that is a file")
	}
	defer func() {
		if recover() == nil {
			t.Error("no panic for no tiles")
		}
	}()
	Tiles(0, 1, 1, 1, nil, nil)
}

// TestRestored: rows of pictures show the sample, what was given, the mean and the
// states, each where it belongs.
func TestRestored(t *testing.T) {
	samples := spin.FromSigns(4, 2, []float64{1, -1, 1, -1, 1, -1, 1, -1}) // all +1, all -1
	states := spin.FromSigns(4, 4, []float64{1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1})
	mean := []float32{0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5}
	at := func(img image.Image, row, column, i int) color.Color { // Compare draws 2 dots per spin and a border of 2
		return img.At(2+column*6+i%2*2, 2+row*6+i/2*2)
	}
	img := completions(samples, []int8{1, 0, 0, 0}, mean, states, 2, 2)
	for _, c := range []struct {
		row, column, spin int
		want              color.Color
	}{{0, 0, 3, Grey(1)}, {1, 0, 3, Grey(-1)}, {0, 1, 0, Grey(1)}, {0, 1, 1, Unknown}, {1, 2, 2, Grey(0.5)}, {0, 3, 0, Grey(1)}, {0, 4, 0, Grey(-1)}, {1, 4, 0, Grey(-1)}} {
		if got := at(img, c.row, c.column, c.spin); got != c.want {
			t.Errorf("completions, row %d, column %d, spin %d: %v, not %v", c.row, c.column, c.spin, got, c.want)
		}
	}
	seen, restored := spin.FromSigns(4, 2, []float64{-1, -1, 1, 1, 1, 1, 1, 1}), samples
	with, without := restorations(samples, seen, mean, restored, 2, 2), restorations(nil, seen, mean, restored, 2, 2)
	if with.Bounds().Dx() != 4*6+2 || without.Bounds().Dx() != 3*6+2 || at(with, 0, 1, 0) != Grey(-1) || at(without, 0, 0, 0) != Grey(-1) || at(without, 1, 1, 0) != Grey(0.5) || at(with, 1, 3, 0) != Grey(-1) {
		t.Error("restorations")
	}
	sets := []Column{
		{"truth", func(i, a int) (float64, bool) { return float64(i)/4 - float64(a), true }},
		{"noisy", func(i, a int) (float64, bool) { return 1, i != 2 }},
	}
	img = mended(4, 2, 2, 2, sets)
	if img.Bounds().Dx() != 2*6+2 || at(img, 0, 0, 3) != Grey(0.75) || at(img, 1, 0, 0) != Grey(-1) || at(img, 1, 1, 2) != Unknown || at(img, 1, 1, 1) != Grey(1) {
		t.Error("mended numbers")
	}
	whole := Mended(4, 2, 2, 2, LevelKey, sets...)
	if b := whole.Bounds(); b.Dy() <= b.Dx()*img.Bounds().Dy()/img.Bounds().Dx() {
		t.Errorf("%v has no room for words above %v", b, img.Bounds())
	}
}
