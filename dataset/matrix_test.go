package dataset

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// both returns an array of rows of bytes in C order and in Fortran order.
func both(rows ...string) (c, fortran []byte) {
	shape := fmt.Sprintf("'shape': (%d, %d), }\n", len(rows), len(rows[0]))
	var across []byte
	for k := range rows[0] {
		for _, row := range rows {
			across = append(across, row[k])
		}
	}
	return npyBytes("{'descr': '|u1', 'fortran_order': False, "+shape, []byte(strings.Join(rows, ""))...),
		npyBytes("{'descr': '|u1', 'fortran_order': True, "+shape, across...)
}

// counted are rows of a number from 0, two spins and a label.
func counted(rows int) []string {
	var all []string
	for a := range rows {
		all = append(all, string([]byte{byte(a), byte(a / 2 % 2), byte(a % 2), byte(7 - a%3)}))
	}
	return all
}

// Columns of arrays are chosen as those of text are, in either order of the elements.
func TestColumnsOfArrays(t *testing.T) {
	small := counted(3)
	for _, c := range []struct {
		name    string
		rows    []string
		opt     Options
		want    string // spins
		labels  []int
		dropped []string
		note    string
	}{
		{name: "left out", rows: small, opt: Options{DropColumns: []string{"1", "-1"}}, want: "-- -+ +-"},
		{name: "asked for, in their order", rows: small, opt: Options{Columns: []string{"3", "2"}}, want: "-- +- -+"},
		{name: "labels", rows: small, opt: Options{Columns: []string{"2-3"}, LabelColumn: "4"}, want: "-- -+ +-", labels: []int{7, 6, 5}},
		{name: "labels counted from the end, the rest spins", rows: small, opt: Options{DropColumns: []string{"1"}, LabelColumn: "-1"}, want: "-- -+ +-", labels: []int{7, 6, 5}},
		{name: "row numbers", rows: counted(9), opt: Options{LabelColumn: "4"}, want: "-- -+ +- ++ -- -+ +- ++ --", labels: []int{7, 6, 5, 7, 6, 5, 7, 6, 5}, dropped: []string{"1"},
			note: "column 1 counts the rows and is left out"},
		{name: "row numbers under a threshold", rows: counted(9), opt: Options{LabelColumn: "4", Threshold: level(0)}, want: "-- -+ +- ++ -- -+ +- ++ --", labels: []int{7, 6, 5, 7, 6, 5, 7, 6, 5}, dropped: []string{"1"},
			note: "column 1 counts the rows and is left out"},
		{name: "row numbers as levels, asked for", rows: small, opt: Options{Columns: []string{"1"}, Threshold: level(1)}, want: "- - +"},
		{name: "a column unlike the others", rows: []string{"\x01\x00\x01\x00\x09", "\x00\x00\x01\x01\x08"}, opt: Options{Threshold: level(0.5)}, want: "+-+-+ --+++", note: "column 5 alone held other numbers than 0, 1 and -1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			plain, fortran := both(c.rows...)
			for _, content := range [][]byte{plain, fortran, zipBytes(t, "x.npy", string(plain)), zipBytes(t, "x.npy", string(fortran)), gzipBytes(t, plain)} {
				set, err := decode("a", content, c.opt)
				if err != nil {
					t.Fatal(err)
				}
				if spins(set) != c.want || !slices.Equal(set.Labels, c.labels) || !slices.Equal(set.Source.Dropped, c.dropped) || strings.Join(set.Source.Notes, "; ") != c.note {
					t.Errorf("%s, labels %v, left out %q, notes %q", spins(set), set.Labels, set.Source.Dropped, set.Source.Notes)
				}
			}
		})
	}
	idx := idxBytes(8, []uint32{3, 4}, []byte(strings.Join(small, ""))...)
	if set, err := decode("a", idx, Options{DropColumns: []string{"1"}, LabelColumn: "4"}); err != nil || spins(set) != "-- -+ +-" || set.Source.Labels != "4" {
		t.Errorf("IDX: %+v, %v", set, err)
	}
}

func TestColumnsOfArraysErrors(t *testing.T) {
	for _, c := range []struct {
		name string
		rows []string
		opt  Options
		want []string
	}{
		{"a count that may be levels", []string{"\x00\x09", "\x01\x07", "\x02\x05"}, Options{Threshold: level(4)}, []string{"column 1 counts the rows, or holds spins", "Options.DropColumns"}},
		{"a column unlike the others", []string{"\x01\x00\x01\x00\x09", "\x00\x00\x01\x01\x08"}, Options{}, []string{"sample 0, element 4", "the value 9", "such values stand in column 5 alone; leave columns out with Options.DropColumns"}},
		{"grey levels", []string{"\x01\x09", "\x09\x01"}, Options{}, []string{"the value 9 is neither 0/1 nor ±1; state a finite grey level"}},
		{"no such column", counted(3), Options{DropColumns: []string{"5"}}, []string{"there is no column 5", "from 1 to 4"}},
		{"no names", counted(3), Options{DropColumns: []string{"id"}}, []string{`no header to find the column "id" in`, "counted from 1"}},
		{"nothing left", counted(3), Options{DropColumns: []string{"all"}}, []string{"leave no column"}},
		{"nothing but row numbers", []string{"\x00", "\x01", "\x02", "\x03", "\x04", "\x05", "\x06", "\x07"}, Options{}, []string{"leave no column"}},
		{"for two things", counted(3), Options{Columns: []string{"2"}, LabelColumn: "2"}, []string{"column 2 is asked for as spins and as something else"}},
		{"a scale", counted(3), Options{Columns: []string{"2"}, Threshold: level(127)}, []string{"levels lie in 0 to 1, none above the threshold 127"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			plain, fortran := both(c.rows...)
			for _, content := range [][]byte{plain, fortran} {
				_, err := decode("a", content, c.opt)
				wantError(t, err, "a", c.want...)
			}
		})
	}
	for want, c := range map[string]struct {
		content []byte
		opt     Options
	}{
		"columns asked of pictures, an array of shape (1, 2, 2)": {npyArray("|u1", "(1, 2, 2)", 0, 1, 1, 0), Options{DropColumns: []string{"1"}}},
		"they can be chosen among 524288 at most":                {npyArray("|u1", "(1, 600000)", 0), Options{DropColumns: []string{"1"}}},
		"the label 0.5 is not an integer":                        {npyArray("<f8", "(1, 2)", 0, 0, 0, 0, 0, 0, 0xe0, 0x3f, 0, 0, 0, 0, 0, 0, 0, 0), Options{LabelColumn: "1"}},
		"labels asked of a column and of an array":               {zipBytes(t, "x.npy", string(npyArray("|u1", "(1, 2)", 0, 1))), Options{LabelColumn: "1", LabelArray: "y"}},
		"sample 0, element 1 (byte 74): the value 9 is neither":  {npyArray("|u1", "(5000, 2)", append([]byte{0, 9}, make([]byte, 9000)...)...), Options{}}, // and it is cut short
	} {
		_, err := decode("a", c.content, c.opt)
		wantError(t, err, "a", want)
	}
	_, err := decode("a", zipBytes(t, "x.npy", string(npyArray("|u1", "(1, 2)", 0, 1))), Options{DropColumns: []string{"3"}})
	wantError(t, err, "a", `array "x": there is no column 3`)
}

