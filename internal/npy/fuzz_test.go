package npy

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

func addFiles(f *testing.F, pattern string) {
	paths, err := filepath.Glob("testdata/" + pattern)
	if err != nil || len(paths) == 0 {
		f.Fatal("no files ", pattern, err)
	}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
	}
}

// A header is an error that says where, or one of lengths that are none below 0.
func FuzzReadHeader(f *testing.F) {
	addFiles(f, "*.npy")
	f.Add([]byte(raw(`{"shape":(60000L,),"fortran_order":True,"descr":"|u1"}`)))
	f.Fuzz(func(t *testing.T, content []byte) {
		h, err := ReadHeader(bytes.NewReader(content))
		wrong, ok := errors.AsType[*HeaderError](err)
		switch {
		case ok:
			if wrong.Offset < 0 || wrong.Offset > int64(len(content)) || wrong.Problem == "" {
				t.Errorf("error at byte %d of %d: %q", wrong.Offset, len(content), wrong.Problem)
			}
		case err != nil:
			if err != io.ErrUnexpectedEOF {
				t.Errorf("%T: %v", err, err)
			}
		default:
			for _, s := range h.Shape {
				if s < 0 {
					t.Errorf("shape %v", h.Shape)
				}
			}
		}
	})
}

// An archive is an error, or holds as many elements as its shapes say and
// reads the same when written again.
func FuzzReadArchive(f *testing.F) {
	addFiles(f, "*.npz")
	f.Add(archive(f, everyType[:8]...))
	f.Fuzz(func(t *testing.T, content []byte) {
		const limit = 1 << 20
		a, err := ReadArchive(save(t, content), limit)
		if err != nil {
			return
		}
		var arrays []Array
		for _, name := range a.Names() {
			x := a.arrays[name]
			if text, ok := x.Data.([]byte); ok {
				if len(text) > limit {
					t.Errorf("%q: %d bytes", name, len(text))
				}
				if filepath.Ext(name) == ".npy" {
					t.Errorf("%q is no array", name)
				}
			}
			arrays = append(arrays, x)
		}
		again, err := ReadArchive(save(t, archive(t, arrays...)), 1<<30)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range arrays {
			y := again.arrays[x.Name]
			var first, second bytes.Buffer
			if _, ok := x.Data.([]byte); ok {
				if !reflect.DeepEqual(x, y) {
					t.Errorf("%q differs", x.Name)
				}
				continue
			}
			if err := errors.Join(Write(&first, x.Shape, x.Data), Write(&second, y.Shape, y.Data)); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(first.Bytes(), second.Bytes()) { // as bytes: NaN is not NaN
				t.Errorf("%q differs", x.Name)
			}
		}
	})
}
