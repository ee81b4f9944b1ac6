package apply

import (
	"context"
	"image"
	"io"

	"bethe/causes"
	"bethe/dataset"
	"bethe/dataset/source"
	"bethe/evaluate"
	"bethe/figure"
	"bethe/internal/npy"
	"bethe/setting"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// Visible returns the number of visible units.
func (d directed) Visible() int { return d.Layer.Visible() }

// sample draws from the causes down: draws are independent, so there is nothing to sweep.
func (d directed) sample(ctx context.Context, s *Sampling) (*SamplingReport, error) {
	if s.Integers || s.Tempered {
		return nil, setting.Phrase("tempered", "{tempered} and {integers} are for machines with hidden units, not for a %s, whose samples are independent", d.Model)
	}
	machine, n := d.Machine(), d.Visible()
	r := &SamplingReport{Model: s.Model, Samples: s.Count, Files: s.Files}
	held, units := spin.New(n, 1), []int(nil)
	if s.Clamp != "" {
		var err error
		if units, err = source.Units("clamp", s.Clamp, n); err != nil {
			return nil, err
		}
		picked, err := s.Data.Pick("from", s.From, n)
		if err != nil {
			return nil, err
		}
		if count := len(picked.Numbers); count != 1 {
			return nil, setting.Errorf("from", s.From, "%d samples, where units are held at one", count)
		}
		held, r.Clamped = picked.Samples, len(units)
	}
	_, drawn, err := machine.Complete(ctx, held, units, s.Count, stream.New(s.Seed))
	if err != nil {
		return nil, err
	}
	return r, s.write(func(w io.Writer) error { return evaluate.WriteDrawn(w, drawn.Visible, drawn.Means) }, func() image.Image {
		return figure.Headed(figure.Means(n, s.Count, func(i, a int) float64 { return float64(drawn.Means[i*s.Count+a]) }, d.Info.Width, d.Info.Height), figure.SamplesTitle, figure.SpinKey)
	})
}

// complete is exact: units that are not seen drop out of the sums.
func (d directed) complete(ctx context.Context, c *Completing) (*CompletionReport, error) {
	if c.fills() {
		return d.fill(ctx, c)
	}
	n := d.Visible()
	picked, err := c.Data.Pick("from", c.From, n)
	if err != nil {
		return nil, err
	}
	width, height := d.Info.Width, d.Info.Height
	if width == 0 {
		width, height = picked.Width, picked.Height
	}
	units, err := source.Region("clamp", c.Clamp, n, width, height)
	if err != nil {
		return nil, err
	}
	means, drawn, err := d.Machine().Complete(ctx, picked.Samples, units, c.Count, stream.New(c.Seed))
	if err != nil {
		return nil, err
	}
	r := evaluate.Completed(picked.Samples, units, means, drawn.Visible)
	report := &CompletionReport{c.Model, c.From, picked.Numbers, len(units), c.Count, 0, r.Error, c.Files, Settling{Settled: true}, nil, n, len(r.Free)}
	return report, c.write(r.Write, func() image.Image {
		return figure.Completions(picked.Samples, r.Given, r.Mean, r.States, width, height)
	})
}

// fill fills in missing values, and the units that are not given.
func (d directed) fill(ctx context.Context, c *Completing) (*CompletionReport, error) {
	g, err := c.gaps(units.Kind{}, d.Visible(), &d.Info)
	if err != nil {
		return nil, err
	}
	if g.mean, err = d.Machine().Fill(ctx, g.from.Samples, g.missing); err != nil {
		return nil, err
	}
	report := g.report(c, 0)
	report.Filled.Exact = true
	return report, c.writeFilled(g, figure.SpinKey, func(w io.Writer) error { return npy.WriteArchive(w, g.arrays()) })
}

func (d directed) count() int { return d.Machine().Features() }

func (d directed) takes() (units.Kind, bool) { return units.Kind{}, true }

// read returns posteriors: of the causes, and of a tree of the states of its groups.
func (d directed) read(ctx context.Context, set *dataset.Set, gain float64) ([]float32, error) {
	if gain != 1 {
		return nil, setting.Errorf("gain", gain, "it is for machines with hidden units, not for a %s", d.Model)
	}
	return d.Machine().Posteriors(ctx, set.Samples, set.Missing)
}

func (d directed) counted(ctx context.Context, set *dataset.Set) (telling, error) {
	machine := d.Machine()
	w, err := causes.CountWinners(ctx, machine, set.Samples, set.Missing, set.Labels)
	return winning{w, machine}, err
}

// winning tells labels by the winners of a machine.
type winning struct {
	*causes.Winners
	machine *causes.Machine
}

func (w winning) errors(ctx context.Context, set *dataset.Set) (float64, error) {
	return w.Errors(ctx, w.machine, set.Samples, set.Missing, set.Labels)
}
