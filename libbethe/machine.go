package main

/*
#include "bethe.h"
*/
import "C"

import (
	"encoding/json"
	"math"
	"slices"
	"strings"

	"bethe/evaluate"
	"bethe/internal/build"
	"bethe/internal/npy"
	"bethe/learn"
	"bethe/rbm"
	"bethe/spin"
)

// A machine is a model file in memory.
type machine struct {
	arrays []npy.Array // as the file has them, meta.json first
	model  model
}

// machineOf returns the machine of a model file as it would be read again, so that it is
// the same whether a file, a caller's arrays or neither lay between.
func machineOf(file learn.Model) (*machine, error) {
	arrays, err := file.Arrays()
	if err != nil {
		return nil, err
	}
	return machineFrom(arrays)
}

// machineFrom returns the machine of the arrays of a model file.
func machineFrom(arrays []npy.Array) (*machine, error) {
	var about struct {
		Model string `json:"model"`
	}
	for k, a := range arrays { // texts of the machines of a stack
		if _, ok := a.Data.([]byte); ok && strings.HasPrefix(a.Name, "meta.json") {
			arrays[k].Shape = nil
		}
	}
	if text, ok := arrays[0].Data.([]byte); ok {
		_ = json.Unmarshal(text, &about) // decode tells its faults
	}
	model, err := decode(arrays, about.Model)
	if err != nil {
		return nil, err
	}
	return &machine{arrays, model}, nil
}

// held implements holder: all but meta.json. Those of the machines of a stack are arrays of their bytes.
func (m *machine) held() ([]npy.Array, error) {
	held := slices.Clone(m.arrays[1:])
	for k, a := range held {
		if text, ok := a.Data.([]byte); ok && a.Shape == nil {
			held[k].Shape = []int{len(text)}
		}
	}
	return held, nil
}

//export bethe_machine_new
func bethe_machine_new(meta C.bethe_text, given C.bethe_arrays, count C.int64_t, out *C.bethe_handle, text **C.char) C.int32_t {
	return try(text, func() error {
		arrays := []npy.Array{{Name: "meta.json", Data: []byte(C.GoString(meta))}}
		for _, a := range elements[C.bethe_array](given, int(count)) {
			array, err := read(&a)
			if err != nil {
				return err
			}
			arrays = append(arrays, array)
		}
		m, err := machineFrom(arrays)
		if err != nil {
			return invalid{err}
		}
		hand(out, m)
		return nil
	})
}

//export bethe_machine_read
func bethe_machine_read(path C.bethe_text, out *C.bethe_handle, text **C.char) C.int32_t {
	return try(text, func() error {
		file, err := open(C.GoString(path))
		if err != nil {
			return err
		}
		m, err := machineOf(file)
		if err == nil {
			hand(out, m)
		}
		return err
	})
}

//export bethe_machine_write
func bethe_machine_write(handle C.bethe_handle, path C.bethe_text, text **C.char) C.int32_t {
	return try(text, func() error {
		m, err := of[*machine](handle, "a machine")
		if err != nil {
			return err
		}
		return rbm.WriteArrays(C.GoString(path), m.arrays)
	})
}

//export bethe_machine_meta
func bethe_machine_meta(handle C.bethe_handle, out **C.char, text **C.char) C.int32_t {
	return try(text, func() error {
		m, err := of[*machine](handle, "a machine")
		if err == nil {
			*out = C.CString(string(m.arrays[0].Data.([]byte)))
		}
		return err
	})
}

//export bethe_machine_about
func bethe_machine_about(handle C.bethe_handle, out **C.char, text **C.char) C.int32_t {
	return try(text, func() error {
		m, err := of[*machine](handle, "a machine")
		if err != nil {
			return err
		}
		about := m.model.about()
		about.Exact = m.model.exact()
		return say(out, about)
	})
}

// loose are arrays that belong to no machine.
type loose []npy.Array

