package tensorboard

import (
	"bytes"
	"image/png"
	"os"
	"path/filepath"
	"time"

	"bethe/runs"
)

// Record adds what a record of the run in a folder holds, with its pictures, and
// flushes.
func (w *Writer) Record(folder string, at time.Time, r *runs.Record) error {
	scalar := func(tag string, v runs.Number) { w.Scalar(at, r.Step, tag, float64(v)) }
	scalar("learning/rate", r.Rate)
	scalar("learning/coupling", r.Coupling)
	scalar("synapses/polarised", r.Polarised)
	scalar("synapses/kl", r.KL)
	if r.Engine != nil && r.Engine.Iterations > 0 {
		scalar("engine/iterations", runs.Number(r.Engine.Iterations))
		scalar("engine/residual", r.Engine.Residual)
	}
	if l := r.Labels; l != nil {
		scalar("labels/loss", l.Loss)
		scalar("labels/error", l.Error)
	}
	if b := r.Bound; b != nil {
		scalar("bound/bound", b.Value)
		scalar("bound/data", b.Data)
		scalar("bound/partition", b.Partition)
		scalar("bound/kl", b.KL)
	}
	if l := r.LogLikelihood; l != nil {
		for _, e := range []struct {
			tag string
			of  *runs.Estimate
		}{{"exact", l.Exact}, {"forward", l.Forward}, {"reverse", l.Reverse}} {
			if e.of != nil {
				scalar("log_likelihood/"+e.tag, e.of.Value)
			}
		}
	}
	if r.Overlap != nil {
		scalar("synapses/overlap_mean", r.Overlap.Mean)
		scalar("synapses/overlap_max", r.Overlap.Max)
	}
	if n := len(r.Magnetisations); n > 0 {
		edges := make([]float64, n+1)
		for k := range edges {
			edges[k] = 2*float64(k)/float64(n) - 1
		}
		w.Histogram(at, r.Step, "synapses/magnetisation", edges, r.Magnetisations)
	}
	for _, p := range []struct{ tag, name string }{{"pictures/synapses", r.Synapses}, {"pictures/samples", r.Samples}} {
		if p.name == "" {
			continue
		}
		text, err := os.ReadFile(filepath.Join(folder, runs.PicturesFolder, p.name))
		if err != nil {
			return err
		}
		size, err := png.DecodeConfig(bytes.NewReader(text))
		if err != nil {
			return err
		}
		w.Image(at, r.Step, p.tag, size.Width, size.Height, text)
	}
	return w.Flush()
}
