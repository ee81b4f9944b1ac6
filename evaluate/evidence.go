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
	Sweeps   int // of the tempered chains that count
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

// Judge returns the verdict on an estimate from its evidence. Judgements of the same
// evidence with the same key are equal.
func (e *Evidence) Judge(l *LogLikelihood, key stream.Key) {
	n := e.Ensembles()
	half := n / 2
	alone := e.Alone()
	pooled := e.LnZ(first(n))
	q := l.Equilibrium
	q.Apart = apart(e, alone, pooled, func(of []int) float64 { return e.LnZ(of) })
	q.StartDifferenceWeighed = lnMean(alone[half:]) - lnMean(alone[:half])
	rng := key.Sub(streamBootstrap).Sub(2).Rand()
	weighed := func(part []float64) float64 {
		return deviation(bootstrap(len(part), rng, func(chosen []int) float64 { return lnMean(pick(part, chosen)) }))
	}
	q.StartDifferenceWeighedError = math.Hypot(weighed(alone[:half]), weighed(alone[half:]))
	if s := q.Search; s != nil {
		s.Apart = apart(e, e.Searched, pooled, func(of []int) float64 { return lnMean(pick(e.Searched, of)) })
	}
	q.Reasons = reasons(l)
	q.Reached = len(q.Reasons) == 0
}

func pick(values []float64, of []int) []float64 {
	out := make([]float64, len(of))
	for k, l := range of {
		out[k] = values[l]
	}
	return out
}

// apart tells which ensembles stand apart, by their ln Z alone.
func apart(e *Evidence, alone []float64, pooled float64, lnZ func(of []int) float64) Apart {
	if len(alone) == 0 {
		return Apart{}
	}
	a := Apart{Excess: slices.Max(alone) - pooled}
	var of []int
	for l, z := range alone {
		if z-pooled > maxExcess {
			of = append(of, l)
		}
	}
	if a.Ensembles = len(of); len(of) > 0 {
		l := e.LogWeight - lnZ(of)
		a.Likelihood = &l
	}
	return a
}

// studentised returns the 95 % interval of a statistic about its value, by a bootstrap of its
// t ratio, which takes in how skewed it is. statistic returns the value and the standard
// error from the chosen things.
func studentised(n int, key stream.Key, statistic func(chosen []int) (value, standardError float64)) (low, high float64) {
	value, se := statistic(first(n))
	if !(se > 0) {
		return value, value
	}
	rng := key.Rand()
	ratios := bootstrap(n, rng, func(chosen []int) float64 {
		v, s := statistic(chosen)
		if !(s > 0) {
			return 0
		}
		return (v - value) / s
	})
	return value - ratios[replicates-1-tail]*se, value - ratios[tail]*se
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
		value += r.Centre + math.Log(up) - math.Log(down)
		for j, l := range chosen {
			influence[j] += n * (r.Up[l]/up - r.Down[l]/down)
		}
	}
	return value, deviation(influence) / math.Sqrt(n)
}
