package dataset

import (
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestErrors decodes bad files and checks that the error names the file, the
// place and the remedy.
func TestErrors(t *testing.T) {
	two := "(1, 2)"
	nan := string([]byte{0, 0, 0, 0, 0, 0, 0xf8, 0x7f})
	inf := string([]byte{0, 0, 0, 0, 0, 0, 0xf0, 0xff})
	zero := strings.Repeat("\x00", 8)
	good := npyArray("|u1", two, 0, 1)
	longHeader := append([]byte(magicNPY), 2, 0, 0xff, 0xff, 0xff, 0xff)
	gz := gzipBytes(t, good)
	long := gzipBytes(t, npyArray("|u1", "(1, 2000)", make([]byte, 2000)...))
	flipped := append([]byte(nil), gz...)
	flipped[len(flipped)-5] ^= 1 // in the checksum
	zipped := zipBytes(t, "a.npy", string(good))
	badZip := append([]byte(nil), zipped...)
	badZip[strings.Index(string(badZip), "}\n")+3] ^= 1 // the last spin
	cases := []struct {
		name    string
		content []byte
		opt     Options
		want    []string
	}{
		{"empty", nil, Options{}, []string{"is empty", "again"}},
		{"binary", []byte("\x7fELF\x02\x01\x01\x00\x00"), Options{}, []string{"byte 0", `"\x7fELF`, "neither IDX, npy, npz, gzip nor text", "convert"}},
		{"threshold NaN", good, Options{Threshold: level(math.NaN())}, []string{"threshold", "Options.Threshold"}},
		{"limit negative", good, Options{MaxBytes: -1}, []string{"negative"}},
		{"array of npy", good, Options{Array: "x"}, []string{`array "x" asked of an npy file`, "leave"}},
		{"column of npy", good, Options{LabelColumn: "y"}, []string{`no header to find the column "y" in`, "counted from 1"}},
		{"label array of npy", good, Options{LabelArray: "y"}, []string{`label array "y" asked of an npy file`, "file of labels"}},
		{"label array of text", []byte("0,1\n"), Options{LabelArray: "y"}, []string{`asked of text`}},

		{"gzip header", []byte("\x1f\x8b\x00"), Options{}, []string{"gzip header", "it ends too early", "again"}},
		{"gzip truncated", gz[:len(gz)-9], Options{}, []string{"gzip data", "it ends too early", "again"}},
		{"gzip early", gz[:12], Options{}, []string{"gzip data", "it ends too early", "again"}},
		{"gzip damaged", flipped, Options{}, []string{"bytes are damaged", "again"}},
		{"gzip followed", append(append([]byte(nil), gz...), "not gzip data"...), Options{}, []string{"gzip data", "bytes are damaged", "again"}},
		{"gzip cut after the array", long[:len(long)-4], Options{}, []string{"byte 2073 once decompressed", "what follows an array of shape (1, 2000) cannot be read: it ends too early", "again"}},
		{"gzip in gzip", gzipBytes(t, gz), Options{}, []string{"twice", "gunzip"}},
		{"npz in gzip", gzipBytes(t, zipped), Options{}, []string{"twice", "gunzip"}},
		{"gzip bomb", gzipBytes(t, npyArray("|u1", "(1000000, 784)", make([]byte, 1000)...)), Options{MaxBytes: 10000}, []string{"(1000000, 784) elements of 1 bytes", "limit of 10000 bytes", "raise"}},
		{"text bomb", gzipBytes(t, []byte(strings.Repeat("0,1\n", 5000))), Options{MaxBytes: 10000}, []string{"byte 10000 once decompressed", "limit of 10000", "raise"}},
		{"grey in gzip", gzipBytes(t, npyArray("|u1", two, 0, 9)), Options{}, []string{"(byte 71 once decompressed)"}},

		{"idx short", []byte("\x00\x00\x08"), Options{}, []string{"byte 3", "IDX header", "again"}},
		{"idx short shape", idxBytes(8, []uint32{1, 2})[:9], Options{}, []string{"byte 9", "IDX header"}},
		{"idx type", idxBytes(0x0a, []uint32{1, 2}, 0, 1), Options{}, []string{"byte 2", "0x0a", "again"}},
		{"idx no dimensions", idxBytes(8, nil), Options{}, []string{"byte 3", "no dimensions"}},
		{"idx labels", idxBytes(8, []uint32{2}, 0, 1), Options{}, []string{"shape (2)", "(samples, spins)", "only be labels"}},
		{"idx four dimensions", idxBytes(8, []uint32{1, 3, 2, 3}, 0), Options{}, []string{"shape (1, 3, 2, 3)", "(samples, height, width)", "of several channels, store one or their mean"}},
		{"idx zero dimension", idxBytes(8, []uint32{3, 0}), Options{}, []string{"shape (3, 0) is empty", "at least one"}},
		{"idx overflow", idxBytes(8, []uint32{1 << 31, 1 << 31, 1 << 31}), Options{}, []string{"more than the limit of 4294967296 bytes", "raise"}},
		{"idx over limit", idxBytes(8, []uint32{1 << 16, 1 << 16}), Options{}, []string{"(65536, 65536)", "more than the limit"}},
		{"idx truncated", idxBytes(8, []uint32{2, 2}, 0, 1, 1), Options{}, []string{"byte 15", "ends inside of an array of shape (2, 2)", "again"}},
		{"idx trailing", idxBytes(8, []uint32{1, 2}, 0, 1, 1), Options{}, []string{"byte 14", "bytes follow", "again"}},
		{"idx trailing at limit", idxBytes(8, []uint32{1, 2}, 0, 1, 1), Options{MaxBytes: 14}, []string{"byte 14", "bytes follow"}},
		{"idx grey", idxBytes(8, []uint32{2, 2, 2}, 0, 1, 1, 0, 0, 0, 200, 1), Options{}, []string{"sample 1, row 1, column 0 (byte 22)", "the value 200 is neither", "Options.Threshold"}},
		{"idx ternary", idxBytes(9, []uint32{1, 3}, 0, 1, 255), Options{}, []string{"sample 0, element 2 (byte 14)", "both 0 and -1", "Options.Threshold"}},

		{"npy magic only", []byte(magicNPY), Options{}, []string{"npy header", "again"}},
		{"npy magic broken", []byte("\x93NUMPX\x01\x00"), Options{}, []string{"neither IDX"}},
		{"npy version", append([]byte(magicNPY), 9, 0, 0, 0), Options{}, []string{"byte 6", "version 9.0", "numpy.save"}},
		{"npy no length", append([]byte(magicNPY), 1, 0, 1), Options{}, []string{"npy header"}},
		{"npy no long length", append([]byte(magicNPY), 2, 0, 1), Options{}, []string{"npy header"}},
		{"npy header length", longHeader, Options{}, []string{"byte 8", "4294967295 bytes"}},
		{"npy header truncated", good[:20], Options{}, []string{"byte 20", "npy header"}},
		{"npy no dictionary", npyBytes("hello"), Options{}, []string{"byte 10", "a dictionary should begin", "numpy.save"}},
		{"npy key", npyBytes("{descr: 1}"), Options{}, []string{"byte 11", "quoted key"}},
		{"npy open quote", npyBytes("{'descr: 1}"), Options{}, []string{"quoted key"}},
		{"npy colon", npyBytes("{'descr' 1}"), Options{}, []string{"colon"}},
		{"npy twice", npyBytes("{'shape': (1,), 'shape': (2,)}"), Options{}, []string{`"shape" stands twice`}},
		{"npy unknown key", npyBytes("{'colour': 1}"), Options{}, []string{`"colour" is not known`}},
		{"npy order", npyBytes("{'fortran_order': 1}"), Options{}, []string{"True or False"}},
		{"npy shape", npyBytes("{'shape': 1}"), Options{}, []string{"a shape should stand"}},
		{"npy negative", npyBytes("{'shape': (-1, 2)}"), Options{}, []string{"a length should stand"}},
		{"npy huge", npyBytes("{'shape': (99999999999999999999, 2)}"), Options{}, []string{"length is too large"}},
		{"npy commas", npyBytes("{'shape': (1 2)}"), Options{}, []string{"a comma should stand"}},
		{"npy key commas", npyBytes("{'shape': (1,) 'descr': '|u1'}"), Options{}, []string{"a comma should stand"}},
		{"npy missing", npyBytes("{'shape': (1,), 'descr': '|u1'}"), Options{}, []string{`"fortran_order" is missing`}},
		{"npy open", npyBytes("{'shape': (1,"), Options{}, []string{"a length should stand"}},
		{"npy extra", npyBytes("{'shape': (1,), 'descr': '|u1', 'fortran_order': False} x"), Options{}, []string{"more text follows"}},
		{"npy complex", npyArray("<c16", two), Options{}, []string{`"<c16"`, "astype"}},
		{"npy object", npyArray("|O", two), Options{}, []string{`"|O"`, "astype"}},
		{"npy no order", npyArray("|f8", two), Options{}, []string{`"|f8"`}},
		{"npy float size", npyArray("<f1", two), Options{}, []string{`"<f1"`}},
		{"npy scalar", npyArray("|u1", "()", 1), Options{}, []string{"shape ()", "(samples, spins)"}},
		{"npy overflow", npyArray("<f8", "(4294967296, 4294967296)"), Options{}, []string{"more than the limit"}},
		{"npy overflow once", npyArray("<f8", "(9223372036854775807, 1)"), Options{}, []string{"more than the limit"}},
		{"npy truncated", npyArray("<f8", two, make([]byte, 15)...), Options{}, []string{"ends inside of an array of shape (1, 2)"}},
		{"npy trailing", npyArray("|u1", two, 0, 1, 0), Options{}, []string{"bytes follow"}},
		{"npy NaN", npyArray("<f8", two, []byte(zero+nan)...), Options{}, []string{"sample 0, element 1 (byte 78)", "NaN is not a finite number", "drop"}},
		{"npy NaN with threshold", npyArray("<f8", two, []byte(zero+nan)...), Options{Threshold: level(0.5)}, []string{"sample 0, element 1", "NaN is not a finite number", "drop"}},
		{"npy Inf", npyArray("<f8", two, []byte(zero+inf)...), Options{}, []string{"-Inf is not a finite number", "drop"}},
		{"npy fortran place", npyBytes("{'descr': '|i1', 'fortran_order': True, 'shape': (2, 2, 3)}", 1, 1, 1, 1, 1, 1, 1, 5, 1, 1, 1, 1), Options{},
			[]string{"sample 1, row 1, column 1 (byte 76)", "the value 5"}},
		{"npy fortran matrix place", npyBytes("{'descr': '|i1', 'fortran_order': True, 'shape': (2, 3)}", 1, 1, 1, 5, 1, 1), Options{},
			[]string{"sample 1, element 1 (byte 69)", "the value 5"}},

		{"npz empty", zipBytes(t), Options{}, []string{"without arrays", "numpy.savez"}},
		{"npz no arrays", zipBytes(t, "readme.txt", "x"), Options{}, []string{"without arrays", "numpy.savez"}},
		{"npz truncated", zipped[:len(zipped)-3], Options{}, []string{"zip directory", "again"}},
		{"npz damaged", badZip, Options{}, []string{`array "a"`, "bytes are damaged", "again"}},
		{"npz twice", zipBytes(t, "a.npy", string(good), "a.npy", string(good)), Options{}, []string{`array "a"`, "two arrays", "each name once"}},
		{"npz several", zipBytes(t, "a.npy", string(good), "b.npy", string(good)), Options{}, []string{"several arrays", `"a", "b"`}},
		{"npz usual twice", zipBytes(t, "data.npy", string(good), "x.npy", string(good)), Options{}, []string{"several arrays", `"data", "x"`}},
		{"npz none", zipBytes(t, "a.npy", "oops", "b.npy", string(npyArray("|u1", "(1,)", 1))), Options{}, []string{"none of the arrays", `"a", "b"`}},
		{"npz missing", zipped, Options{Array: "z"}, []string{`no array "z"`, `name one of "a"`}},
		{"npz missing labels", zipped, Options{LabelArray: "z"}, []string{`no array "z"`, `name one of "a"`}},
		{"npz not npy", zipBytes(t, "a.npy", "hello, world"), Options{}, []string{`array "a", byte 0`, "begins with"}},
		{"npz grey", zipBytes(t, "a.npy", string(npyArray("|u1", two, 1, 7))), Options{}, []string{`array "a", sample 0, element 1`, "Options.Threshold"}},
		{"npz labels short", zipBytes(t, "x.npy", string(good), "y.npy", string(npyArray("|u1", "(3,)", 1, 2, 0))), Options{},
			[]string{`array "y"`, `3 labels for the 1 samples of array "x"`, "belong"}},
		{"npz labels fraction", zipBytes(t, "x.npy", string(good), "z.npy", string(npyArray("<f8", "(1,)", 0, 0, 0, 0, 0, 0, 0xe0, 0x3f))), Options{LabelArray: "z"},
			[]string{`array "z", sample 0 (byte`, "label 0.5 is not an integer", "integers"}},
		{"npz labels shape", zipBytes(t, "x.npy", string(good), "z.npy", string(npyArray("|u1", "(1, 2, 2)", 0, 1, 1, 1))), Options{Array: "x", LabelArray: "z"}, []string{`array "z"`, "shape (1, 2, 2) does not hold labels"}},
		{"npz many", zipBytes(t, many(maxArraysNPZ+1)...), Options{}, []string{"more than 1024 arrays", "of their own"}},

		{"text blank", []byte("\n\n"), Options{}, []string{"without rows"}},
		{"text header only", []byte("a,b\n"), Options{}, []string{"line 1", "header without rows"}},
		{"text ragged", []byte("\n0,1\n1,0\n\n1,1,1\n"), Options{}, []string{"line 5", "3 columns, but line 2 has 2", "every row"}},
		{"text ragged short", []byte("0,1\n1\n"), Options{}, []string{"line 2", "1 column, but line 1 has 2"}},
		{"text word", []byte("a,b\n0,1\n1,x\n"), Options{}, []string{`line 3, column 2 ("b")`, `"x" is not a number`}},
		{"text hole", []byte("1,1\n1, \n"), Options{}, []string{"line 2, column 2", "empty field", "fill"}},
		{"text mixed header", []byte("0,O\n0,1\n"), Options{}, []string{"line 1, column 2", `"O" stands among numbers`, "Options.Header"}},
		{"text quote", []byte("0,1\n\"1,0\n"), Options{}, []string{"line 2", "quotes do not match"}},
		{"text grey", []byte("1,1\n1,2\n"), Options{}, []string{"line 2, column 2", "the value 2", "Options.Threshold"}},
		{"text grey after label", []byte("5,0,1\n6,1,2\n"), Options{LabelColumn: "1"}, []string{"line 2, column 3", "the value 2", "Options.Threshold"}},
		{"text nan", []byte("1,1\n1,nan\n"), Options{}, []string{"line 2, column 2", "NaN is not a finite number", "drop"}},
		{"text huge", []byte("1,1\n1,1e999\n"), Options{Threshold: level(1)}, []string{"line 2, column 2", "+Inf is not a finite number"}},
		{"text label fraction", []byte("1,1\n1,1.5\n"), Options{LabelColumn: "2"}, []string{"line 2, column 2", "label 1.5 is not an integer"}},
		{"text label word", []byte("a,b\n1,3\n0,cat\n"), Options{LabelColumn: "b"}, []string{`line 3, column 2 ("b")`, `"cat" is a word among numbers`}},
		{"text label number", []byte("a,b\n1,cat\n0,3\n"), Options{LabelColumn: "b"}, []string{`line 3, column 2 ("b")`, `"3" is a number among words`}},
		{"text label huge", []byte("0,1e300\n"), Options{LabelColumn: "2"}, []string{"line 1, column 2", "is not an integer"}},
		{"text label only", []byte("0\n1\n"), Options{LabelColumn: "1"}, []string{"line 1", "no column for the samples"}},
		{"text label missing", []byte("a,b\n1,0\n"), Options{LabelColumn: "c"}, []string{"line 1", `no column "c"`, `one of "a", "b"`}},
		{"text label no header", []byte("1,0\n"), Options{LabelColumn: "c"}, []string{"line 1", "no header", "counted from 1"}},
		{"text label number", []byte("1,0\n"), Options{LabelColumn: "3"}, []string{"no column 3", "from 1 to 2"}},
		{"text label zero", []byte("1,0\n"), Options{LabelColumn: "0"}, []string{"no column 0", "from 1 to 2"}},
		{"text label twice", []byte("a,a\n1,0\n"), Options{LabelColumn: "a"}, []string{`two columns are named "a"`, "number"}},
		{"text label file missing", []byte("1,0\n"), Options{LabelPath: "testdata/none"}, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			set, err := decode("dir/some file", c.content, c.opt)
			if set != nil {
				t.Error("a set beside an error")
			}
			path := "dir/some file"
			if c.opt.LabelPath != "" {
				path = c.opt.LabelPath
			}
			wantError(t, err, path, c.want...)
		})
	}
}

