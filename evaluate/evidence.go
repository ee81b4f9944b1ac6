package evaluate

import (
	"math"
	"slices"

	"bethe/sample"
	"bethe/stream"
)

// Evidence is what an annealed estimate and its verdict are made of, all as ln Z.
// LogWeight - ln Z is a likelihood.
type Evidence struct {
	LogWeight float64 // mean log-weight of the samples
	// Forward, Reverse and RAISE are by each annealed chain alone. Chain l of Reverse
	// starts where ensemble l of the tempered chains ended.
	Forward, Reverse, RAISE []float64
	// LnZBase and Ratios are what the tempered chains found: those of ensembles that
	// started at samples come first.
	LnZBase float64
	Ratios  []sample.Ratio
	// Searched are by each tempered ensemble alone that began at the states of a search.
	Searched []float64
	// Modes are those of ensembles that stand apart, and Unmeasured is the number of such
	// ensembles in others, which were too many to be measured.
	Modes      []Mode
	Unmeasured int
	// Autocorrelation is that of the ensembles in modes that are not light.
	Autocorrelation float64
}

// Ensembles returns the number of tempered ensembles.
func (e *Evidence) Ensembles() int {
	if len(e.Ratios) == 0 {
		return 0
	}
	return len(e.Ratios[0].Up)
}

// LnZ returns ln Z by the exchanges of the named tempered ensembles.
func (e *Evidence) LnZ(ensembles []int) float64 {
	sum := e.LnZBase
	for k := range e.Ratios {
		sum += e.Ratios[k].Ln(ensembles)
	}
	return sum
}

// Alone returns ln Z by each of the tempered ensembles by itself.
func (e *Evidence) Alone() []float64 {
	list := make([]float64, e.Ensembles())
	for l := range list {
		list[l] = e.LnZ([]int{l})
	}
	return list
}

// Judge fills in the intervals of an estimate, and the verdict, from its evidence. Likelihoods are
// at most limit. Judgements of the same evidence with the same key are equal.
func (e *Evidence) Judge(l *LogLikelihood, limit float64, key stream.Key) {
	forward, reverse, raise, exchanged := e.Intervals(key)
	if forward[0] > reverse[1] { // reverse starts have missed something, or forward has, and the truth is likely between
		reverse[1] = *l.ForwardAIS
	}
	forward[0] = min(forward[0], *l.ReverseAIS) // forward cannot see the states that it missed
	l.ForwardInterval, l.ReverseInterval, l.RAISEInterval, l.TemperedInterval = &forward, &reverse, &raise, &exchanged
	l.RAISEWithdrawn = *l.RAISE > max(reverse[1], exchanged[1])
	l.AboveLimit = reverse[0] > limit
	n := e.Ensembles()
	half := n / 2
	alone := e.Alone()
	q := l.Equilibrium
	reference := e.reference()
	q.Apart = Apart{Excess: slices.Max(alone) - reference, Unmeasured: e.Unmeasured}
	if s := q.Search; s != nil {
		s.Excess = slices.Max(e.Searched) - reference
	}
	light := e.light()
	for k := range e.Modes {
		m := &e.Modes[k]
		whole, own := m.whole(), m.own()
		q.Apart.Found = append(q.Apart.Found, Found{Ensembles: len(m.Ensembles), Searched: len(m.Searched),
			Share: own - reference, Excess: whole - reference, Likelihood: e.LogWeight - whole})
		q.Apart.Ensembles += len(m.Ensembles)
	}
	q.Apart.Light = len(light)
	difference := func(data, afar []int) (value, standardError float64) {
		a, errorA := e.lnZAndError(data)
		b, errorB := e.lnZAndError(afar)
		return b - a, math.Hypot(errorA, errorB)
	}
	q.StartDifference, q.StartDifferenceError = difference(first(half), first(n)[half:])
	of := func(lo, hi int) (list []int) {
		for l := lo; l < hi; l++ {
			if !slices.Contains(light, l) {
				list = append(list, l)
			}
		}
		return list
	}
	fromData, fromAfar := of(0, half), of(half, n)
	if len(fromData) < 2 || len(fromAfar) < 2 {
		fromData, fromAfar = first(half), first(n)[half:]
	}
	q.StartDifferenceKept, q.StartDifferenceKeptError = difference(fromData, fromAfar)
	q.StartDifferenceWeighed = lnMean(pick(alone, fromAfar)) - lnMean(pick(alone, fromData))
	e.acceptance(l, key)
	q.Reasons = reasons(l, e)
	q.Reached = len(q.Reasons) == 0
	l.Best = l.best()
}

// reference returns the ln Z against which modes are held: by all tempered ensembles or by
// reverse, whichever is less. Ensembles that are stuck in light modes make the first far too large.
func (e *Evidence) reference() float64 {
	return min(e.LnZ(first(e.Ensembles())), lnHarmonicMean(e.Reverse))
}

// light returns the tempered ensembles in modes that weigh next to nothing.
func (e *Evidence) light() (list []int) {
	for k := range e.Modes {
		if e.Modes[k].own()-e.reference() < minShare {
			list = append(list, e.Modes[k].Ensembles...)
		}
	}
	slices.Sort(list)
	return list
}

