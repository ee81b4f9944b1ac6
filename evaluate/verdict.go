package evaluate

import (
	"fmt"
	"math"
)

// Apart tells of tempered ensembles that stand apart: by themselves they give an ln Z
// far above that of all together. They have met states that others have not, and are
// looked at by themselves.
type Apart struct {
	Excess     float64 `json:"excess"`     // the largest ln Z of an ensemble alone, minus that of all
	Ensembles  int     `json:"ensembles"`  // tempered ones that stand apart and were looked at
	Light      int     `json:"light"`      // of them are in states that weigh next to nothing
	Unmeasured int     `json:"unmeasured"` // ensembles that were too different to be looked at
	Found      []Found `json:"found,omitempty"`
}

// Found is a group of states of ensembles that stand apart, measured by annealing from a
// base of its own.
type Found struct {
	Ensembles int     `json:"ensembles"` // in them
	Searched  int     `json:"searched"`  // ensembles of the search in them
	Share     float64 `json:"ln_share"`  // ln of their share of Z: at most this, but for errors
	Excess    float64 `json:"excess"`    // ln Z from their base, minus that of all: Z is hardly ever less
	// Likelihood is the mean log-likelihood with the ln Z from their base.
	Likelihood float64 `json:"likelihood"`
}

// A Search tells what more kinds of starts have found.
type Search struct {
	Starts     int `json:"starts"`               // states that were tried
	Remembered int `json:"remembered,omitempty"` // of them the machine knew, such as those that scouts met in learning
	Ensembles  int `json:"ensembles"`            // tempered ones that began at some of them
	Sweeps     int `json:"sweeps"`
	// Ceiling is an upper limit of the likelihood, by the heaviest state found.
	Ceiling float64 `json:"ceiling"`
	Excess  float64 `json:"excess"` // the largest ln Z of such an ensemble alone, minus that of all
}

// A Doubt says why an estimate is not to be believed.
type Doubt string

// Doubts. More sweeps of equilibration, ensembles or temperatures usually settle one; the Remedy of
// a Reason says which.
const (
	ApartDoubt     Doubt = "apart"
	UnknownDoubt   Doubt = "unmeasured"
	LightDoubt     Doubt = "light"
	CeilingDoubt   Doubt = "ceiling"
	LimitDoubt     Doubt = "above_limit"
	StartsDoubt    Doubt = "starts"
	TripsDoubt     Doubt = "round_trips"
	SlowDoubt      Doubt = "autocorrelation"
	ReversedDoubt  Doubt = "reverse_above_forward"
	GapDoubt       Doubt = "gap"
	TemperedDoubt  Doubt = "tempered"
	EffectiveDoubt Doubt = "effective_chains"
	SlopeDoubt     Doubt = "crooks_slope"
)

// A Reason is a doubt with its numbers, in words.
type Reason struct {
	Doubt  Doubt  `json:"doubt"`
	Says   string `json:"says"`
	Remedy string `json:"remedy"`
}

// Limits of the verdict, set by bench/trust.
const (
	maxExcess     = 3   // nats of ln Z: an ensemble that alone gives this much more is looked at
	maxHeavier    = 1   // nats of ln Z, by their own base
	minShare      = -2  // nats: ln of the share of Z below which states are light, all of them together
	maxDifference = 3   // standard errors
	leastMatters  = 0.1 // nats: differences below it do not matter
	maxKept       = 0.5 // nats
	maxWeighed    = 1   // nats
	maxGap        = 1
	minEffective  = 10 // chains
	minRoundTrips = 1  // an ensemble
	// minAutocorrelated is the least number of sweeps that count, in units of the autocorrelation time.
	minAutocorrelated = 1
)

