package evaluate

import (
	"context"
	"fmt"
	"io"

	"bethe/internal/npy"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// A Completion is a machine's guess of samples, given some of their units.
type Completion struct {
	*SpinRestoration
	Given []int8 // 1 for each unit that was given, else 0
	Free  []int  // the units that were inferred
	// Error is the share of the inferred units whose mean has another sign than
	// the sample.
	Error float64
}

// CompleteKnown infers the units of samples (visible x M) that are not named, as
// Complete does, and compares them with their true values.
func CompleteKnown(ctx context.Context, machine *rbm.Machine, samples *spin.Matrix, units []int, r Restoring) (*Completion, error) {
	return OnMachine(machine).CompleteKnown(ctx, samples, units, r)
}

// CompleteKnown is CompleteKnown on a machine that keeps what its answers are computed with.
func (m SpinMachine) CompleteKnown(ctx context.Context, samples *spin.Matrix, units []int, r Restoring) (*Completion, error) {
	if n := m.machine.Layers().Data(); samples.Rows() != n {
		return nil, fmt.Errorf("samples of %d units for a machine of %d visible units", samples.Rows(), n)
	}
	restored, err := Complete(ctx, m, filledUp(m.machine, samples, r.Key), units, r)
	if err != nil {
		return nil, err
	}
	return completed(cut(restored, samples.Rows()), samples, units), nil
}

// cut returns a restoration of the first n units.
func cut(r *SpinRestoration, n int) *SpinRestoration {
	rows := r.States.Rows()
	return &SpinRestoration{r.Mean[:len(r.Mean)/rows*n], dataOf(r.States, n), r.RHat}
}

// Write writes an npz file: mean, float32, one sample a row; completions, int8,
// samples x chains x units; given, int8, 1 where a unit was.
func (c *Completion) Write(w io.Writer) error {
	n := len(c.Given)
	samples := len(c.Mean) / n
	return npy.WriteArchive(w, []npy.Array{meanArray(c.SpinRestoration),
		{Name: "completions", Shape: []int{samples, c.States.Cols() / samples, n}, Data: rowsOf(c.States)},
		{Name: "given", Shape: []int{n}, Data: c.Given}})
}

// meanArray returns the means, samples x units.
func meanArray(r *SpinRestoration) npy.Array {
	n := r.States.Rows()
	samples := len(r.Mean) / n
	means := make([]float32, len(r.Mean))
	for i := range n {
		for a := range samples {
			means[a*n+i] = r.Mean[i*samples+a]
		}
	}
	return npy.Array{Name: "mean", Shape: []int{samples, n}, Data: means}
}

// Mended is what a machine infers of noisy samples.
type Mended struct {
	*SpinRestoration
	Seen, Restored *spin.Matrix // visible x samples: the noisy ones, and the signs of the means
	// Before and After are the shares of the spins that are wrong in Seen and in
	// Restored; nil where the truth is not known.
	Before, After *float64
	Changed       float64 // share of the spins in which Restored differs from Seen
}

// Mend flips each spin of samples (visible x M) with probability flip, infers from
// that alone what they were, as Denoise does, and compares. Where the samples are
// noisy already nothing is flipped.
func Mend(ctx context.Context, machine *rbm.Machine, samples *spin.Matrix, flip float64, noisy bool, key stream.Key, r Restoring) (*Mended, error) {
	return OnMachine(machine).Mend(ctx, samples, flip, noisy, key, r)
}

// Mend is Mend on a machine that keeps what its answers are computed with.
func (m SpinMachine) Mend(ctx context.Context, samples *spin.Matrix, flip float64, noisy bool, key stream.Key, r Restoring) (*Mended, error) {
	if n := m.machine.Layers().Data(); samples.Rows() != n {
		return nil, fmt.Errorf("samples of %d units for a machine of %d visible units", samples.Rows(), n)
	}
	return mended(samples, flip, noisy, key, &r, func(seen *spin.Matrix) (*SpinRestoration, error) {
		restored, err := denoise(ctx, m, filledUp(m.machine, seen, r.Key), samples.Rows(), flip, r)
		if err != nil {
			return nil, err
		}
		return cut(restored, samples.Rows()), nil
	})
}

// mended flips samples unless they are noisy, has them denoised, and compares. It sets the key of r.
func mended(samples *spin.Matrix, flip float64, noisy bool, key stream.Key, r *Restoring, denoised func(seen *spin.Matrix) (*SpinRestoration, error)) (*Mended, error) {
	if !(flip > 0 && flip < 0.5) {
		return nil, fmt.Errorf("spins flipped with probability %v: it must lie between 0 and 0.5", flip)
	}
	out := &Mended{Seen: samples.Clone()}
	if !noisy {
		Flip(out.Seen, flip, key.Sub(stream.MendNoise))
	}
	r.Key = key.Sub(stream.MendChains)
	var err error
	if out.SpinRestoration, err = denoised(out.Seen); err != nil {
		return nil, err
	}
	out.Restored = spin.FromSigns(samples.Rows(), samples.Cols(), out.Mean)
	out.Changed = shareWrong(out.Seen, out.Restored)
	if !noisy {
		before, after := shareWrong(samples, out.Seen), shareWrong(samples, out.Restored)
		out.Before, out.After = &before, &after
	}
	return out, nil
}

// Write writes an npz file with three arrays, one row for each sample: mean (float32),
// seen and restored (int8).
func (m *Mended) Write(w io.Writer) error {
	return npy.WriteArchive(w, []npy.Array{meanArray(m.SpinRestoration), sampleArray("seen", m.Seen), sampleArray("restored", m.Restored)})
}

// shareWrong returns the share of spins that differ between two matrices.
func shareWrong(a, b *spin.Matrix) float64 {
	x, y := rowsOf(a), rowsOf(b)
	count := 0
	for k, v := range x {
		if v != y[k] {
			count++
		}
	}
	return float64(count) / float64(len(x))
}
