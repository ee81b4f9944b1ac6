package causes

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"

	"bethe/internal/durable"
	"bethe/internal/npy"
	"bethe/rbm"
)

// FileFormat is the version of the model file of directed machines.
const FileFormat = 1

// maxModelBytes limits the decoded size of a model file that is read.
const maxModelBytes = 1 << 30

// A File is what a model file holds: the machine that is shipped and the posterior that its
// synapses are the signs of.
type File struct {
	Model    string // MixtureModel or TreeModel
	Info     rbm.Info
	Layer    Layer
	LnWeight []float64 // of the causes

	Coupling float64
	Field    []float64 // b, of length visible
	Synapses []float64 // ±1, states x visible
	Mean     []float64 // of the posterior, the same
	Real     []float64 // fields, states x visible, where Info.Synapses is "real"; the four above are then empty

	// Of a mixture that the rule STDP learned, else 0.
	CounterBits int
	Homeostasis float64

	// Of a tree alone.
	TopCoupling  float64
	FeatureField []float64 // groups x states
	TopSynapses  []float64 // ±1, groups x states x causes
	TopMean      []float64 // of the posterior, the same
}

// meta is the content of meta.json.
type meta struct {
	Model string `json:"model"`
	rbm.Info
	CounterBits int     `json:"counter_bits,omitzero"`
	Homeostasis float64 `json:"homeostasis,omitzero"`
}

const realSynapses = "real"

// Machine returns the machine that is shipped.
func (f *File) Machine() *Machine {
	var m *Machine
	if f.Info.Synapses == realSynapses {
		m = &Machine{Layer: f.Layer, Fields: f.Real}
	} else {
		m = machineOf(f.bits(), f.Synapses)
	}
	m.upper = mixtureUpper{f.LnWeight}
	if f.Model == TreeModel {
		top := &Top{LnWeight: f.LnWeight, Coupling: []float64{f.TopCoupling}, FeatureField: f.FeatureField}
		m.upper = treeUpper{branchesOf[float64](top, len(f.Layer.Patches), f.Layer.States, f.TopSynapses)}
	}
	return m
}

func (f *File) bits() *Bits {
	return &Bits{Layer: f.Layer, Coupling: []float64{f.Coupling}, Field: f.Field}
}

// OnlineRule returns the rule of a mixture that STDP learned. Other machines are an error.
func (f *File) OnlineRule() (*OnlineRule, error) {
	if f.CounterBits == 0 || !(f.Coupling <= MaxOnlineCoupling) {
		return nil, fmt.Errorf("this %s was not learned by rule %s, whose thresholds, counters and homeostasis are wanted: learn one with train --model %s --rule %s", f.Model, STDP, MixtureModel, STDP)
	}
	return NewOnlineRule(f.bits(), f.CounterBits, f.Homeostasis), nil
}

// SynapseBits returns how many bits the synapses take.
func (f *File) SynapseBits() int {
	return len(f.Synapses) + len(f.TopSynapses) + 32*len(f.Real)
}

// ship sets the synapses of a file.
func (b *Bits) ship(f *File) {
	f.Coupling, f.Field = b.Coupling[0], append([]float64(nil), b.Field...)
	f.Synapses, f.Mean = signs(b.Theta), b.means()
}

func (r *Reals) ship(f *File) {
	f.Info.Synapses = realSynapses
	f.Real, _ = r.fields()
}

func (m *mixtureModel) file(info rbm.Info) *File {
	f := &File{Model: MixtureModel, Info: info, Layer: m.visible, LnWeight: append([]float64(nil), m.lnWeight...)}
	m.synapses.ship(f)
	return f
}

func (t *treeModel) file(info rbm.Info) *File {
	f := &File{Model: TreeModel, Info: info, Layer: t.Synapses.Layer, LnWeight: append([]float64(nil), t.LnWeight...),
		TopCoupling: t.Top.Coupling[0], FeatureField: append([]float64(nil), t.FeatureField...), TopSynapses: signs(t.Theta), TopMean: make([]float64, len(t.Theta))}
	for k, v := range t.Theta {
		f.TopMean[k] = math.Tanh(v)
	}
	t.Synapses.ship(f)
	return f
}

// turned returns x (rows x cols) turned, of another type of numbers.
func turned[S, T int8 | float32 | float64](x []S, rows, cols int) []T {
	y := make([]T, len(x))
	for k := range rows {
		for i := range cols {
			y[i*rows+k] = T(x[k*cols+i])
		}
	}
	return y
}

