package apply

import (
	"context"
	"image"
	"io"

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

// mixed are machines of other kinds of units than spins.
type mixed struct{ *rbm.File }

func (f mixed) family() string {
	return "machine of " + f.VisibleKind.String() + " and " + f.HiddenKind.String() + " units"
}

func (f mixed) about() *rbm.Info { return &f.Info }

// Visible is the number of visible features of data.
func (f mixed) Visible() int {
	if !f.VisibleKind.Bits() {
		return len(f.Scale.Mean)
	}
	return f.File.Visible()
}

func (f mixed) count() int { return f.Hidden() }

func (f mixed) takes() (units.Kind, bool) { return f.VisibleKind, true }

func (f mixed) read(ctx context.Context, set *dataset.Set, gain float64) ([]float32, error) {
	if set.Missing != nil {
		return readIncomplete(ctx, f.File, set, gain, 1)
	}
	x, _, err := evaluate.FileFeatures(f.File, evaluate.FileSamples{Bits: set.Samples, Numbers: set.Reals}, gain)
	return x, err
}

// complete fills in the units that are not given, and missing values.
func (f mixed) complete(ctx context.Context, c *Completing) (*CompletionReport, error) {
	return fill(ctx, f.File, c)
}

// sample draws samples: numbers in the units of the data, colours, or spins.
func (f mixed) sample(ctx context.Context, s *Sampling) (*SamplingReport, error) {
	switch {
	case s.Integers:
		return nil, setting.Phrase("integers", "{integers} is of spins, and this is a %s", f.family())
	}
	if err := (count{"count", s.Count}).fits(f.Machine(), 1, "samples", true); err != nil {
		return nil, err
	}
	r := &SamplingReport{Model: s.Model, Samples: s.Count, Sweeps: s.Sweeps, Files: s.Files}
	arrays, shown, err := f.draw(ctx, s, r)
	if err != nil {
		return nil, err
	}
	write := func(w io.Writer) error { return npy.WriteArchive(w, arrays) }
	if sequences(s.Out) {
		write = func(w io.Writer) error { return f.writeSequences(w, arrays) }
	}
	return r, s.write(write, func() image.Image {
		return figure.Headed(figure.Means(len(shown)/s.Count, s.Count, func(i, a int) float64 { return float64(shown[i*s.Count+a]) }, f.Info.Width, f.Info.Height), "Samples", keyOf(f.File))
	})
}

// keyOf returns what the shades of a picture of visible units mean.
func keyOf(f *rbm.File) []figure.Swatch {
	if f.VisibleKind.Bits() {
		return figure.SpinKey
	}
	return figure.LevelKey
}

// draw returns the arrays of samples, and what a picture shows of them, places x count.
func (f mixed) draw(ctx context.Context, s *Sampling, r *SamplingReport) (arrays []npy.Array, shown []float32, err error) {
	how := evaluate.Sampling{Count: s.Count, Sweeps: s.Sweeps, Tempered: s.Tempered, Key: stream.New(s.Seed)}
	if s.Clamp != "" {
		if how.Units, how.HeldFile, err = f.held(s); err != nil {
			return nil, nil, err
		}
		r.Clamped = len(how.Units)
	}
	if how.Progress = s.progress("sampling"); s.Tempered {
		how.Progress = s.progress("tempering")
	}
	drawn, err := evaluate.DrawFile(ctx, f.File, evaluate.FileSamples{}, how)
	if err != nil {
		return nil, nil, err
	}
	r.Rungs = drawn.Temperatures
	if v := drawn.States.Numbers; v != nil {
		shown = make([]float32, v.Units()*v.Len())
		for _, k := range f.Scale.Kept() {
			for a, x := range drawn.Means.Row(k) {
				shown[k*v.Len()+a] = float32(max(-1, min(1, (float64(x)-f.Scale.Mean[k])/(2*f.Scale.Deviation[k]))))
			}
		}
		return []npy.Array{realRows("samples", v), realRows("visible_mean", drawn.Means)}, shown, nil
	}
	states := drawn.States.Bits
	if of := f.VisibleKind.States; of > 0 {
		colours := dataset.Colours(states, f.VisibleKind)
		n := f.Visible() / of
		shown = make([]float32, len(colours))
		for k, c := range colours {
			shown[k%n*s.Count+k/n] = 2*float32(c)/float32(max(1, of-1)) - 1
		}
		return []npy.Array{{Name: "samples", Shape: []int{s.Count, n}, Data: colours}}, shown, nil
	}
	shown = make([]float32, f.Visible()*s.Count)
	spin.Values(shown, states)
	across, values := spin.New(s.Count, f.Visible()), make([]int8, len(shown))
	states.Transpose(across)
	spin.Values(values, across)
	return []npy.Array{{Name: "samples", Shape: []int{s.Count, f.Visible()}, Data: values}}, shown, nil
}

// held returns the units that are held, counted in the data, and the sample that has their values.
func (f mixed) held(s *Sampling) (units []int, sample evaluate.FileSamples, err error) {
	s.Data.Reading.Units = f.VisibleKind
	set, err := s.Data.Open("from", s.From)
	if err != nil {
		return nil, sample, err
	}
	if set.Len() != 1 {
		return nil, sample, setting.Errorf("from", s.From, "%d samples, where units are held at one", set.Len())
	}
	if n, want := set.Units()*f.VisibleKind.Features(), f.Visible(); n != want {
		return nil, sample, setting.Errorf("from", s.From, "samples of %d units for a model of %d; name data like those that it learned from", set.Units(), want/f.VisibleKind.Features())
	}
	units, err = source.Units("clamp", s.Clamp, set.Units())
	return units, evaluate.FileSamples{Bits: set.Samples, Numbers: set.Reals}, err
}

// writeSequences writes the first array of colours, samples x units, as an alignment.
func (f mixed) writeSequences(w io.Writer, arrays []npy.Array) error {
	for _, a := range arrays {
		if colours, ok := a.Data.([]int8); ok && (a.Name == "samples" || a.Name == "filled") {
			return dataset.WriteAlignment(w, f.Info.Alphabet, colours, a.Shape[1])
		}
	}
	panic("apply: no colours among the arrays of an alignment")
}

// realRows returns numbers, a column each, as an array with one in each row.
func realRows(name string, r *units.Reals[float32]) npy.Array {
	values := make([]float32, r.Units()*r.Len())
	for i := range r.Units() {
		for a, v := range r.Row(i) {
			values[a*r.Units()+i] = v
		}
	}
	return npy.Array{Name: name, Shape: []int{r.Len(), r.Units()}, Data: values}
}
