package evaluate

import (
	"fmt"
	"math"
)

// Apart tells of tempered ensembles that stand apart: by themselves they give an ln Z
// far above that of all together. They have met states that weigh more than what the
// others saw, and few of them are enough to doubt the estimates.
type Apart struct {
	Ensembles int     `json:"ensembles"`
	Excess    float64 `json:"excess"` // the largest ln Z of an ensemble alone, minus that of all
	// Likelihood is what it would be by those that stand apart alone.
	Likelihood *float64 `json:"likelihood,omitempty"`
}

// A Search tells what more kinds of starts have found.
type Search struct {
	Starts    int `json:"starts"`    // states that were tried
	Ensembles int `json:"ensembles"` // tempered ones that began at some of them
	Sweeps    int `json:"sweeps"`
	// Ceiling is the likelihood's by the heaviest state found.
	Ceiling float64 `json:"ceiling"`
	Apart   Apart   `json:"apart"`
}

// A Doubt says why an estimate is not to be believed.
type Doubt string

// Doubts. A larger number of what stands behind each usually helps: sweeps of equilibration,
// ensembles, temperatures.
const (
	ApartDoubt     Doubt = "apart"
	SearchDoubt    Doubt = "search"
	CeilingDoubt   Doubt = "ceiling"
	StartsDoubt    Doubt = "starts"
	TripsDoubt     Doubt = "round_trips"
	SlowDoubt      Doubt = "autocorrelation"
	ReversedDoubt  Doubt = "reverse_above_forward"
	GapDoubt       Doubt = "gap"
	EffectiveDoubt Doubt = "effective_chains"
)

// A Reason is a doubt with its numbers, in words.
type Reason struct {
	Doubt  Doubt  `json:"doubt"`
	Says   string `json:"says"`
	Remedy string `json:"remedy"`
}

// Limits of the verdict, set by bench/trust.
const (
	maxExcess     = 3   // nats of ln Z
	maxDifference = 3   // standard errors
	leastMatters  = 0.1 // nats: differences below it do not matter
	maxWeighed    = 1   // nats
	maxGap        = 1
	minEffective  = 10 // chains
	minRoundTrips = 1  // an ensemble
	// minAutocorrelated is the least number of sweeps that count, in units of the autocorrelation time.
	minAutocorrelated = 3
)

// reasons returns what speaks against an estimate.
func reasons(l *LogLikelihood) (list []Reason) {
	doubt := func(d Doubt, remedy, says string, args ...any) {
		list = append(list, Reason{d, fmt.Sprintf(says, args...), remedy})
	}
	q := l.Equilibrium
	const sweeps, ensembles, temperatures = "more sweeps", "more ensembles", "more temperatures"
	if a := q.Apart; a.Ensembles > 0 {
		doubt(ApartDoubt, sweeps+" and "+ensembles, "%d of %d tempered ensembles stand apart, by up to %.1f nats: by them alone the likelihood is %.3f",
			a.Ensembles, q.Ensembles, a.Excess, *a.Likelihood)
	}
	if s := q.Search; s != nil && s.Apart.Ensembles > 0 {
		doubt(SearchDoubt, sweeps+" and "+ensembles, "%d of %d ensembles of the search for heavy states stand apart, by up to %.1f nats: by them alone the likelihood is %.3f",
			s.Apart.Ensembles, s.Ensembles, s.Apart.Excess, *s.Apart.Likelihood)
	}
	if c := l.leastCeiling(); c < l.ReverseInterval[0]-1e-3 {
		doubt(CeilingDoubt, ensembles, "a single state weighs so much that the likelihood is at most %.3f", c)
	}
	if d, e := math.Abs(q.StartDifference), q.StartDifferenceError; d > max(leastMatters, maxDifference*e) {
		doubt(StartsDoubt, sweeps, "ensembles that started at data and far from data differ by %.3f ± %.3f", q.StartDifference, e)
	} else if w, e := math.Abs(q.StartDifferenceWeighed), q.StartDifferenceWeighedError; w > max(maxWeighed, maxDifference*e) {
		doubt(StartsDoubt, sweeps, "by what their states weigh, ensembles that started at data and far from data differ by %.3f ± %.3f", q.StartDifferenceWeighed, e)
	}
	if q.RoundTrips < minRoundTrips {
		doubt(TripsDoubt, sweeps, "%.2f round trips an ensemble between base and machine", q.RoundTrips)
	}
	if counted := q.Sweeps - q.Sweeps/2; q.Autocorrelation*minAutocorrelated > float64(counted) {
		doubt(SlowDoubt, sweeps, "the autocorrelation time is %.0f sweeps, of %d that count", q.Autocorrelation, counted)
	}
	error := func(in *Interval) float64 { return (in[1] - in[0]) / (2 * 1.96) }
	spread := math.Hypot(error(l.ForwardInterval), error(l.ReverseInterval))
	if gap := *l.ForwardAIS - *l.ReverseAIS; -gap > max(leastMatters, maxDifference*spread) {
		doubt(ReversedDoubt, sweeps, "reverse lies %.3f ± %.3f above forward, which it should not", -gap, spread)
	} else if gap > maxGap {
		doubt(GapDoubt, temperatures, "forward and reverse differ by %.3f", gap)
	}
	least := min(minEffective, float64(q.Ensembles)/2)
	if e := min(l.Effective, l.ReverseEffective); e < least {
		doubt(EffectiveDoubt, temperatures, "%.1f effective chains, where %.1f are needed", e, least)
	}
	return list
}

// leastCeiling is the lowest ceiling that is known.
func (l *LogLikelihood) leastCeiling() float64 {
	c := *l.Ceiling
	if s := l.Equilibrium.Search; s != nil {
		c = min(c, s.Ceiling)
	}
	return c
}
