package rbm

import (
	"encoding/json"
	"fmt"
	"regexp"

	"bethe/internal/npy"
	"bethe/spin"
)

// StackModel is the family of stacks in model files.
const StackModel = "stack"

// A Stack is what the model file of a deep belief network holds: machines upon each other.
// The visible units of each are the hidden ones of the one below. Samples come down from the
// topmost (G. Hinton, S. Osindero and Y.-W. Teh, A fast learning algorithm for deep
// belief nets, 2006, with binary synapses).
type Stack struct {
	Files []*File // from the data up, of spins, one hidden layer each
	Info  Info    // Layers are the sizes of all layers, the data's first
}

// stackMeta is the meta.json of a stack.
type stackMeta struct {
	Model string `json:"model"`
	Info
}

// Sizes returns the sizes of the layers, the data's first.
func (s *Stack) Sizes() []int {
	sizes := []int{s.Files[0].Visible()}
	for _, f := range s.Files {
		sizes = append(sizes, f.Hidden())
	}
	return sizes
}

// Machines returns the machines, which share nothing with the files but synapses.
func (s *Stack) Machines() []*Machine {
	machines := make([]*Machine, len(s.Files))
	for l, f := range s.Files {
		machines[l] = f.Machine()
	}
	return machines
}

// Validate returns an error unless there are machines of spins whose sizes fit each other.
func (s *Stack) Validate() error {
	if len(s.Files) < 2 || len(s.Files) >= MaxLayers {
		return fmt.Errorf("a stack of %d machines: there must be 2 to %d", len(s.Files), MaxLayers-1)
	}
	for l, f := range s.Files {
		if !f.Spins() || f.Deep() {
			return fmt.Errorf("machine %d of a stack: %w", l+1, ErrNotSpins)
		}
		if l > 0 && s.Files[l-1].Hidden() != f.Visible() {
			return fmt.Errorf("machine %d of a stack has %d visible units, and the one below it %d hidden ones", l+1, f.Visible(), s.Files[l-1].Hidden())
		}
	}
	return nil
}

// Arrays returns what Save writes.
func (s *Stack) Arrays() ([]npy.Array, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	info := s.Info
	info.Format, info.Layers = FileFormat, s.Sizes()
	meta, err := json.Marshal(stackMeta{StackModel, info})
	if err != nil {
		return nil, err
	}
	arrays := []npy.Array{{Name: "meta.json", Data: meta}}
	for l, f := range s.Files {
		of, err := f.Arrays()
		if err != nil {
			return nil, fmt.Errorf("machine %d: %w", l+1, err)
		}
		for _, a := range of {
			a.Name = fmt.Sprintf("%s_%d", a.Name, l+1)
			arrays = append(arrays, a)
		}
	}
	return arrays, nil
}

// Save writes the model file of a stack: meta.json with "model": "stack", and for each machine
// the members of its own model file (File.Save), from the data up, with _1, _2, ... after their
// names. Errors are those of Validate, of the machines and of the file system.
func (s *Stack) Save(path string) error {
	arrays, err := s.Arrays()
	if err != nil {
		return fmt.Errorf("%s: not written: %w", path, err)
	}
	return WriteArrays(path, arrays)
}

// stackedNames are names of arrays of a stack.
var stackedNames = regexp.MustCompile(`^(.+)_([1-9]\d?)$`)

// LoadStack reads the model file of a stack. What Save would not have written is an error
// that names the file and the array.
func LoadStack(path string) (*Stack, error) {
	var c stackCheck
	a, err := npy.ReadArchiveOf(path, maxModelBytes, c.member)
	if err != nil {
		return nil, err
	}
	return decodeStack(a, path, c.machines)
}

// DecodeStack undoes Arrays: it loads a stack from arrays in memory, in the order of a model file.
// Errors call it by name. The stack may keep the arrays.
func DecodeStack(name string, arrays []npy.Array) (*Stack, error) {
	var c stackCheck
	for _, array := range arrays {
		if err := c.member(array.Name, array.Shape); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return decodeStack(npy.NewArchive(name, arrays), name, c.machines)
}

// A stackCheck checks the members of a stack one after the other.
type stackCheck struct {
	described bool                                 // whether its own meta.json was there
	machines  int                                  // that began so far
	check     func(name string, shape []int) error // of the members of the last one
}

func (c *stackCheck) member(name string, shape []int) error {
	if name == "meta.json" {
		c.described = true
		return nil
	}
	part := stackedNames.FindStringSubmatch(name)
	if !c.described || part == nil {
		return fmt.Errorf("a stack has no array %q: %w", name, ErrNotModel)
	}
	if part[1] == "meta.json" { // the first of a machine
		c.check, c.machines = memberCheck(), c.machines+1
	}
	if c.check == nil || c.machines >= MaxLayers {
		return fmt.Errorf("array %q is of no machine: %w", name, ErrNotModel)
	}
	return c.check(part[1], shape)
}

// decodeStack reads the arrays of a model file at path of so many machines.
func decodeStack(a *npy.Archive, path string, machines int) (*Stack, error) {
	text, err := a.Bytes("meta.json")
	if err != nil {
		return nil, fmt.Errorf("%w: %w", err, ErrNotModel)
	}
	var meta stackMeta
	if err := json.Unmarshal(text, &meta); err != nil {
		return nil, fmt.Errorf("%s: meta.json: %w", path, err)
	}
	if meta.Model != StackModel || meta.Format != FileFormat {
		return nil, fmt.Errorf("%s: meta.json: model %q of format %d, not a stack of format %d", path, meta.Model, meta.Format, FileFormat)
	}
	s := &Stack{Info: meta.Info}
	for l := range machines {
		f, err := decode(a.Part(fmt.Sprintf("_%d", l+1)), fmt.Sprintf("%s (machine %d)", path, l+1))
		if err != nil {
			return nil, err
		}
		s.Files = append(s.Files, f)
	}
	if err := s.Validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	for l, n := range s.Sizes() {
		if l >= len(meta.Layers) || len(meta.Layers) != machines+1 || meta.Layers[l] != n {
			return nil, fmt.Errorf("%s: meta.json: layers %v of machines with %v", path, meta.Layers, s.Sizes())
		}
	}
	return s, nil
}

// UpsideDown returns the machine whose visible units are the hidden ones of f, and the other
// way round: as the next of a stack it leaves p(v) as it is. Of binary synapses the posterior has
// the thetas ±theta, so that learning can go on from there. The machine shares nothing with f.
func (f *File) UpsideDown(theta float64) *File {
	n, p := f.Hidden(), f.Visible()
	params := NewParams(n, p, f.Coupling())
	copy(params.VisibleField, f.HiddenField)
	copy(params.HiddenField, f.VisibleField)
	copy(params.VisibleOffset, f.HiddenOffset)
	copy(params.HiddenOffset, f.VisibleOffset)
	values := Values(f.Synapses) // hidden x visible
	turned := make([]float32, n*p)
	for mu := range n {
		for i := range p {
			turned[i*n+mu] = values[mu*p+i]
		}
	}
	u := &File{Params: params, Info: Info{Program: f.Info.Program, Seed: f.Info.Seed, Data: f.Info.Data, Samples: f.Info.Samples}}
	if _, signed := f.Synapses.(Signed); !signed {
		u.Synapses = RealValued(n, p, turned)
		return u
	}
	q := NewPosterior[float32](n, p)
	for k, v := range turned {
		q.Theta[k] = v * float32(theta)
	}
	u.Synapses = Learned(transposed(spin.FromSigns(p, n, turned)), q)
	return u
}