// many returns the entries of an npz file of n empty arrays.
func many(n int) []string {
	var entries []string
	for k := range n {
		entries = append(entries, strings.Repeat("x", k)+".npy", "")
	}
	return entries
}

func TestLabelErrors(t *testing.T) {
	good := npyArray("|u1", "(2, 2)", 0, 1, 1, 1)
	one := string(npyArray("|u1", "(1,)", 0))
	for _, c := range []struct {
		name    string
		content []byte
		opt     Options
		want    []string
	}{
		{"empty", nil, Options{}, []string{"is empty"}},
		{"samples", good, Options{}, []string{"sample 1, element 1", "shape (2, 2) does not hold labels: a second 1 in a one-hot row", "one list of integers"}},
		{"idx header", idxBytes(8, []uint32{1})[:6], Options{}, []string{"byte 6", "IDX header"}},
		{"column of npy", good, Options{LabelColumn: "y"}, []string{"label column"}},
		{"too large", npyArray("<u8", "(1,)", 255, 255, 255, 255, 255, 255, 255, 255), Options{}, []string{"sample 0", "not an integer"}},
		{"text columns", []byte("1,2\n"), Options{}, []string{"line 1", "2 columns where labels take one", "which column"}},
		{"text fraction", []byte("1\n2.5\n"), Options{}, []string{"line 2, column 1", "label 2.5"}},
		{"text ragged", []byte("1\n2,2\n"), Options{}, []string{"line 2", "2 columns"}},
		{"text header only", []byte("digit\n"), Options{}, []string{"line 1", "without rows"}},
		{"text no header", []byte("1,1\n"), Options{LabelColumn: "digit"}, []string{"no header"}},
		{"npz none", zipBytes(t, "a.npy", string(good), "b.npy", string(good)), Options{}, []string{"none of the arrays", "holds labels"}},
		{"npz several", zipBytes(t, "a.npy", one, "b.npy", one), Options{}, []string{"several arrays could be the labels"}},
		{"npz missing", zipBytes(t, "a.npy", one), Options{LabelArray: "b"}, []string{`no array "b"`}},
		{"npz directory", []byte(magicZip), Options{}, []string{"zip directory"}},
		{"npz samples", zipBytes(t, "a.npy", string(good)), Options{}, []string{`array "a"`, "does not hold labels"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			labels, _, err := DecodeLabels("labels", strings.NewReader(string(c.content)), int64(len(c.content)), c.opt)
			if labels != nil {
				t.Error("labels beside an error")
			}
			wantError(t, err, "labels", c.want...)
		})
	}
}

