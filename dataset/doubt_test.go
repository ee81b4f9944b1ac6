package dataset

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// digits returns rows of 64 spins and a label of three classes as one-hot columns,
// before the spins or after them.
func digits(before bool) string {
	var b strings.Builder
	for a := range 12 {
		var spins, hot []string
		for i := range 64 {
			spins = append(spins, fmt.Sprint((a*a+i*(a+1))%7%2))
		}
		for c := range 3 {
			hot = append(hot, fmt.Sprint(map[bool]int{true: 1}[a%3 == c]))
		}
		row := append(slices.Clone(spins), hot...)
		if before {
			row = append(hot, spins...)
		}
		b.WriteString(strings.Join(row, " ") + "\n")
	}
	return b.String()
}

// Columns of text that would be learned as spins, but may be none.
func TestDoubtfulColumns(t *testing.T) {
	const joined = "has nothing between its spins; put commas or blanks"
	for _, c := range []struct {
		name, text string
		opt        Options
		want       []string
	}{
		{"one-hot labels after a picture", digits(false), Options{}, []string{"67 numbers a sample are those of a picture of 8 x 8 and 3 more: the last 3 columns are one-hot", "Options.DropColumns", "Options.Columns"}},
		{"before it", digits(true), Options{}, []string{"the first 3 columns are one-hot"}},
		{"an index among spins", "708,1,0,1,1\n12,0,1,1,0\n", Options{}, []string{"line 1, column 1: the value 708 is neither 0/1 nor ±1; such values stand in column 1 alone; leave columns out with Options.DropColumns"}},
		{"an age among spins", "age,a,b,c,d\n1,1,0,1,1\n31,0,1,1,0\n", Options{}, []string{`line 3, column 1 ("age"): the value 31`, `stand in column 1 ("age") alone`, "Options.LabelColumn"}},
		{"a weight among spins", "a,b,c,w\n1,1,0,0.5\n1,0,1,0.25\n", Options{}, []string{`stand in column 4 ("w") alone`}},
		{"grey levels", "0,1,9,8\n7,0,0,3\n", Options{}, []string{"the value 9 is neither 0/1 nor ±1; state a finite grey level"}},
		{"bits with nothing between", "0101\n1100\n", Options{}, []string{`"0101" ` + joined}},
		{"many of them, which a threshold would take for numbers", "11001100\n00110011\n", Options{Threshold: level(127)}, []string{`"11001100" ` + joined}},
		{"signs with nothing between", "+-+-\n++--\n", Options{}, []string{`"+-+-" ` + joined}},
		{"tables put together", "a,b\n1,0\na,b\n0,1\n", Options{}, []string{"line 1", "stands in the file again", "first line alone"}},
		{"signs alone", "+ - +\n- - +\n", Options{}, []string{"line 1: spins are written as + and -; write 1 and -1"}},
		{"a title", "Survey,,\na,b,c\n1,0,1\n", Options{}, []string{`line 1: nothing but "Survey" stands in the first row, as in a title; delete the line`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := decode("table", []byte(c.text), c.opt)
			wantError(t, err, "table", c.want...)
		})
	}
	for _, c := range []struct {
		name, text string
		opt        Options
		visible    int
		note       string // the last; "" for none
	}{
		{"one-hot columns that are asked for", digits(false), Options{Columns: []string{"all"}}, 67, ""},
		{"left out", digits(false), Options{DropColumns: []string{"65-67"}}, 64, ""},
		{"a threshold over an index", "708,1,0,1\n12,0,1,1\n", Options{Threshold: level(0.5)}, 4, "column 1 alone held other numbers than 0, 1 and -1"},
		{"over an index that is asked for", "708,1,0,1\n12,0,1,1\n", Options{Threshold: level(0.5), Columns: []string{"all"}}, 4, ""},
		{"over grey levels", "8,1,0,9\n2,7,1,1\n", Options{Threshold: level(0.5)}, 4, ""},
		{"lattices", "1 0\n0 1\n\n1 1\n0 1\n\n0 0\n1 1\n", Options{}, 2, "rows stand in 3 blocks of 2, and each row is taken as a sample: if a block is one, write it on one line"},
		{"lattices with titles", "# 1\n1 0\n0 1\n# 2\n1 1\n0 1\n# 3\n0 0\n1 1\n", Options{}, 2, "rows stand in 3 blocks of 2, and each row is taken as a sample: if a block is one, write it on one line"},
		{"blocks of other sizes", "1 0\n0 1\n\n1 1\n0 1\n\n0 0\n", Options{}, 2, ""},
		{"an empty line after each row", "1 0\n\n0 1\n\n1 1\n\n0 1\n", Options{}, 2, ""},
		{"nothing to learn", "0,0\n0,0\n", Options{}, 2, "every spin is -1: there is nothing to learn"},
		{"nor here", "1,1\n1,1\n", Options{}, 2, "every spin is +1: there is nothing to learn"},
		{"one sample", "1,1\n", Options{}, 2, ""},
		{"a column of few digits", "0\n1\n", Options{}, 1, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			set, err := decode("table", []byte(c.text), c.opt)
			if err != nil {
				t.Fatal(err)
			}
			notes := strings.Join(set.Source.Notes, "; ")
			if set.Visible() != c.visible || notes != c.note {
				t.Errorf("%d spins, notes %q", set.Visible(), notes)
			}
		})
	}
}

