package evaluate

import (
	"context"
	"fmt"
	"math"

	"bethe/rbm"
	"bethe/sample"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// KnownTerms are estimates of the mean ln weight of samples with missing values: the weight of their known values, summed over missing values and hidden units, by
// annealing with the known values held: in nats per sample. Estimates of the likelihood are with Forward.
type KnownTerms struct {
	Forward      float64 `json:"forward"` // on average at most the truth
	Reverse      float64 `json:"reverse"` // on average at least the truth, if the chains have settled
	Error        float64 `json:"error"`   // standard error of Forward from the runs alone
	Runs         int     `json:"runs"`    // of each sample, in each direction
	Temperatures int     `json:"temperatures"`
}

// How weights of samples with missing values are annealed.
const (
	knownRuns         = 8
	knownTemperatures = 300
	knownSettling     = 30
	knownBlock        = 1 << 9 // samples at a time
)

// A knownWeighing has the weights of the known values of samples, and the samples with missing values drawn.
type knownWeighing struct {
	weights []float64
	drawn   Incomplete
	terms   *KnownTerms
}

// weighKnown estimates ObservedOf's LogWeights of samples that fit, for machines that are too large for it. The error is the context's.
func weighKnown(ctx context.Context, machine *rbm.Machine, samples Incomplete, key stream.Key, progress func(fraction float64)) (*knownWeighing, error) {
	w := &knownWeighing{}
	var err error
	switch {
	case !machine.VisibleKind.Bits():
		w.drawn.Numbers, err = annealKnown(ctx, OnGauss(machine), samples.Numbers, samples.Missing, w, key, progress)
	case !machine.HiddenKind.Bits():
		w.drawn.Bits, err = annealKnown(ctx, OnHopfield(machine), samples.Bits, samples.Missing, w, key, progress)
	default:
		w.drawn.Bits, err = annealKnown(ctx, OnMachine(machine), samples.Bits, samples.Missing, w, key, progress)
	}
	return w, err
}

// annealKnown is weighKnown of one kind; it returns the samples with missing units drawn.
func annealKnown[T rbm.Real, V units.States[V], H units.States[H]](ctx context.Context, machine Evaluated[T, V, H], samples V, missing *spin.Matrix, w *knownWeighing, key stream.Key, progress func(fraction float64)) (V, error) {
	m := samples.Len()
	source, drawn := machine.Source(samples), samples.Clone()
	w.terms = &KnownTerms{Runs: knownRuns, Temperatures: knownTemperatures}
	variance := 0.0
	for lo := 0; lo < m; lo += knownBlock {
		hi := min(m, lo+knownBlock)
		part, holes := columns(samples, lo, hi), columns(missing, lo, hi)
		e, states, err := sample.AnnealedKnown(ctx, source, sample.Known[V]{States: part, Missing: holes}, knownSettling, sample.Annealing{Chains: knownRuns, Temperatures: knownTemperatures,
			Key: key.Sub(uint64(lo)), Progress: func(done int) {
				if progress != nil {
					progress((float64(lo) + float64(hi-lo)*float64(done)/(2*knownTemperatures)) / float64(m))
				}
			}})
		if err != nil {
			return drawn, err
		}
		for a, up := range e.Forward {
			w.weights = append(w.weights, up.LnZ)
			w.terms.Forward += up.LnZ / float64(m)
			w.terms.Reverse += e.Reverse[a].LnZ / float64(m)
			variance += lnMeanVariance(up.LogWeights, up.LnZ)
		}
		one, first := states.Blank(hi-lo), make([]int, hi-lo)
		to := make([]int, hi-lo)
		for a := range first {
			first[a], to[a] = a*knownRuns, lo+a
		}
		states.Gather(one, first)
		drawn.Put(one, to)
	}
	w.terms.Error = math.Sqrt(variance) / float64(m)
	return drawn, nil
}

// text says it for a person.
func (t *KnownTerms) text(line func(format string, args ...any)) {
	const normal = 1.96 // standard errors
	line("  values are missing: the weight of what is known is annealed, %d runs of %d temperatures a sample (± %.3f);", t.Runs, t.Temperatures, normal*t.Error)
	line("  all of this is with the way up, on average too low; the way down gives %s", fmt.Sprintf("%+.3f", t.Reverse-t.Forward))
}
