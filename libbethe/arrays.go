package main

/*
#include <string.h>
#include "bethe.h"
*/
import "C"

import (
	"fmt"
	"unsafe"

	"bethe/dataset"
	"bethe/internal/kernel"
	"bethe/internal/npy"
	"bethe/spin"
	"bethe/units"
)

// A holder has arrays, once it is done.
type holder interface{ held() ([]npy.Array, error) }

// An element is a type of the elements of arrays.
type element struct {
	code C.int32_t
	size int
	// read returns a copy of so many elements as a slice.
	read func(data unsafe.Pointer, count int) any
}

// elementOf returns the type of the elements of an array's data.
func elementOf(data any) element {
	switch data.(type) {
	case []int8:
		return elementTypes[C.BETHE_INT8]
	case []uint8:
		return elementTypes[C.BETHE_UINT8]
	case []float32:
		return elementTypes[C.BETHE_FLOAT32]
	case []float64:
		return elementTypes[C.BETHE_FLOAT64]
	case []int64:
		return elementTypes[C.BETHE_INT64]
	}
	panic(fmt.Sprintf("libbethe: arrays of %T", data))
}

func typeOf[T any](code C.int32_t) element {
	return element{code, int(unsafe.Sizeof(*new(T))), func(data unsafe.Pointer, count int) any {
		return append([]T(nil), unsafe.Slice((*T)(data), count)...)
	}}
}

var elementTypes = map[C.int32_t]element{
	C.BETHE_INT8: typeOf[int8](C.BETHE_INT8), C.BETHE_UINT8: typeOf[uint8](C.BETHE_UINT8),
	C.BETHE_FLOAT32: typeOf[float32](C.BETHE_FLOAT32), C.BETHE_FLOAT64: typeOf[float64](C.BETHE_FLOAT64),
	C.BETHE_INT64: typeOf[int64](C.BETHE_INT64),
}

// pointerOf returns the place of the first element of an array's data, nil of none.
func pointerOf(data any) unsafe.Pointer {
	switch x := data.(type) {
	case []int8:
		return unsafe.Pointer(unsafe.SliceData(x))
	case []uint8:
		return unsafe.Pointer(unsafe.SliceData(x))
	case []float32:
		return unsafe.Pointer(unsafe.SliceData(x))
	case []float64:
		return unsafe.Pointer(unsafe.SliceData(x))
	case []int64:
		return unsafe.Pointer(unsafe.SliceData(x))
	}
	panic(fmt.Sprintf("libbethe: arrays of %T", data))
}

// sizeOf returns the number of elements of a shape.
func sizeOf(shape []int) int {
	n := 1
	for _, v := range shape {
		n *= v
	}
	return n
}

// arraysOf returns the arrays of a handle; text that a model file holds is none.
func arraysOf(handle C.bethe_handle) ([]npy.Array, error) {
	h, err := of[holder](handle, "what has arrays: a machine or a job")
	if err != nil {
		return nil, err
	}
	return h.held()
}

// arrayOf returns array k of a handle.
func arrayOf(handle C.bethe_handle, k C.int64_t) (npy.Array, error) {
	arrays, err := arraysOf(handle)
	if err != nil {
		return npy.Array{}, err
	}
	if k < 0 || int(k) >= len(arrays) {
		return npy.Array{}, invalidf("array %d of %d, counted from 0", k, len(arrays))
	}
	return arrays[k], nil
}

//export bethe_count
func bethe_count(handle C.bethe_handle, count *C.int64_t, text **C.char) C.int32_t {
	return try(text, func() error {
		arrays, err := arraysOf(handle)
		*count = C.int64_t(len(arrays))
		return err
	})
}

//export bethe_describe
func bethe_describe(handle C.bethe_handle, k C.int64_t, out *C.bethe_array, text **C.char) C.int32_t {
	return try(text, func() error {
		a, err := arrayOf(handle, k)
		if err != nil {
			return err
		}
		*out = C.bethe_array{_type: elementOf(a.Data).code, dimensions: C.int32_t(len(a.Shape))}
		copy(elements[byte](&out.name[0], len(out.name)-1), a.Name)
		for k, v := range a.Shape {
			out.shape[k] = C.int64_t(v)
		}
		return nil
	})
}

//export bethe_copy
func bethe_copy(handle C.bethe_handle, k C.int64_t, out unsafe.Pointer, size C.int64_t, text **C.char) C.int32_t {
	return try(text, func() error {
		a, err := arrayOf(handle, k)
		if err != nil {
			return err
		}
		want := sizeOf(a.Shape) * elementOf(a.Data).size
		if int(size) != want {
			return invalidf("room for %d bytes, where array %q has %d", size, a.Name, want)
		}
		if want > 0 {
			C.memcpy(out, pointerOf(a.Data), C.size_t(want))
		}
		return nil
	})
}

