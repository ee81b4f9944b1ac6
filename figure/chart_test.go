package figure

import (
	"bytes"
	"encoding/xml"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden pictures")

// examples are one chart of each kind, with gaps, intervals and missing cells.
func examples() map[string]Chart {
	var steps, bound, low, high, kl []float64
	for k := range 4000 {
		x := float64(k + 1)
		y := -200 + 80*(1-math.Exp(-x/600)) + 2*math.Sin(x/40)
		if k > 2000 && k < 2100 {
			y = math.NaN()
		}
		steps, bound, low, high = append(steps, x), append(bound, y), append(low, y-4), append(high, y+6)
		kl = append(kl, math.Exp(-x/800)+1e-3)
	}
	curves := &Curves{Title: "Learning", Note: "A note about what is shown, which is long enough to need more than one line below the title of the picture, as notes may be.",
		X: Axis{Label: "step"}, Y: Axis{Label: "bound", Unit: "nats per sample"},
		Series: []Series{
			{Name: "bound", X: steps, Y: bound, Low: low, High: high, Band: true},
			{Name: "forward", X: []float64{500, 1500, 2500, 3500}, Y: []float64{-170, -140, -128, -125}, Low: []float64{-175, -142, -129, -126}, High: []float64{-165, -138, -127, -124}},
			{Name: "published", X: []float64{1000, 3000}, Y: []float64{-150, -130}, Points: true},
		}}
	log := &Curves{Title: "Residual", X: Axis{Label: "step", Log: true}, Y: Axis{Label: "residual", Log: true}, Series: []Series{{X: steps, Y: kl}}}
	histogram := &Histogram{Title: "Magnetisations", X: Axis{Label: "magnetisation"}, Y: Axis{Label: "synapses"}}
	var values []float64
	for k := range 1000 {
		values = append(values, math.Tanh(4*math.Sin(float64(k))))
	}
	histogram.Edges, histogram.Counts = Bin(values, -1, 1, 20)
	phase := &HeatMap{Shading: Share, Title: "Phase diagram", X: Axis{Label: "data density α"}, Y: Axis{Label: "inverse temperature β"}, Scale: Axis{Label: "overlap", Min: 0, Max: 1},
		Lines: []Series{{Name: "α β^4 = 1"}}}
	for y := range 8 {
		phase.YValues = append(phase.YValues, 0.5+0.1*float64(y))
		var row []float64
		for x := range 12 {
			v := math.Tanh(float64(x*y) / 20)
			if (x+3*y)%11 == 5 {
				v = math.NaN()
			}
			row = append(row, v)
		}
		phase.Values = append(phase.Values, row)
	}
	for x := range 12 {
		phase.XValues = append(phase.XValues, 1+0.5*float64(x))
	}
	for b := 0.5; b < 1.2; b += 0.01 {
		phase.Lines[0].X, phase.Lines[0].Y = append(phase.Lines[0].X, math.Pow(b, -4)), append(phase.Lines[0].Y, b)
	}
	matrix := &Matrix{Title: "Overlap of hidden units", Rows: 3, Columns: 3, Values: []float64{1, -0.3, 0.1, -0.3, 1, math.NaN(), 0.1, 0.6, 1},
		X: Axis{Label: "hidden unit"}, Y: Axis{Label: "hidden unit"}, Scale: Axis{Label: "overlap", Min: -1, Max: 1}}
	large := &Matrix{Title: "Overlap of many", Rows: 60, Columns: 60, Scale: Axis{Label: "overlap"}}
	for k := range 3600 {
		v := math.Sin(float64(k/60)/9) * math.Cos(float64(k%60)/7)
		if k%91 == 0 {
			v = math.NaN()
		}
		large.Values = append(large.Values, v)
	}
	tiles := &Picture{Title: "Synapses", Scale: Axis{Label: "posterior mean", Min: -1, Max: 1},
		Image: Tiles(12, 5, 5, 4, func(k, i int) float64 { return math.Sin(float64(k*25 + i)) }, Diverging)}
	return map[string]Chart{"curves": curves, "log": log, "histogram": histogram, "heatmap": phase, "matrix": matrix, "matrix-large": large, "picture": tiles,
		"panels": &Panels{Title: "All at once", Columns: 2, Charts: []Chart{curves, log, matrix}}}
}

// TestGolden holds each kind of chart against a picture that was looked at.
func TestGolden(t *testing.T) {
	for name, chart := range examples() {
		var b bytes.Buffer
		if err := EncodePNG(&b, chart, Light); err != nil {
			t.Fatal(err)
		}
		golden(t, filepath.Join("testdata", name+".png"), b.Bytes())
	}
}

// golden compares pictures: fonts are drawn by the same code everywhere, but
// processors round differently, so single dots may differ a little.
func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want, err := png.Decode(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(got))
	if err != nil {
		t.Fatal(err)
	}
	if far := distance(img, want); far > 1e-3 {
		t.Errorf("%s: differs from the golden picture by %.4f of full contrast on average (-update rewrites it)", path, far)
	}
}