// The same in arrays.
func TestDoubtfulArrays(t *testing.T) {
	levels := func(shape string, n int) []byte {
		data := make([]byte, n)
		for k := range data {
			data[k] = byte(200 * (k % 2))
		}
		return npyArray("|u1", shape, data...)
	}
	grey := Options{Threshold: level(127)}
	_, err := decode("a", levels("(8, 8, 5)", 320), grey)
	wantError(t, err, "a", "shape (8, 8, 5) can be 5 pictures of 8 x 8, as MATLAB has them, or 8 of 8 x 5", "Options.SamplesAxis", "first or last")
	var hot []byte
	for _, v := range strings.Fields(digits(false)) {
		hot = append(hot, v[0]-'0')
	}
	samples, labels := string(npyArray("|u1", "(3, 2)", 0, 1, 1, 0, 1, 1)), string(npyArray("|u1", "(3,)", 5, 0, 7))
	one := string(npyArray("|u1", "(1,)", 1))
	_, err = decode("a", zipBytes(t, "indices.npy", one, "indptr.npy", one, "format.npy", one, "shape.npy", one, "data.npy", one), Options{})
	wantError(t, err, "a", "is a sparse matrix of SciPy", "toarray()")
	for _, c := range []struct {
		name    string
		content []byte
		opt     Options
		note    string
	}{
		{"pictures of another shape", levels("(8, 8, 5, 1)", 320), grey, ""},
		{"square ones", levels("(8, 8, 8)", 512), grey, ""},
		{"small ones", levels("(2, 2, 5)", 20), grey, ""},
		{"one number more than a picture has, asked for", levels("(2, 65)", 130), Options{Threshold: level(127), Columns: []string{"all"}}, ""},
		{"one-hot labels left out", npyArray("|u1", "(12, 67)", hot...), Options{DropColumns: []string{"65-67"}}, ""},
		{"nothing to learn", npyArray("|u1", "(2, 2)", 1, 1, 1, 1), Options{}, "every spin is +1: there is nothing to learn"},
		{"arrays without names", zipBytes(t, "arr_0.npy", samples, "arr_1.npy", labels), Options{}, `array "arr_0" holds the samples; no labels are read, though "arr_1" may hold them`},
		{"which is asked for", zipBytes(t, "arr_0.npy", samples, "arr_1.npy", labels), Options{Array: "arr_0", LabelArray: "arr_1"}, ""},
		{"one array", zipBytes(t, "arr_0.npy", samples), Options{}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			set, err := decode("a", c.content, c.opt)
			if err != nil {
				t.Fatal(err)
			}
			if notes := strings.Join(set.Source.Notes, "; "); notes != c.note {
				t.Errorf("notes %q, not %q", notes, c.note)
			}
		})
	}
	_, err = decode("a", levels("(2, 65)", 130), grey)
	wantError(t, err, "a", "65 columns are those of a picture of 8 x 8 and one more: column 1 or column 65 may hold labels; name it with Options.LabelColumn, leave it out with Options.DropColumns")
	_, err = decode("a", npyArray("|u1", "(12, 67)", hot...), Options{})
	wantError(t, err, "a", "67 numbers a sample are those of a picture of 8 x 8 and 3 more: the last 3 columns are one-hot, as labels are; leave them out with Options.DropColumns")
	_, err = decode("a", textArray(binary.LittleEndian, "(1, 2)", "0", "1"), Options{})
	wantError(t, err, "a", "an array of text does not hold samples", "array.astype(float)")
}