func TestLabelCount(t *testing.T) {
	path := filepath.Join(t.TempDir(), "labels.txt")
	if err := os.WriteFile(path, []byte("1\n2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Read("testdata/bool.npy", Options{LabelPath: path})
	wantError(t, err, path, "2 labels for the 5 samples of testdata/bool.npy", "belong")
}

func TestCauses(t *testing.T) {
	_, err := Read("testdata/none", Options{})
	wantError(t, err, "testdata/none", "cannot be read", "check the path")
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v does not wrap fs.ErrNotExist", err)
	}
	_, err = Read("testdata", Options{})
	wantError(t, err, "testdata", "is a folder", "name a file")
	_, err = Read("testdata/bool.npy", Options{MaxBytes: -1})
	wantError(t, err, "testdata/bool.npy", "negative")
	_, err = decode("x", idxBytes(8, []uint32{2, 2}, 0), Options{})
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%v does not wrap io.ErrUnexpectedEOF", err)
	}
}

// TestRowLimit checks that a row without an end is given up.
func TestRowLimit(t *testing.T) {
	content := []byte("0,1\n\"" + strings.Repeat("\n", maxRow+1<<16))
	_, err := decode("long", content, Options{})
	wantError(t, err, "long", "a row is longer than 16777216 bytes", "npy")
}