// read copies an array that is given.
func read(a *C.bethe_array) (npy.Array, error) {
	array := npy.Array{Name: C.GoString(&a.name[0])}
	e, ok := elementTypes[a._type]
	if !ok || a.dimensions < 0 || int(a.dimensions) > len(a.shape) {
		return array, invalidf("array %q has elements of type %d and %d dimensions: there is no such type, or more than %d", array.Name, a._type, a.dimensions, len(a.shape))
	}
	array.Shape = make([]int, a.dimensions)
	const most = 1 << 40
	size := 1
	for k := range array.Shape {
		n := int(a.shape[k])
		if n < 0 || n > 0 && size > most/n {
			return array, invalidf("array %q has length %d in dimension %d", array.Name, n, k)
		}
		array.Shape[k] = n
		size *= n
	}
	if a.data == nil && size > 0 {
		return array, invalidf("array %q has no data", array.Name)
	}
	array.Data = e.read(a.data, size)
	return array, nil
}

// samples are those of a job: spins, numbers or colours.
type samples struct{ *dataset.Set }

// spins returns samples of a handle if they are spins.
func (s *samples) spins() (*spin.Matrix, error) {
	if s.Kind != (units.Kind{}) {
		return nil, invalidf("the samples are of %s units, where spins are needed", s.Kind)
	}
	return s.Samples, nil
}

//export bethe_samples_new
func bethe_samples_new(count, visible C.int64_t, out *C.bethe_handle, text **C.char) C.int32_t {
	return try(text, func() error {
		const most = 1 << 40 // units in all: 128 GiB
		if count < 1 || visible < 1 || visible > most/count {
			return invalidf("%d samples of %d units: there must be at least one of each, and no more than memory holds", count, visible)
		}
		hand(out, &samples{&dataset.Set{Samples: spin.New(int(visible), int(count))}})
		return nil
	})
}

//export bethe_samples_set
func bethe_samples_set(handle C.bethe_handle, first, count C.int64_t, x C.bethe_bytes, text **C.char) C.int32_t {
	return try(text, func() error {
		s, err := of[*samples](handle, "samples")
		if err != nil {
			return err
		}
		spins, err := s.spins()
		if err != nil {
			return err
		}
		if first < 0 || count < 0 || int(first) > spins.Cols()-int(count) {
			return invalidf("samples %d to %d of %d", first, first+count, spins.Cols())
		}
		return setBytes(spins, int(first), elements[byte](x, int(count)*spins.Rows()))
	})
}

//export bethe_samples_of
func bethe_samples_of(kind C.bethe_text, x *C.bethe_array, out *C.bethe_handle, text **C.char) C.int32_t {
	return try(text, func() error {
		of, err := units.ParseVisible(C.GoString(kind))
		if err != nil {
			return invalid{err}
		}
		a, err := read(x)
		if err != nil {
			return err
		}
		values, ok := a.Data.([]float32)
		if !ok || len(a.Shape) != 2 || len(values) == 0 {
			return invalidf("array %q is not of FLOAT32, samples x units, at least one of each", a.Name)
		}
		count, visible := a.Shape[0], a.Shape[1]
		turned := make([]float32, len(values))
		kernel.Transpose(turned, count, values, visible, count, visible)
		set, err := dataset.FromNumbers("the samples", units.RealsOf(visible, count, turned), of)
		if err != nil {
			return invalid{err}
		}
		hand(out, &samples{set})
		return nil
	})
}

// setBytes sets spins from bytes 0 and 1; the error names one that is neither.
func setBytes(spins *spin.Matrix, first int, x []byte) error {
	if wrong := spins.SetBytes(first, x); wrong >= 0 {
		n := spins.Rows()
		return invalidf("unit %d of sample %d is %d: it must be 0 or 1", wrong%n, first+wrong/n, x[wrong])
	}
	return nil
}

// fromBytes returns spins of bytes 0 and 1, samples x visible.
func fromBytes(x C.bethe_bytes, count C.int64_t, visible int) (*spin.Matrix, error) {
	if count < 0 {
		return nil, invalidf("%d samples", count)
	}
	spins := spin.New(visible, int(count))
	return spins, setBytes(spins, 0, elements[byte](x, int(count)*visible))
}

// bytesOf returns spins as an array of bytes 0 and 1, one column per row.
func bytesOf(name string, spins *spin.Matrix, shape ...int) npy.Array {
	x := make([]byte, spins.Rows()*spins.Cols())
	spins.Bytes(0, x)
	return npy.Array{Name: name, Shape: shape, Data: x}
}
