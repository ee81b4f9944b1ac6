package evaluate

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"

	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// FileSamples are samples of visible units of either form.
type FileSamples struct {
	Bits    *spin.Matrix          // features, of all kinds but Gaussian ones
	Numbers *units.Reals[float32] // in the units of the data, of Gaussian ones
	Missing *spin.Matrix          // units x samples, +1 where a value is missing; nil if none is
}

// Incomplete returns samples as the machine of a file has them. The error tells what does not fit.
func (s *FileSamples) Incomplete(file *rbm.File) (Incomplete, error) {
	in := Incomplete{Bits: s.Bits, Missing: s.Missing}
	if file.VisibleKind.Bits() {
		if above := file.Visible() - file.Layers().Data(); above > 0 && s.Bits != nil { // even hidden units of a deep machine are not known either
			m := s.Bits.Cols()
			in.Bits = units.Below(s.Bits, spin.New(above, m))
			in.Missing = units.Below(s.Missing, spin.FromSigns(above, m, make([]float32, above*m)))
		}
		return in, nil
	}
	if s.Numbers == nil {
		return in, fmt.Errorf("the machine is of %s units, and the samples are none of real numbers", file.VisibleKind)
	}
	u, err := file.Features(s.Numbers)
	if err != nil {
		return in, err
	}
	in.Numbers, in.Missing = u, file.Scale.Rows(s.Missing)
	return in, nil
}

// observedLikelihood is FileLikelihood of samples with missing values.
func observedLikelihood(ctx context.Context, file *rbm.File, samples FileSamples, met *spin.Matrix, opt Options) (LogLikelihood, error) {
	in, err := samples.Incomplete(file)
	if err != nil {
		return LogLikelihood{}, err
	}
	machine := file.Machine()
	var terms *KnownTerms
	observed, err := ObservedOf(ctx, machine, in)
	switch {
	case err == nil:
		opt.weights = observed.LogWeights
	case errors.Is(err, rbm.ErrTooLarge):
		known, err := weighKnown(ctx, machine, in, opt.Key.Sub(stream.EstimateKnown), opt.share(0, knownShare))
		if err != nil {
			return LogLikelihood{}, err
		}
		opt.weights, terms = known.weights, known.terms
		in.Bits, in.Numbers = known.drawn.Bits, known.drawn.Numbers
		opt.Progress = opt.share(knownShare, 1)
	default:
		return LogLikelihood{}, err
	}
	var l LogLikelihood
	switch {
	case !file.VisibleKind.Bits():
		kept, mean := file.Scale.Kept(), 0.0
		for a := range opt.weights {
			for i := range in.Missing.Rows() {
				if in.Missing.At(i, a) < 0 {
					ln := math.Log(file.Scale.Deviation[kept[i]])
					opt.weights[a] += ln - file.VisibleOwn[i]
					mean += ln / float64(len(opt.weights))
				}
			}
		}
		if l, err = Likelihood(ctx, OnGauss(machine), in.Numbers, opt); err == nil {
			own := l.Mean - mean
			l.InDataUnits = &own
		}
	case !file.HiddenKind.Bits():
		l, err = Likelihood(ctx, OnHopfield(machine), in.Bits, opt)
	default:
		l, err = Likelihood(ctx, OnMachine(machine).Remember(met), in.Bits, opt)
	}
	l.Known = terms
	return l, err
}

// knownShare is the share of the progress of an estimate that annealing with known values takes.
const knownShare = 0.3

// share returns what tells of progress in a share of the whole.
func (o *Options) share(from, to float64) func(fraction float64) {
	whole := o.Progress
	if whole == nil {
		return nil
	}
	return func(f float64) { whole(from + (to-from)*f) }
}

// FileLikelihood is Likelihood of samples under the machine of a file, of whatever kinds of
// units. The log-density of real numbers is in units of the deviations of the data that were learned
// from, LogLikelihood.InDataUnits in their own. The search for heavy states begins at those
// met as well, unless that is nil. Where values are missing the likelihood is that of the others: exactly (ObservedOf), or beyond that with LogLikelihood.Known.
func FileLikelihood(ctx context.Context, file *rbm.File, samples FileSamples, met *spin.Matrix, opt Options) (LogLikelihood, error) {
	machine := file.Machine()
	if samples.Missing != nil {
		return observedLikelihood(ctx, file, samples, met, opt)
	}
	switch {
	case !file.VisibleKind.Bits():
		if samples.Numbers == nil {
			return LogLikelihood{}, fmt.Errorf("the machine is of %s units, and the samples are none of real numbers", file.VisibleKind)
		}
		u, err := file.Features(samples.Numbers)
		if err != nil {
			return LogLikelihood{}, err
		}
		m, scale := OnGauss(machine), file.Scale.LnDeviation()
		m.density += scale
		l, err := Likelihood(ctx, m, u, opt)
		if err == nil {
			own := l.Mean - scale
			l.InDataUnits = &own
		}
		return l, err
	case !file.HiddenKind.Bits():
		return Likelihood(ctx, OnHopfield(machine), samples.Bits, opt)
	}
	return MachineLikelihood(ctx, machine, met, samples.Bits, opt)
}

