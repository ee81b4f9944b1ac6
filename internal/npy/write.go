// Package npy reads and writes the NumPy array files .npy and .npz, as far as
// the project's own files need: little-endian arrays in C order.
// The format: numpy/lib/format.py, version 1.0, and a zip archive of such files.
package npy

import (
	"archive/zip"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
)

// An Array is an array of an archive. Data is a slice of one of the Element
// types, row-major; of []byte it is written as it is, not as an array, under
// the plain Name (metadata such as meta.json).
type Array struct {
	Name  string
	Shape []int
	Data  any
}

// descr returns NumPy's name of the element type of a slice.
func descr(data any) (string, int, error) {
	switch x := data.(type) {
	case []int8:
		return "|i1", len(x), nil
	case []uint32:
		return "<u4", len(x), nil
	case []int64:
		return "<i8", len(x), nil
	case []uint64:
		return "<u8", len(x), nil
	case []float32:
		return "<f4", len(x), nil
	case []float64:
		return "<f8", len(x), nil
	}
	return "", 0, fmt.Errorf("npy: arrays of %T are not written", data)
}

// Write writes one array as an .npy file.
func Write(w io.Writer, shape []int, data any) error {
	d, n, err := descr(data)
	if err != nil {
		return err
	}
	want, dims := 1, make([]string, len(shape))
	for i, s := range shape {
		want *= s
		dims[i] = fmt.Sprint(s)
	}
	if n != want {
		return fmt.Errorf("npy: %d elements for shape %v", n, shape)
	}
	tuple := strings.Join(dims, ", ")
	if len(shape) == 1 {
		tuple += ","
	}
	header := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", d, tuple)
	const prefix = 10 // magic, version, length
	header += strings.Repeat(" ", 63-(prefix+len(header))%64) + "\n"
	if _, err := io.WriteString(w, "\x93NUMPY\x01\x00"); err != nil {
		return err
	}
	if err := binary.Write(w, binary.LittleEndian, uint16(len(header))); err != nil {
		return err
	}
	if _, err := io.WriteString(w, header); err != nil {
		return err
	}
	return binary.Write(w, binary.LittleEndian, data)
}

// WriteArchive writes arrays as an .npz file, compressed. Equal arrays give
// equal bytes.
func WriteArchive(w io.Writer, arrays []Array) error { return writeArchive(w, arrays, zip.Deflate) }

// StoreArchive is WriteArchive without compression, for those who have no time.
func StoreArchive(w io.Writer, arrays []Array) error { return writeArchive(w, arrays, zip.Store) }

func writeArchive(w io.Writer, arrays []Array, method uint16) error {
	z := zip.NewWriter(w)
	for _, a := range arrays {
		raw, plain := a.Data.([]byte)
		name := a.Name
		if !plain {
			name += ".npy"
		}
		f, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: method})
		if err != nil {
			return err
		}
		if plain {
			_, err = f.Write(raw)
		} else {
			err = Write(f, a.Shape, a.Data)
		}
		if err != nil {
			return fmt.Errorf("array %q: %w", a.Name, err)
		}
	}
	return z.Close()
}
