package evaluate

import (
	"cmp"
	"context"
	"math"
	"slices"

	"bethe/sample"
	"bethe/stream"
	"bethe/units"
)

// An Equilibrium tells what speaks for tempered chains being in equilibrium, in
// the half of their sweeps that is not thrown away.
type Equilibrium struct {
	// Reached is true if there are no Reasons against it: no disagreement was seen. A
	// state that no chain met remains possible.
	Reached      bool `json:"reached"`
	Sweeps       int  `json:"sweeps"` // in all
	Ensembles    int  `json:"ensembles"`
	Temperatures int  `json:"temperatures"`
	// StartDifference compares likelihoods by Tempered: ensembles that started at samples
	// minus ensembles that started at scattered states. StartDifferenceError is its standard error.
	StartDifference      float64 `json:"start_difference"`
	StartDifferenceError float64 `json:"start_difference_error"`
	// LeastExchange is the lowest rate at which neighbouring temperatures exchange states.
	LeastExchange float64 `json:"least_exchange_rate"`
	// RoundTrips are those between base and machine, an ensemble.
	RoundTrips float64 `json:"round_trips"`
	// Autocorrelation is the integrated autocorrelation time, in sweeps, of the
	// log-weight of the states at the machine.
	Autocorrelation float64 `json:"autocorrelation_sweeps"`
	// Length of the path from base to machine, in standard deviations of the log-weight.
	Length float64 `json:"path_length"`
	// CrooksSlope is that of ln P_F(W)/P_R(W) against the works W of both directions, 1 if both
	// start in equilibrium; nil if the works tell no slope.
	CrooksSlope      *float64 `json:"crooks_slope,omitempty"`
	CrooksSlopeError *float64 `json:"crooks_slope_error,omitempty"`
	CrooksDeviations *float64 `json:"crooks_slope_deviations,omitempty"` // the difference from 1, in standard deviations

	Reasons []Reason `json:"reasons"` // against the estimate
	Apart   Apart    `json:"apart"`
	// StartDifferenceKept is StartDifference without ensembles in light states,
	// and StartDifferenceWeighed the same with each ensemble weighed by the Z that
	// it gives alone, so that a heavy state counts by its weight and not by the share of
	// ensembles that are in it.
	StartDifferenceKept      float64 `json:"start_difference_kept"`
	StartDifferenceKeptError float64 `json:"start_difference_kept_error"`
	StartDifferenceWeighed   float64 `json:"start_difference_weighed"`
	Search                   *Search `json:"search,omitempty"`
}

// temperingCost is what a sweep of a tempered chain costs in annealing steps of one.
const temperingCost = 1.5

// temper equilibrates tempered chains, fills in what they tell, and returns
// their last states at the machine.
func (e *estimation[T, V, H]) temper(ctx context.Context, profile *sample.Profile) (states V, err error) {
	chains, key := e.opt.Chains, e.opt.Key.Sub(stream.EstimateTempering)
	ladder := profile.ExchangeLadder(rungLength)
	tempered := sample.NewTempered(e.source, sample.Tempering{Chains: chains, Ladder: ladder, Key: key})
	tempered.StartAt(e.starts())
	burn := e.opt.Equilibration / 2
	counted := e.opt.Equilibration - burn
	weights := make([][]float64, counted) // of the top states
	now, heaviest := make([]float64, chains), math.Inf(-1)
	for k := range e.opt.Equilibration {
		if err := ctx.Err(); err != nil {
			return states, err
		}
		if k == burn {
			tempered.Exchanges.Reset()
		}
		tempered.Sweep(1)
		tempered.LogWeights(now)
		heaviest = max(heaviest, slices.Max(now))
		if k >= burn {
			weights[k-burn] = slices.Clone(now)
		}
		if k%16 == 0 {
			e.tell(e.spent + temperingCost*float64(k*len(ladder)))
		}
	}
	e.spent += temperingCost * float64(e.opt.Equilibration*len(ladder))

	e.result.Ceiling = e.likelihood(heaviest)
	e.evidence.LnZBase, e.evidence.Ratios = e.source.LnZBase(), tempered.Exchanges.Ratios()
	e.result.Tempered = e.likelihood(tempered.LnZ(nil))
	exchanges := &tempered.Exchanges
	least := 1.0
	for _, rate := range exchanges.Rates() {
		least = min(least, rate)
	}
	q := &Equilibrium{
		Sweeps: e.opt.Equilibration, Ensembles: chains, Temperatures: len(ladder), Length: profile.Length(),
		LeastExchange: least, RoundTrips: float64(exchanges.RoundTrips) / float64(chains),
		Autocorrelation: autocorrelation(weights),
	}
	e.result.Equilibrium = q
	searched, err := e.search(ctx, ladder)
	if err != nil {
		return states, err
	}
	e.searched, e.logWeights = searched, weights
	return tempered.Top().Visible.Clone(), nil
}

// starts returns visible states for the tempered chains: samples in the first half;
// in the second scattered states, or draws from the base if none are known.
func (e *estimation[T, V, H]) starts() V {
	chains, key := e.opt.Chains, e.opt.Key.Sub(stream.EstimateSamples)
	apart := e.source.Base
	if s, ok := e.source.(sample.Scattering[V]); ok {
		apart = s.Scattered
	}
	starts := apart(chains, key.Sub(stream.SamplesScattered))
	starts.Swap(units.Choose(e.samples, chains, key.Sub(stream.SamplesStarts).Rand()), first(chains/2))
	return starts
}

// first returns 0 ... n-1.
func first(n int) []int {
	list := make([]int, n)
	for k := range list {
		list[k] = k
	}
	return list
}

// autocorrelation returns the integrated autocorrelation time of series x
// [time][series], 1 where they are independent in time, summed over a window of
// five times itself (Sokal 1997). All series share one mean, so that those
// which stay apart count as correlated.
func autocorrelation(x [][]float64) float64 {
	var all float64
	for _, row := range x {
		all += mean(row) / float64(len(x))
	}
	covariance := func(lag int) float64 {
		sum := 0.0
		for t := range len(x) - lag {
			for l, v := range x[t] {
				sum += (v - all) * (x[t+lag][l] - all)
			}
		}
		return sum / float64((len(x)-lag)*len(x[0]))
	}
	variance := covariance(0)
	if variance == 0 {
		return 1
	}
	time := 1.0
	for lag := 1; lag < len(x) && float64(lag) < 5*time; lag++ {
		time += 2 * covariance(lag) / variance
	}
	return max(1, time)
}

// ranks returns series [time][series] with each value replaced by its rank among all, equal ones by their mean
// rank: so that one series far from all others does not stand for all.
func ranks(x [][]float64) [][]float64 {
	width := len(x[0])
	order := first(len(x) * width)
	at := func(k int) float64 { return x[k/width][k%width] }
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(at(a), at(b)) })
	out := make([][]float64, len(x))
	for t := range out {
		out[t] = make([]float64, width)
	}
	for lo := 0; lo < len(order); {
		hi := lo
		for hi < len(order) && at(order[hi]) == at(order[lo]) {
			hi++
		}
		for _, k := range order[lo:hi] {
			out[k/width][k%width] = float64(lo+hi-1) / 2
		}
		lo = hi
	}
	return out
}

// without returns series x [time][series] less some of the series, or all of them if
// none would be left.
func without(x [][]float64, series []int) [][]float64 {
	if len(series) == 0 || len(series) == len(x[0]) {
		return x
	}
	out := make([][]float64, len(x))
	for t, row := range x {
		for l, v := range row {
			if !slices.Contains(series, l) {
				out[t] = append(out[t], v)
			}
		}
	}
	return out
}
