package dataset

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"
)

// textArray returns an npy file of words, of numpy's type U.
func textArray(order binary.ByteOrder, shape string, words ...string) []byte {
	const most = 6
	var data []byte
	for _, w := range words {
		letters := append([]rune(w), make([]rune, most-len([]rune(w)))...)
		for _, r := range letters {
			b := make([]byte, 4)
			order.PutUint32(b, uint32(r))
			data = append(data, b...)
		}
	}
	mark := "<"
	if order == binary.ByteOrder(binary.BigEndian) {
		mark = ">"
	}
	return npyArray(mark+"U6", shape, data...)
}

// Labels that an archive keeps beside its samples, in every form that users store.
func TestLabelArrays(t *testing.T) {
	samples := string(npyArray("|u1", "(3, 2)", 0, 1, 1, 0, 1, 1))
	half := []byte{0, 0, 0, 0, 0, 0, 0xe0, 0x3f}
	for _, c := range []struct {
		name    string
		labels  []byte
		opt     Options
		want    []int
		classes []string
		note    string
	}{
		{name: "integers", labels: npyArray("|u1", "(3,)", 5, 0, 7), want: []int{5, 0, 7}},
		{name: "a column", labels: npyArray("|u1", "(3, 1)", 5, 0, 7), want: []int{5, 0, 7}},
		{name: "a row, as of MATLAB", labels: npyArray("|u1", "(1, 3)", 5, 0, 7), want: []int{5, 0, 7}},
		{name: "one-hot", labels: npyArray("|u1", "(3, 2)", 0, 1, 1, 0, 1, 0), want: []int{1, 0, 0}},
		{name: "one-hot in Fortran order", labels: npyBytes("{'descr': '|b1', 'fortran_order': True, 'shape': (3, 2)}", 0, 1, 1, 1, 0, 0), want: []int{1, 0, 0}},
		{name: "whole fractions", labels: npyArray("<f2", "(3,)", 0, 0x40, 0, 0, 0, 0x42), want: []int{2, 0, 3}},
		{name: "words", labels: textArray(binary.LittleEndian, "(3,)", "bee", "ünï", "ant"), want: []int{1, 2, 0}, classes: []string{"ant", "bee", "ünï"}},
		{name: "words, big-endian, in a column", labels: textArray(binary.BigEndian, "(3, 1)", "bee", "bee", "ant"), want: []int{1, 1, 0}, classes: []string{"ant", "bee"}},
		{name: "bytes of text", labels: npyArray("|S3", "(3,)", []byte("beean\x00bee")...), want: []int{1, 0, 1}, classes: []string{"an", "bee"}},
		{name: "whole numbers as words", labels: textArray(binary.LittleEndian, "(3,)", "7", "10", "7"), want: []int{7, 10, 7}},
		{name: "fractions", labels: npyArray("<f8", "(3,)", slices.Repeat(half, 3)...), note: `array "y" is not taken for labels: the label 0.5 is not an integer`},
		{name: "two ones", labels: npyArray("|u1", "(3, 2)", 0, 1, 1, 1, 1, 0), note: "a second 1 in a one-hot row"},
		{name: "no one", labels: npyArray("|u1", "(3, 2)", 0, 1, 0, 0, 1, 0), note: "a one-hot row without a 1"},
		{name: "levels", labels: npyArray("|u1", "(3, 2)", 0, 1, 0, 9, 1, 0), note: "9 is no part of a one-hot row"},
		{name: "objects", labels: npyArray("|O", "(3,)"), note: `array "y" is not taken for labels: elements of type "|O" are not real numbers`},
		{name: "an empty word", labels: textArray(binary.LittleEndian, "(3,)", "a", "", "b"), note: "an empty label"},
		{name: "pictures", labels: npyArray("|u1", "(3, 1, 2)", 0, 1, 1, 0, 0, 1), note: "an array of shape (3, 1, 2) does not hold labels"},
	} {
		t.Run(c.name, func(t *testing.T) {
			content := zipBytes(t, "x.npy", samples, "y.npy", string(c.labels))
			set, err := decode("archive", content, c.opt)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(set.Labels, c.want) || !slices.Equal(set.Classes, c.classes) || spins(set) != "-+ +- ++" {
				t.Errorf("labels %v, classes %q, samples %s", set.Labels, set.Classes, spins(set))
			}
			notes := strings.Join(set.Source.Notes, "; ")
			want := `array "x" holds the samples; ` + c.note
			if c.note == "" {
				want += `array "y" holds the labels`
			}
			if !strings.Contains(notes, c.note) || c.note == "" && notes != want {
				t.Errorf("notes %q, not %q", notes, want)
			}
			if c.note == "" {
				return
			}
			c.opt.LabelArray = "y" // asked for, it is an error
			_, err = decode("archive", content, c.opt)
			wantError(t, err, "archive", strings.TrimPrefix(c.note, `array "y" is not taken for labels: `))
		})
	}
}

