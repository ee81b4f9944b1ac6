package evaluate

import (
	"context"
	"fmt"
	"math"

	"bethe/internal/parallel"
	"bethe/rbm"
	"bethe/sample"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// Restoring says how unknown units are inferred.
type Restoring struct {
	Chains   int // Gibbs chains of each sample
	Sweeps   int // of each chain; the first third is not averaged
	Key      stream.Key
	Progress func(fraction float64) // may be nil
}

// A Restoration is what a machine makes of units that are not known, or not
// known for sure.
type Restoration[T rbm.Real, V units.States[V]] struct {
	Mean   []T // of each unit given the known part or the noisy sample, visible x samples
	States V   // the chains' last states, visible x (samples x chains): those of sample a from a*chains on
	// RHat tells how far apart the halves of the chains of a sample are: 1 if they have
	// settled, infinite if there are too few sweeps to tell. It has a value for each of
	// the first samples, at most MostChecked.
	RHat []float64
}

// Unsettled returns how many of the samples that were looked at have chains that
// have not settled, and the largest R-hat.
func (r *Restoration[T, V]) Unsettled() (samples int, worst float64) {
	for _, v := range r.RHat {
		worst = max(worst, v)
		if !(v <= LargestRHat) {
			samples++
		}
	}
	return samples, worst
}

// A SpinRestoration is that of a machine of spins.
type SpinRestoration = Restoration[float32, *spin.Matrix]

// Complete infers the other units of samples from the named ones. given is visible
// x samples, and only its named units are read.
func Complete[T rbm.Real, V units.States[V], H units.States[H]](ctx context.Context, machine Evaluated[T, V, H], given V, named []int, r Restoring) (*Restoration[T, V], error) {
	return restore(ctx, machine, given, &r, func(chains *sample.Chains[T, V, H], each V, from func(V) V) error {
		chains.Visible = from(chains.Visible)
		chains.Clamp(named, each) // which draws hidden states
		return nil
	})
}

// Denoise infers what samples were before each spin was flipped with
// probability flip, by exact Bayes with the machine as the prior: a Recover.
func Denoise[T rbm.Real, H units.States[H]](ctx context.Context, machine Evaluated[T, *spin.Matrix, H], noisy *spin.Matrix, flip float64, r Restoring) (*Restoration[T, *spin.Matrix], error) {
	return denoise(ctx, machine, noisy, noisy.Rows(), flip, r)
}

// denoise is Denoise where only the first seen units went through the channel: the others
// of noisy are where chains start.
func denoise[T rbm.Real, H units.States[H]](ctx context.Context, machine Evaluated[T, *spin.Matrix, H], noisy *spin.Matrix, seen int, flip float64, r Restoring) (*Restoration[T, *spin.Matrix], error) {
	if !(flip > 0 && flip < 0.5) {
		return nil, fmt.Errorf("spins flipped with probability %v: it must lie between 0 and 0.5", flip)
	}
	return recovered(ctx, machine, noisy, func(each *spin.Matrix) *spin.Matrix { return dataOf(each, seen) }, nil, math.Log((1-flip)/flip)/2, r)
}

// Recover infers what samples were before they went through a noisy channel of the
// given strength (sample.Chains.Observe), by exact Bayes with the machine as the
// prior. The error may be sample.ErrCannotObserve.
func Recover[T rbm.Real, V units.States[V], H units.States[H]](ctx context.Context, machine Evaluated[T, V, H], noisy V, strength float64, r Restoring) (*Restoration[T, V], error) {
	return recovered(ctx, machine, noisy, func(each V) V { return each }, nil, strength, r)
}

// recovered is Recover for states that went through the channel in part: seen returns that part, the
// first units. Nothing came out for units that are missing (units x samples: +1; nil: none).
func recovered[T rbm.Real, V units.States[V], H units.States[H]](ctx context.Context, machine Evaluated[T, V, H], noisy V, seen func(V) V, missing *spin.Matrix, strength float64, r Restoring) (*Restoration[T, V], error) {
	m := noisy.Len()
	return restore(ctx, machine, noisy, &r, func(chains *sample.Chains[T, V, H], each V, from func(V) V) error {
		holes := missing
		if missing != nil {
			columns := first(each.Len())
			if each.Len() == m*r.Chains { // not the witnesses, one of a sample
				for k := range columns {
					columns[k] = k / r.Chains
				}
			}
			holes = missing.Blank(len(columns))
			missing.Gather(holes, columns)
		}
		if err := chains.ObserveSome(seen(each), holes, strength); err != nil {
			return err
		}
		chains.StartAt(from(each))
		return nil
	})
}

// Flip flips each spin of a matrix with the given probability.
func Flip(s *spin.Matrix, probability float64, key stream.Key) {
	flips := spin.New(s.Rows(), s.Cols())
	field := make([]float32, s.Rows()*s.Cols())
	for k := range field {
		field[k] = float32(math.Log(probability/(1-probability)) / 2)
	}
	spin.Draw(flips, field, key)
	for i := range s.Rows() {
		for a := range s.Cols() {
			if flips.At(i, a) > 0 {
				s.Set(i, a, -s.At(i, a))
			}
		}
	}
}

// A conditioning gives each chain its known sample (a column of each), and sets the first
// states of the chains: from returns the first states in place of the usual ones.
type conditioning[T rbm.Real, V units.States[V], H units.States[H]] func(chains *sample.Chains[T, V, H], each V, from func(V) V) error

// restore sweeps chains that condition has prepared. Witnesses run beside them, one for
// each of the first samples. They start far from the chains, and count for R-hat alone.
func restore[T rbm.Real, V units.States[V], H units.States[H]](ctx context.Context, machine Evaluated[T, V, H], known V, r *Restoring, condition conditioning[T, V, H]) (*Restoration[T, V], error) {
	n, m := machine.Visible(), known.Len()
	if err := checkFit(machine, known); err != nil {
		return nil, err
	}
	if m == 0 || r.Chains < 1 || r.Sweeps < 1 {
		return nil, fmt.Errorf("%d samples, %d chains of each, %d sweeps: at least 1 of each is needed", m, r.Chains, r.Sweeps)
	}
	each := known.Blank(m * r.Chains)
	known.Gather(each, columnsOf(m, r.Chains))
	source := machine.Source(known)
	chains := sample.NewChains(source, each.Len(), r.Key)
	if err := condition(chains, each, func(v V) V { return v }); err != nil {
		return nil, err
	}
	beside, err := witnesses(machine, source, known, r, condition)
	if err != nil {
		return nil, err
	}
	watch := newWatch[T](beside, n, m, beside.Visible.Len(), r)
	mean, err := averaged[T](ctx, chains, watch, n, m, r)
	if err != nil {
		return nil, err
	}
	return &Restoration[T, V]{mean, chains.Visible, watch.settling.rHat()}, nil
}

// columnsOf returns the sample of each chain.
func columnsOf(samples, chains int) []int {
	columns := make([]int, samples*chains)
	for k := range columns {
		columns[k] = k / chains
	}
	return columns
}

// averaged sweeps chains of m samples of n units, and the witnesses beside them, and returns the means of the last two thirds, units x
// samples. The error is the context's.
func averaged[T rbm.Real](ctx context.Context, chains sweeping[T], watch *watch[T], n, m int, r *Restoring) ([]T, error) {
	columns := m * r.Chains
	from := r.Sweeps / 3
	sum := make([]T, n*m)
	means := make([]T, n*columns)
	for k := range r.Sweeps {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		chains.Sweep(1)
		watch.chains.Sweep(1)
		if r.Progress != nil {
			r.Progress(float64(k+1) / float64(r.Sweeps))
		}
		if k < from {
			continue
		}
		chains.VisibleMeans(means)
		parallel.For(n, parallel.Grain(2*columns), func(lo, hi int) {
			rest := means[lo*columns : hi*columns]
			for k := lo * m; k < hi*m; k++ { // of a unit in a sample
				total := sum[k]
				for _, v := range rest[:r.Chains] {
					total += v
				}
				sum[k], rest = total, rest[r.Chains:]
			}
		})
		watch.add(means)
	}
	for k := range sum {
		sum[k] /= T((r.Sweeps - from) * r.Chains)
	}
	return sum, nil
}

// Wrong returns how many of the named units of samples have another sign than
// their restored mean.
func Wrong[T rbm.Real](r *Restoration[T, *spin.Matrix], samples *spin.Matrix, named []int) (wrong int) {
	m := samples.Cols()
	for _, i := range named {
		for a := range m {
			if (r.Mean[i*m+a] >= 0) != (samples.At(i, a) > 0) {
				wrong++
			}
		}
	}
	return wrong
}
