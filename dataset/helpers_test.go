package dataset

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"

	"bethe/spin"
)

// The samples in testdata; see testdata/generate.py.
const (
	testSamples = 5
	testHeight  = 3
	testWidth   = 4
)

var testLabels = []int{7, 0, 3, 3, 9}

func testMatrix() *spin.Matrix {
	m := spin.New(testHeight*testWidth, testSamples)
	for i := range m.Rows() {
		for a := range m.Cols() {
			if (7*a+5*i+a*i)%3 == 0 {
				m.Set(i, a, 1)
			}
		}
	}
	return m
}

func level(x float64) *float64 { return &x }

// decode is Decode of bytes.
func decode(name string, content []byte, opt Options) (*Set, error) {
	return Decode(name, bytes.NewReader(content), int64(len(content)), opt)
}

// npyBytes returns an npy file of version 1 with the given header dictionary.
func npyBytes(dict string, data ...byte) []byte {
	b := append([]byte(magicNPY), 1, 0)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(dict)))
	return append(append(b, dict...), data...)
}

// npyArray returns an npy file of a plain array in C order.
func npyArray(descr, shape string, data ...byte) []byte {
	return npyBytes(fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': %s, }\n", descr, shape), data...)
}

// idxBytes returns an IDX file.
func idxBytes(code byte, shape []uint32, data ...byte) []byte {
	b := []byte{0, 0, code, byte(len(shape))}
	for _, d := range shape {
		b = binary.BigEndian.AppendUint32(b, d)
	}
	return append(b, data...)
}

// zipBytes returns a zip file of entries, stored as they are, given as name, content, name, ...
func zipBytes(t testing.TB, entries ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for k := 0; k < len(entries); k += 2 {
		w, err := z.CreateHeader(&zip.FileHeader{Name: entries[k], Method: zip.Store})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(entries[k+1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func gzipBytes(t testing.TB, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// wantError checks that err is a FileError of the file that says all of parts.
func wantError(t *testing.T, err error, path string, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	var f *FileError
	if !errors.As(err, &f) {
		t.Fatalf("%T is no FileError: %v", err, err)
	}
	if f.Path != path {
		t.Errorf("error of file %q, not %q", f.Path, path)
	}
	if f.Remedy == "" || f.Problem == "" {
		t.Errorf("no problem or no remedy: %v", err)
	}
	text := err.Error()
	if !strings.HasPrefix(text, path+": ") {
		t.Errorf("%q does not begin with the file", text)
	}
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q does not say %q", text, part)
		}
	}
}
