package planted

import (
	"context"

	"bethe/rbm"
	"bethe/sample"
	"bethe/spin"
	"bethe/stream"
)

// DeepData is Data of a deep machine: states of all its even layers, the data's first, one a
// column. If one side of the folded machine has at most MaxEnumerated units they are exact,
// else states of chains.
func DeepData(ctx context.Context, m *rbm.Machine, samples int, key stream.Key) (*spin.Matrix, error) {
	n, p := m.Visible(), m.Hidden()
	net := rbm.NetworkOf[float64](m)
	if min(n, p) > MaxEnumerated {
		chains := sample.NewChains(sample.OnNetwork(rbm.NetworkOf[float32](m)), samples, key.Sub(stream.PlantedChains))
		for range GibbsBurnIn {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			chains.Sweep(1)
		}
		return chains.Visible, nil
	}
	couplingT := make([]float64, n*p) // visible x hidden
	net.TransposeCoupling(couplingT)
	side := &rbm.Network[float64]{Coupling: couplingT, VisibleField: net.HiddenField, HiddenField: net.VisibleField} // hidden units in the place of the visible ones
	if n <= p {
		side = net
	}
	small := side.Visible()
	states := spin.New(small, 1<<small)
	for k := range 1 << small {
		for u := range small {
			states.Set(u, k, int8(2*(k>>u&1)-1))
		}
	}
	sums := make([]float64, 1<<small)
	side.LogWeights(sums, states)
	cumulate(sums)
	rng := key.Sub(stream.PlantedMarginal).Rand()
	drawn := spin.New(small, samples)
	places := make([]int, samples)
	for a := range places {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		places[a] = pick(sums, rng.Float64())
	}
	states.Gather(drawn, places)
	if n <= p {
		return drawn, nil
	}
	fields := make([]float64, n*samples)
	net.VisibleFields(fields, couplingT, drawn)
	visible := spin.New(n, samples)
	spin.Draw(visible, fields, key.Sub(stream.PlantedConditional))
	return visible, nil
}
