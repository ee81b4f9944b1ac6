package planted

import (
	"context"
	"math"

	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// KindData draws independent visible states of a machine of units of any kinds whose hidden
// states can be enumerated (rbm.Network.DrawHidden): they are exact. Gaussian units have
// deviation 1 and the means 0. The error is rbm.ErrTooLarge or the context's.
func KindData(ctx context.Context, m *rbm.Machine, samples int, key stream.Key) (units.Data[float32], error) {
	return IncompleteData(ctx, m, samples, 0, key)
}

// IncompleteData is KindData where each unit is missing in each sample with the given probability:
// samples then are units.Filling.
func IncompleteData(ctx context.Context, m *rbm.Machine, samples int, missing float64, key stream.Key) (units.Data[float32], error) {
	if err := m.Validate(); err != nil {
		return nil, err
	}
	net := rbm.NetworkOf[float32](m)
	h, err := net.DrawHidden(ctx, samples, key.Sub(stream.PlantedMarginal))
	if err != nil {
		return nil, err
	}
	n := m.Visible()
	holes := spin.New(n/m.VisibleKind.Features(), samples)
	if rng := key.Sub(stream.PlantedMissing).Rand(); missing > 0 {
		for i := range holes.Rows() {
			for a := range samples {
				if rng.Float64() < missing {
					holes.Set(i, a, 1)
				}
			}
		}
	}
	fields, t := make([]float32, n*samples), make([]float32, len(net.Coupling))
	net.TransposeCoupling(t)
	net.VisibleFields(fields, t, h)
	if !m.VisibleKind.Bits() {
		v := units.NewReals[float32](n, samples)
		units.DrawGauss(v, fields, key.Sub(stream.PlantedConditional))
		if missing > 0 {
			return units.NewIncompleteGauss(v, holes), nil
		}
		return units.NewGauss(v), nil
	}
	s := spin.New(n, samples)
	units.Draw(s, fields, m.VisibleKind, key.Sub(stream.PlantedConditional))
	if missing > 0 {
		return units.NewIncomplete[float32](s, m.VisibleKind, holes), nil
	}
	return units.NewFeatures[float32](s, m.VisibleKind), nil
}

// MatchKind pairs the hidden units of an estimate (hidden x visible features) with those of
// a reference (visible x hidden), as MatchMean does, and returns the mean overlap of features: the
// cosine between their synapses. Features of hidden groups are paired within paired groups,
// and keep their signs.
func MatchKind[T rbm.Real](estimate []T, reference *spin.Matrix, hidden units.Kind) float64 {
	n, p := reference.Rows(), reference.Cols()
	unit := make([]T, len(estimate))
	for mu := range p {
		row := estimate[mu*n : (mu+1)*n]
		var square float64
		for _, v := range row {
			square += float64(v) * float64(v)
		}
		for i, v := range row {
			if square > 0 {
				unit[mu*n+i] = T(float64(v) * math.Sqrt(float64(n)/square))
			}
		}
	}
	if !hidden.OneHot() {
		return MatchMean(unit, reference).Mean()
	}
	product := make([]T, p*p) // estimate x reference
	spin.Mul(product, unit, p, reference)
	of, groups := hidden.States, p/hidden.States
	within := make([]float64, groups*groups)
	for g := range groups {
		for e := range groups {
			pairs := make([]float64, of*of)
			for k := range of {
				for l := range of {
					pairs[k*of+l] = float64(product[(e*of+l)*p+g*of+k]) / float64(n)
				}
			}
			for k, l := range assign(of, pairs) {
				within[g*groups+e] += pairs[k*of+l]
			}
		}
	}
	sum := 0.0
	for g, e := range assign(groups, within) {
		sum += within[g*groups+e]
	}
	return sum / float64(p)
}