// Arrays returns what Save writes.
func (f *File) Arrays() ([]npy.Array, error) {
	info := f.Info
	info.Format = FileFormat
	text, err := json.Marshal(meta{f.Model, info, f.CounterBits, f.Homeostasis})
	if err != nil {
		return nil, err
	}
	n, k, z, groups := f.Layer.Visible(), f.Layer.States, len(f.LnWeight), len(f.Layer.Patches)
	arrays := []npy.Array{{Name: "meta.json", Data: text}, {Name: "ln_weight", Shape: []int{z}, Data: f.LnWeight}}
	if f.Info.Synapses == realSynapses {
		return append(arrays, npy.Array{Name: "fields", Shape: []int{n, k}, Data: turned[float64, float64](f.Real, k, n)}), nil
	}
	arrays = append(arrays, npy.Array{Name: "synapses", Shape: []int{n, k}, Data: turned[float64, int8](f.Synapses, k, n)},
		npy.Array{Name: "posterior_mean", Shape: []int{n, k}, Data: turned[float64, float32](f.Mean, k, n)},
		npy.Array{Name: "visible_field", Shape: []int{n}, Data: f.Field}, npy.Array{Name: "coupling", Shape: []int{}, Data: []float64{f.Coupling}})
	if f.Model == MixtureModel {
		return arrays, nil
	}
	of := make([]int64, n)
	for i, g := range f.Layer.groupOf() {
		of[i] = int64(g)
	}
	top := []int{groups, k, z}
	return append(arrays, npy.Array{Name: "group", Shape: []int{n}, Data: of}, npy.Array{Name: "top_coupling", Shape: []int{}, Data: []float64{f.TopCoupling}},
		npy.Array{Name: "feature_field", Shape: []int{groups, k}, Data: f.FeatureField},
		npy.Array{Name: "top_synapses", Shape: top, Data: turned[float64, int8](f.TopSynapses, 1, len(f.TopSynapses))},
		npy.Array{Name: "top_posterior_mean", Shape: top, Data: turned[float64, float32](f.TopMean, 1, len(f.TopMean))}), nil
}

// Save writes the model file at path, an .npz archive that numpy.load opens. Of a mixture of
// N visible units and K causes: synapses (int8, N x K, as shipped), posterior_mean
// (float32, the same), visible_field (N), coupling, ln_weight (K) and meta.json, with
// "model". A tree of G groups of K states and Z causes has group (int64, N: the group of
// each unit), top_synapses (int8, G x K x Z), top_posterior_mean (float32), feature_field
// (G x K) and top_coupling as well, and its ln_weight is of Z causes. Real means have fields (N x K)
// in the place of the first four. Others are float64. Equal files give equal bytes.
func (f *File) Save(path string) error {
	arrays, err := f.Arrays()
	if err != nil {
		return fmt.Errorf("%s: not written: %w", path, err)
	}
	return durable.WriteFile(path, func(w io.Writer) error { return npy.WriteArchive(w, arrays) })
}

// members are all that a model file may hold, with their dimensions.
var members = map[string]int{"meta.json": 0, "ln_weight": 1, "synapses": 2, "posterior_mean": 2, "visible_field": 1, "coupling": 0, "fields": 2,
	"group": 1, "top_coupling": 0, "feature_field": 2, "top_synapses": 3, "top_posterior_mean": 3}

// Load reads a model file. It is strict: what Save would not have written is an error that
// names the file and the array.
func Load(path string) (*File, error) {
	a, err := npy.ReadArchiveOf(path, maxModelBytes, checkMember)
	if err != nil {
		return nil, err
	}
	return decode(a, path)
}

// checkMember refuses what no model file holds, before it takes memory.
func checkMember(name string, shape []int) error {
	if dimensions, known := members[name]; !known || name != "meta.json" && len(shape) != dimensions {
		return fmt.Errorf("a model file of causes has no array %q of shape %v", name, shape)
	}
	return nil
}

