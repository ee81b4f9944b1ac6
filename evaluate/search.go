package evaluate

import (
	"context"
	"slices"

	"bethe/sample"
	"bethe/stream"
)

// What a search for heavy states costs: states that are tried, the sweeps by which they
// settle, and the ensembles and sweeps of tempered chains that begin where they came to.
// The last are shares of those of the estimate.
const (
	searchStarts    = 256
	searchSettling  = 25
	searchEnsembles = 4
	searchSweeps    = 4
)

func (o *Options) searching() (ensembles, sweeps int) {
	return max(2, o.Chains/searchEnsembles), max(LeastEquilibration, o.Equilibration/searchSweeps)
}

// search tempers ensembles that begin at the heaviest states, and at some others, to which
// extreme starts settled. It has streams of its own: what else is estimated is the same
// without it.
func (e *estimation[T, V, H]) search(ctx context.Context, ladder []float64) (states *V, err error) {
	source, ok := e.source.(sample.Searching[V])
	if !ok {
		return nil, nil
	}
	ensembles, sweeps := e.opt.searching()
	key := e.opt.Key.Sub(stream.EstimateSearch)
	chains := sample.NewChains(e.source, searchStarts, key.Sub(stream.SearchChains))
	chains.StartAt(source.Extremes(searchStarts, key.Sub(stream.SearchStarts)))
	weights := make([]float64, searchStarts)
	chains.LogWeights(weights)
	heaviest := slices.Max(weights)
	for range searchSettling {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		chains.Sweep(1)
		chains.LogWeights(weights)
		heaviest = max(heaviest, slices.Max(weights))
	}
	order := sample.Heaviest(weights, searchStarts)
	chosen := slices.Clone(order[:ensembles/2])
	rest := order[ensembles/2:]
	for k := range ensembles - len(chosen) {
		chosen = append(chosen, rest[k*len(rest)/(ensembles-ensembles/2)])
	}
	starts := e.source.NewVisible(ensembles)
	chains.Visible.Gather(starts, chosen)

	tempered := sample.NewTempered(e.source, sample.Tempering{Chains: ensembles, Ladder: ladder, Key: key.Sub(stream.SearchTempering)})
	tempered.StartAt(starts)
	now := weights[:ensembles]
	for k := range sweeps {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if k == sweeps/2 {
			tempered.Exchanges.Reset()
		}
		tempered.Sweep(1)
		tempered.LogWeights(now)
		heaviest = max(heaviest, slices.Max(now))
		if k%16 == 0 {
			e.tell(e.spent + temperingCost*float64(k*len(ladder))/searchEnsembles)
		}
	}
	e.spent += temperingCost * float64(sweeps*len(ladder)) / searchEnsembles
	for l := range ensembles {
		e.evidence.Searched = append(e.evidence.Searched, tempered.LnZ([]int{l}))
	}
	e.result.Equilibrium.Search = &Search{Starts: searchStarts, Ensembles: ensembles, Sweeps: sweeps, Ceiling: *e.likelihood(heaviest)}
	return &tempered.Top().Visible, nil
}
