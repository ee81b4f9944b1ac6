package figure

import (
	"bytes"
	"encoding/xml"
	"io"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"bethe/rbm"
	"bethe/runs"
	"bethe/spin"
	"bethe/units"
)

// logoFile is a machine of two columns of three letters. The first column is nearly always B.
func logoFile() *rbm.File {
	f := &rbm.File{Params: rbm.NewParams(6, 1, 1e-3), Synapses: rbm.Binary(spin.New(6, 1)), Info: rbm.Info{Alphabet: "AB-"}}
	f.VisibleKind = units.Kind{Word: units.Potts, States: 3}
	copy(f.VisibleField, []float64{-2, 4, -2, 0, 0, 0})
	for i := range f.VisibleOffset {
		f.VisibleOffset[i] = -1. / 3
	}
	return f
}

// A column that is decided is as high as log2 of the number of letters, one that is not has no height: the letters are drawn as high as
// their information.
func TestLogo(t *testing.T) {
	panels, ok := FileLogos(logoFile()).(*Panels)
	if !ok || len(panels.Charts) != 2 {
		t.Fatalf("%T", panels)
	}
	machine, ok := panels.Charts[1].(*Logo)
	if !ok || len(machine.Shares) != 2 || machine.Shares[0][1] < 0.99 || math.Abs(machine.Shares[1][0]-1./3) > 0.02 {
		t.Errorf("%+v", machine)
	}
	var svg bytes.Buffer
	if err := EncodeSVG(&svg, panels, Light); err != nil {
		t.Fatal(err)
	}
	letters := 0
	for d := xml.NewDecoder(&svg); ; {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if text, ok := token.(xml.CharData); ok && strings.TrimSpace(string(text)) == "B" {
			letters++
		}
	}
	if letters != 1 { // of the decided column of the machine; data are even, and have no height
		t.Errorf("%d letters B", letters)
	}
	var png bytes.Buffer
	if err := EncodePNG(&png, panels, Dark); err != nil || png.Len() == 0 {
		t.Error(err)
	}
	plain := logoFile()
	for i := range plain.VisibleOffset {
		plain.VisibleOffset[i] = -1
	}
	if _, ok := FileLogos(plain).(*Logo); !ok {
		t.Error("a machine that is not centred tells of its data")
	}
}

// Traces of real numbers have the columns that vary, and the mean and deviation of the data if the machine knows no more than these.
func TestTraces(t *testing.T) {
	file := &rbm.File{Params: rbm.NewParams(2, 1, 1e-6), Synapses: rbm.Binary(spin.New(2, 1))}
	file.VisibleKind = units.Kind{Word: units.Gauss}
	file.Scale = rbm.Scale{Mean: []float64{5, 7, -1}, Deviation: []float64{2, 0, 0.5}}
	file.VisibleOwn = file.Scale.InUnitsOf(make([]float64, 4))
	c := FileTraces(file).(*Curves)
	all := c.Series[0]
	if len(c.Series) != 1+mostTraces || len(all.X) != 2 || all.X[0] != 1 || all.X[1] != 3 {
		t.Fatalf("%d curves over columns %v", len(c.Series), all.X)
	}
	for i := range all.X { // within four standard errors of 200 chains
		if math.Abs(all.Y[i]) > 0.3 || math.Abs(all.High[i]-all.Low[i]-2) > 0.4 {
			t.Errorf("column %v: mean %v, from %v to %v", all.X[i], all.Y[i], all.Low[i], all.High[i])
		}
	}
	folder := t.TempDir()
	if err := file.Save(filepath.Join(folder, runs.ModelFile)); err != nil {
		t.Fatal(err)
	}
	if chart, err := runSamples(folder); err != nil || chart.title() != c.Title {
		t.Errorf("the run's samples are %v, %v", chart, err)
	}
}
