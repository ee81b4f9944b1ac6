package apply

import (
	"context"
	"image"
	"io"

	"bethe/dataset"
	"bethe/evaluate"
	"bethe/figure"
	"bethe/internal/npy"
	"bethe/rbm"
	"bethe/sample"
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

// sample draws samples: numbers in the units of the data, colours, or spins.
func (f mixed) sample(ctx context.Context, s *Sampling) (*SamplingReport, error) {
	switch {
	case s.Integers:
		return nil, setting.Phrase("integers", "{integers} is of spins, and this is a %s", f.family())
	case s.Tempered:
		return nil, setting.Phrase("tempered", "{tempered} is of spins, and this is a %s", f.family())
	case s.Clamp != "":
		return nil, setting.Phrase("clamp", "{clamp} is of spins, and this is a %s", f.family())
	}
	machine := f.Machine()
	if err := (count{"count", s.Count}).fits(machine, 1, "samples", true); err != nil {
		return nil, err
	}
	arrays, shown, err := f.draw(ctx, machine, s)
	if err != nil {
		return nil, err
	}
	r := &SamplingReport{Model: s.Model, Samples: s.Count, Sweeps: s.Sweeps, Files: s.Files}
	return r, s.write(func(w io.Writer) error { return npy.WriteArchive(w, arrays) }, func() image.Image {
		return figure.Means(len(shown)/s.Count, s.Count, func(i, a int) float64 { return float64(shown[i*s.Count+a]) }, f.Info.Width, f.Info.Height)
	})
}

// draw returns the arrays of samples, and what a picture shows of them, places x count.
func (f mixed) draw(ctx context.Context, machine *rbm.Machine, s *Sampling) (arrays []npy.Array, shown []float32, err error) {
	key := stream.New(s.Seed)
	if !f.VisibleKind.Bits() {
		m := evaluate.OnGauss(machine)
		chains := sample.NewChains(m.Source(units.NewReals[float32](f.Visible(), 1)), s.Count, key)
		if err := sweeps(ctx, chains.Sweep, s); err != nil {
			return nil, nil, err
		}
		means := chains.Visible.Clone()
		chains.VisibleMeans(means.Values())
		v, mean := f.Numbers(chains.Visible), f.Numbers(means)
		shown = make([]float32, v.Units()*v.Len())
		for _, k := range f.Scale.Kept() {
			for a, x := range mean.Row(k) {
				shown[k*v.Len()+a] = float32(max(-1, min(1, (float64(x)-f.Scale.Mean[k])/(2*f.Scale.Deviation[k]))))
			}
		}
		return []npy.Array{realRows("samples", v), realRows("visible_mean", mean)}, shown, nil
	}
	var states *spin.Matrix
	if f.HiddenKind.Bits() {
		chains := sample.NewChains(sample.OnMachine(machine), s.Count, key)
		if err := sweeps(ctx, chains.Sweep, s); err != nil {
			return nil, nil, err
		}
		states = chains.Visible
	} else {
		chains := sample.NewChains(sample.OnHopfield(rbm.NetworkOf[float32](machine), make([]float64, f.Visible())), s.Count, key)
		if err := sweeps(ctx, chains.Sweep, s); err != nil {
			return nil, nil, err
		}
		states = chains.Visible
	}
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

// sweeps does all sweeps of a sampling. Its only error is the context's.
func sweeps(ctx context.Context, once func(k int), s *Sampling) error {
	progress := s.progress("sampling")
	for k := range s.Sweeps {
		if err := ctx.Err(); err != nil {
			return err
		}
		once(1)
		progress(float64(k+1) / float64(s.Sweeps))
	}
	return nil
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
