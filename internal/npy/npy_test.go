package npy

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// save writes content to a file of its own.
func save(t testing.TB, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.npz")
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// archive is WriteArchive to bytes.
func archive(t testing.TB, arrays ...Array) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := WriteArchive(&b, arrays); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// zipped is a zip file of entries given as name, content, name, ...
func zipped(t testing.TB, entries ...string) []byte {
	t.Helper()
	var arrays []Array
	for k := 0; k < len(entries); k += 2 {
		arrays = append(arrays, Array{Name: entries[k], Data: []byte(entries[k+1])})
	}
	return archive(t, arrays...)
}

// raw is an .npy file of version 1 with any header.
func raw(dict string, data ...byte) string {
	return string(binary.LittleEndian.AppendUint16([]byte(Magic+"\x01\x00"), uint16(len(dict)))) + dict + string(data)
}

func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error that says %q", parts)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q does not say %q", err, part)
		}
	}
}

var everyType = []Array{
	{"meta.json", nil, []byte(`{"a":1}`)},
	{"i1", []int{2, 3}, []int8{-128, -1, 0, 1, 2, 127}},
	{"u4", []int{1}, []uint32{math.MaxUint32}},
	{"i8", []int{2}, []int64{math.MinInt64, math.MaxInt64}},
	{"u8", []int{1, 2, 1}, []uint64{0, math.MaxUint64}},
	{"f4", []int{4}, []float32{math.MaxFloat32, math.SmallestNonzeroFloat32, float32(math.Inf(-1)), 1.0 / 3}},
	{"f8", []int{3}, []float64{math.MaxFloat64, math.SmallestNonzeroFloat64, math.Inf(1)}},
	{"scalar", nil, []float64{-0.25}},
	{"empty", []int{0, 4}, []float32{}},
	{"large", []int{70_000}, slices.Repeat([]float64{1, 2, 3, 4, 5, 6, 7}, 10_000)},
}

