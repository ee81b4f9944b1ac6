package evaluate

import (
	"context"
	"fmt"

	"bethe/rbm"
	"bethe/spin"
	"bethe/units"
)

// FileSamples are samples of visible units of either form.
type FileSamples struct {
	Bits    *spin.Matrix          // features, of all kinds but Gaussian ones
	Numbers *units.Reals[float32] // in the units of the data, of Gaussian ones
}

// FileLikelihood is Likelihood of samples under the machine of a file, of whatever kinds of
// units. The log-density of real numbers is in units of the deviations of the data that were learned
// from, LogLikelihood.InDataUnits in their own. The search for heavy states begins at those
// met as well, unless that is nil.
func FileLikelihood(ctx context.Context, file *rbm.File, samples FileSamples, met *spin.Matrix, opt Options) (LogLikelihood, error) {
	machine := file.Machine()
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
