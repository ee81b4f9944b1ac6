// Package exchange writes machines in the formats of other programs, and reads
// what they write.
//
//   - safetensors: the arrays of the model file, as deep-learning libraries load them;
//   - zero-one: W and two biases for units 0 and 1, the convention of
//     scikit-learn's BernoulliRBM and of PyTorch's rbms (Hinton 2012), read too;
//   - Ising: the energy as a list of biases in dimod's COO text;
//   - C, Go and Verilog source: packed bits and a sampler in integers (Packed), which has
//     the same samples, bit for bit, wherever it runs;
//   - C source of spiking neurons (Spiking) and of the online rule of a mixture
//     (causes.OnlineRule), in integers as well;
//   - PyNN: tables of connections and biases.
package exchange

import (
	"io"

	"bethe/causes"
	"bethe/rbm"
)

// A Format is one that Formats lists. It is OfMachines or OfCauses, or several of these and OfStacks.
type Format interface{ About() About }

// OfMachines is a format of machines with hidden units.
type OfMachines interface {
	Format
	// Machine returns the files that the format makes of a model. It panics if CheckName refuses the name
	// or Tau is not from 1 to MaxTau, where the format has them.
	Machine(f *rbm.File, o Options) ([]File, error)
}

// OfCauses is a format of directed machines.
type OfCauses interface {
	Format
	// Causes is Machine of those.
	Causes(f *causes.File, o Options) ([]File, error)
}

// OfStacks is a format of machines upon each other.
type OfStacks interface {
	Format
	// Stack is Machine of those.
	Stack(s *rbm.Stack, o Options) ([]File, error)
}

// An About tells what a format is.
type About struct {
	Name   string // as commands call it
	Folder bool   // whether it is several files, in a folder
	Tau    bool   // whether it is of neurons with windows
	Kinds  bool   // whether it holds machines of any kinds of units; if not, units must be spins
}

// Options are what formats want to know.
type Options struct {
	Name string // first part of the names in a C header, name of a Verilog module or of the package of Go source (CheckName)
	Tau  int    // steps of the window of a neuron
}

// A File is a file of a format. It has a name if the format is a folder.
type File struct {
	Name  string
	Write func(w io.Writer) error
	Size  func() (Size, error) // on a device, of C source with a sampler; nil for other formats
}

// A Size is what C source takes on a device beside its code, in bytes.
type Size struct {
	Constants int // synapses, fields and tables, which nothing writes to
	Chain     int // memory of a chain
}

// single is a format of one file of machines with hidden units.
type single struct {
	about About
	write func(w io.Writer, f *rbm.File, o Options) error
}

func (s single) About() About { return s.about }

func (s single) Machine(f *rbm.File, o Options) ([]File, error) {
	return []File{{Write: func(w io.Writer) error { return s.write(w, f, o) }}}, nil
}

// Formats are those that machines are written in.
var Formats = []Format{
	single{About{Name: "safetensors", Kinds: true}, func(w io.Writer, f *rbm.File, _ Options) error { return WriteSafetensors(w, f) }},
	single{About{Name: "rbm01"}, func(w io.Writer, f *rbm.File, _ Options) error { return WriteZeroOne(w, f.Machine()) }},
	single{About{Name: "ising"}, func(w io.Writer, f *rbm.File, _ Options) error { return WriteIsing(w, f.Machine()) }},
	sourceC{single{About{Name: "c"}, func(w io.Writer, f *rbm.File, o Options) error { return WriteC(w, f, o.Name) }}},
	single{About{Name: "go"}, func(w io.Writer, f *rbm.File, o Options) error { return WriteGo(w, f, o.Name) }},
	single{About{Name: "verilog"}, func(w io.Writer, f *rbm.File, o Options) error { return WriteVerilog(w, f, o.Name) }},
	single{About{Name: "spikes-c", Tau: true}, func(w io.Writer, f *rbm.File, o Options) error { return WriteSpikesC(w, f, o.Name, o.Tau) }},
	learner{},
	tables{},
}

// sourceC is the C source of samplers, of stacks too.
type sourceC struct{ single }

func (s sourceC) Machine(f *rbm.File, o Options) ([]File, error) {
	files, err := s.single.Machine(f, o)
	if err != nil {
		return nil, err
	}
	files[0].Size = func() (Size, error) { return SourceSize(f.Machine()) }
	return files, nil
}

// SourceSize returns what the C source of a machine takes on a device. Errors are those of Pack and PackLayers.
func SourceSize(m *rbm.Machine) (Size, error) {
	if m.Deep() {
		k, err := PackLayers(m)
		if err != nil {
			return Size{}, err
		}
		return k.Size(), nil
	}
	k, err := Pack(m)
	if err != nil {
		return Size{}, err
	}
	return k.Size(), nil
}

func (sourceC) Stack(s *rbm.Stack, o Options) ([]File, error) {
	k, err := PackStack(s)
	if err != nil {
		return nil, err
	}
	return []File{{
		Write: func(w io.Writer) error { return k.WriteC(w, &s.Info, o.Name) },
		Size:  func() (Size, error) { return k.Size(), nil },
	}}, nil
}

// learner is the C source of the online rule.
type learner struct{}

func (learner) About() About { return About{Name: "stdp-c"} }

func (learner) Causes(f *causes.File, o Options) ([]File, error) {
	rule, err := f.OnlineRule()
	if err != nil {
		return nil, err
	}
	return []File{{Write: func(w io.Writer) error { return WriteLearnerC(w, rule, origin(&f.Info), o.Name) }}}, nil
}
