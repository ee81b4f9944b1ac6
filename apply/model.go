package apply

import (
	"context"
	"os"

	"bethe/causes"
	"bethe/dataset"
	"bethe/dataset/source"
	"bethe/evaluate"
	"bethe/rbm"
	"bethe/setting"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// A model is what a model file holds. What a family can do is told by the interfaces that
// its models implement.
type model interface {
	// family names the kind of machine.
	family() string
	// about says how it was made.
	about() *rbm.Info
}

// Interfaces of models that can do the work of a job.
type (
	samples interface {
		sample(ctx context.Context, s *Sampling) (*SamplingReport, error)
	}
	completes interface {
		complete(ctx context.Context, c *Completing) (*CompletionReport, error)
	}
	mends interface {
		mend(ctx context.Context, m *Mending) (*MendingReport, error)
	}
	features interface {
		Visible() int
		count() int // of the features
		// takes returns the kind of the units whose data it reads, and whether some of their values may be missing.
		takes() (kind units.Kind, incomplete bool)
		// read returns those of samples, samples x features.
		read(ctx context.Context, set *dataset.Set, gain float64) ([]float32, error)
	}
	wins interface {
		// counted tells what the winners stand for, by labelled samples.
		counted(ctx context.Context, set *dataset.Set) (telling, error)
	}
)

// open reads a model file of any family.
func open(path string) (model, error) {
	switch rbm.FamilyOf(path) {
	case causes.MixtureModel, causes.TreeModel:
		file, err := causes.Load(path)
		if err != nil {
			return nil, err
		}
		return directed{file}, nil
	case rbm.StackModel:
		file, err := rbm.LoadStack(path)
		if err != nil {
			return nil, err
		}
		return stacked{file, file.Machines()}, nil
	}
	file, err := rbm.LoadKinds(path)
	if err != nil {
		return nil, err
	}
	if !file.Spins() {
		return mixed{file}, nil
	}
	return layered{file}, nil
}

// able opens the model of a job, if it can do what T asks for. Data are read as it learned them. None
// of the outputs may be its file.
func able[T any](j *Job, verb string, outputs ...string) (T, error) {
	var none T
	m, err := open(j.Model)
	if err != nil {
		return none, err
	}
	can, ok := m.(T)
	if !ok {
		return none, setting.Phrase("model", "%s: %s is not for a %s", j.Model, verb, m.family())
	}
	for _, out := range outputs {
		if sequences(out) && m.about().Alphabet == "" {
			return none, setting.Errorf("out", out, "sequences are of machines that have learned an alignment, and this is a %s: name a file of another ending, .npz", m.family())
		}
		if sameFile(out, j.Model) {
			return none, setting.Phrase("out", "%s is the model itself, and would be replaced: name another file", out)
		}
	}
	j.Data.Reading.Learned = Learned(m.about())
	return can, nil
}

func sameFile(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

// Learned says how the data were read that a model learned from.
func Learned(info *rbm.Info) source.Learned {
	return source.Learned{Columns: info.Columns, Threshold: info.Threshold, Transposed: info.Transposed}
}

// telling tells labels of samples.
type telling interface {
	// errors returns the share of labelled samples whose label is told wrong.
	errors(ctx context.Context, set *dataset.Set) (float64, error)
}

// layered are machines with hidden units.
type layered struct{ *rbm.File }

// Visible is the number of units of the data's layer.
func (f layered) Visible() int { return f.Layers().Data() }

func (f layered) count() int { return f.Layers()[1] }

func (f layered) takes() (units.Kind, bool) { return units.Kind{}, true }

func (f layered) read(ctx context.Context, set *dataset.Set, gain float64) ([]float32, error) {
	if set.Missing != nil {
		return readIncomplete(ctx, f.File, set, gain, 1)
	}
	return evaluate.Features(evaluate.OnLayer(f.Machine(), 1), set.Samples, gain), nil
}

// What features of samples with missing values are averaged over, if not exactly.
const (
	missingChains = 10
	missingSweeps = 300
)

// readIncomplete returns the means of the units of a hidden layer given the known values.
func readIncomplete(ctx context.Context, file *rbm.File, set *dataset.Set, gain float64, layer int) ([]float32, error) {
	if gain != 1 {
		return nil, setting.Errorf("gain", gain, "features of samples with missing values are means over what these may be, at gain 1 alone")
	}
	samples := evaluate.FileSamples{Bits: set.Samples, Numbers: set.Reals, Missing: set.Missing}
	in, err := samples.Incomplete(file)
	if err != nil {
		return nil, err
	}
	f, err := evaluate.Fill(ctx, file.Machine(), in, evaluate.Restoring{Chains: missingChains, Sweeps: missingSweeps, Key: stream.New(0)})
	if err != nil {
		return nil, err
	}
	layers := file.Layers()
	at, count, m, p := layers.Place(layer), layers[layer], set.Len(), file.Hidden()
	x := make([]float32, 0, m*count)
	for a := range m {
		if layer%2 == 1 {
			x = append(x, f.Features[a*p+at.From:a*p+at.To]...)
			continue
		}
		for k := at.From; k < at.To; k++ { // even layers are among the visible units of the machine
			x = append(x, float32(f.Mean[k*m+a]))
		}
	}
	return x, nil
}

// rawInputs are the visible units as a classifier sees them: numbers in units of their deviations, spins, or features of colours.
func rawInputs(set, scale *dataset.Set) evaluate.Inputs {
	if set.Reals == nil {
		return evaluate.SpinInputs(set.Samples)
	}
	standard, err := rbm.ScaleOf(scale.Reals, scale.Missing).Standardised(set.Reals)
	if err != nil {
		panic(err) // both fit the model
	}
	n, m := standard.Units(), standard.Len()
	x := make([]float32, n*m)
	for i := range n {
		for a, v := range standard.Row(i) {
			x[a*n+i] = v
		}
	}
	return evaluate.RealInputs(x, n)
}

// A hiddenLayer is features of another hidden layer than the first.
type hiddenLayer struct {
	layered
	number int
}

func (h hiddenLayer) count() int { return h.Layers()[h.number] }

func (h hiddenLayer) read(ctx context.Context, set *dataset.Set, gain float64) ([]float32, error) {
	if set.Missing != nil {
		return readIncomplete(ctx, h.File, set, gain, h.number)
	}
	return evaluate.Features(evaluate.OnLayer(h.Machine(), h.number), set.Samples, gain), nil
}

// deepens is implemented by models that can have several hidden layers.
type deepens interface {
	layer(number int) (features, bool)
}

func (f layered) layer(number int) (features, bool) {
	return hiddenLayer{f, number}, number <= f.Layers().Depth()
}

// ofLayer returns features of a hidden layer above the first. The error is a *setting.Error.
func ofLayer(m features, path string, number int) (features, error) {
	if d, ok := m.(deepens); ok {
		if of, ok := d.layer(number); ok {
			return of, nil
		}
	}
	return nil, setting.Errorf("layer", number, "%s has fewer hidden layers", path)
}

func (layered) family() string { return "machine with hidden units" }

func (f layered) about() *rbm.Info { return &f.Info }

// directed are machines of package causes.
type directed struct{ *causes.File }

func (d directed) family() string { return d.Model }

func (d directed) about() *rbm.Info { return &d.Info }

// An Evaluating model has a likelihood of its own kind: a directed machine an exact one, a stack one of bounds.
type Evaluating interface {
	// Evaluate returns the log-likelihood of samples, of their known values if some are missing (visible x M, +1 where
	// one is; nil if none is). Exact likelihoods need no options. The error is the context's, or of samples that do not fit.
	Evaluate(ctx context.Context, samples, missing *spin.Matrix, opt evaluate.Options) (evaluate.LogLikelihood, error)
	// takes returns the kind of the units whose data it reads, and whether some of their values may be missing.
	takes() (kind units.Kind, incomplete bool)
	model
}

// OpenEvaluating opens a model file of such a machine; ok is false if the file is of another
// family, or no model file.
func OpenEvaluating(path string) (m Evaluating, ok bool, err error) {
	if rbm.FamilyOf(path) == "" {
		return nil, false, nil
	}
	opened, err := open(path)
	if err != nil {
		return nil, false, err
	}
	m, ok = opened.(Evaluating)
	return m, ok, nil
}

// Family names the kind of machine that a model is.
func Family(m Evaluating) string { return m.family() }

// Incomplete reports whether values may be missing of samples that are evaluated.
func Incomplete(m Evaluating) bool {
	_, incomplete := m.takes()
	return incomplete
}

// LearnedBy says how the data were read that a model learned from.
func LearnedBy(m Evaluating) source.Learned { return Learned(m.about()) }

// Evaluate implements Evaluating.
func (d directed) Evaluate(ctx context.Context, samples, missing *spin.Matrix, _ evaluate.Options) (evaluate.LogLikelihood, error) {
	mean, standardError, err := d.Machine().LogLikelihood(ctx, samples, missing)
	return evaluate.LogLikelihood{Mean: mean, Exact: true, LogWeight: mean, SampleError: standardError}, err
}
