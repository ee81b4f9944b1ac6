package evaluate

import (
	"context"
	"fmt"
	"math"

	"bethe/internal/kernel"
	"bethe/internal/parallel"
	"bethe/rbm"
	"bethe/sample"
	"bethe/spin"
	"bethe/stream"
)

// Restoring says how unknown spins are inferred.
type Restoring struct {
	Chains   int // Gibbs chains of each sample
	Sweeps   int // of each chain; the first third is not averaged
	Key      stream.Key
	Progress func(fraction float64) // may be nil
}

// A Restoration is what a machine makes of spins that are not known, or not
// known for sure.
type Restoration struct {
	Mean   []float32    // of each spin given what is known, visible x samples
	States *spin.Matrix // the chains' last states, visible x (samples x chains): those of sample a from a*chains on
	RHat   []float64    // of the first samples, at most MostChecked: how far apart the halves of the chains are, 1 if they have settled, infinite if there are too few sweeps to tell
}

// Unsettled returns how many of the samples that were looked at have chains that
// have not settled, and the largest R-hat.
func (r *Restoration) Unsettled() (samples int, worst float64) {
	for _, v := range r.RHat {
		worst = max(worst, v)
		if !(v <= LargestRHat) {
			samples++
		}
	}
	return samples, worst
}

// Complete infers the other units of samples from the named ones (visible x
// samples, of which only the named units are looked at).
func Complete(ctx context.Context, machine *rbm.Machine, given *spin.Matrix, units []int, r Restoring) (*Restoration, error) {
	return r.run(ctx, machine, given, func(chains *sample.Chains[float32], each *spin.Matrix, witness bool) {
		if witness {
			chains.Start(ones(each.Rows(), each.Cols())) // the others start with all unknown spins at -1
		}
		chains.Clamp(units, each)
	})
}

// Denoise infers what samples were before each spin was flipped with
// probability flip, by exact Bayes with the machine as the prior: the channel
// is a field of strength ln((1-flip)/flip)/2 along what was seen.
func Denoise(ctx context.Context, machine *rbm.Machine, noisy *spin.Matrix, flip float64, r Restoring) (*Restoration, error) {
	if !(flip > 0 && flip < 0.5) {
		return nil, fmt.Errorf("spins flipped with probability %v: it must lie between 0 and 0.5", flip)
	}
	return r.run(ctx, machine, noisy, func(chains *sample.Chains[float32], each *spin.Matrix, witness bool) {
		chains.Observe(each, math.Log((1-flip)/flip)/2)
		if witness {
			each = negated(each)
		}
		chains.Start(each)
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

// run sweeps chains that know what condition tells them. Beside them run
// witnesses, one of each of the first samples, that condition starts far from
// where the chains start: they have a say in R-hat alone.
func (r *Restoring) run(ctx context.Context, machine *rbm.Machine, known *spin.Matrix, condition func(chains *sample.Chains[float32], each *spin.Matrix, witness bool)) (*Restoration, error) {
	n, m := machine.Visible(), known.Cols()
	switch {
	case known.Rows() != n:
		return nil, fmt.Errorf("samples of %d spins for a machine of %d visible units", known.Rows(), n)
	case m == 0 || r.Chains < 1 || r.Sweeps < 1:
		return nil, fmt.Errorf("%d samples, %d chains of each, %d sweeps: at least 1 of each is needed", m, r.Chains, r.Sweeps)
	}
	columns := make([]int, m*r.Chains)
	for k := range columns {
		columns[k] = k / r.Chains
	}
	each := spin.New(n, len(columns))
	known.Gather(each, columns)
	chains := sample.NewMachineChains(machine, len(columns), r.Key)
	condition(chains, each, false)
	watch := newWatch(machine, known, r, condition)
	first := r.Sweeps / 3
	sum := make([]float32, n*m)
	means := make([]float32, n*len(columns))
	for k := range r.Sweeps {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		chains.Sweep(1)
		watch.chains.Sweep(1)
		if r.Progress != nil {
			r.Progress(float64(k+1) / float64(r.Sweeps))
		}
		if k < first {
			continue
		}
		fields := chains.VisibleFields()
		parallel.For(n, parallel.Grain(10*len(columns)), func(lo, hi int) {
			kernel.Tanh(means[lo*len(columns):hi*len(columns)], fields[lo*len(columns):hi*len(columns)])
			for i := lo; i < hi; i++ {
				for l, v := range means[i*len(columns) : (i+1)*len(columns)] {
					sum[i*m+l/r.Chains] += v
				}
			}
		})
		watch.add(means)
	}
	for k := range sum {
		sum[k] /= float32((r.Sweeps - first) * r.Chains)
	}
	return &Restoration{sum, chains.Visible, watch.settling.rHat()}, nil
}

// Wrong returns how many of the named units of samples have another sign than
// their restored mean.
func (r *Restoration) Wrong(samples *spin.Matrix, units []int) (wrong int) {
	m := samples.Cols()
	for _, i := range units {
		for a := range m {
			if (r.Mean[i*m+a] >= 0) != (samples.At(i, a) > 0) {
				wrong++
			}
		}
	}
	return wrong
}