// Labels belong to the samples whose name is theirs.
func TestPartners(t *testing.T) {
	samples := string(npyArray("|u1", "(2, 2)", 0, 1, 1, 0))
	labels := func(a, b byte) string { return string(npyArray("|u1", "(2, 1)", a, b)) }
	all := zipBytes(t, "train_images.npy", samples, "train_labels.npy", labels(3, 4), "test_images.npy", samples, "test_labels.npy", labels(5, 6))
	for array, want := range map[string][]int{"": {3, 4}, "train_images": {3, 4}, "test_images": {5, 6}} {
		set, err := decode("medical", all, Options{Array: array})
		if err != nil || !slices.Equal(set.Labels, want) {
			t.Errorf("array %q: %v, %v", array, set, err)
		}
	}
	// An array of labels is not one of samples, unless there is no other.
	set, err := decode("a", zipBytes(t, "pixels.npy", samples, "target.npy", samples), Options{})
	if err != nil || set.Source.Array != "pixels" || !slices.Equal(set.Labels, []int{1, 0}) {
		t.Errorf("%+v, %v", set, err)
	}
	if set, err = decode("a", zipBytes(t, "note.npy", labels(1, 2), "target.npy", samples), Options{Array: "target"}); err != nil || set.Source.Array != "target" {
		t.Errorf("%+v, %v", set, err)
	}
}

// Pictures of one channel, wherever it stands.
func TestChannels(t *testing.T) {
	data := []byte{1, 0, 0, 1, 1, 0, 1, 0, 0, 0, 1, 1}
	for shape, want := range map[string]string{"(2, 2, 3, 1)": "+--++- +---++", "(2, 1, 2, 3)": "+--++- +---++"} {
		set, err := decode("a", npyArray("|u1", shape, data...), Options{})
		if err != nil || set.Height != 2 || set.Width != 3 || spins(set) != want {
			t.Errorf("%s: %+v, %v", shape, set, err)
		}
	}
	// The same in Fortran order: the first index runs fastest.
	set, err := decode("a", npyBytes("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 2, 3, 1)}", 1, 1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1), Options{})
	if err != nil || set.Height != 2 || set.Width != 3 || spins(set) != "+--+-+ +-+--+" {
		t.Errorf("%+v, %v", set, err)
	}
	idx, err := decode("a", idxBytes(8, []uint32{2, 2, 3, 1}, data...), Options{})
	if err != nil || spins(idx) != "+--++- +---++" {
		t.Errorf("%+v, %v", idx, err)
	}
}

// A transposed picture has rows where it had columns.
func TestTranspose(t *testing.T) {
	set, err := decode("a", npyArray("|u1", "(2, 2, 3)", 1, 0, 0, 1, 1, 0, 1, 0, 0, 0, 1, 1), Options{Transpose: true})
	if err != nil || set.Height != 3 || set.Width != 2 || spins(set) != "++-+-- +--+-+" {
		t.Errorf("%+v, %s, %v", set, spins(set), err)
	}
	set, err = decode("a", []byte("1,1,0,0\n1,0,1,0\n"), Options{Transpose: true})
	if err != nil || set.Height != 2 || set.Width != 2 || spins(set) != "+-+- ++--" {
		t.Errorf("%+v, %v", set, err)
	}
	_, err = decode("a", []byte("1,1,0\n"), Options{Transpose: true})
	wantError(t, err, "a", "3 spins without rows and columns are no squares")
}

