package evaluate

import (
	"math"

	"bethe/internal/parallel"
	"bethe/rbm"
	"bethe/sample"
	"bethe/stream"
	"bethe/units"
)

// LargestRHat is the largest R-hat of chains that count as settled.
const LargestRHat = 1.1

// MostChecked is the most samples whose chains are looked at, the first ones.
const MostChecked = 100

// sweeping are chains that tell the means of visible units.
type sweeping[T rbm.Real] interface {
	Sweep(count int)
	// VisibleMeans sets dst, units x chains, to the means given the rest of each chain.
	VisibleMeans(dst []T)
}

// A watch looks at the chains of the first samples, with a witness beside those
// of each: chains that start in one place agree on what they have not left.
type watch[T rbm.Real] struct {
	settling *settling[T]
	chains   sweeping[T] // the witnesses
	units    int
	samples  int // that are looked at
	each     int // chains of a sample without its witness
	columns  int // chains of all samples
	witness  []T // means of the witnesses, units x samples
	means    []T // of all that are looked at, units x (samples x (chains, witness))
}

// newWatch looks at so many of m samples with witnesses.
func newWatch[T rbm.Real](witnesses sweeping[T], units, m, samples int, r *Restoring) *watch[T] {
	return &watch[T]{
		settling: newSettling[T](units, samples*(r.Chains+1), r.Chains+1, r.Sweeps-r.Sweeps/3),
		chains:   witnesses, units: units, samples: samples,
		each: r.Chains, columns: m * r.Chains,
		witness: make([]T, units*samples), means: make([]T, units*samples*(r.Chains+1)),
	}
}

// witnesses start far from the chains if the machine is Opposing, else at
// other random states than these.
func witnesses[T rbm.Real, V units.States[V], H units.States[H]](machine Evaluated[T, V, H], source sample.Source[T, V, H], known V, r *Restoring, condition conditioning[T, V, H]) (*sample.Chains[T, V, H], error) {
	m := min(known.Len(), MostChecked)
	some := known.Blank(m)
	known.Gather(some, first(m))
	from := func(v V) V { return v }
	if opposing, ok := machine.(Opposing[V]); ok {
		from = opposing.Opposite
	}
	chains := sample.NewChains(source, m, r.Key.Sub(stream.ChainsWitness))
	return chains, condition(chains, some, from)
}

// add takes the means of a sweep of the chains, units x (samples x chains).
func (w *watch[T]) add(means []T) {
	w.chains.VisibleMeans(w.witness)
	to := w.means
	for i := range w.units {
		from := means[i*w.columns : (i+1)*w.columns]
		for _, witness := range w.witness[i*w.samples : (i+1)*w.samples] {
			copy(to, from[:w.each])
			to[w.each] = witness
			to, from = to[w.each+1:], from[w.each:]
		}
	}
	w.settling.add(w.means)
}

// A settling compares the halves of all chains of each sample: the potential
// scale reduction factor of split chains (Gelman et al., Bayesian Data Analysis,
// 3rd edition, section 11.4), with variances summed over the units. Chains that
// have settled have halves whose means differ no more than their
// states do.
type settling[T rbm.Real] struct {
	chains   int       // of each sample
	sweeps   int       // of a half; the last sweep counts in neither, if there is one too many
	units    int       //
	done     int       // sweeps so far
	sum      []T       // over the sweeps of the present half, units x columns
	square   []T       // of their squares
	first    []T       // means of the first half
	variance []float64 // within halves, summed over both and over the units, of each column
}

// newSettling looks at the given number of sweeps of chains of so many columns.
func newSettling[T rbm.Real](units, columns, chains, sweeps int) *settling[T] {
	return &settling[T]{
		chains: chains, sweeps: sweeps / 2, units: units,
		sum: make([]T, units*columns), square: make([]T, units*columns), first: make([]T, units*columns),
		variance: make([]float64, columns),
	}
}

// add takes the means of all units given the others of their chain, units x columns.
func (s *settling[T]) add(means []T) {
	if s.done >= 2*s.sweeps {
		return
	}
	parallel.For(len(means), parallel.Grain(4), func(lo, hi int) {
		x := means[lo:hi]
		sum, square := s.sum[lo:hi][:len(x)], s.square[lo:hi][:len(x)]
		for k, v := range x {
			sum[k] += v
			square[k] += v * v
		}
	})
	if s.done++; s.done%s.sweeps != 0 {
		return
	}
	n := float64(s.sweeps)
	columns := len(s.variance)
	for k := range s.sum {
		mean := float64(s.sum[k]) / n
		s.variance[k%columns] += max(0, float64(s.square[k])/n-mean*mean)
		s.sum[k], s.square[k] = T(mean), 0
	}
	if s.done == s.sweeps {
		copy(s.first, s.sum)
		clear(s.sum)
	}
}

// rHat returns the R-hat of each sample, infinite where halves of less than two
// sweeps tell nothing.
func (s *settling[T]) rHat() []float64 {
	columns := len(s.variance)
	r := make([]float64, columns/s.chains)
	n, halves := float64(s.sweeps), float64(2*s.chains)
	for a := range r {
		r[a] = math.Inf(1)
		if s.sweeps < 2 {
			continue
		}
		within, between := 0.0, 0.0
		for c := a * s.chains; c < (a+1)*s.chains; c++ {
			within += s.variance[c] / halves * n / (n - 1)
		}
		for i := range s.units {
			mean, square := 0.0, 0.0
			for c := i*columns + a*s.chains; c < i*columns+(a+1)*s.chains; c++ {
				for _, v := range []float64{float64(s.first[c]), float64(s.sum[c])} {
					mean += v / halves
					square += v * v / halves
				}
			}
			between += max(0, square-mean*mean) * halves / (halves - 1)
		}
		switch total := (n-1)/n*within + between; {
		case total <= tiny*float64(s.units):
			r[a] = 1 // nothing moves, and all chains are in one place
		default:
			r[a] = mostRHat
			if within > 0 {
				r[a] = min(mostRHat, math.Sqrt(total/within))
			}
		}
	}
	return r
}

// mostRHat stands for larger ones too: chains that do not move at all, each where it
// started, have an infinite one.
const mostRHat = 1000

// tiny is a variance below the rounding of float32 means.
const tiny = 1e-10