// distance is the mean absolute difference of two pictures, 1 if their sizes differ.
func distance(a, b image.Image) float64 {
	if a.Bounds() != b.Bounds() {
		return 1
	}
	p, q := a.(*image.RGBA), b.(*image.RGBA)
	sum := 0
	for k := range p.Pix {
		sum += max(int(p.Pix[k])-int(q.Pix[k]), int(q.Pix[k])-int(p.Pix[k]))
	}
	return float64(sum) / float64(len(p.Pix)) / 255 * 4 / 3 // the fourth byte is opacity
}

// TestDistance shows that the comparison sees one missing curve.
func TestDistance(t *testing.T) {
	chart := examples()["curves"].(*Curves)
	draw := func() image.Image {
		var b bytes.Buffer
		if err := EncodePNG(&b, chart, Light); err != nil {
			t.Fatal(err)
		}
		img, err := png.Decode(&b)
		if err != nil {
			t.Fatal(err)
		}
		return img
	}
	whole := draw()
	if far := distance(whole, draw()); far != 0 {
		t.Errorf("the same chart differs by %v", far)
	}
	chart.Series[1].Y = []float64{-171, -141, -129, -126} // a curve that is off by 1 nat
	if far := distance(whole, draw()); far < 1e-3 {
		t.Errorf("a curve that moved changes the picture by only %v", far)
	}
}

// TestSVG parses the pictures and looks for what a reader needs.
func TestSVG(t *testing.T) {
	for name, chart := range examples() {
		for _, theme := range []Theme{Dark} {
			var a, b bytes.Buffer
			for _, w := range []io.Writer{&a, &b} {
				if err := EncodeSVG(w, chart, theme); err != nil {
					t.Fatal(err)
				}
			}
			if !bytes.Equal(a.Bytes(), b.Bytes()) {
				t.Errorf("%s: two drawings differ", name)
			}
			decoder := xml.NewDecoder(&a)
			texts := ""
			for {
				token, err := decoder.Token()
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				if words, ok := token.(xml.CharData); ok {
					texts += string(words) + "\n"
				}
			}
			if !strings.Contains(texts, chart.title()+"\n") {
				t.Errorf("%s: no title in %q", name, texts)
			}
			if name == "curves" && (!strings.Contains(texts, "bound (nats per sample)") || !strings.Contains(texts, "published")) {
				t.Errorf("%s: no axis or legend in %q", name, texts)
			}
		}
	}
}

func TestSave(t *testing.T) {
	base := filepath.Join(t.TempDir(), "bound")
	names, err := Save(base, examples()["matrix"])
	if err != nil || len(names) != 2 || names[0] != base+".png" || names[1] != base+".svg" {
		t.Fatalf("%v, %v", names, err)
	}
	for _, name := range names {
		if info, err := os.Stat(name); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Save(filepath.Join(base+".png", "x"), examples()["matrix"]); err == nil {
		t.Error("no error for a folder that is a file")
	}
}

// TestOdd draws what has no values, one value, or none that can be drawn.
func TestOdd(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for k, chart := range []Chart{
		&Curves{Series: []Series{{}}}, &Curves{},
		&Curves{Y: Axis{Log: true}, Series: []Series{{X: []float64{1, 2, 3}, Y: []float64{0, -1, nan}}}},
		&Curves{X: Axis{Log: true}, Y: Axis{Log: true}, Series: []Series{{X: []float64{0, 2, 3}, Y: []float64{5, 5, inf}, Low: []float64{-1, -1, 3}, High: []float64{6, inf, 7}}}},
		&Curves{Series: []Series{{X: []float64{3}, Y: []float64{1e9}}}},
		&Curves{Series: []Series{{X: []float64{1, 2}, Y: []float64{1e-300, 2e-300}}}},
		&Curves{Series: []Series{{X: []float64{1, 2}, Y: []float64{1, 1 + 1e-15}}}},
		&Curves{Series: []Series{{X: []float64{1, 2}, Y: []float64{-1.7e308, 1.7e308}}}},
		&Curves{X: Axis{Min: 1, Max: 2}, Series: []Series{{X: []float64{0, 5}, Y: []float64{0, 5}, Low: []float64{-1, 4}, High: []float64{1, 6}, Band: true}}},
		&Histogram{Edges: []float64{0, 1}, Counts: []float64{0}}, &Histogram{Y: Axis{Log: true}, Edges: []float64{0, 1, 2}, Counts: []float64{0, 5}},
		&HeatMap{XValues: []float64{1}, YValues: []float64{1}, Values: [][]float64{{nan}}},
		&Matrix{Rows: 1, Columns: 2, Values: []float64{0, 0}},
	} {
		for _, write := range []func(io.Writer, Chart, Theme) error{EncodePNG, EncodeSVG} {
			var b bytes.Buffer
			if err := write(&b, chart, Dark); err != nil {
				t.Errorf("chart %d: %v", k, err)
			}
			if strings.Contains(b.String(), "NaN") || strings.Contains(b.String(), "Inf") {
				t.Errorf("chart %d has numbers that are none", k)
			}
		}
	}
	for k, chart := range []Chart{
		&Curves{Series: []Series{{X: []float64{1}}}}, &Curves{Series: []Series{{X: []float64{1}, Y: []float64{1}, Low: []float64{1}}}},
		&Histogram{}, &HeatMap{XValues: []float64{1}}, &HeatMap{XValues: []float64{1}, YValues: []float64{1}, Values: [][]float64{{}}},
		&Matrix{Rows: 2, Columns: 2}, &Panels{},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("no panic for the wrong shapes of chart %d", k)
				}
			}()
			_ = EncodeSVG(io.Discard, chart, Light)
		}()
	}
}