// A threshold, or a level of white, on another scale than the levels is an error
// that tells the range.
func TestScale(t *testing.T) {
	bytes := func(x ...byte) []byte { return npyArray("|u1", "(2, 2)", x...) }
	draw := func(white float64) Options { return Options{Draw: &Draw{White: white}} }
	for _, c := range []struct {
		name    string
		content []byte
		opt     Options
		want    []string // parts of the error, none if it is none
	}{
		{"none above", bytes(0, 1, 1, 0), Options{Threshold: level(127)}, []string{"levels lie in 0 to 1, none above the threshold 127: every spin would be -1", "Options.Threshold"}},
		{"none above, by equality", bytes(0, 1, 1, 0), Options{Threshold: level(1)}, []string{"none above the threshold 1"}},
		{"all above", bytes(128, 255, 130, 140), Options{Threshold: level(0.5)}, []string{"levels lie in 128 to 255, all above the threshold 0.5: every spin would be +1"}},
		{"one level", bytes(7, 7, 7, 7), Options{Threshold: level(127)}, []string{"all levels are 7", "nothing to tell apart"}},
		{"of text", []byte("0.5,0.25\n0.1,0.99\n"), Options{Threshold: level(127)}, []string{"levels lie in 0.1 to 0.99, none above the threshold 127"}},
		{"white is a guess", bytes(0, 1, 16, 3), draw(0), []string{"levels lie in 0 to 16, so white may not be 255", "Options.Draw.White"}},
		{"white is told", bytes(0, 1, 16, 3), draw(16), nil},
		{"white is far too large", bytes(0, 1, 1, 1), draw(1e9), []string{"levels lie in 0 to 1, and white is 1e+09: every spin would be -1"}},
		{"white everywhere", bytes(255, 255, 255, 255), draw(0), []string{"all levels are 255, and white is 255: every spin would be +1"}},
		{"as it should be", bytes(0, 200, 255, 3), draw(0), nil},
		{"a threshold between", bytes(0, 1, 1, 0), Options{Threshold: level(0.5)}, nil},
		{"spins need no scale", bytes(1, 1, 1, 1), Options{}, nil},
	} {
		set, err := decode("levels", c.content, c.opt)
		if c.want == nil {
			if err != nil || !(set.Source.Low <= set.Source.High) {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		t.Run(c.name, func(t *testing.T) { wantError(t, err, "levels", c.want...) })
	}
	wrapped, err := decode("levels", npyArray("|i1", "(2, 2)", 0, 200, 255, 100), Options{Threshold: level(50)})
	if err != nil || !slices.Equal(wrapped.Source.Notes, []string{"int8 numbers reach -56: bytes above 127 that are stored as int8 are negative"}) {
		t.Errorf("%+v, %v", wrapped, err)
	}
	archive := zipBytes(t, "x.npy", string(bytes(0, 1, 1, 0)))
	_, err = decode("levels", archive, Options{Threshold: level(127)})
	wantError(t, err, "levels", `array "x"`, "none above")
}

// Files of other programs are named.
func TestForeign(t *testing.T) {
	for want, head := range map[string]string{
		"HDF5": "\x89HDF\r\n\x1a\n\x00", "MATLAB": "MATLAB 5.0 MAT-file, Platform: GLNXA64", "Parquet": "PAR1\x15", "a pickle": "\x80\x04\x95\x00",
		"JSON": "[[0,1],[1,0]]", "ARFF": "@relation x\n@attribute a {0,1}\n",
		"Feather": "ARROW1\x00\x00", "SPSS": "$FL2@(#) ", "an R data": "X\n\x00\x00\x00\x03", "Matrix Market": "%%MatrixMarket matrix\n",
		"lists as Python": "[0, 1, 1]\n[1, 0, 1]\n", "JSON, or": "[{\"a\": 0}]", "a picture": "P2\n2 2\n", "svmlight": "1 1:1 7:0.5\n-1 3:1\n",
		"Excel": "\xd0\xcf\x11\xe0\xa1", "xz": "\xfd7zXZ\x00",
	} {
		_, err := decode("file", []byte(head+strings.Repeat("x", 50)), Options{})
		wantError(t, err, "file", want, "numpy.save")
	}
	for head, want := range map[string]string{"\xff\xfe1\x00": "text in UTF-16", "<!DOCTYPE html>\n": "a web page", "version https://git-lfs.github.com/spec/v1\n": "git lfs pull"} {
		_, err := decode("file", []byte(head), Options{})
		wantError(t, err, "file", want)
	}
	for _, text := range []string{"1 2:30 4\n", "P1,P2\n0,1\n", "[V],[W]\n0,1\n"} { // may be tables
		if k := foreign([]byte(text)); k.name != "" {
			t.Errorf("%q is called %s", text, k.name)
		}
	}
	for name, want := range map[string]string{"xl/workbook.xml": "a workbook", "archive/data.pkl": "PyTorch", "train.csv": `a zip file of "train.csv", not of arrays; unpack it`} {
		_, err := decode("file", zipBytes(t, name, "x"), Options{})
		wantError(t, err, "file", want)
	}
}

// What comes through a stream is read like a file.
func TestDecodeStream(t *testing.T) {
	content := zipBytes(t, "x.npy", string(npyArray("|u1", "(1, 2)", 0, 1)))
	set, err := DecodeStream("standard input", strings.NewReader(string(content)), Options{})
	if err != nil || spins(set) != "-+" {
		t.Errorf("%v, %v", set, err)
	}
	_, err = DecodeStream("standard input", strings.NewReader("1,0\n1,1\n"), Options{MaxBytes: 3})
	wantError(t, err, "standard input", "limit of 3 bytes")
	_, err = DecodeStream("standard input", strings.NewReader(""), Options{})
	wantError(t, err, "standard input", "is empty")
}

// Classes that two files name are numbered alike.
func TestRelabel(t *testing.T) {
	s := &Set{Labels: []int{0, 1, 1}, Classes: []string{"bee", "cow"}}
	if unknown, ok := s.Relabel([]string{"ant", "bee", "cow"}); !ok || !slices.Equal(s.Labels, []int{1, 2, 2}) || len(s.Classes) != 3 {
		t.Errorf("%+v, %q", s, unknown)
	}
	if unknown, ok := s.Relabel([]string{"ant", "cow"}); ok || unknown != "bee" || s.Labels[0] != 1 {
		t.Errorf("%+v, %q", s, unknown)
	}
}
