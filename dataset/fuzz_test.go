package dataset

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bethe/units"
)

// fuzz decodes content in every way the options allow, and checks that the
// outcome is either an error of this package or a set that hangs together.
func fuzz(t *testing.T, content []byte) {
	for _, opt := range []Options{
		{MaxBytes: 1 << 20},
		{MaxBytes: 1 << 20, Threshold: level(0.5)},
		{MaxBytes: 1 << 20, LabelColumn: "-1"},
		{MaxBytes: 1 << 20, LabelArray: "y", Array: "x"},
		{MaxBytes: 1 << 20, SamplesAxis: AxisLast, DropColumns: []string{"1"}, Threshold: level(100)},
		{MaxBytes: 1 << 20, Header: HeaderYes, DropColumns: []string{"1"}, Transpose: true},
		{MaxBytes: 1 << 20, Header: HeaderNo, Columns: []string{"all"}, Draw: &Draw{}},
		{MaxBytes: 1 << 20, Units: units.Kind{Word: units.Gauss}},
		{MaxBytes: 1 << 20, Units: coloured},
	} {
		set, err := decode("fuzz", content, opt)
		if err != nil {
			wantFileError(t, err)
			continue
		}
		if set.Len() < 1 || set.Visible() < 1 || set.Labels != nil && len(set.Labels) != set.Len() ||
			set.Classes != nil && (len(set.Labels) == 0 || slices.Min(set.Labels) < 0 || slices.Max(set.Labels) >= len(set.Classes)) ||
			set.Width|set.Height != 0 && set.Width*set.Height != set.Units() {
			t.Fatalf("a set that does not hang together: %+v", set)
		}
	}
	if _, _, err := DecodeLabels("fuzz", bytes.NewReader(content), int64(len(content)), Options{MaxBytes: 1 << 20}); err != nil {
		wantFileError(t, err)
	}
}

func wantFileError(t *testing.T, err error) {
	var f *FileError
	if !errors.As(err, &f) || f.Problem == "" || f.Remedy == "" || !strings.HasPrefix(err.Error(), "fuzz: ") {
		t.Fatalf("not an error of a file: %v", err)
	}
}

// seed adds the files of testdata whose names match.
func seed(f *testing.F, patterns ...string) {
	for _, pattern := range patterns {
		paths, err := filepath.Glob(filepath.Join("testdata", pattern))
		if err != nil || len(paths) == 0 {
			f.Fatal("no seeds", pattern, err)
		}
		for _, path := range paths {
			content, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(content)
		}
	}
}

func FuzzIDX(f *testing.F) {
	seed(f, "*.idx", "*.idx.gz")
	f.Add(idxBytes(8, []uint32{1 << 31, 1 << 31, 4}))
	f.Fuzz(fuzz)
}

func FuzzNPY(f *testing.F) {
	seed(f, "*.npy")
	f.Add(npyBytes("{'descr': '>f2', 'fortran_order': True, 'shape': (1L, 2, 3), }\n", make([]byte, 12)...))
	f.Fuzz(fuzz)
}

func FuzzNPZ(f *testing.F) {
	seed(f, "*.npz", "*.npy", "users/*.npz")
	f.Add(textArray(binary.LittleEndian, "(1,)", "ant"))
	f.Fuzz(func(t *testing.T, content []byte) {
		fuzz(t, content)
		// Most changes to a zip file spoil its checksums; those to the arrays in it do not here.
		fuzz(t, zipBytes(t, "x.npy", string(content), "y.npy", string(npyArray("|u1", "(1,)", 3))))
		fuzz(t, zipBytes(t, "x.npy", string(npyArray("|u1", "(1, 2)", 0, 1)), "y.npy", string(content)))
	})
}

func FuzzCSV(f *testing.F) {
	seed(f, "*.csv", "*.tsv", "*.txt", "*.csv.gz", "users/*.csv")
	f.Add([]byte("# a\n  \"V 1\" V2\n 1 \"1\"  0 # x\n"))
	f.Add([]byte("\ufeffa;b\r\n1;\"0\"\r\n"))
	f.Fuzz(fuzz)
}
