package figure

import (
	"bytes"
	"encoding/xml"
	"io"
	"math"
	"strings"
	"testing"

	"bethe/rbm"
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
