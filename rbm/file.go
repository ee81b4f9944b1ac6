package rbm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"

	"bethe/internal/durable"
	"bethe/internal/npy"
	"bethe/spin"
)

// FileFormat is the version of the model file that this package writes.
const FileFormat = 1

// Info says how a model was made.
type Info struct {
	Format   int            `json:"format"`
	Program  string         `json:"program"`            // name and version of what wrote the file
	Seed     uint64         `json:"seed"`               //
	Data     string         `json:"data"`               // what it learned from
	Samples  int            `json:"samples"`            // how many of them
	Steps    int            `json:"steps"`              // of learning
	Width    int            `json:"width,omitempty"`    // of a picture, if the visible units are one, row by row
	Height   int            `json:"height,omitempty"`   //
	Synapses string         `json:"synapses,omitempty"` // "real", or nothing for binary ones
	Settings map[string]any `json:"settings,omitempty"` // of learning
}

// A File is what a model file holds.
type File struct {
	Model    *Model[float32] // its posterior is nil where the synapses are real
	Synapses *spin.Matrix    // of the machine that is shipped, visible x hidden; nil where they are real
	Weights  []float32       // the real synapses, hidden x visible; nil where they are binary
	Info     Info
}

// Machine returns the machine that is shipped.
func (f *File) Machine() *Machine { return &Machine{f.Model.Params.Clone(), f.Synapses, f.Weights} }

// RealFile returns the file of a machine with real synapses.
func RealFile(machine *Machine, info Info) *File {
	return &File{Model: &Model[float32]{Params: machine.Params}, Weights: machine.Weights, Info: info}
}

// members are all that a model file may hold, with their dimensions.
var members = map[string]int{"meta.json": 0, "synapses": 2, "posterior_mean": 2, "prior_mean": 2, "weights": 2,
	"visible_field": 1, "hidden_field": 1, "visible_offset": 1, "hidden_offset": 1, "coupling": 0}

