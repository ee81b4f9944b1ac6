package exchange

import (
	"bytes"
	"encoding/binary"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"bethe/internal/npy"
	"bethe/rbm"
)

// The same machine under each convention, in either order and byte order.
func TestImportConventions(t *testing.T) {
	w := []float64{4, -8, 12, 1, 2, 0.5} // visible x hidden, 2 x 3
	across := []float64{4, 1, -8, 2, 12, 0.5}
	visible, hidden := []float64{1, -2}, []float64{0, 3, -1}
	single := func(x []float64) (y []float32) {
		for _, v := range x {
			y = append(y, float32(v))
		}
		return y
	}
	array := func(name string, x any, shape ...int) npy.Array { return npy.Array{Name: name, Shape: shape, Data: x} }
	want, err := ReadZeroOne(archive(t, array("W", w, 2, 3), array("vbias", visible, 2), array("hbias", hidden, 3)))
	if err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{
		"scikit-learn":                 archive(t, array("components_", across, 3, 2), array("intercept_visible_", visible, 2), array("intercept_hidden_", hidden, 3), array("h_samples_", hidden, 1, 3)),
		"without underscores, float32": archive(t, array("intercept_visible", single(visible), 2), array("components", single(across), 3, 2), array("intercept_hidden", single(hidden), 3)),
		"big-endian":                   bigEndian(t, map[string][]float64{"W": w, "vbias": visible, "hbias": hidden}, map[string]string{"W": "(2, 3)", "vbias": "(2,)", "hbias": "(3,)"}),
	} {
		read, err := Import(path)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		m := read.Machine
		if got, want := rbm.Values(m.Synapses), rbm.Values(want.Synapses); !slices.Equal(got, want) {
			t.Errorf("%s: weights %v, not %v", name, got, want)
		}
		if m.VisibleField[1] != want.VisibleField[1] || m.HiddenField[2] != want.HiddenField[2] {
			t.Errorf("%s: fields %v, %v", name, m.VisibleField, m.HiddenField)
		}
		if !(read.Rounding > 0 && read.Rounding < 1e-7) {
			t.Errorf("%s: rounded by %v", name, read.Rounding)
		}
	}
	for part, path := range map[string]string{
		"save its transpose, components_.T":                   archive(t, array("components_", w, 2, 3), array("intercept_visible_", visible, 2), array("intercept_hidden_", hidden, 3)),
		`no array "intercept_hidden_"`:                        archive(t, array("components_", across, 3, 2), array("intercept_visible_", visible, 2)),
		`array "vbias" is none of a machine of units 0 and 1`: archive(t, array("components_", across, 3, 2), array("vbias", visible, 2)),
		`array "x" is none of a machine`:                      archive(t, array("x", w, 2, 3)),
	} {
		if _, err := Import(path); err == nil || !strings.HasPrefix(err.Error(), path+": ") || !strings.Contains(err.Error(), part) {
			t.Errorf("error %v does not say %q", err, part)
		}
	}
	// Four visible units: the coupling is 1/2, and whole weights are exact.
	exact, err := Import(archive(t, array("W", []float64{1, 2, 3, 4}, 4, 1), array("vbias", make([]float64, 4), 4), array("hbias", []float64{0}, 1)))
	if err != nil || exact.Rounding != 0 {
		t.Errorf("%+v, %v", exact, err)
	}
}

// bigEndian writes an archive of float64 arrays with the most significant byte first.
func bigEndian(t *testing.T, arrays map[string][]float64, shapes map[string]string) string {
	t.Helper()
	var members []npy.Array
	for name, x := range arrays {
		dict := "{'descr': '>f8', 'fortran_order': False, 'shape': " + shapes[name] + ", }"
		b := binary.LittleEndian.AppendUint16([]byte(npy.Magic+"\x01\x00"), uint16(len(dict)))
		b = append(b, dict...)
		for _, v := range x {
			b = binary.BigEndian.AppendUint64(b, math.Float64bits(v))
		}
		members = append(members, npy.Array{Name: name + ".npy", Data: b})
	}
	return archive(t, members...)
}

// Numbers that are not finite are written in no format.
func TestNotFinite(t *testing.T) {
	m := testMachine(3, 2, 0.4, 1)
	m.VisibleField[1] = math.Inf(1)
	for name, err := range map[string]error{
		"zero-one": WriteZeroOne(io.Discard, m), "Ising": WriteIsing(io.Discard, m),
		"safetensors": WriteSafetensors(io.Discard, fileOf(m)), "C": WriteC(&bytes.Buffer{}, fileOf(m), "m"),
	} {
		if err == nil {
			t.Errorf("%s: an infinite field is written", name)
		}
	}
}
