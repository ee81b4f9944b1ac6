package planted

import (
	"fmt"
	"math"

	"bethe/rbm"
	"bethe/spin"
)

// Pool returns the posterior means, hidden x visible, of a mixture of factorised
// posteriors of the same synapses: learners that started at different points.
// Where few data leave several states nearly equally good, one learner finds one
// of them and a mixture speaks for all (mixtures of mean fields: Jaakkola and
// Jordan 1998). A component weighs exp(logWeight); for one with lower bound L on
// the log-likelihood of all the data, in nats, that is L. Before they are
// averaged, the hidden units of each component are matched in order and sign to
// those of the heaviest. means holds one matrix a component, hidden x visible.
// It panics if the shapes do not fit.
func Pool[T rbm.Real](means [][]T, logWeights []float64, visible, hidden int) []float64 {
	if len(means) == 0 || len(means) != len(logWeights) {
		panic(fmt.Sprintf("planted: Pool of %d components with %d weights", len(means), len(logWeights)))
	}
	best := 0
	for k, w := range logWeights {
		if w > logWeights[best] {
			best = k
		}
	}
	reference := spin.New(visible, hidden)
	spin.FromSigns(hidden, visible, means[best]).Transpose(reference)
	total := rbm.LogSumExp(logWeights)
	pooled := make([]float64, visible*hidden)
	for k, mean := range means {
		weight := math.Exp(logWeights[k] - total)
		match := MatchMean(mean, reference)
		for nu, mu := range match.Unit {
			w := weight * float64(match.Sign[nu])
			for i, v := range mean[mu*visible : (mu+1)*visible] {
				pooled[nu*visible+i] += w * float64(v)
			}
		}
	}
	return pooled
}