// Decode undoes Arrays: it loads a file from arrays in memory. Errors call it by name. The
// file may keep the arrays.
func Decode(name string, arrays []npy.Array) (*File, error) {
	for _, array := range arrays {
		if err := checkMember(array.Name, array.Shape); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return decode(npy.NewArchive(name, arrays), name)
}

func decode(a *npy.Archive, path string) (*File, error) {
	text, err := a.Bytes("meta.json")
	if err != nil {
		return nil, err
	}
	var about meta
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&about); err != nil {
		return nil, fmt.Errorf("%s: meta.json: %w", path, err)
	}
	r := &reader{a: a, file: &File{Model: about.Model, Info: about.Info, CounterBits: about.CounterBits, Homeostasis: about.Homeostasis}}
	if err := r.read(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r.file, nil
}

// A reader reads the arrays of a file.
type reader struct {
	a    *npy.Archive
	file *File
}

func (r *reader) read() error {
	f := r.file
	if f.Info.Format != FileFormat {
		return fmt.Errorf("format %d of model files of causes is not known here, only %d: use the program that wrote it (%q)", f.Info.Format, FileFormat, f.Info.Program)
	}
	real := f.Info.Synapses == realSynapses
	switch {
	case f.Model != MixtureModel && f.Model != TreeModel:
		return fmt.Errorf("meta.json: a model of the kind %q is not known here", f.Model)
	case real && f.Model == TreeModel, f.Info.Synapses != "" && !real:
		return fmt.Errorf("meta.json: synapses of the kind %q of a %s are not known here", f.Info.Synapses, f.Model)
	case f.CounterBits < 0 || f.CounterBits > 32 || !(f.Homeostasis >= 0) || f.CounterBits > 0 && (real || f.Model != MixtureModel):
		return fmt.Errorf("meta.json: counters of %d bits and homeostasis %v of a %s are not known here", f.CounterBits, f.Homeostasis, f.Model)
	}
	var err error
	if f.LnWeight, err = numbers(r.a, "ln_weight", math.MaxFloat64, -1); err != nil {
		return err
	}
	shape := "synapses"
	if real {
		shape = "fields"
	}
	dims := r.a.Shape(shape)
	if len(dims) != 2 || dims[0] < 1 || dims[1] < 1 || len(f.LnWeight) < 1 {
		return fmt.Errorf("array %q has shape %v, not visible x states", shape, dims)
	}
	n, k := dims[0], dims[1]
	f.Layer = Layer{wholeOf(n), k}
	if f.Model == MixtureModel && len(f.LnWeight) != k {
		return fmt.Errorf("array \"ln_weight\" has %d weights of %d causes", len(f.LnWeight), k)
	}
	if real {
		x, err := numbers(r.a, "fields", math.MaxFloat64, n, k)
		f.Real = turned[float64, float64](x, n, k)
		return err
	}
	signs, err := plusMinus(r.a, "synapses", n, k)
	if err != nil {
		return err
	}
	means, err := npy.Get[float32](r.a, "posterior_mean", n, k)
	if err != nil {
		return err
	}
	f.Synapses, f.Mean = turned[int8, float64](signs, n, k), turned[float32, float64](means, n, k)
	if f.Field, err = numbers(r.a, "visible_field", math.MaxFloat64, n); err != nil {
		return err
	}
	if f.Coupling, err = positive(r.a, "coupling"); err != nil || f.Model == MixtureModel {
		return err
	}
	return r.tree(n, k)
}

func (r *reader) tree(n, k int) error {
	f, z := r.file, len(r.file.LnWeight)
	of, err := npy.Get[int64](r.a, "group", n)
	if err != nil {
		return err
	}
	dims := r.a.Shape("feature_field")
	if len(dims) != 2 || dims[0] < 1 || dims[0] > n {
		return fmt.Errorf("array \"feature_field\" has shape %v, not groups x states", dims)
	}
	groups := dims[0]
	f.Layer.Patches = make([][]int, groups)
	for i, g := range of {
		if g < 0 || g >= int64(groups) {
			return fmt.Errorf("group[%d] is %d of %d groups", i, g, groups)
		}
		f.Layer.Patches[g] = append(f.Layer.Patches[g], i)
	}
	for g, units := range f.Layer.Patches {
		if len(units) == 0 {
			return fmt.Errorf("group %d has no visible unit", g)
		}
	}
	if f.FeatureField, err = numbers(r.a, "feature_field", 500, groups, k); err != nil {
		return err
	}
	signs, err := plusMinus(r.a, "top_synapses", groups, k, z)
	if err != nil {
		return err
	}
	means, err := npy.Get[float32](r.a, "top_posterior_mean", groups, k, z)
	if err != nil {
		return err
	}
	f.TopSynapses, f.TopMean = turned[int8, float64](signs, 1, len(signs)), turned[float32, float64](means, 1, len(means))
	if f.TopCoupling, err = positive(r.a, "top_coupling"); err == nil && f.TopCoupling > 500 {
		err = fmt.Errorf("top_coupling is %v: it must be at most 500", f.TopCoupling)
	}
	return err
}

// numbers returns finite numbers of at most a size.
func numbers(a *npy.Archive, name string, most float64, shape ...int) ([]float64, error) {
	x, err := npy.Get[float64](a, name, shape...)
	for k, v := range x {
		if !(math.Abs(v) <= most) {
			return nil, fmt.Errorf("%s: element %d is %v: it must be finite and at most %v", name, k, v, most)
		}
	}
	return x, err
}

func plusMinus(a *npy.Archive, name string, shape ...int) ([]int8, error) {
	x, err := npy.Get[int8](a, name, shape...)
	for k, v := range x {
		if v != 1 && v != -1 {
			return nil, fmt.Errorf("%s: element %d is %d: it must be 1 or -1", name, k, v)
		}
	}
	return x, err
}

func positive(a *npy.Archive, name string) (float64, error) {
	x, err := numbers(a, name, 1e6)
	if err != nil {
		return 0, err
	}
	if !(x[0] > 0) {
		return 0, fmt.Errorf("%s is %v: it must be positive", name, x[0])
	}
	return x[0], nil
}
