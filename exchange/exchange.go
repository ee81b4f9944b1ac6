// Package exchange writes machines in the formats of other programs, and reads
// what they write.
//
//   - safetensors: the arrays of the model file, as deep-learning libraries load them;
//   - zero-one: W and two biases for units 0 and 1, the convention of
//     scikit-learn's BernoulliRBM and of PyTorch's rbms (Hinton 2012), read too;
//   - Ising: the energy as a list of biases in dimod's COO text;
//   - C and Go source: packed bits and a sampler in integers (Packed), which has
//     the same samples, bit for bit, wherever it runs.
package exchange

import (
	"io"

	"bethe/rbm"
)

// A Format is one that Formats lists.
type Format struct {
	Name string
	// Write writes a model file in the format; name is what the names of a C header
	// begin with, or the package of Go source (CheckName).
	Write func(w io.Writer, f *rbm.File, name string) error
}

// Formats are those that machines are written in, by the names of commands.
var Formats = []Format{
	{"safetensors", func(w io.Writer, f *rbm.File, _ string) error { return WriteSafetensors(w, f) }},
	{"rbm01", func(w io.Writer, f *rbm.File, _ string) error { return WriteZeroOne(w, f.Machine()) }},
	{"ising", func(w io.Writer, f *rbm.File, _ string) error { return WriteIsing(w, f.Machine()) }},
	{"c", WriteC},
	{"go", WriteGo},
	{"verilog", WriteVerilog},
}