func pick(values []float64, of []int) []float64 {
	out := make([]float64, len(of))
	for k, l := range of {
		out[k] = values[l]
	}
	return out
}

// Intervals returns those of forward, reverse, RAISE and tempered. Those of the first two and
// the last are by bootstraps of t ratios over chains and ensembles. Forward may have missed the
// modes of ensembles that stand apart, and its interval reaches to where Z holds them too. If some ensembles
// are in light states, the intervals of reverse and tempered reach from those with them to
// those without.
func (e *Evidence) Intervals(key stream.Key) (forward, reverse, raise, tempered Interval) {
	key = key.Sub(stream.EstimateBootstrap)
	n := len(e.Forward)
	in := func(low, high float64) Interval { return Interval{e.LogWeight - high, e.LogWeight - low} }
	forward = in(studentised(first(n), key.Sub(stream.BootstrapForward), func(chosen []int) (float64, float64) { return lnMeanAndError(e.Forward, chosen) }))
	minus := make([]float64, len(e.Reverse))
	for k, v := range e.Reverse {
		minus[k] = -v
	}
	reversed := func(of []int) Interval {
		low, high := studentised(of, key.Sub(stream.BootstrapReverse), func(chosen []int) (float64, float64) { return lnMeanAndError(minus, chosen) })
		return in(-high, -low)
	}
	exchanged := func(of []int) Interval { return in(studentised(of, key.Sub(stream.BootstrapTempered), e.lnZAndError)) }
	reverse, tempered = reversed(first(n)), exchanged(first(n))
	if kept := e.kept(); len(kept) >= 2 && len(kept) < n {
		reverse, tempered = reverse.or(reversed(kept)), tempered.or(exchanged(kept))
	}
	forward[0] -= e.missing()
	values := bootstrap(len(e.RAISE), key.Rand(), func(chosen []int) float64 { return mean(pick(e.RAISE, chosen)) })
	return forward, reverse, in(values[tail], values[replicates-1-tail]), tempered
}

// missing returns how much ln Z would grow by modes that others have not met.
func (e *Evidence) missing() float64 {
	reference, sum := e.reference(), 0.0
	for k := range e.Modes {
		sum += math.Exp(min(0, e.Modes[k].own()-reference))
	}
	return math.Log1p(sum)
}

// or returns the interval that reaches over both.
func (in Interval) or(other Interval) Interval {
	return Interval{min(in[0], other[0]), max(in[1], other[1])}
}

// kept returns the tempered ensembles that are in no light mode.
func (e *Evidence) kept() (list []int) {
	light := e.light()
	for l := range e.Ensembles() {
		if !slices.Contains(light, l) {
			list = append(list, l)
		}
	}
	return list
}

// studentised returns the 95 % interval of a statistic of some things about its value, by a
// bootstrap of its t ratio, which takes in how skewed it is (Efron and Tibshirani 1993,
// chapter 12). statistic returns the value and the standard error from the chosen things.
func studentised(of []int, key stream.Key, statistic func(chosen []int) (value, standardError float64)) (low, high float64) {
	value, se := statistic(of)
	if !(se > 0) {
		return value, value
	}
	ratios := bootstrap(len(of), key.Rand(), func(chosen []int) float64 {
		for k, l := range chosen {
			chosen[k] = of[l]
		}
		v, s := statistic(chosen)
		if !(s > 0) {
			return 0
		}
		return (v - value) / s
	})
	return value - ratios[replicates-1-tail]*se, value - ratios[tail]*se
}

// LnMeanInterval returns the 95 % interval of ln of the mean of exp(x), by a bootstrap of
// its t ratio with streams below key.
func LnMeanInterval(x []float64, key stream.Key) Interval {
	low, high := studentised(first(len(x)), key, func(chosen []int) (float64, float64) { return lnMeanAndError(x, chosen) })
	return Interval{low, high}
}

// lnMeanAndError returns ln of the mean of exp(x) of the chosen x, and its standard
// error to first order.
func lnMeanAndError(x []float64, chosen []int) (value, standardError float64) {
	value = lnMean(pick(x, chosen))
	var square float64
	for _, l := range chosen {
		d := math.Exp(x[l]-value) - 1
		square += d * d
	}
	n := float64(len(chosen))
	return value, math.Sqrt(square / max(1, n-1) / n)
}

// share returns x as a share of sum, 0 of none: no exchange was possible.
func share(x, sum float64) float64 {
	if sum == 0 {
		return 0
	}
	return x / sum
}

// lnZAndError returns ln Z by the exchanges of the chosen ensembles, and its standard
// error to first order.
func (e *Evidence) lnZAndError(chosen []int) (value, standardError float64) {
	value = e.LnZBase
	n := float64(len(chosen))
	influence := make([]float64, len(chosen))
	for k := range e.Ratios {
		r := &e.Ratios[k]
		var up, down float64
		for _, l := range chosen {
			up += r.Up[l]
			down += r.Down[l]
		}
		value += r.Ln(chosen)
		for j, l := range chosen {
			influence[j] += n * (share(r.Up[l], up) - share(r.Down[l], down))
		}
	}
	return value, deviation(influence) / math.Sqrt(n)
}
