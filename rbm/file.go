package rbm

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"bethe/internal/durable"
	"bethe/internal/npy"
)

// FileFormat is the version of the model file that this package writes of machines of
// one link, DeepFormat that of deep machines.
const (
	FileFormat = 1
	DeepFormat = 2
)

// Info says how a model was made.
type Info struct {
	Format   int            `json:"format"`
	Program  string         `json:"program"`                // name and version of what wrote the file
	Seed     uint64         `json:"seed"`                   //
	Data     string         `json:"data"`                   // what it learned from
	Samples  int            `json:"samples"`                // how many of them
	Steps    int            `json:"steps"`                  // of learning
	Width    int            `json:"width,omitempty"`        // of a picture, if the visible units are one, row by row
	Height   int            `json:"height,omitempty"`       //
	Synapses string         `json:"synapses,omitempty"`     // "real", or nothing for binary ones
	Layers   []int          `json:"layers,omitempty"`       // their sizes, the data's first, of a deep machine
	Settings map[string]any `json:"settings,omitempty"`     // of learning
	Alphabet string         `json:"alphabet,omitempty"`     // letters that the colours of the visible units stand for
	Units    string         `json:"units,omitempty"`        // kind of the visible units, nothing for spins
	Hidden   string         `json:"hidden_units,omitempty"` // of the hidden ones

	// How the samples were read: names of the columns of text, the level above which grey levels
	// are +1, and whether the rows and columns of pictures were exchanged.
	Columns    []string `json:"columns,omitempty"`
	Threshold  *float64 `json:"threshold,omitempty"`
	Transposed bool     `json:"transposed,omitempty"`
}

// A File is what a model file holds: the machine that is shipped, whose synapses
// know the posterior they are of if they were learned as bits (Uncertain).
type File struct {
	Params
	Synapses Synapses
	Info     Info
	// Scale is that of the numbers that a machine of Gaussian visible units learned from; of
	// other machines it has no columns.
	Scale Scale
}

// Machine returns the machine that is shipped. Its synapses are those of the file.
func (f *File) Machine() *Machine { return &Machine{f.Params.Clone(), f.Synapses} }

// members are all that a model file may hold, with their dimensions.
var members = map[string]int{"meta.json": 0, "synapses": 2, "posterior_mean": 2, "prior_mean": 2, "weights": 2,
	"visible_field": 1, "hidden_field": 1, "visible_offset": 1, "hidden_offset": 1, "coupling": 0,
	"visible_sigma": 1, "visible_mean": 1, "data_mean": 1, "data_deviation": 1}

// memberCheck returns a check of each member that refuses what no model file
// holds, before it takes memory.
func memberCheck() func(name string, shape []int) error {
	described := false // whether meta.json has been seen, the first member of a model file
	return func(name string, shape []int) error {
		dimensions, known := members[name]
		if !known {
			dimensions, known = deepMember(name)
		}
		described = described || name == "meta.json"
		switch {
		case !known && !described:
			return fmt.Errorf("it holds %q and no meta.json before it, so it is data, or of another program: %w", name, ErrNotModel)
		case !known:
			return fmt.Errorf("a model file has no array %q", name)
		case len(shape) == dimensions, name == "meta.json": // Load tells one that is an array
			return nil
		case name == "coupling" && len(shape) == 1: // of a deep machine
			return nil
		case dimensions == 2:
			return fmt.Errorf("array %q has shape %v, not visible x hidden", name, shape)
		case dimensions == 1:
			return fmt.Errorf("array %q has shape %v, not a number for each unit", name, shape)
		}
		return fmt.Errorf("array %q has shape %v, not []", name, shape)
	}
}

// maxModelBytes limits the decoded size of a model file that is read: over
// 100 million synapses.
const maxModelBytes = 1 << 30

// Save writes the model file at path, an .npz archive that numpy.load opens:
// synapses (int8, N x P, the machine that is shipped), posterior_mean
// (float32, N x P), prior_mean (the same, absent for the uniform prior),
// visible_field, hidden_field, visible_offset, hidden_offset (float64),
// coupling (float64, no dimension) and meta.json. A machine with real synapses
// has weights (float32, N x P, in units of the coupling) in the place of the
// first three, and "synapses": "real" in meta.json. The file is replaced as a
// whole or not at all. Of one-hot units coupling, fields and offsets are those of features 0 and 1.
// Gaussian visible units have visible_sigma and visible_mean, in the units of the data, and
// data_mean and data_deviation, those of all columns of the data; columns of deviation 0 are no
// units. Equal files give equal bytes. Errors are those of the
// model's Validate, of thetas or weights that are not finite numbers, and of
// the file system.
func (f *File) Save(path string) error {
	arrays, err := f.Arrays()
	if err != nil {
		return fmt.Errorf("%s: not written: %w", path, err)
	}
	return WriteArrays(path, arrays)
}

// WriteArrays writes a model file of the arrays that Arrays returns.
func WriteArrays(path string, arrays []npy.Array) error {
	return durable.WriteFile(path, func(w io.Writer) error { return npy.WriteArchive(w, arrays) })
}

