package dataset

import (
	"math"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
)

// TestRead reads every file that numpy wrote and compares each spin.
func TestRead(t *testing.T) {
	grey := level(127)
	type testCase struct {
		file   string
		opt    Options
		source Source
		labels bool
		shaped bool
	}
	cases := []testCase{
		{file: "pictures.npy", source: Source{Format: "npy", Element: "int8"}, shaped: true},
		{file: "fortran.npy", source: Source{Format: "npy", Element: "int16"}},
		{file: "fortran-pictures.npy", source: Source{Format: "npy", Element: "bool"}, shaped: true},
		{file: "version2.npy", source: Source{Format: "npy", Element: "bool"}},
		{file: "version3.npy", source: Source{Format: "npy", Element: "bool"}},
		{file: "grey.npy", opt: Options{Threshold: grey}, source: Source{Format: "npy", Element: "uint8", Threshold: grey}, shaped: true},
		{file: "grey-f8.npy", opt: Options{Threshold: level(0.5), LabelPath: "testdata/labels.npy"},
			source: Source{Format: "npy", Element: "float64", Threshold: level(0.5)}, labels: true},
		{file: "pictures.idx.gz", opt: Options{Threshold: grey, LabelPath: "testdata/labels.idx"},
			source: Source{Format: "IDX", Gzip: true, Element: "uint8", Threshold: grey}, labels: true, shaped: true},
		{file: "bool.npy", opt: Options{LabelPath: "testdata/labels-float.npy"}, source: Source{Format: "npy", Element: "bool"}, labels: true},
		{file: "bool.npy", opt: Options{LabelPath: "testdata/labels.txt"}, source: Source{Format: "npy", Element: "bool"}, labels: true},
		{file: "bool.npy", opt: Options{LabelPath: "testdata/split.npz", LabelArray: "y_train"}, source: Source{Format: "npy", Element: "bool"}, labels: true},
		{file: "bool.npy", opt: Options{LabelPath: "testdata/split.npz"}, source: Source{Format: "npy", Element: "bool"}, labels: true},
		{file: "bool.npy", opt: Options{LabelPath: "testdata/labelled.npz"}, source: Source{Format: "npy", Element: "bool"}, labels: true},
		{file: "bool.npy", opt: Options{LabelPath: "testdata/labelled.csv", LabelColumn: "digit"}, source: Source{Format: "npy", Element: "bool"}, labels: true},

		{file: "stored.npz", source: Source{Format: "npz", Array: "data", Element: "bool"}},
		{file: "split.npz", source: Source{Format: "npz", Array: "x_train", Element: "bool"}, labels: true, shaped: true},
		{file: "labelled.npz", source: Source{Format: "npz", Array: "pixels", Element: "float32"}, labels: true},
		{file: "labelled.npz", opt: Options{Array: "pixels.npy", LabelArray: "labels"}, source: Source{Format: "npz", Array: "pixels", Element: "float32"}, labels: true},
		{file: "ambiguous.npz", opt: Options{Array: "right"}, source: Source{Format: "npz", Array: "right", Element: "bool"}},

		{file: "plain.csv", source: Source{Format: "CSV", Element: "text"}},
		{file: "plain.csv.gz", source: Source{Format: "CSV", Gzip: true, Element: "text"}},
		{file: "plain.csv", opt: Options{LabelPath: "testdata/labelled-tabs.tsv", LabelColumn: "-1"}, source: Source{Format: "CSV", Element: "text"}, labels: true},
		{file: "header.csv", source: Source{Format: "CSV", Element: "text"}},
		{file: "labelled.csv", opt: Options{LabelColumn: "digit"}, source: Source{Format: "CSV", Element: "text"}, labels: true},
		{file: "labelled-tabs.tsv", opt: Options{LabelColumn: "13"}, source: Source{Format: "CSV", Element: "text"}, labels: true},
		{file: "semicolons.csv", opt: Options{Threshold: grey}, source: Source{Format: "CSV", Element: "text", Threshold: grey}},
		{file: "default.txt", source: Source{Format: "CSV", Element: "text"}},
	}
	for short, long := range map[string]string{"u1": "uint8", "u2": "uint16", "u4": "uint32", "u8": "uint64",
		"i1": "int8", "i2": "int16", "i4": "int32", "i8": "int64", "f2": "float16", "f4": "float32", "f8": "float64"} {
		cases = append(cases, testCase{file: short + ".npy", source: Source{Format: "npy", Element: long}})
		if short[1] != '1' {
			cases = append(cases, testCase{file: "big-" + short + ".npy", source: Source{Format: "npy", Element: long}})
		}
		switch short {
		case "u1", "i1", "i2", "i4", "f4", "f8":
			cases = append(cases, testCase{file: short + ".idx", source: Source{Format: "IDX", Element: long}})
		}
	}
	want := testMatrix()
	for _, c := range cases {
		t.Run(c.file, func(t *testing.T) {
			set, err := Read(filepath.Join("testdata", c.file), c.opt)
			if err != nil {
				t.Fatal(err)
			}
			if !set.Samples.Equal(want) {
				t.Error("other spins than numpy wrote")
			}
			if set.Name != c.file || set.Len() != testSamples || set.Visible() != testHeight*testWidth {
				t.Errorf("%q of %d samples of %d spins", set.Name, set.Len(), set.Visible())
			}
			got := set.Source
			got.Low, got.High, got.Header, got.Labels, got.Notes = 0, 0, false, "", nil // TestLayouts has them
			if !reflect.DeepEqual(got, c.source) {
				t.Errorf("source %+v, not %+v", got, c.source)
			}
			if grey := c.source.Threshold != nil; grey != (set.Source.High > 1 || c.file == "grey-f8.npy") || !(set.Source.Low < set.Source.High) {
				t.Errorf("numbers from %v to %v", set.Source.Low, set.Source.High)
			}
			if c.labels && !slices.Equal(set.Labels, testLabels) || !c.labels && set.Labels != nil {
				t.Errorf("labels %v", set.Labels)
			}
			if c.shaped != (set.Height == testHeight && set.Width == testWidth) || !c.shaped && set.Height|set.Width != 0 {
				t.Errorf("pictures of %d x %d", set.Height, set.Width)
			}
		})
	}
}

func TestThresholdIsCopied(t *testing.T) {
	x := level(127)
	set, err := Read("testdata/grey.npy", Options{Threshold: x})
	if err != nil {
		t.Fatal(err)
	}
	if *x = 3; *set.Source.Threshold != 127 {
		t.Error("the set follows the caller's threshold")
	}
}

func TestHalf(t *testing.T) {
	for bits, want := range map[uint16]float64{
		0x0000: 0, 0x3c00: 1, 0xbc00: -1, 0x3555: 0.333251953125, 0x0001: 0x1p-24, 0x03ff: 1023 * 0x1p-24,
		0x0400: 0x1p-14, 0x7bff: 65504, 0x7c00: math.Inf(1), 0xfc00: math.Inf(-1),
	} {
		if got := half(bits); got != want {
			t.Errorf("half(%#04x) = %v, not %v", bits, got, want)
		}
	}
	if !math.IsNaN(half(0x7e00)) {
		t.Error("half(0x7e00) is a number")
	}
}