// checkFile returns an error of samples that are not of the machine's units.
func checkFile(file *rbm.File, samples FileSamples) error {
	if !file.VisibleKind.Bits() {
		if samples.Numbers == nil {
			return fmt.Errorf("the machine is of %s units, and the samples are none of real numbers", file.VisibleKind)
		}
		return nil // Features tells another number of columns
	}
	if samples.Bits == nil {
		return fmt.Errorf("the machine is of %s units, and the samples are real numbers", file.VisibleKind)
	}
	if n := file.Layers().Data(); samples.Bits.Rows() != n {
		return fmt.Errorf("samples of %d units for a machine of %d visible units", samples.Bits.Rows(), n)
	}
	return nil
}

// FileFeatures is Features of the machine of a file, of whatever kinds of units; of a deep
// machine those of all hidden layers, the first one first. It also returns how many features
// there are. The error tells of samples of other units.
func FileFeatures(file *rbm.File, samples FileSamples, gain float64) (x []float32, count int, err error) {
	return FeaturesOf(file)(samples, gain)
}

// FeaturesOf returns FileFeatures of a file, which must not change from then on: it keeps what its answers are
// computed with.
func FeaturesOf(file *rbm.File) func(samples FileSamples, gain float64) (x []float32, count int, err error) {
	made := sync.OnceValue(func() func(FileSamples, float64) ([]float32, error) {
		machine := file.Machine()
		switch {
		case !file.VisibleKind.Bits():
			on := OnGauss(machine)
			return func(samples FileSamples, gain float64) ([]float32, error) {
				u, err := file.Features(samples.Numbers)
				if err != nil {
					return nil, err
				}
				return Features(on, u, gain), nil
			}
		case !file.HiddenKind.Bits():
			on := OnHopfield(machine)
			return func(samples FileSamples, gain float64) ([]float32, error) {
				return Features(on, samples.Bits, gain), nil
			}
		}
		if machine.Deep() {
			deep := newClamped(machine)
			return func(samples FileSamples, gain float64) ([]float32, error) {
				return deep.features(samples.Bits, gain), nil
			}
		}
		on := OnMachine(machine)
		return func(samples FileSamples, gain float64) ([]float32, error) {
			return Features(on, samples.Bits, gain), nil
		}
	})
	total := 0
	for _, n := range file.Layers()[1:] {
		total += n
	}
	return func(samples FileSamples, gain float64) ([]float32, int, error) {
		if err := checkFile(file, samples); err != nil {
			return nil, 0, err
		}
		x, err := made()(samples, gain)
		return x, total, err
	}
}

// Beside returns the features of several layers beside each other: samples x all features.
func Beside[V units.States[V]](layers []Featuring[V], samples V, gain float64) []float32 {
	if len(layers) == 1 {
		return Features(layers[0], samples, gain)
	}
	count, at := 0, 0
	for _, l := range layers {
		count += l.Hidden()
	}
	x := make([]float32, count*samples.Len())
	for _, l := range layers {
		n := l.Hidden()
		for a, row := range chunks(Features(l, samples, gain), n) {
			copy(x[a*count+at:], row)
		}
		at += n
	}
	return x
}

// chunks returns pieces of n numbers.
func chunks(x []float32, n int) (pieces [][]float32) {
	for ; len(x) > 0; x = x[n:] {
		pieces = append(pieces, x[:n])
	}
	return pieces
}

// FileLogWeights returns the logarithm of the weight of each of samples under the machine of a
// file, of whatever kinds of units, summed over the hidden units: minus the free energy. ln P is by
// ln Z smaller. Of real numbers it is a density in the units of the data. Of a deep machine it is
// DataTerms.Bound of each sample, drawn with key.
// The error is the context's, or tells of samples of other units.
func FileLogWeights(ctx context.Context, file *rbm.File, samples FileSamples, key stream.Key) ([]float64, error) {
	if err := checkFile(file, samples); err != nil {
		return nil, err
	}
	machine := file.Machine()
	switch {
	case !file.VisibleKind.Bits():
		u, err := file.Features(samples.Numbers)
		if err != nil {
			return nil, err
		}
		return OnGauss(machine).LogWeights(u), nil
	case machine.Deep():
		terms, _, err := EstimateData(ctx, machine, samples.Bits, key.Sub(stream.EstimateData))
		if err != nil {
			return nil, err
		}
		return terms.each, nil
	}
	return OnMachine(machine).LogWeights(samples.Bits), nil
}

// FileDrawn are the states of chains on the machine of a file.
type FileDrawn struct {
	States FileSamples // of the data's layer; real numbers in the units of the data
	// Means are those of the visible units given the hidden ones, visible x chains: of features of bits
	// from -1 to 1, of real numbers in the units of the data.
	Means        *units.Reals[float32]
	Temperatures int // of a ladder; 0 where chains were not tempered
}