// Arrays returns the arrays that Save writes, meta.json among them. It panics if
// the synapses have another shape than the parameters.
func (f *File) Arrays() ([]npy.Array, error) {
	if err := f.Params.Validate(); err != nil {
		return nil, err
	}
	n, p := f.Visible(), f.Hidden()
	if v, h := f.Synapses.Size(); v != n || h != p {
		panic(fmt.Sprintf("rbm: Save of a model of %d x %d units with synapses of %d x %d", n, p, v, h))
	}
	if !f.Whole() {
		return f.deepArrays()
	}
	e, ok := f.Synapses.(encoder)
	if !ok {
		return nil, fmt.Errorf("synapses of a kind that model files do not hold")
	}
	kind, synapses, err := e.encode()
	if err != nil {
		return nil, err
	}
	if err := f.checkSums(); err != nil {
		return nil, err
	}
	info := f.Info
	info.Format, info.Synapses = FileFormat, kind
	params, own, err := f.stored(&info)
	if err != nil {
		return nil, err
	}
	meta, err := json.Marshal(info)
	if err != nil {
		return nil, err
	}
	arrays := append([]npy.Array{{Name: "meta.json", Data: meta}}, synapses...)
	arrays = append(arrays,
		npy.Array{Name: "visible_field", Shape: []int{n}, Data: params.VisibleField},
		npy.Array{Name: "hidden_field", Shape: []int{p}, Data: params.HiddenField},
		npy.Array{Name: "visible_offset", Shape: []int{n}, Data: params.VisibleOffset},
		npy.Array{Name: "hidden_offset", Shape: []int{p}, Data: params.HiddenOffset},
		npy.Array{Name: "coupling", Shape: []int{}, Data: []float64{params.Coupling()}})
	return append(arrays, own...), nil
}

// ErrNotModel is the error of reading a file that is no model file.
var ErrNotModel = errors.New("not a model file")

// ErrNotSpins is the error of work that is of spins with a machine of other kinds of units.
var ErrNotSpins = errors.New("its units are no spins, and this work is of spins")

// Load is LoadKinds of a machine of spins. The error of another one wraps ErrNotSpins.
func Load(path string) (*File, error) {
	f, err := LoadKinds(path)
	if err == nil && !f.Spins() {
		return nil, fmt.Errorf("%s: a machine of %s and %s units: %w", path, f.VisibleKind, f.HiddenKind, ErrNotSpins)
	}
	return f, err
}

// LoadKinds reads a model file, of any kinds of units. It is strict: what Save would not have written is
// an error that names the file and the array. A synapse whose mean was rounded
// to ±1 gets the theta where that rounding begins.
//
// The file of a machine of another family is a *FamilyError.
func LoadKinds(path string) (*File, error) {
	if family := FamilyOf(path); family != "" {
		return nil, &FamilyError{path, family}
	}
	a, err := npy.ReadArchiveOf(path, maxModelBytes, memberCheck())
	if err != nil {
		return nil, err
	}
	return decode(a, path)
}

// Decode undoes Arrays: it loads a file from arrays in memory, in the order of a model file.
// Errors call it by name. The file may keep the arrays.
func Decode(name string, arrays []npy.Array) (*File, error) {
	check := memberCheck()
	for _, array := range arrays {
		if err := check(array.Name, array.Shape); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return decode(npy.NewArchive(name, arrays), name)
}

// decode reads the arrays of a model file at path.
func decode(a *npy.Archive, path string) (*File, error) {
	meta, err := a.Bytes("meta.json")
	if err != nil {
		return nil, fmt.Errorf("%w: %w", err, ErrNotModel)
	}
	f := &File{}
	if err := json.Unmarshal(meta, &f.Info); err != nil {
		return nil, fmt.Errorf("%s: meta.json: %w", path, err)
	}
	if f.Info.Format != FileFormat && f.Info.Format != DeepFormat {
		return nil, fmt.Errorf("%s: format %d of model files is not known here, only up to %d: use the program that wrote it (%q)", path, f.Info.Format, DeepFormat, f.Info.Program)
	}
	d := json.NewDecoder(bytes.NewReader(meta))
	d.DisallowUnknownFields()
	if err := d.Decode(&f.Info); err != nil {
		return nil, fmt.Errorf("%s: meta.json: %w", path, err)
	}
	kind, ok := decoders[f.Info.Synapses]
	if !ok {
		return nil, fmt.Errorf("%s: meta.json: synapses of the kind %q are not known here", path, f.Info.Synapses)
	}
	if f.Info.Format == DeepFormat {
		if err := f.loadDeep(a, path, kind); err != nil {
			return nil, err
		}
		return f, nil
	}
	if name := deepNames(a.Names()); name != "" || len(f.Info.Layers) > 0 {
		return nil, fmt.Errorf("%s: layers of a deep machine (%s) in a file of format %d", path, cmp.Or(name, "meta.json"), FileFormat)
	}
	for _, name := range kind.others {
		if a.Has(name) {
			return nil, fmt.Errorf("%s: arrays %q and %q do not go together", path, kind.shape, name)
		}
	}
	shape := a.Shape(kind.shape)
	if len(shape) != 2 {
		return nil, fmt.Errorf("%s: array %q has shape %v, not visible x hidden", path, kind.shape, shape)
	}
	n, p := shape[0], shape[1]
	params := NewParams(n, p, 0)
	var coupling []float64
	for _, v := range []struct {
		name   string
		shape  []int
		target *[]float64
	}{
		{"visible_field", []int{n}, &params.VisibleField}, {"hidden_field", []int{p}, &params.HiddenField},
		{"visible_offset", []int{n}, &params.VisibleOffset}, {"hidden_offset", []int{p}, &params.HiddenOffset},
		{"coupling", []int{}, &coupling},
	} {
		if *v.target, err = npy.Get[float64](a, v.name, v.shape...); err != nil {
			return nil, err
		}
	}
	params.SetCoupling(coupling[0])
	if err := f.read(a, &params); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := params.Validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	f.Params = params
	if f.Synapses, err = kind.decode(a, path, n, p); err != nil {
		return nil, err
	}
	if err := f.checkSums(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}