// TestHostileHeader checks that a short file cannot make the reader allocate
// what its header promises.
func TestHostileHeader(t *testing.T) {
	for name, content := range map[string][]byte{
		"IDX":          idxBytes(8, []uint32{1 << 16, 1<<16 - 1}, 1, 2, 3),
		"npy":          npyArray("|u1", "(65536, 65535)", 1, 1, 1),
		"one wide row": npyArray("|u1", "(1, 4294900000)", 1, 1, 1),
		"one column":   npyArray("|u1", "(4294900000, 1)", 1, 1, 1),
		"gzip":         gzipBytes(t, npyArray("|u1", "(65536, 65535)", 1, 1, 1)),
		"npz":          zipBytes(t, "x.npy", string(npyArray("|u1", "(65536, 65535)", 1, 1, 1))),
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := decode(name, content, Options{})
			runtime.ReadMemStats(&after)
			wantError(t, err, name, "ends inside of an array")
			if grown := after.TotalAlloc - before.TotalAlloc; grown > 2<<20 {
				t.Errorf("%d bytes allocated for a file of %d", grown, len(content))
			}
		})
	}
}

func TestErrorText(t *testing.T) {
	e := &FileError{Path: "p", Problem: "wrong"}
	if got := e.Error(); got != "p: wrong" {
		t.Error(got)
	}
	e = &FileError{"p", "byte 3", "wrong", "mend it", io.EOF}
	if got := e.Error(); got != "p: byte 3: wrong: it ends too early; mend it" {
		t.Error(got)
	}
	if got := quote(strings.Repeat("é", 50)); got != `"`+strings.Repeat("é", 40)+`…"` {
		t.Error(got)
	}
	if got := quoteAll(strings.Split("abcdefghijklmno", "")); !strings.HasSuffix(got, `"l" and 3 more`) {
		t.Error(got)
	}
}

// TestRefused reads files of numpy's that hold no spins.
func TestRefused(t *testing.T) {
	for file, want := range map[string][]string{
		"complex.npy":   {"byte 0", `elements of type "<c16" are not real numbers`, "astype"},
		"records.npy":   {"the type is a record, not a number", "numpy.save"},
		"grey.npy":      {"sample 0, row", "is neither 0/1 nor ±1", "Options.Threshold"},
		"labels.npy":    {"shape (5) does not hold samples", "(samples, height, width)"},
		"ambiguous.npz": {"several arrays could be the samples", `name one of "left", "right"`},
	} {
		path := filepath.Join("testdata", file)
		_, err := Read(path, Options{})
		wantError(t, err, path, want...)
	}
}
