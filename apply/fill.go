package apply

import (
	"context"
	"fmt"
	"image"
	"io"
	"math"
	"strings"

	"bethe/dataset"
	"bethe/dataset/source"
	"bethe/evaluate"
	"bethe/figure"
	"bethe/internal/npy"
	"bethe/rbm"
	"bethe/setting"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// A Filled is a completion of single values: any sample may miss some of them.
type Filled struct {
	Values int  `json:"values"` // that were filled in
	Exact  bool `json:"exact"`  // by enumeration of hidden units, else from chains
	// Of those whose truth is known: how many, how many nats each takes of spins and colours (-ln p of the truth) and
	// as independent units, and the share that is wrong; of numbers the root mean square error in deviations of their columns.
	Known       int      `json:"known"`
	Nats        *float64 `json:"nats,omitempty"`
	Independent *float64 `json:"nats_independent,omitempty"`
	Wrong       *float64 `json:"wrong,omitempty"`
	RMSE        *float64 `json:"rmse,omitempty"`
}

// Text says it for a person.
func (r *CompletionReport) Text() string {
	f := r.Filled
	if f == nil {
		return fmt.Sprintf("%d of %d units of %d samples inferred from the others; the sign of the mean is wrong for %.1f %% of them\n", r.Inferred, r.Visible, len(r.Samples), 100*r.Error)
	}
	var b strings.Builder
	by := "from chains"
	if f.Exact {
		by = "exactly"
	}
	fmt.Fprintf(&b, "%d values of %d samples filled in, %s\n", f.Values, len(r.Samples), by)
	if f.Nats != nil {
		fmt.Fprintf(&b, "of %d the truth is known: %.4f nats each (independent units: %.4f), %.1f %% are wrong\n", f.Known, *f.Nats, *f.Independent, 100**f.Wrong)
	}
	if f.RMSE != nil {
		fmt.Fprintf(&b, "of %d the truth is known: they are off by %.4f deviations of their columns (root mean square)\n", f.Known, *f.RMSE)
	}
	return b.String()
}

// fills reports whether single values are to be filled in.
func (c *Completing) fills() bool { return len(c.Data.Reading.Missing) > 0 }

// gaps opens the samples to complete, of units of a kind in so many features, and says which values are to be filled in.
func (c *Completing) gaps(kind units.Kind, features int, about *rbm.Info) (*scoring, error) {
	opener := c.Data
	opener.Reading.Units = kind
	from, truth, err := c.filledData(&opener)
	if err != nil {
		return nil, err
	}
	of := kind.Features()
	if n := of * from.Units(); n != features {
		return nil, setting.Errorf("from", c.From, "samples of %d units for a model of %d; name data like those that it learned from", n/of, features/of)
	}
	g := &scoring{from: from, truth: truth, missing: spin.New(from.Units(), from.Len()), given: from.Units(), of: of}
	if from.Missing != nil {
		g.missing = from.Missing
	}
	if c.Clamp == "" {
		return g, nil
	}
	width, height := shape(about, from.Width, from.Height)
	named, err := source.Region("clamp", c.Clamp, from.Units(), width, height)
	if err != nil {
		return nil, err
	}
	g.given = len(named)
	free := make([]bool, from.Units())
	for i := range free {
		free[i] = true
	}
	for _, i := range named {
		free[i] = false
	}
	g.missing = g.missing.Clone()
	for i, f := range free {
		for a := 0; f && a < g.missing.Cols(); a++ {
			g.missing.Set(i, a, 1)
		}
	}
	return g, nil
}

// report tells what was filled in, exactly or from chains of so many sweeps.
func (s *scoring) report(c *Completing, sweeps int) *CompletionReport {
	r := &CompletionReport{Model: c.Model, From: c.From, Samples: all(s.from.Len()), Clamped: s.given, Sweeps: sweeps, Files: c.Files,
		Settling: Settling{Settled: true}, Visible: s.from.Units(), Filled: s.score()}
	if sweeps > 0 {
		r.Completions = c.Count
	}
	if r.Filled.Wrong != nil {
		r.Error = *r.Filled.Wrong
	}
	return r
}

// writeFilled writes the arrays, or sequences, and a picture.
func (c *Completing) writeFilled(s *scoring, key []figure.Swatch, write func(w io.Writer) error) error {
	return c.write(write, func() image.Image {
		return figure.Headed(figure.Means(s.from.Units(), min(100, s.from.Len()), s.shown, s.from.Width, s.from.Height), "Filled samples", key)
	})
}

// fill fills in missing values, and the units that are not given.
func fill(ctx context.Context, file *rbm.File, c *Completing) (*CompletionReport, error) {
	features := file.Layers().Data()
	if !file.VisibleKind.Bits() {
		features = len(file.Scale.Mean)
	}
	s, err := c.gaps(file.VisibleKind, features, &file.Info)
	if err != nil {
		return nil, err
	}
	samples := evaluate.FileSamples{Bits: s.from.Samples, Numbers: s.from.Reals, Missing: s.missing}
	in, err := samples.Incomplete(file)
	if err != nil {
		return nil, setting.Errorf("from", c.From, "%v", err)
	}
	if err := (count{"count", c.Count}).fits(file.Machine(), s.from.Len(), "completions", true); err != nil && evaluate.CheckObserved(&file.Params, s.from.Len()) != nil {
		return nil, err
	}
	f, err := evaluate.Fill(ctx, file.Machine(), in, evaluate.Restoring{Chains: c.Count, Sweeps: c.Sweeps, Key: stream.New(c.Seed), Progress: c.progress("completing")})
	if err != nil {
		return nil, err
	}
	s.mean = f.Mean
	if !file.VisibleKind.Bits() {
		s.numbers(file)
	}
	sweeps := c.Sweeps
	if f.Exact {
		sweeps = 0
	}
	report := s.report(c, sweeps)
	if report.Filled.Exact = f.Exact; !f.Exact {
		report.Settling = settling(&evaluate.SpinRestoration{RHat: f.RHat})
	}
	write := func(w io.Writer) error { return npy.WriteArchive(w, s.arrays()) }
	if sequences(c.Out) {
		write = func(w io.Writer) error { return mixed{file}.writeSequences(w, s.arrays()) }
	}
	return report, c.writeFilled(s, keyOf(file), write)
}

// filledData opens the data to fill in, and their truth: themselves if no other is named.
func (c *Completing) filledData(o *source.Opener) (from, truth *dataset.Set, err error) {
	o.Reading.Incomplete = true
	if from, err = o.Open("from", c.From); err != nil {
		return nil, nil, err
	}
	truth = from
	if c.Truth != "" {
		if truth, err = o.Open("truth", c.Truth); err != nil {
			return nil, nil, err
		}
		if truth.Len() != from.Len() || truth.Units() != from.Units() || truth.Kind != from.Kind {
			return nil, nil, setting.Errorf("truth", c.Truth, "%d samples of %d %s units, where %s has %d of %d %s ones", truth.Len(), truth.Units(), truth.Kind, c.From, from.Len(), from.Units(), from.Kind)
		}
	}
	return from, truth, nil
}

// all returns 0 ... n-1.
func all(n int) []int {
	list := make([]int, n)
	for k := range list {
		list[k] = k
	}
	return list
}

// A scoring holds filled values against their truth.
type scoring struct {
	from, truth *dataset.Set
	missing     *spin.Matrix          // units x samples
	given       int                   // units that are not wholly missing
	mean        []float64             // of features as they are held, features x samples
	filled      *units.Reals[float32] // of numbers
	scale       rbm.Scale             // theirs
	of          int
}

// numbers turns means of the features of Gaussian units into numbers in the units of the data.
func (s *scoring) numbers(file *rbm.File) {
	u := units.NewReals[float32](file.Visible(), s.from.Len())
	for k, v := range s.mean {
		u.Values()[k] = float32(v)
	}
	s.filled, s.scale = file.Numbers(u), file.Scale
	for i := range s.missing.Rows() {
		for a, v := range s.from.Reals.Row(i) {
			if s.missing.At(i, a) < 0 {
				s.filled.Row(i)[a] = v
			}
		}
	}
}

// known reports whether the truth of a value is known that was filled in.
func (s *scoring) known(i, a int) bool {
	return s.missing.At(i, a) > 0 && (s.truth.Missing == nil || s.truth.Missing.At(i, a) < 0)
}

// choice is the state of a unit of bits in a sample of the truth, likeliest that of the means.
func (s *scoring) choice(i, a int) (state int) {
	if s.of == 1 {
		return int(s.truth.Samples.At(i, a)+1) / 2
	}
	for k := range s.of {
		if s.truth.Samples.At(i*s.of+k, a) > 0 {
			return k
		}
	}
	return 0
}

// probability is that of a state of a unit given the known values.
func (s *scoring) probability(i, a, state int) float64 {
	if s.of == 1 {
		return (1 + float64(2*state-1)*s.mean[i*s.from.Len()+a]) / 2
	}
	return (1 + s.mean[(i*s.of+state)*s.from.Len()+a]) / 2
}

// likeliest is the most probable state.
func (s *scoring) likeliest(i, a int) (state int) {
	for k := 1; k < max(2, s.of); k++ {
		if s.probability(i, a, k) > s.probability(i, a, state) {
			state = k
		}
	}
	return state
}

// leastProbability bounds the nats of a value.
const leastProbability = 1e-12

func (s *scoring) score() *Filled {
	f := &Filled{}
	var nats, independent, wrong, square float64
	states := max(2, s.of)
	for i := range s.missing.Rows() {
		counts, seen := make([]float64, states), 0.0
		for a := range s.from.Len() {
			if s.missing.At(i, a) > 0 {
				f.Values++
			} else if s.filled == nil {
				state := 0
				if s.of == 1 {
					state = int(s.from.Samples.At(i, a)+1) / 2
				} else {
					for k := range s.of {
						if s.from.Samples.At(i*s.of+k, a) > 0 {
							state = k
						}
					}
				}
				counts[state]++
				seen++
			}
		}
		for a := range s.from.Len() {
			if !s.known(i, a) {
				continue
			}
			f.Known++
			if s.filled != nil {
				if d := s.scale.Deviation[i]; d > 0 {
					x := float64(s.filled.Row(i)[a]-s.truth.Reals.Row(i)[a]) / d
					square += x * x
				}
				continue
			}
			state := s.choice(i, a)
			nats -= math.Log(max(leastProbability, s.probability(i, a, state)))
			independent -= math.Log((counts[state] + 1/float64(states)) / (seen + 1))
			if s.likeliest(i, a) != state {
				wrong++
			}
		}
	}
	if f.Known == 0 {
		return f
	}
	n := float64(f.Known)
	if s.filled != nil {
		square = math.Sqrt(square / n)
		f.RMSE = &square
		return f
	}
	nats, independent, wrong = nats/n, independent/n, wrong/n
	f.Nats, f.Independent, f.Wrong = &nats, &independent, &wrong
	return f
}

// arrays returns the arrays of the file: filled, samples x units, missing values replaced by the likeliest, int8, or float32 for
// numbers; missing, int8, 1 where a value was missing; and mean, float32 for spins, or probability, samples x units x colours.
func (s *scoring) arrays() []npy.Array {
	n, m := s.missing.Rows(), s.from.Len()
	missing := make([]int8, n*m)
	for k := range missing {
		missing[k] = (s.missing.At(k%n, k/n) + 1) / 2
	}
	list := []npy.Array{{Name: "missing", Shape: []int{m, n}, Data: missing}}
	if s.filled != nil {
		return append(list, realRows("filled", s.filled))
	}
	filled, means := make([]int8, n*m), make([]float32, n*m*s.of)
	for k := range filled {
		if filled[k] = int8(s.likeliest(k%n, k/n)); s.of == 1 {
			filled[k] = 2*filled[k] - 1
		}
	}
	for k := range means {
		v := s.mean[k%(n*s.of)*m+k/(n*s.of)]
		if s.of > 1 {
			v = (1 + v) / 2
		}
		means[k] = float32(v)
	}
	name, shape := "mean", []int{m, n}
	if s.of > 1 {
		name, shape = "probability", append(shape, s.of)
	}
	return append(list, npy.Array{Name: "filled", Shape: []int{m, n}, Data: filled}, npy.Array{Name: name, Shape: shape, Data: means})
}

// shown is what a picture shows of a unit in a sample, from -1 to 1.
func (s *scoring) shown(i, a int) float64 {
	switch {
	case s.filled != nil:
		scale := &s.scale
		if scale.Deviation[i] == 0 {
			return 0
		}
		return max(-1, min(1, (float64(s.filled.Row(i)[a])-scale.Mean[i])/(2*scale.Deviation[i])))
	case s.of == 1:
		return s.mean[i*s.from.Len()+a]
	}
	return 2*float64(s.likeliest(i, a))/float64(s.of-1) - 1
}
