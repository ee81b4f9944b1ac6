package dataset

import (
	"bytes"
	"encoding/binary"
	"math"
	"strings"
	"testing"

	"bethe/internal/npy"
	"bethe/units"
)

func decodeText(s string, opt Options) (*Set, error) { return decode("table.csv", []byte(s), opt) }

// Missing values are marked, whatever stands for them, and replaced by usual ones.
func TestMissingValuesOfText(t *testing.T) {
	for _, c := range []struct {
		name, table string
		words       []string
		missing     string // a row of text for each sample: 1 where a value is missing
	}{
		{"nothing", "a,b,c\n1,,0\n1,1,0\n0,1,\n", []string{"empty"}, "010 000 001"},
		{"words", "a,b,c\n1,?,0\n1,1,NA\n0,1,0\n", []string{"?", "NA"}, "010 001 000"},
		{"numbers", "a,b,c\n1,9,0\n1,1,0\n0,1,9.0\n", []string{"9"}, "010 000 001"},
		{"no numbers", "a,b,c\n1,nan,0\n1,1,0\n0,1,NaN\n", []string{"nan"}, "010 000 001"},
		{"without a header", "1,,0\n1,1,0\n0,1,\n", []string{"empty"}, "010 000 001"},
	} {
		set, err := decodeText(c.table, Options{Missing: c.words})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		for a, row := range strings.Fields(c.missing) {
			for i := range row {
				if got := set.Missing.At(i, a) > 0; got != (row[i] == '1') {
					t.Errorf("%s: unit %d of sample %d is missing: %v", c.name, i, a, got)
				}
			}
		}
		if set.Samples.At(1, 0) != 1 || set.Samples.At(0, 0) != 1 || set.Samples.At(0, 2) != -1 {
			t.Errorf("%s: samples are not what was observed, or what is usual: %v", c.name, set.Samples)
		}
		if some := set.Subset([]int{2, 0}); some.Missing.At(1, 1) != set.Missing.At(1, 0) || some.Hash() == set.Hash() {
			t.Errorf("%s: a subset has other missing values", c.name)
		}
		if r := set.Info(); math.Abs(r.Missing-2./9) > 1e-6 || math.Abs(r.UpShare-4./7) > 1e-6 {
			t.Errorf("%s: %+v", c.name, r)
		}
	}
	// Unless that was said they are errors, which name the option.
	for table, want := range map[string]string{"1,,0\n1,1,0\n": "Options.Missing empty", "1,?,0\n1,1,0\n": "Options.Missing ?", "1,nan,0\n1,1,0\n": "Options.Missing nan"} {
		if _, err := decodeText(table, Options{Header: HeaderNo}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v does not say %q", table, err, want)
		}
	}
	if _, err := decodeText("1,?,0\n1,,0\n", Options{Header: HeaderNo, Missing: []string{"?"}}); err == nil || !strings.Contains(err.Error(), "empty field") {
		t.Errorf("an empty field where ? alone is missing: %v", err)
	}
}

func TestMissingNumbersAndColours(t *testing.T) {
	set, err := decodeText("1.5,2\n,4\n2.5,6\n", Options{Header: HeaderNo, Missing: []string{"empty"}, Units: units.Kind{Word: units.Gauss}})
	if err != nil || set.Reals.Row(0)[1] != 2 || set.Missing.At(0, 1) != 1 || set.Missing.At(1, 1) != -1 {
		t.Errorf("numbers: %v, %v", set, err)
	}
	set, err = decodeText("2,1\n,0\n2,?\n1,0\n", Options{Header: HeaderNo, Missing: []string{"empty", "?"}, Units: units.Kind{Word: units.Potts}})
	if err != nil {
		t.Fatal(err)
	}
	if c := set.Colours(); set.Kind.States != 3 || c[2] != 2 || c[5] != 0 || set.Missing.At(0, 1) != 1 || set.Missing.At(1, 2) != 1 || set.Missing.Rows() != 2 {
		t.Errorf("colours %v of %v", c, set.Kind)
	}
}

// NaN of arrays, in either order of axes.
func TestMissingValuesOfArrays(t *testing.T) {
	nan := math.NaN()
	var b bytes.Buffer
	if err := npy.WriteArchive(&b, []npy.Array{{Name: "x", Shape: []int{3, 2}, Data: []float64{1, nan, 0, 1, nan, 0}}}); err != nil {
		t.Fatal(err)
	}
	read := func(opt Options) (*Set, error) {
		return Decode("x.npz", bytes.NewReader(b.Bytes()), int64(b.Len()), opt)
	}
	set, err := read(Options{Missing: []string{"nan"}})
	if err != nil || set.Missing.At(1, 0) != 1 || set.Missing.At(0, 2) != 1 || set.Missing.At(0, 0) != -1 {
		t.Errorf("%v, %v", set, err)
	}
	if _, err := read(Options{}); err == nil || !strings.Contains(err.Error(), "Options.Missing nan") {
		t.Errorf("NaN without the option: %v", err)
	}
	header := "{'descr': '<f8', 'fortran_order': True, 'shape': (3, 2), }"
	header += strings.Repeat(" ", 127-(10+len(header))%128) + "\n"
	file := append([]byte("\x93NUMPY\x01\x00"), byte(len(header)), byte(len(header)>>8))
	file = append(file, header...)
	for _, v := range []float64{1, 0, nan, nan, 1, 0} {
		file = binary.LittleEndian.AppendUint64(file, math.Float64bits(v))
	}
	turned, err := Decode("x.npy", bytes.NewReader(file), int64(len(file)), Options{Missing: []string{"nan"}})
	if err != nil || !turned.Missing.Equal(set.Missing) || !turned.Samples.Equal(set.Samples) {
		t.Errorf("in Fortran order: %v, %v", turned, err)
	}
}