// memberCheck returns a check of each member that refuses what no model file
// holds, before it takes memory.
func memberCheck() func(name string, shape []int) error {
	described := false // whether meta.json has been seen, the first member of a model file
	return func(name string, shape []int) error {
		dimensions, known := members[name]
		described = described || name == "meta.json"
		switch {
		case !known && !described:
			return fmt.Errorf("array %q and no member \"meta.json\" before it: not a model file", name)
		case !known:
			return fmt.Errorf("a model file has no array %q", name)
		case len(shape) == dimensions, name == "meta.json": // Load tells one that is an array
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
// whole or not at all. Equal files give equal bytes. Errors are those of the
// model's Validate, of thetas or weights that are not finite numbers, and of
// the file system.
func (f *File) Save(path string) error {
	arrays, err := f.Arrays()
	if err != nil {
		return fmt.Errorf("%s: not written: %w", path, err)
	}
	return durable.WriteFile(path, func(w io.Writer) error { return npy.WriteArchive(w, arrays) })
}

// Arrays returns the arrays that Save writes, meta.json among them.
func (f *File) Arrays() ([]npy.Array, error) {
	if err := f.Model.Params.Validate(); err != nil {
		return nil, err
	}
	info := f.Info
	info.Format, info.Synapses = FileFormat, ""
	synapses := f.binaryArrays
	if f.Weights != nil {
		info.Synapses, synapses = realSynapses, f.realArrays
	}
	meta, err := json.Marshal(info)
	if err != nil {
		return nil, err
	}
	middle, err := synapses()
	if err != nil {
		return nil, err
	}
	if err := f.checkSums(); err != nil {
		return nil, err
	}
	m := f.Model
	n, p := m.Visible(), m.Hidden()
	arrays := append([]npy.Array{{Name: "meta.json", Data: meta}}, middle...)
	return append(arrays,
		npy.Array{Name: "visible_field", Shape: []int{n}, Data: m.VisibleField},
		npy.Array{Name: "hidden_field", Shape: []int{p}, Data: m.HiddenField},
		npy.Array{Name: "visible_offset", Shape: []int{n}, Data: m.VisibleOffset},
		npy.Array{Name: "hidden_offset", Shape: []int{p}, Data: m.HiddenOffset},
		npy.Array{Name: "coupling", Shape: []int{}, Data: []float64{m.Coupling}}), nil
}

// realSynapses is what meta.json says of a machine with real synapses.
const realSynapses = "real"

// binaryArrays are the arrays of binary synapses and their posterior.
func (f *File) binaryArrays() ([]npy.Array, error) {
	n, p, q := f.Model.Visible(), f.Model.Hidden(), f.Model.Posterior
	if f.Synapses == nil || f.Synapses.Rows() != n || f.Synapses.Cols() != p {
		panic(fmt.Sprintf("rbm: Save of a model of %d x %d units without synapses of that shape", n, p))
	}
	for name, theta := range map[string][]float32{"posterior_mean": q.Theta, "prior_mean": q.PriorTheta} {
		if slices.ContainsFunc(theta, func(v float32) bool { return v != v }) {
			return nil, fmt.Errorf("%s is not a number somewhere", name)
		}
	}
	signs := make([]int8, n*p)
	spin.Values(signs, f.Synapses)
	arrays := []npy.Array{
		{Name: "synapses", Shape: []int{n, p}, Data: signs},
		{Name: "posterior_mean", Shape: []int{n, p}, Data: meansByVisible(q.Theta, n, p)},
	}
	if q.PriorTheta != nil {
		arrays = append(arrays, npy.Array{Name: "prior_mean", Shape: []int{n, p}, Data: meansByVisible(q.PriorTheta, n, p)})
	}
	return arrays, nil
}

// realArrays is the array of real synapses.
func (f *File) realArrays() ([]npy.Array, error) {
	n, p := f.Model.Visible(), f.Model.Hidden()
	if len(f.Weights) != n*p || f.Synapses != nil {
		panic(fmt.Sprintf("rbm: Save of %d real synapses of %d x %d units", len(f.Weights), n, p))
	}
	if k := slices.IndexFunc(f.Weights, notFinite); k >= 0 {
		return nil, fmt.Errorf("weights[%d, %d] is %v: it must be finite", k%n, k/n, f.Weights[k])
	}
	byVisible := make([]float32, n*p)
	transpose(byVisible, f.Weights, p, n)
	return []npy.Array{{Name: "weights", Shape: []int{n, p}, Data: byVisible}}, nil
}

func notFinite(v float32) bool { return math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) }

// meansByVisible returns tanh theta, visible x hidden.
func meansByVisible(theta []float32, n, p int) []float32 {
	mean, byVisible := make([]float32, n*p), make([]float32, n*p)
	for k, v := range theta {
		mean[k] = float32(math.Tanh(float64(v)))
	}
	transpose(byVisible, mean, p, n)
	return byVisible
}

// Load reads a model file. It is strict: what Save would not have written is
// an error that names the file and the array. A synapse whose mean was rounded
// to ±1 gets the theta where that rounding begins.
func Load(path string) (*File, error) {
	a, err := npy.ReadArchiveOf(path, maxModelBytes, memberCheck())
	if err != nil {
		return nil, err
	}
	meta, err := a.Bytes("meta.json")
	if err != nil {
		return nil, fmt.Errorf("%w: not a model file", err)
	}
	f := &File{}
	if err := json.Unmarshal(meta, &f.Info); err != nil {
		return nil, fmt.Errorf("%s: meta.json: %w", path, err)
	}
	if f.Info.Format != FileFormat {
		return nil, fmt.Errorf("%s: format %d of model files is not known here, only %d: use the program that wrote it (%q)", path, f.Info.Format, FileFormat, f.Info.Program)
	}
	d := json.NewDecoder(bytes.NewReader(meta))
	d.DisallowUnknownFields()
	if err := d.Decode(&f.Info); err != nil {
		return nil, fmt.Errorf("%s: meta.json: %w", path, err)
	}
	named := "synapses"
	switch f.Info.Synapses {
	case "":
	case realSynapses:
		named = "weights"
	default:
		return nil, fmt.Errorf("%s: meta.json: synapses of the kind %q are not known here", path, f.Info.Synapses)
	}
	for _, name := range map[string][]string{"synapses": {"weights"}, "weights": {"synapses", "posterior_mean", "prior_mean"}}[named] {
		if a.Has(name) {
			return nil, fmt.Errorf("%s: arrays %q and %q do not go together", path, named, name)
		}
	}
	shape := a.Shape(named)
	if len(shape) != 2 {
		return nil, fmt.Errorf("%s: array %q has shape %v, not visible x hidden", path, named, shape)
	}
	n, p := shape[0], shape[1]
	var params Params
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
	params.Coupling = coupling[0]
	if err := params.Validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	f.Model = &Model[float32]{Params: params}
	if named == "weights" {
		err = f.readWeights(a, path)
	} else {
		err = f.readSynapses(a, path)
	}
	if err == nil {
		if err = f.checkSums(); err != nil {
			err = fmt.Errorf("%s: %w", path, err)
		}
	}
	if err != nil {
		return nil, err
	}
	return f, nil
}

// readWeights reads real synapses.
func (f *File) readWeights(a *npy.Archive, path string) error {
	n, p := f.Model.Visible(), f.Model.Hidden()
	w, err := npy.Get[float32](a, "weights", n, p)
	if err != nil {
		return err
	}
	if k := slices.IndexFunc(w, notFinite); k >= 0 {
		return fmt.Errorf("%s: weights[%d, %d] is %v: it must be finite", path, k/p, k%p, w[k])
	}
	f.Weights = make([]float32, n*p)
	transpose(f.Weights, w, n, p)
	return nil
}

// readSynapses reads binary synapses and their posterior.
func (f *File) readSynapses(a *npy.Archive, path string) (err error) {
	n, p := f.Model.Visible(), f.Model.Hidden()
	f.Model.Posterior = NewPosterior[float32](n, p)
	if f.Model.Posterior.Theta, err = readMeans(a, path, "posterior_mean", n, p); err != nil {
		return err
	}
	if a.Has("prior_mean") {
		if f.Model.Posterior.PriorTheta, err = readMeans(a, path, "prior_mean", n, p); err != nil {
			return err
		}
	}
	signs, err := npy.Get[int8](a, "synapses", n, p)
	if err != nil {
		return err
	}
	for k, s := range signs {
		mean := math.Tanh(float64(f.Model.Posterior.Theta[k%p*n+k/p]))
		switch {
		case s != 1 && s != -1:
			return fmt.Errorf("%s: synapses[%d, %d] is %d: it must be 1 or -1", path, k/p, k%p, s)
		case float64(s)*mean < -Decided-1e-6:
			return fmt.Errorf("%s: synapses[%d, %d] is %d where posterior_mean is %v: it must be its sign where that is beyond ±%v", path, k/p, k%p, s, float32(mean), Decided)
		}
	}
	f.Synapses = spin.FromSigns(n, p, signs)
	return nil
}

// readMeans reads posterior means, visible x hidden, as thetas, hidden x visible.
func readMeans(a *npy.Archive, path, name string, n, p int) ([]float32, error) {
	const limit = 1 - 1.0/(1<<25)
	mean, err := npy.Get[float32](a, name, n, p)
	if err != nil {
		return nil, err
	}
	theta := make([]float32, n*p)
	for k, v := range mean {
		m := float64(v)
		if !(math.Abs(m) <= 1) {
			return nil, fmt.Errorf("%s: %s[%d, %d] is %v: it must lie between -1 and 1", path, name, k/p, k%p, m)
		}
		theta[k%p*n+k/p] = float32(math.Atanh(max(-limit, min(limit, m))))
	}
	return theta, nil
}