// Samples along the last axis, as MATLAB has them.
func TestSamplesAxis(t *testing.T) {
	last := Options{SamplesAxis: AxisLast}
	// Two pictures of 2 x 3, as they are in testdata of numpy: +--++- and +---++.
	const want = "+--++- +---++"
	order := []byte{1, 1, 0, 0, 0, 0, 1, 0, 1, 1, 0, 1}  // (2, 3, 2) in C order
	matlab := []byte{1, 1, 0, 1, 0, 0, 1, 0, 0, 1, 0, 1} // in Fortran order
	dict := "{'descr': '|u1', 'fortran_order': %s, 'shape': %s}"
	for name, content := range map[string][]byte{
		"C": npyArray("|u1", "(2, 3, 2)", order...), "Fortran": npyBytes(fmt.Sprintf(dict, "True", "(2, 3, 2)"), matlab...),
		"one channel": npyBytes(fmt.Sprintf(dict, "True", "(2, 3, 1, 2)"), matlab...),
		"npz":         zipBytes(t, "x.npy", string(npyArray("|u1", "(2, 3, 1, 2)", order...)), "y.npy", string(npyArray("|u1", "(2,)", 7, 8))),
	} {
		set, err := decode("a", content, last)
		if err != nil || set.Height != 2 || set.Width != 3 || spins(set) != want {
			t.Errorf("%s: %+v, %v", name, set, err)
		}
	}
	plain, fortran := both("\x01\x00\x00", "\x00\x00\x01")
	for _, content := range [][]byte{plain, fortran} {
		if set, err := decode("a", content, last); err != nil || spins(set) != "+- -- -+" {
			t.Errorf("%+v, %v", set, err)
		}
		if set, err := decode("a", content, Options{SamplesAxis: AxisLast, DropColumns: []string{"1"}}); err != nil || spins(set) != "- - +" {
			t.Errorf("without a column: %+v, %v", set, err)
		}
	}
	levels := func(order, shape string, n int) []byte {
		return npyBytes(fmt.Sprintf(dict, order, shape), make([]byte, n)...)
	}
	for _, c := range []struct {
		content []byte
		axis    Axis
		note    string
	}{
		{levels("True", "(3, 4, 5)", 60), AxisAuto, "shape (3, 4, 5) can be 5 pictures of 3 x 4, as MATLAB has them, or 3 of 4 x 5; it is taken for the latter"},
		{levels("False", "(3, 4, 9)", 108), AxisAuto, "shape (3, 4, 9) can be 9 pictures of 3 x 4"},
		{levels("False", "(3, 4, 5)", 60), AxisAuto, ""},
		{levels("True", "(6, 4, 5)", 120), AxisAuto, ""},
		{levels("True", "(3, 4, 5)", 60), AxisFirst, ""},
		{levels("True", "(8, 8, 5)", 320), AxisFirst, ""},
		{levels("True", "(8, 8, 5)", 320), AxisLast, ""},
	} {
		set, err := decode("a", c.content, Options{SamplesAxis: c.axis})
		if err != nil {
			t.Fatal(err)
		}
		notes := strings.TrimSuffix(strings.Join(set.Source.Notes, "; "), "every spin is -1: there is nothing to learn")
		if !strings.Contains(notes, c.note) || c.note == "" && notes != "" {
			t.Errorf("%s: notes %q", c.content[:70], notes)
		}
	}
	_, err := decode("a", []byte("1,0\n0,1\n"), last)
	wantError(t, err, "a", "samples along the last axis asked of text")
	_, err = decode("a", zipBytes(t, "x.npy", string(npyArray("|u1", "(2, 3)", 0, 1, 1, 1, 0, 1)), "y.npy", string(npyArray("|u1", "(3,)", 1, 2, 0))), Options{})
	wantError(t, err, "a", "3 labels for the 2 samples", "say so with Options.SamplesAxis: last")
	_, err = decode("a", npyBytes(fmt.Sprintf(dict, "True", "(2, 3, 2)"), 1, 1, 0, 1, 0, 0, 1, 7, 0, 1, 0, 1), last)
	wantError(t, err, "a", "sample 1, row 1, column 0")
}
