package evaluate

import (
	"context"
	"errors"

	"bethe/rbm"
	"bethe/sample"
	"bethe/spin"
	"bethe/units"
)

// A Filling is what a machine infers of samples with missing values.
type Filling struct {
	Mean []float64 // of each feature as it is held, features x samples: of observed ones themselves
	// Features of hidden units, samples x hidden, as those of Features at gain 1, averaged over what may be missing.
	Features []float32
	Exact    bool      // by enumeration (ObservedOf), else from chains
	RHat     []float64 // of chains, as Restoration has it
}

// Fill infers the missing units from the observed ones: by enumeration of hidden states if ObservedOf can,
// else from chains that hold the observed units. The error is the context's, or tells of samples that do not fit.
func Fill(ctx context.Context, machine *rbm.Machine, samples Incomplete, r Restoring) (*Filling, error) {
	return FillingOf(machine)(ctx, samples, r)
}

// FillingOf returns Fill of a machine, which must not change from then on: it keeps what its answers are computed with.
func FillingOf(machine *rbm.Machine) func(ctx context.Context, samples Incomplete, r Restoring) (*Filling, error) {
	observed, chains := observing(machine), chainFilling(machine)
	return func(ctx context.Context, samples Incomplete, r Restoring) (*Filling, error) {
		o, err := observed(ctx, samples)
		if err == nil {
			f := &Filling{Mean: o.Mean, Exact: true}
			p, m := machine.Hidden(), samples.Missing.Cols()
			f.Features = make([]float32, m*p)
			for k, v := range o.Hidden {
				if machine.HiddenKind.OneHot() {
					v = (1 + v) / 2
				}
				f.Features[k%m*p+k/m] = float32(v)
			}
			return f, nil
		}
		if !errors.Is(err, rbm.ErrTooLarge) {
			return nil, err
		}
		_, _, seen := samples.seen(machine.VisibleKind)
		return chains(ctx, samples, seen.Mean, r)
	}
}

// chainFilling returns the chains' way to FillingOf. observed are the features of units that are not missing, features x samples.
func chainFilling(machine *rbm.Machine) func(ctx context.Context, samples Incomplete, observed []float64, r Restoring) (*Filling, error) {
	switch {
	case !machine.VisibleKind.Bits():
		m := OnGauss(machine)
		return func(ctx context.Context, samples Incomplete, observed []float64, r Restoring) (*Filling, error) {
			return fillByChains(ctx, m, m, samples.Numbers, samples.Missing, observed, r)
		}
	case !machine.HiddenKind.Bits():
		m := OnHopfield(machine)
		return func(ctx context.Context, samples Incomplete, observed []float64, r Restoring) (*Filling, error) {
			return fillByChains(ctx, m, m, samples.Bits, samples.Missing, observed, r)
		}
	}
	m := OnMachine(machine)
	return func(ctx context.Context, samples Incomplete, observed []float64, r Restoring) (*Filling, error) {
		return fillByChains(ctx, m, m, samples.Bits, samples.Missing, observed, r)
	}
}

// fillByChains samples the missing units. observed are the features of the others, features x samples.
func fillByChains[T rbm.Real, V units.States[V], H units.States[H]](ctx context.Context, machine Evaluated[T, V, H], featuring Featuring[V], given V, missing *spin.Matrix, observed []float64, r Restoring) (*Filling, error) {
	m := given.Len()
	of := given.Units() / missing.Rows()
	restored, err := restore(ctx, machine, given, &r, func(chains *sample.Chains[T, V, H], each V, from func(V) V) error {
		chains.Visible = from(each).Clone()
		count := 1
		if each.Len() == m*r.Chains {
			count = r.Chains
		}
		put, err := sample.Known[V]{States: given, Missing: missing}.In(chains.Visible, count)
		if err != nil {
			return err
		}
		chains.Hold(put)
		return nil
	})
	if err != nil {
		return nil, err
	}
	f := &Filling{Mean: make([]float64, len(restored.Mean)), RHat: restored.RHat}
	for k, v := range restored.Mean {
		f.Mean[k] = float64(v)
		if missing.At(k/m/of, k%m) < 0 {
			f.Mean[k] = observed[k]
		}
	}
	p, chains := featuring.Hidden(), r.Chains
	each := Features(featuring, restored.States, 1)
	f.Features = make([]float32, m*p)
	for k, v := range each {
		f.Features[k/p/chains*p+k%p] += v / float32(chains)
	}
	return f, nil
}
