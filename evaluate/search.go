package evaluate

import (
	"context"
	"slices"

	"bethe/sample"
	"bethe/stream"
)

// The cost of a search for heavy states.
const (
	searchStarts    = 256 // states that are tried
	searchSettling  = 25  // sweeps that each settles for
	searchEnsembles = 4   // one for so many chains of the estimate
	searchSweeps    = 4   // one for so many sweeps of the estimate's chains
	mostRemembered  = 256 // of the states that a machine knows, the heaviest
)

func (o *Options) searching() (ensembles, sweeps int) {
	return max(2, o.Chains/searchEnsembles), max(LeastEquilibration, o.Equilibration/searchSweeps)
}

// search tempers ensembles that begin at the heaviest states and at some others: those where chains from
// extreme starts settled. It has streams of its own: the other estimates are the same
// without it.
func (e *estimation[T, V, H]) search(ctx context.Context, ladder []float64) (states *V, err error) {
	source, ok := e.source.(sample.Searching[V])
	if !ok {
		return nil, nil
	}
	ensembles, sweeps := e.opt.searching()
	key := e.opt.Key.Sub(stream.EstimateSearch)
	begin := source.Extremes(searchStarts, key.Sub(stream.SearchStarts))
	remembered, count := e.remembered()
	if count > 0 {
		all := e.source.NewVisible(searchStarts + count)
		all.Put(begin, first(searchStarts))
		all.Put(remembered, first(searchStarts + count)[searchStarts:])
		begin = all
	}
	starts := begin.Len()
	chains := sample.NewChains(e.source, starts, key.Sub(stream.SearchChains))
	chains.StartAt(begin)
	weights := make([]float64, starts)
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
	order := sample.Heaviest(weights, starts)
	chosen := slices.Clone(order[:ensembles/2])
	rest := order[ensembles/2:]
	for k := range ensembles - len(chosen) {
		chosen = append(chosen, rest[k*len(rest)/(ensembles-ensembles/2)])
	}
	settled := e.source.NewVisible(ensembles)
	chains.Visible.Gather(settled, chosen)

	tempered := sample.NewTempered(e.source, sample.Tempering{Chains: ensembles, Ladder: ladder, Key: key.Sub(stream.SearchTempering)})
	tempered.StartAt(settled)
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
	e.result.Equilibrium.Search = &Search{Starts: starts, Remembered: count, Ensembles: ensembles, Sweeps: sweeps, Ceiling: *e.likelihood(heaviest)}
	return &tempered.Top().Visible, nil
}

// remembered returns the states that the machine knows, the heaviest if they are many.
func (e *estimation[T, V, H]) remembered() (states V, count int) {
	m, ok := e.machine.(Remembering[V])
	if !ok {
		return states, 0
	}
	all, ok := m.Remembered()
	if !ok {
		return states, 0
	}
	order := sample.Heaviest(e.machine.LogWeights(all), mostRemembered)
	states = e.source.NewVisible(len(order))
	all.Gather(states, order)
	return states, len(order)
}
