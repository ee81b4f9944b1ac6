package evaluate

import (
	"cmp"
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
	e.leaveOut(l)
	forward, reverse, raise, exchanged := e.Intervals(key)
	if forward[0] > reverse[1] { // reverse starts have missed something, or forward has, and the truth is likely between
		reverse[1] = *l.ForwardAIS
	}
	forward[0] = min(forward[0], *l.ReverseAIS) // forward cannot see the states that it missed
	exchanged = Interval{min(exchanged[0], *l.ReverseAIS), max(exchanged[1], *l.ReverseAIS)}
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
	measured := slices.Clone(alone)
	for k := range e.Modes {
		m := &e.Modes[k]
		for _, l := range m.Ensembles {
			measured[l] = min(alone[l], m.whole())
		}
	}
	fromData, fromAfar := of(0, half), of(half, n)
	if len(fromData) < 2 || len(fromAfar) < 2 {
		fromData, fromAfar = first(half), first(n)[half:]
	}
	q.StartDifferenceKept, q.StartDifferenceKeptError = difference(fromData, fromAfar)
	q.StartDifferenceWeighed = lnMean(pick(measured, fromAfar)) - lnMean(pick(measured, fromData))
	e.acceptance(l, key)
	q.Reasons = reasons(l, e)
	q.Reached = len(q.Reasons) == 0
	l.Best = l.best()
}

// leaveOut makes the estimates by reverse and tempered those of the ensembles that are in no light
// state, and adds what the light modes weigh. Ensembles that stay in them are out of equilibrium: there are too
// many, and exchanges tell of them where on the ladder they froze.
func (e *Evidence) leaveOut(l *LogLikelihood) {
	kept := e.kept()
	if len(kept) < 2 || len(kept) == e.Ensembles() {
		return
	}
	reverse := e.reverseKept()
	lnZ, square := lnHarmonicMean(reverse), 0.0
	for _, x := range reverse {
		square += math.Exp(2 * (lnZ - x))
	}
	left := e.leftOut()
	*l.ReverseAIS, l.ReverseSpread, l.ReverseEffective = e.LogWeight-lnZ-left, deviation(reverse), float64(len(kept))*float64(len(kept))/square
	*l.Tempered = e.LogWeight - e.LnZ(kept) - left
	*l.Gap = *l.ForwardAIS - *l.ReverseAIS
	l.Mean = min(*l.ReverseAIS, l.leastCeiling())
}

// total returns how much an ln Z would grow if all measured modes were missing in it.
func (e *Evidence) total(lnZ float64) float64 {
	sum := 0.0
	for k := range e.Modes {
		sum += math.Exp(e.Modes[k].own() - lnZ)
	}
	return math.Log1p(sum)
}

// leftOut returns how much ln Z grows by the light modes, whose ensembles are not kept.
func (e *Evidence) leftOut() float64 {
	kept := e.kept()
	if len(kept) < 2 {
		return 0
	}
	lnZ, sum := lnHarmonicMean(e.reverseKept()), 0.0
	for k := range e.Modes {
		if m := &e.Modes[k]; len(m.Ensembles) > 0 && !slices.Contains(kept, m.Ensembles[0]) {
			sum += math.Exp(m.own() - lnZ)
		}
	}
	return math.Log1p(sum)
}

// reference returns the ln Z against which modes are held: by all tempered ensembles or by
// reverse, whichever is less. Ensembles that are stuck in light modes make the first far too large.
func (e *Evidence) reference() float64 {
	return min(e.LnZ(first(e.Ensembles())), lnHarmonicMean(e.Reverse))
}

// light returns the tempered ensembles in the lightest modes that together weigh next to nothing.
func (e *Evidence) light() (list []int) {
	shares := make([]float64, len(e.Modes))
	for k := range e.Modes {
		shares[k] = math.Exp(e.Modes[k].own() - e.reference())
	}
	order, sum := first(len(shares)), 0.0
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(shares[a], shares[b]) })
	for _, k := range order {
		if len(e.Modes[k].Ensembles) == 0 {
			continue
		}
		if sum += shares[k]; sum >= math.Exp(minShare) {
			break
		}
		list = append(list, e.Modes[k].Ensembles...)
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
// are in light states, the intervals of reverse and tempered are those of the others, and reach to where Z
// holds the light states too.
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
		reverse, tempered = reversed(kept), exchanged(kept)
		left := e.leftOut()
		reverse[0] -= left
		tempered[0] -= left
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

// reverseKept returns ln Z by each reverse chain that started at a tempered ensemble in no light
// mode, or by all if fewer than two would be left.
func (e *Evidence) reverseKept() []float64 {
	if kept := e.kept(); len(kept) >= 2 {
		return pick(e.Reverse, kept)
	}
	return e.Reverse
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