// reasons returns what speaks against an estimate.
func reasons(l *LogLikelihood, ev *Evidence) []Reason {
	list := []Reason{}
	doubt := func(d Doubt, remedy, says string, args ...any) {
		list = append(list, Reason{d, fmt.Sprintf(says, args...), remedy})
	}
	q := l.Equilibrium
	const sweeps, ensembles, temperatures = "more sweeps", "more ensembles", "more temperatures"
	a := &q.Apart
	kinds, heavier, worst := 0, Found{}, &Found{Likelihood: math.Inf(1)}
	// What modes weigh counts by annealing back from them. What they leave of the likelihood is by
	// annealing to them, or by their weights if that says more.
	if total := ev.total(ev.LogWeight - *l.ReverseAIS); total > maxHeavier {
		for k := range a.Found {
			if f := &a.Found[k]; f.Share > minShare {
				kinds++
				heavier.Ensembles += f.Ensembles
				heavier.Searched += f.Searched
				if f.Likelihood < worst.Likelihood {
					worst = f
				}
			}
		}
		doubt(ApartDoubt, ensembles+" and "+sweeps, "%d of %d tempered ensembles and %d of the search stand apart, in %d kinds of states, by which Z is exp(%.1f) times as large and the likelihood %.3f",
			heavier.Ensembles, q.Ensembles, heavier.Searched, kinds, total, min(worst.Likelihood, *l.ReverseAIS-total))
	}
	if a.Unmeasured > 0 {
		doubt(UnknownDoubt, sweeps, "%d ensembles stand apart, by up to %.1f nats, each in states of its own", a.Unmeasured, a.Excess)
	}
	if 2*a.Light > q.Ensembles {
		doubt(LightDoubt, sweeps, "%d of %d tempered ensembles are in states that together weigh little", a.Light, q.Ensembles)
	}
	if l.ceilingBinds() {
		doubt(CeilingDoubt, ensembles, "a single state weighs so much that the likelihood is at most %.3f", l.leastCeiling())
	}
	if l.AboveLimit {
		doubt(LimitDoubt, ensembles+" and "+temperatures, "%.3f is more than any log-likelihood can be", *l.ReverseAIS)
	}
	if d, e := q.StartDifferenceKept, q.StartDifferenceKeptError; math.Abs(d) > max(maxKept, maxDifference*e) {
		doubt(StartsDoubt, sweeps, "ensembles that started at data and far from data differ by %.3f ± %.3f", d, e)
	} else if w := q.StartDifferenceWeighed; math.Abs(w) > maxWeighed {
		doubt(StartsDoubt, sweeps, "by what their states weigh, ensembles that started at data and far from data differ by %.3f", w)
	}
	if q.RoundTrips < minRoundTrips {
		doubt(TripsDoubt, sweeps, "%.2f round trips an ensemble between base and machine", q.RoundTrips)
	}
	if counted := q.Sweeps - q.Sweeps/2; ev.Autocorrelation*minAutocorrelated > float64(counted) {
		doubt(SlowDoubt, sweeps, "the autocorrelation time is %.0f sweeps, of %d that count", ev.Autocorrelation, counted)
	}
	error := func(in *Interval) float64 { return (in[1] - in[0]) / (2 * 1.96) }
	spread := math.Hypot(error(l.ForwardInterval), error(l.ReverseInterval))
	if gap := *l.ForwardAIS - *l.ReverseAIS; -gap > max(leastMatters, maxDifference*spread) {
		doubt(ReversedDoubt, sweeps, "reverse lies %.3f ± %.3f above forward, which it should not", -gap, spread)
	} else if gap > maxGap {
		doubt(GapDoubt, temperatures, "forward and reverse differ by %.3f", gap)
	}
	if d := *l.Tempered - *l.ReverseAIS; math.Abs(d) > maxGap {
		doubt(TemperedDoubt, sweeps, "tempered and reverse differ by %.3f", d)
	}
	if q.slopeDoubt(ev.workSpread()) {
		doubt(SlopeDoubt, sweeps, "ln P_F/P_R of the works has slope %.2f ± %.2f, %.1f deviations from 1: reverse does not start in equilibrium", *q.CrooksSlope, *q.CrooksSlopeError, math.Abs(*q.CrooksDeviations))
	}
	least := min(minEffective, float64(q.Ensembles)/2)
	if e := min(l.Effective, l.ReverseEffective); e < least {
		doubt(EffectiveDoubt, temperatures, "%.1f effective chains, where %.1f are needed", e, least)
	}
	return list
}

// rounding is what a log-weight of a state may be off by in float32, in nats, a nat of its size.
const rounding = 1e-6

// ceilingBinds reports whether a ceiling contradicts reverse, beyond its interval and rounding.
func (l *LogLikelihood) ceilingBinds() bool {
	return l.leastCeiling() < l.ReverseInterval[0]-rounding*max(1000, math.Abs(l.LogWeight))
}

// leastCeiling is the lowest ceiling that is known.
func (l *LogLikelihood) leastCeiling() float64 {
	c := *l.Ceiling
	if s := l.Equilibrium.Search; s != nil {
		c = min(c, s.Ceiling)
	}
	return c
}