func TestRoundTrip(t *testing.T) {
	content := archive(t, everyType...)
	if !bytes.Equal(content, archive(t, everyType...)) {
		t.Error("equal arrays gave other bytes")
	}
	a, err := ReadArchive(save(t, content), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range everyType {
		if !reflect.DeepEqual(a.arrays[want.Name], want) {
			t.Errorf("%s: read %T of shape %d, or other elements", want.Name, a.arrays[want.Name].Data, a.Shape(want.Name))
		}
	}
	names := []string{"empty", "f4", "f8", "i1", "i8", "large", "meta.json", "scalar", "u4", "u8"}
	if got := a.Names(); !slices.Equal(got, names) {
		t.Errorf("names %q", got)
	}
}

func TestGet(t *testing.T) {
	a, err := ReadArchive(save(t, archive(t, everyType...)), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	if x, err := Get[int8](a, "i1", -1, 3); err != nil || x[5] != 127 {
		t.Errorf("i1: %v, %v", x, err)
	}
	if x, err := Get[float64](a, "scalar"); err != nil || len(x) != 1 || x[0] != -0.25 {
		t.Errorf("scalar: %v, %v", x, err)
	}
	if x, err := a.Bytes("meta.json"); err != nil || string(x) != `{"a":1}` {
		t.Errorf("meta.json: %q, %v", x, err)
	}
	if !a.Has("u8") || a.Has("u8.npy") || !slices.Equal(a.Shape("u8"), []int{1, 2, 1}) || a.Shape("none") != nil {
		t.Error("Has or Shape")
	}
	get := func(_ any, err error) error { return err }
	for _, c := range []struct {
		err   error
		parts []string
	}{
		{get(Get[int8](a, "none", 1)), []string{a.path, `no array "none"`}},
		{get(Get[int16](a, "i1", 2, 3)), []string{a.path, `"i1"`, "[]int8, not []int16"}},
		{get(Get[int8](a, "i1", 3, 2)), []string{a.path, `"i1"`, "[2 3], not [3 2]"}},
		{get(Get[int8](a, "i1", 6)), []string{a.path, `"i1"`, "[2 3], not [6]"}},
		{get(Get[float64](a, "f8")), []string{a.path, `"f8"`, "[3], not []"}},
		{get(a.Bytes("i1")), []string{a.path, `no member "i1"`}},
		{get(a.Bytes("none")), []string{a.path, `no member "none"`}},
	} {
		wantError(t, c.err, c.parts...)
	}
}

// Every byte of the header that numpy, too, would write (but for the number of
// spaces): 64-byte aligned, ended by a line feed.
func TestGoldenBytes(t *testing.T) {
	for _, c := range []struct {
		shape  []int
		data   any
		header string
		bytes  string
	}{
		{nil, []float64{1}, "{'descr': '<f8', 'fortran_order': False, 'shape': (), }", "\x00\x00\x00\x00\x00\x00\xf0\x3f"},
		{[]int{2}, []float32{1, -2}, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", "\x00\x00\x80\x3f\x00\x00\x00\xc0"},
		{[]int{1, 3}, []int8{1, -1, 2}, "{'descr': '|i1', 'fortran_order': False, 'shape': (1, 3), }", "\x01\xff\x02"},
		{[]int{1}, []uint32{0x01020304}, "{'descr': '<u4', 'fortran_order': False, 'shape': (1,), }", "\x04\x03\x02\x01"},
		{[]int{1}, []int64{-2}, "{'descr': '<i8', 'fortran_order': False, 'shape': (1,), }", "\xfe\xff\xff\xff\xff\xff\xff\xff"},
		{[]int{1}, []uint64{5}, "{'descr': '<u8', 'fortran_order': False, 'shape': (1,), }", "\x05\x00\x00\x00\x00\x00\x00\x00"},
	} {
		var b bytes.Buffer
		if err := Write(&b, c.shape, c.data); err != nil {
			t.Fatal(err)
		}
		header := c.header + strings.Repeat(" ", 117-len(c.header)) + "\n"
		if want := "\x93NUMPY\x01\x00\x76\x00" + header + c.bytes; b.String() != want {
			t.Errorf("wrote\n%q, not\n%q", b.String(), want)
		}
	}
	for dims := range 40 { // also where the header needs more lines of 64 bytes
		var b bytes.Buffer
		if err := Write(&b, slices.Repeat([]int{1}, dims), []int8{7}); err != nil {
			t.Fatal(err)
		}
		h, err := ReadHeader(&b)
		if n := b.Len(); n != 1 || err != nil || len(h.Shape) != dims {
			t.Errorf("%d dimensions: %+v, %d bytes left, %v", dims, h, n, err)
		}
	}
}

func TestWriteErrors(t *testing.T) {
	wantError(t, Write(io.Discard, []int{2}, []int{1, 2}), "npy: arrays of []int are not written")
	wantError(t, Write(io.Discard, []int{2, 2}, []int8{1}), "npy: 1 elements for shape [2 2]")
	wantError(t, WriteArchive(io.Discard, []Array{{"bad", []int{2}, []int8{1}}}), `array "bad"`, "1 elements")
	var b bytes.Buffer
	if err := Write(&b, []int{2}, []float64{1, 2}); err != nil {
		t.Fatal(err)
	}
	for n := range b.Len() {
		if err := Write(&short{n}, []int{2}, []float64{1, 2}); !errors.Is(err, io.ErrShortWrite) {
			t.Errorf("a disc full after %d bytes: %v", n, err)
		}
	}
	whole := archive(t, everyType[:3]...)
	for n := 0; n < len(whole); n += 7 {
		if err := WriteArchive(&short{n}, everyType[:3]); !errors.Is(err, io.ErrShortWrite) {
			t.Errorf("an archive on a disc full after %d bytes: %v", n, err)
		}
	}
}

// short is a writer that fails after some bytes.
type short struct{ left int }

func (s *short) Write(p []byte) (int, error) {
	if len(p) > s.left {
		return s.left, io.ErrShortWrite
	}
	s.left -= len(p)
	return len(p), nil
}

// The files of testdata/generate.py, written by numpy.
func TestNumpyFiles(t *testing.T) {
	thirds32, thirds64 := make([]float32, 6), make([]float64, 6)
	for k := range 6 {
		thirds32[k], thirds64[k] = float32(float64(k)/3), float64(k)/3
	}
	want := []Array{
		{"i1", []int{2, 3}, []int8{-128, -78, -28, 22, 72, 122}},
		{"u4", []int{3, 2}, []uint32{1<<32 - 6, 1<<32 - 5, 1<<32 - 4, 1<<32 - 3, 1<<32 - 2, 1<<32 - 1}},
		{"i8", []int{6}, []int64{math.MinInt64, math.MinInt64 + 1, math.MinInt64 + 2, math.MinInt64 + 3, math.MinInt64 + 4, math.MinInt64 + 5}},
		{"u8", []int{1, 2, 3}, []uint64{math.MaxUint64 - 5, math.MaxUint64 - 4, math.MaxUint64 - 3, math.MaxUint64 - 2, math.MaxUint64 - 1, math.MaxUint64}},
		{"f4", []int{6}, thirds32},
		{"f8", []int{6, 1}, thirds64},
		{"scalar", nil, []float64{1.0 / 3}},
		{"empty", []int{0, 4}, []float64{}},
		{"large", []int{70_000}, slices.Repeat([]float64{0, 1, 2, 3, 4, 5, 6}, 10_000)},
	}
	// Rows and columns exchanged, in the order that numpy writes a transpose.
	turned := []Array{{"f8", []int{3, 2}, []float64{0, 1, 1.0 / 3, 4.0 / 3, 2.0 / 3, 5.0 / 3}}, {"i1", []int{3, 2}, []int8{-128, 22, -78, 72, -28, 122}}}
	for file, arrays := range map[string][]Array{"types.npz": want[:8], "compressed.npz": want, "fortran.npz": turned, "big.npz": {{"big", []int{6, 1}, thirds64}}} {
		a, err := ReadArchive("testdata/"+file, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		if len(a.Names()) != len(arrays) {
			t.Errorf("%s holds %q", file, a.Names())
		}
		for _, w := range arrays {
			if !reflect.DeepEqual(a.arrays[w.Name], w) {
				t.Errorf("%s: %s: read %T of shape %d, or other elements", file, w.Name, a.arrays[w.Name].Data, a.Shape(w.Name))
			}
		}
	}
	for name, part := range map[string]string{
		"fortran": "Fortran order", "bool": `type "|b1"`, "f2": `type "<f2"`, "complex": `type "<c16"`, "text": `type "<U2"`, "record": "a record",
	} {
		path := "testdata/not-" + name + ".npz"
		_, err := ReadArchive(path, 1<<20)
		wantError(t, err, path+`: array "`+name+`": `, part)
	}
	for version := 1; version <= 3; version++ {
		f, err := os.Open(fmt.Sprintf("testdata/v%d.npy", version))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		h, err := ReadHeader(iotest.OneByteReader(f))
		rest, _ := io.ReadAll(f)
		if err != nil || !reflect.DeepEqual(h, Header{"<f8", false, []int64{6, 1}}) || len(rest) != 48 {
			t.Errorf("version %d: %+v, %d bytes of data, %v", version, h, len(rest), err)
		}
	}
}

func TestReadHeader(t *testing.T) {
	const rest = "'fortran_order': False, 'shape': (2,)}"
	for _, c := range []struct {
		dict   string
		want   Header
		at     int64 // of the error
		reason string
	}{
		{"{'descr': '<f8', 'fortran_order': True, 'shape': (3, 0), }  \n", Header{"<f8", true, []int64{3, 0}}, 0, ""},
		{`{"shape":(60000L,),"fortran_order":False,"descr":"|u1"}`, Header{"|u1", false, []int64{60000}}, 0, ""},
		{"\t{ 'descr' : '' , 'shape' : ( ) , 'fortran_order' : False , }", Header{"", false, []int64{}}, 0, ""},
		{"", Header{}, 10, "a dictionary should begin"},
		{"[]", Header{}, 10, "a dictionary should begin"},
		{"{}", Header{}, 12, `the key "descr" is missing`},
		{"{'descr': '<f8', 'shape': ()}", Header{}, 39, `the key "fortran_order" is missing`},
		{"{'descr': '<f8', 'fortran_order': False}", Header{}, 50, `the key "shape" is missing`},
		{"{descr: '<f8', " + rest, Header{}, 11, "a quoted key should stand"},
		{"{'descr", Header{}, 11, "a quoted key should stand"},
		{"{'descr' '<f8', " + rest, Header{}, 19, `a colon should follow the key "descr"`},
		{"{'descr': '<f8' " + rest, Header{}, 26, "a comma should stand"},
		{"{'descr': '<f8', 'descr': '<f8', " + rest, Header{}, 34, `the key "descr" stands twice`},
		{"{'descr': '<f8', 'shade': 1, " + rest, Header{}, 35, `the key "shade" is not known`},
		{"{'descr': '<f8', '" + strings.Repeat("ä", 100) + "': 1}", Header{}, 230, strings.Repeat("ä", 40) + "…"},
		{"{'descr': [('a', '<f4')], " + rest, Header{}, 20, "the type is a record"},
		{"{'descr': '<f8', 'fortran_order': 0, 'shape': ()}", Header{}, 44, "True or False should stand"},
		{"{'descr': '<f8', 'fortran_order': False, 'shape': 2}", Header{}, 60, "a shape should stand"},
		{"{'descr': '<f8', 'fortran_order': False, 'shape': (-2,)}", Header{}, 61, "a length should stand"},
		{"{'descr': '<f8', 'fortran_order': False, 'shape': (2 3)}", Header{}, 63, "a comma should stand"},
		{"{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999,)}", Header{}, 61, "a length is too large"},
		{"{'descr': '<f8', 'fortran_order': False, 'shape': (2,", Header{}, 63, "a length should stand"},
		{"{'descr': '<f8', " + rest + " x", Header{}, 66, "more text follows"},
	} {
		h, err := ReadHeader(strings.NewReader(raw(c.dict)))
		if c.reason == "" {
			if err != nil || !reflect.DeepEqual(h, c.want) {
				t.Errorf("%s: %+v, %v", c.dict, h, err)
			}
			continue
		}
		wrong, ok := errors.AsType[*HeaderError](err)
		if !ok || wrong.Offset != c.at {
			t.Errorf("%.60s: error at byte %+v, not %d", c.dict, wrong, c.at)
		}
		wantError(t, err, c.reason, fmt.Sprintf("byte %d: ", c.at))
	}
}

func TestReadHeaderProlog(t *testing.T) {
	good := raw("{'descr': '<f8', 'fortran_order': False, 'shape': (), }\n")
	for n := range len(good) {
		if _, err := ReadHeader(strings.NewReader(good[:n])); err != io.ErrUnexpectedEOF {
			t.Errorf("%d bytes of %d: %v", n, len(good), err)
		}
	}
	cause := errors.New("cause")
	if _, err := ReadHeader(iotest.ErrReader(cause)); err != cause {
		t.Errorf("error %v, not the reader's", err)
	}
	for text, part := range map[string]string{
		"\x93NUMPX\x01\x00..":                       "byte 0: an npy file begins with",
		Magic + "\x00\x00..":                        "byte 6: npy version 0.0",
		Magic + "\x04\x01..":                        "byte 6: npy version 4.1",
		Magic + "\x02\x00\x01\x00\x01\x00" + "....": "byte 8: an npy header of 65537 bytes",
		Magic + "\x03\x00\xff\xff\xff\xff" + "....": "byte 8: an npy header of 4294967295 bytes",
	} {
		_, err := ReadHeader(strings.NewReader(text))
		wantError(t, err, part)
	}
	long := "{'descr': '<f8', 'fortran_order': False, 'shape': ()}" + strings.Repeat(" ", 65000)
	if _, err := ReadHeader(strings.NewReader(raw(long))); err != nil {
		t.Errorf("a long header: %v", err)
	}
}

func TestReadArchiveErrors(t *testing.T) {
	const one = "{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }\n"
	number := make([]byte, 8)
	shape := func(s string) string {
		return raw("{'descr': '|i1', 'fortran_order': False, 'shape': (" + s + ",)}")
	}
	for name, c := range map[string]struct {
		content []byte
		parts   []string
	}{
		"empty file":        {nil, []string{"not an .npz file"}},
		"no zip":            {[]byte(raw(one, number...)), []string{"not an .npz file"}},
		"no npy in it":      {zipped(t, "x.npy", "junk that is long enough"), []string{`array "x": byte 0`}},
		"header cut short":  {zipped(t, "x.npy", raw(one)[:40]), []string{`array "x"`, "unexpected EOF"}},
		"no data":           {zipped(t, "x.npy", raw(one)), []string{`array "x"`, "ends after 0 of 1"}},
		"data cut short":    {zipped(t, "x.npy", raw(one, number[:7]...)), []string{`array "x"`, "ends after 0 of 1", "unexpected EOF"}},
		"one byte more":     {zipped(t, "x.npy", raw(one, append(number, 0)...)), []string{`array "x"`, "more bytes"}},
		"twice":             {zipped(t, "x.npy", raw(one, number...), "x.npy", raw(one, number...)), []string{`two arrays have the name "x"`}},
		"array and member":  {zipped(t, "x", "", "x.npy", raw(one, number...)), []string{`two arrays have the name "x"`}},
		"huge array":        {zipped(t, "x.npy", shape("9223372036854775807")), []string{`array "x"`, "limit of 4096 bytes"}},
		"overflowing array": {zipped(t, "x.npy", shape("4294967296, 4294967296, 16")), []string{`array "x"`, "limit of 4096 bytes"}},
		"array over limit":  {archive(t, Array{"x", []int{600}, make([]float64, 600)}), []string{`array "x"`, "limit of 4096 bytes"}},
		"sum over limit":    {zipped(t, "x", strings.Repeat("a", 3000), "y", strings.Repeat("b", 3000)), []string{`array "y"`, "more data than the limit"}},
	} {
		t.Run(name, func(t *testing.T) {
			path := save(t, c.content)
			_, err := ReadArchive(path, 4096)
			wantError(t, err, append(c.parts, path+": ")...)
		})
	}
	if _, err := ReadArchive(filepath.Join(t.TempDir(), "none"), 1); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

// The limit counts decoded bytes of all members, and is itself allowed.
func TestReadArchiveLimit(t *testing.T) {
	path := save(t, archive(t, Array{"a", []int{4, 100}, make([]int8, 400)}, Array{"b.txt", nil, make([]byte, 50)}))
	const size = 128 + 400 + 50
	if _, err := ReadArchive(path, size); err != nil {
		t.Errorf("as large as the limit: %v", err)
	}
	for limit := range int64(size) {
		if _, err := ReadArchive(path, limit); err == nil || !strings.Contains(err.Error(), "limit") {
			t.Fatalf("%d bytes at a limit of %d: %v", size, limit, err)
		}
	}
}

// A file cut short anywhere, and one with any bit flipped, either says so or
// reads as it was: nothing changes in silence but, perhaps, a name, or that of
// an array to that of plain bytes.
func TestDamaged(t *testing.T) {
	want := []Array{{"f8", []int{2, 2}, []float64{1, 2, 3, 4}}, {"meta.json", nil, []byte("{}")}, {"i1", []int{3}, []int8{1, 0, -1}}}
	whole := archive(t, want...)
	path := save(t, whole)
	read := func(content []byte) (*Archive, error) {
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
		return ReadArchive(path, 1<<12)
	}
	for n := range whole {
		if _, err := read(whole[:n]); err == nil {
			t.Errorf("no error from %d bytes of %d", n, len(whole))
		}
	}
	for bit := range 8 * len(whole) {
		content := bytes.Clone(whole)
		content[bit/8] ^= 1 << (bit % 8)
		a, err := read(content)
		if err != nil {
			continue
		}
		for _, w := range want {
			got := a.arrays[w.Name]
			if _, plain := got.Data.([]byte); a.Has(w.Name) && !(plain && w.Shape != nil) && !reflect.DeepEqual(got, w) {
				t.Errorf("byte %d, bit %d flipped: %v", bit/8, bit%8, got)
			}
		}
	}
	// A wrong checksum is not taken for surplus data.
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	content := raw("{'descr': '|i1', 'fortran_order': False, 'shape': (1,), }", 5)
	w, err := z.CreateRaw(&zip.FileHeader{Name: "x.npy", CRC32: 1, CompressedSize64: uint64(len(content)), UncompressedSize64: uint64(len(content))})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, content); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := read(b.Bytes()); !errors.Is(err, zip.ErrChecksum) || strings.Contains(err.Error(), "more bytes") {
		t.Errorf("wrong checksum: %v", err)
	}
}

// Arrays of the most significant byte first, of every type, are the same numbers.
func TestBigEndian(t *testing.T) {
	for descr, c := range map[string]struct {
		bytes []byte
		want  any
	}{
		">u4": {[]byte{0, 0, 1, 2}, []uint32{258}}, ">i8": {[]byte{255, 255, 255, 255, 255, 255, 255, 254}, []int64{-2}},
		">u8": {[]byte{0, 0, 0, 0, 0, 0, 1, 0}, []uint64{256}}, ">f4": {[]byte{0x3f, 0x80, 0, 0}, []float32{1}}, ">f8": {[]byte{0xc0, 0, 0, 0, 0, 0, 0, 0}, []float64{-2}},
	} {
		a, err := ReadArchive(save(t, zipped(t, "x.npy", raw("{'descr': '"+descr+"', 'fortran_order': False, 'shape': (1,), }", c.bytes...))), 1<<20)
		if err != nil || !reflect.DeepEqual(a.arrays["x"].Data, c.want) {
			t.Errorf("%s: %v, %v", descr, a, err)
		}
	}
}

// What a file may not hold is refused before its elements are read.
func TestReadArchiveOf(t *testing.T) {
	path := save(t, zipped(t, "meta.json", "{}", "x.npy", raw("{'descr': '<f8', 'fortran_order': False, 'shape': (3, 2), }"), "y.npy", "oops"))
	var seen []string
	_, err := ReadArchiveOf(path, 1<<20, func(name string, shape []int) error {
		seen = append(seen, fmt.Sprint(name, shape))
		if name == "x" {
			return errors.New("no x here")
		}
		return nil
	})
	if err == nil || err.Error() != path+": no x here" || !slices.Equal(seen, []string{"meta.json[]", "x[3 2]"}) {
		t.Errorf("%v, %q", err, seen)
	}
}
