package evaluate

import (
	"context"
	"fmt"
	"math"

	"bethe/rbm"
	"bethe/spin"
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
		if s.Numbers != nil || s.Bits.Rows() != file.Visible() {
			return in, fmt.Errorf("samples of %d features for a machine of %d visible %s features", s.Bits.Rows(), file.Visible(), file.VisibleKind)
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
	in.Numbers, in.Missing = u, spin.New(u.Units(), u.Len())
	for i, k := range file.Scale.Kept() {
		for a := range u.Len() {
			in.Missing.Set(i, a, s.Missing.At(k, a))
		}
	}
	return in, nil
}

// observedLikelihood is FileLikelihood of samples with missing values.
func observedLikelihood(ctx context.Context, file *rbm.File, samples FileSamples, met *spin.Matrix, opt Options) (LogLikelihood, error) {
	in, err := samples.Incomplete(file)
	if err != nil {
		return LogLikelihood{}, err
	}
	machine := file.Machine()
	observed, err := ObservedOf(ctx, machine, in)
	if err != nil {
		return LogLikelihood{}, err
	}
	opt.weights = observed.LogWeights
	if file.VisibleKind.Bits() {
		return MachineLikelihood(ctx, machine, met, samples.Bits, opt)
	}
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
	l, err := Likelihood(ctx, OnGauss(machine), in.Numbers, opt)
	if err == nil {
		own := l.Mean - mean
		l.InDataUnits = &own
	}
	return l, err
}

// FileLikelihood is Likelihood of samples under the machine of a file, of whatever kinds of
// units. The log-density of real numbers is in units of the deviations of the data that were learned
// from, LogLikelihood.InDataUnits in their own. The search for heavy states begins at those
// met as well, unless that is nil. Where values are missing the likelihood is that of the others (ObservedOf).
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
