package figure

import (
	"bytes"
	"image"
	"strings"
	"testing"

	"bethe/rbm"
	"bethe/runs"
	"bethe/spin"
	"bethe/stream"
)

// TestFitted draws each kind of chart as wide as asked for, with room for its words.
func TestFitted(t *testing.T) {
	charts := examples()
	charts["work"] = RunCurve("work", told("a", 1))
	charts["logo"] = &Logo{Title: "L", Letters: "AC", Shares: [][]float64{{1, 0}, {0.5, 0.5}, {0, 1}, {1, 0}, {1, 0}, {1, 0}}}
	for name, chart := range charts {
		for _, width := range []float64{200, 600} {
			w, h := chart.fitted(width).size()
			if name != "logo" && float64(w) > width*1.001 || float64(h) < min(leastHeight, float64(h)) {
				t.Errorf("%s in %v points: %v x %v", name, width, w, h)
			}
			var b bytes.Buffer
			if err := EncodeSVGWide(&b, chart, Light, width); err != nil || !strings.Contains(b.String(), "<svg") {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	// Three panels go below each other in a narrow column.
	if wide, narrow := charts["work"].fitted(1200).(*Panels), charts["work"].fitted(300).(*Panels); wide.Columns != 3 || narrow.Columns != 1 {
		t.Errorf("%d and %d columns", wide.Columns, narrow.Columns)
	}
}

// TestWholeTicks: of whole numbers there are whole ticks alone.
func TestWholeTicks(t *testing.T) {
	for _, c := range []struct {
		low, high float64
		want      string
	}{{0, 2, "0 1 2"}, {1, 3.2, "1 2 3"}, {0, 13, "0 5 10"}, {0, 40, "0 10 20 30 40"}, {0.2, 0.7, ""}} {
		var words []string
		for _, tick := range linearTicks(c.low, c.high, mostTicks, true) {
			words = append(words, tick.Label)
		}
		if got := strings.Join(words, " "); got != c.want {
			t.Errorf("from %v to %v: %s, not %s", c.low, c.high, got, c.want)
		}
	}
}

// TestColoursOfRuns: a run keeps its colour in charts that some runs have nothing for.
func TestColoursOfRuns(t *testing.T) {
	a, b := told("a", 1), told("b", 1)
	for k := range a.Records {
		a.Records[k].Validation = nil
	}
	f := RunCurve("validation", a, b).(*Curves)
	if len(f.Series) != 1 || f.Series[0].Name != "b" || f.Series[0].Colour != 2 {
		t.Errorf("%+v", f.Series)
	}
	if one := RunCurve("validation", b).(*Curves); one.Series[0].Colour != HeldOut {
		t.Errorf("colour %d", one.Series[0].Colour)
	}
	if f := RunCurve("kl", Run{Name: "empty"}, b).(*Curves); f.Series[0].Colour != 2 {
		t.Errorf("beside a run without records: colour %d", f.Series[0].Colour)
	}
	if c := SeriesColours(Dark); len(c) < 7 || c[0] != Dark.colours().of(0) {
		t.Errorf("%v", c)
	}
}

// TestPlantedSynapses: a row for each hidden unit, a column for each visible one.
func TestPlantedSynapses(t *testing.T) {
	q := rbm.NewPosterior[float32](40, 2)
	q.Theta[0], q.Theta[79] = 20, -20 // first of the first unit, last of the second
	file := &rbm.File{Params: rbm.NewParams(40, 2, 1), Synapses: rbm.Learned(q.Sign(), q)}
	m := FileMatrix(file).(*Panels).Charts[0].(*Matrix)
	if m.Rows != 2 || m.Columns != 40 || m.Values[0] < 0.999 || m.Values[79] > -0.999 || m.Values[1] != 0 {
		t.Errorf("%d x %d: %v", m.Rows, m.Columns, m.Values[:2])
	}
	img := FileRows(file)
	b := img.Bounds()
	if at(img, 0, 0) != Diverging(1) || at(img, b.Dx()-1, b.Dy()-1) != Diverging(-1) || b.Dx() < leastDots || b.Dx() > 5*b.Dy() {
		t.Errorf("rows of %v", b)
	}
	known := &rbm.File{Params: rbm.NewParams(4, 1, 1), Synapses: rbm.RealValued(4, 1, []float32{1, -1, 1, -1})}
	if m := FileMatrix(known).(*Matrix); m.Title != "Synapses" {
		t.Errorf("%+v", m)
	}
	run := Run{Info: runs.Info{Verb: runs.Planted}}
	folder := t.TempDir()
	if err := file.Save(runs.Model(folder)); err != nil {
		t.Fatal(err)
	}
	if chart, err := RunFigure("synapses", folder, run); err != nil || chart.(*Panels).Charts[0].(*Matrix).Columns != 40 {
		t.Errorf("%v, %v", chart, err)
	}
}

// TestHeaded: the picture stands unchanged below its title and above the key, and small ones are enlarged.
func TestHeaded(t *testing.T) {
	small := Samples(spin.Random(4, 4, stream.New(1).Rand()), 2, 2)
	img := Headed(small, "A title that is much too long for one line of so small a picture as this one is", SpinKey)
	k := leastDots / small.Bounds().Dx()
	if img.Bounds().Dx() != small.Bounds().Dx()*k {
		t.Fatalf("%v of %v", img.Bounds(), small.Bounds())
	}
	found := false
	for top := range img.Bounds().Dy() - small.Bounds().Dy()*k {
		same := true
		for _, p := range []image.Point{{0, 0}, {3, 3}, {7, 3}, {9, 9}} {
			same = same && at(img, p.X*k+k/2, top+p.Y*k+k/2) == at(small, p.X, p.Y)
		}
		found = found || same && top > 30
	}
	if !found {
		t.Error("the picture is not below its title")
	}
}