func TestBin(t *testing.T) {
	edges, counts := Bin([]float64{-2, -1, -0.1, 0, 0.3, 1, 9, math.NaN()}, -1, 1, 2)
	if len(edges) != 3 || edges[0] != -1 || edges[1] != 0 || edges[2] != 1 || counts[0] != 3 || counts[1] != 4 {
		t.Errorf("%v %v", edges, counts)
	}
}

// TestThin keeps the ends and every peak of a long curve.
func TestThin(t *testing.T) {
	var points []point
	for k := range 100000 {
		y := math.Sin(float64(k) / 5000)
		if k == 77777 {
			y = 9
		}
		points = append(points, point{x: float64(k), y: y})
	}
	kept := thin(points, 1000)
	peak := false
	for k, p := range kept {
		peak = peak || p.y == 9
		if k > 0 && p.x <= kept[k-1].x {
			t.Fatalf("point %d is out of order", k)
		}
	}
	if len(kept) > 1100 || !peak || kept[0] != points[0] || kept[len(kept)-1] != points[len(points)-1] {
		t.Errorf("%d points kept, peak %v", len(kept), peak)
	}
}

// TestSequential falls in lightness, so that it reads in grey, and its colours differ.
// TestLabels: round values where there are many cells, whatever their spacing, and
// the values themselves where it is not about even or there are few.
func TestLabels(t *testing.T) {
	words := func(values []float64, n int) (words string) {
		for _, tick := range labelsOf(values, n) {
			if tick.Label != "" {
				words += fmt.Sprintf("%s@%.2f ", tick.Label, tick.Value+0)
			}
		}
		return strings.TrimSpace(words)
	}
	for _, c := range []struct {
		values []float64
		n      int
		want   string
	}{
		{[]float64{1, 2, 4}, 3, "1@0.00 2@1.00 4@2.00"},
		{[]float64{0, 1, 2, 3, 4}, 3, "0@0.00 1@1.00 2@2.00 3@3.00 4@4.00"},
		{[]float64{13, 5187, 9920, 20111, 31111}, 3, "10000@2.01 20000@2.99 30000@3.90"},
		{[]float64{1, 10, 100, 1000}, 2, "1@0.00 100@2.00"},
		{[]float64{1, 3, 2, 4}, 2, "1@0.00 2@2.00"},
	} {
		if got := words(c.values, c.n); got != c.want {
			t.Errorf("%v: %s, not %s", c.values, got, c.want)
		}
	}
}

func TestSequential(t *testing.T) {
	light := func(c color.RGBA) float64 {
		return 0.2126*float64(c.R) + 0.7152*float64(c.G) + 0.0722*float64(c.B)
	}
	for k := range 100 {
		if a, b := light(Sequential(float64(k)/100)), light(Sequential(float64(k+1)/100)); b >= a {
			t.Errorf("lightness rises from %v to %v at %d %%", a, b, k)
		}
	}
	if Sequential(-1) != sequence[0] || Sequential(2) != sequence[len(sequence)-1] {
		t.Error("values out of range")
	}
}