// held implements holder.
func (l loose) held() ([]npy.Array, error) { return l, nil }

//export bethe_zero_one
func bethe_zero_one(handle C.bethe_handle, out *C.bethe_handle, text **C.char) C.int32_t {
	return try(text, func() error {
		m, err := of[*machine](handle, "a machine")
		if err != nil {
			return err
		}
		plain, err := m.model.zeroOne()
		if err != nil {
			return err
		}
		z, n, p := plain.ZeroOne(), plain.Visible(), plain.Hidden()
		hand(out, loose{{Name: "W", Shape: []int{p, n}, Data: z.W}, {Name: "vbias", Shape: []int{n}, Data: z.Visible},
			{Name: "hbias", Shape: []int{p}, Data: z.Hidden}, {Name: "constant", Shape: []int{}, Data: []float64{z.Constant}}})
		return nil
	})
}

//export bethe_from_zero_one
func bethe_from_zero_one(w, visibleBias, hiddenBias *C.bethe_array, out *C.bethe_handle, text **C.char) C.int32_t {
	return try(text, func() error {
		var given [3]npy.Array
		for k, a := range []*C.bethe_array{w, visibleBias, hiddenBias} {
			var err error
			if given[k], err = read(a); err != nil {
				return err
			}
			x, ok := given[k].Data.([]float64)
			if !ok {
				return invalidf("array %q is not of FLOAT64", given[k].Name)
			}
			if i := slices.IndexFunc(x, func(v float64) bool { return !(math.Abs(v) <= 1e30) }); i >= 0 {
				return invalidf("element %d of array %q is %v: it must lie between -1e30 and 1e30", i, given[k].Name, x[i])
			}
		}
		n, p := sizeOf(given[1].Shape), sizeOf(given[2].Shape)
		if len(given[1].Shape) != 1 || len(given[2].Shape) != 1 || !slices.Equal(given[0].Shape, []int{p, n}) || n*p == 0 {
			return invalidf("shapes %v, %v and %v: they must be hidden x visible, visible and hidden", given[0].Shape, given[1].Shape, given[2].Shape)
		}
		machine, _ := rbm.FromZeroOne(&rbm.ZeroOne{W: given[0].Data.([]float64), Visible: given[1].Data.([]float64), Hidden: given[2].Data.([]float64)})
		m, err := machineOf(&rbm.File{Params: machine.Params, Synapses: machine.Synapses, Info: rbm.Info{Program: build.Program()}})
		if err != nil {
			return invalid{err}
		}
		hand(out, m)
		return nil
	})
}

// spinsOf returns a machine of spins with one hidden layer, and samples of it as bytes.
func spinsOf(handle C.bethe_handle, x C.bethe_bytes, count C.int64_t) (layered, *spin.Matrix, error) {
	m, err := of[*machine](handle, "a machine")
	if err != nil {
		return layered{}, nil, err
	}
	l, ok := m.model.spins()
	if !ok {
		return l, nil, notFor("this call", m.model)
	}
	spins, err := fromBytes(x, count, l.file.Visible())
	return l, spins, err
}

//export bethe_transform
func bethe_transform(handle C.bethe_handle, x C.bethe_bytes, count C.int64_t, gain C.double, out *C.float, text **C.char) C.int32_t {
	return try(text, func() error {
		l, spins, err := spinsOf(handle, x, count)
		if err == nil {
			copy(elements[float32](out, int(count)*l.file.Hidden()), evaluate.Features(l.on, spins, float64(gain)))
		}
		return err
	})
}

//export bethe_free_energy
func bethe_free_energy(handle C.bethe_handle, x C.bethe_bytes, count C.int64_t, out *C.double, text **C.char) C.int32_t {
	return try(text, func() error {
		l, spins, err := spinsOf(handle, x, count)
		if err != nil {
			return err
		}
		energies := elements[float64](out, int(count))
		for a, w := range l.on.LogWeights(spins) {
			energies[a] = -w
		}
		return nil
	})
}
