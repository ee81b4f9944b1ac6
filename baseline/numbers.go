package baseline

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"bethe/internal/parallel"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// What is added to variances: of a covariance, and of the components of a mixture, which would
// narrow to single samples.
const (
	ridge = 1e-6
	floor = 1e-3
)

// leastSeen is a share of the weight of a component. If a unit is known in less of it, its mean stays.
const leastSeen = 1e-6

// components are the sizes of mixtures that are tried on a fifth of the training samples.
var components = []int{1, 2, 5, 10, 20, 40}

// Limits of the work: how many numbers a covariance and a mixture are fitted to, and the rounds of fitting.
const (
	covarianceNumbers = 1 << 25
	mixtureNumbers    = 1 << 22
	mixtureRounds     = 100
)

// A table has numbers; some may be missing. A missing one has the usual value of its unit.
type table struct {
	*units.Reals[float32]
	holes [][]int // samples in which each unit is missing
}

// tableOf returns numbers as a table. Missing is nil, or +1 where a number is missing, units x samples.
func tableOf(numbers *units.Reals[float32], missing *spin.Matrix) table {
	t := table{numbers, make([][]int, numbers.Units())}
	for i := range t.holes {
		for a := 0; missing != nil && a < numbers.Len(); a++ {
			if missing.At(i, a) > 0 {
				t.holes[i] = append(t.holes[i], a)
			}
		}
	}
	return t
}

// whole reports whether nothing is missing.
func (t table) whole() bool {
	for _, samples := range t.holes {
		if len(samples) > 0 {
			return false
		}
	}
	return true
}

// part returns some of the samples.
func (t table) part(places []int) table {
	out := table{t.Blank(len(places)), make([][]int, t.Units())}
	t.Gather(out.Reals, places)
	for i, samples := range t.holes {
		gone := make(map[int]bool, len(samples))
		for _, a := range samples {
			gone[a] = true
		}
		for k, a := range places {
			if gone[a] {
				out.holes[i] = append(out.holes[i], k)
			}
		}
	}
	return out
}

// Numbers fits Gaussian models to training samples, units x samples, in their units, and measures
// them on test samples. Of many samples some are taken. The error is the context's, or of too few samples.
func Numbers(ctx context.Context, train, test *units.Reals[float32], key stream.Key) ([]Score, error) {
	return fitted(ctx, tableOf(train, nil), tableOf(test, nil), key)
}

// fitted is Numbers for the known values of samples.
func fitted(ctx context.Context, train, test table, key stream.Key) ([]Score, error) {
	if train.Units() != test.Units() || train.Len() < 2 || test.Len() == 0 {
		return nil, fmt.Errorf("%d samples of %d numbers to fit models to, and %d of %d to measure them on", train.Len(), train.Units(), test.Len(), test.Units())
	}
	single, whole := newMixture(train, 1, key.Rand()), make([]float64, train.Len())
	for a := range whole {
		whole[a] = 1
	}
	single.update(train, whole, ridge)
	alone := single.mean(test)
	scores := []Score{{Model: Independent, LogLikelihood: &alone, Samples: train.Len()}}
	some := fewer(train, covarianceNumbers, key)
	full, ok := 0.0, false
	if some.whole() && test.whole() {
		full, ok = covariance(some.Reals, test.Reals)
	} else {
		var err error
		if full, ok, err = covarianceSeen(ctx, some, test); err != nil {
			return nil, err
		}
	}
	if ok {
		scores = append(scores, Score{Model: Covariance, LogLikelihood: &full, Samples: some.Len()})
	}
	some = fewer(train, mixtureNumbers, key)
	held := max(1, some.Len()/5)
	order := key.Sub(stream.BaselineHeldOut).Rand().Perm(some.Len())
	best, size := math.Inf(-1), 1
	for _, k := range components {
		if 2*k > some.Len()-held {
			break
		}
		m, err := fitMixture(ctx, some.part(order[held:]), k, key.Sub(uint64(k)))
		if err != nil {
			return nil, err
		}
		if v := m.mean(some.part(order[:held])); v > best {
			best, size = v, k
		}
	}
	m, err := fitMixture(ctx, some, size, key.Sub(uint64(size)))
	if err != nil {
		return nil, err
	}
	mixed := m.mean(test)
	return append(scores, Score{Model: Mixture, LogLikelihood: &mixed, Components: size, Samples: some.Len()}), nil
}

// fewer returns as many samples as have at most so many numbers.
func fewer(s table, numbers int, key stream.Key) table {
	if s.Units()*s.Len() <= numbers {
		return s
	}
	places, order := make([]int, max(2, numbers/s.Units())), key.Rand().Perm(s.Len())
	for k := range places {
		places[k] = order[k%len(order)]
	}
	return s.part(places)
}

// covariance returns the mean log-density of test samples under the Gaussian of the training
// samples' mean and covariance, and whether that is positive definite.
func covariance(train, test *units.Reals[float32]) (mean float64, ok bool) {
	n, m := train.Units(), train.Len()
	centre, _ := units.Moments(train)
	centred := func(s *units.Reals[float32]) *mat.Dense {
		out := mat.NewDense(n, s.Len(), nil)
		for i := range n {
			row := out.RawRowView(i)
			for a, v := range s.Row(i) {
				row[a] = float64(v) - centre[i]
			}
		}
		return out
	}
	var c mat.SymDense
	c.SymOuterK(1/float64(m-1), centred(train))
	for i := range n {
		c.SetSym(i, i, c.At(i, i)+ridge)
	}
	var factor mat.Cholesky
	if !factor.Factorize(&c) {
		return 0, false
	}
	x := centred(test)
	var solved mat.Dense
	if err := factor.SolveTo(&solved, x); err != nil {
		return 0, false
	}
	sum := 0.0
	for i := range n {
		for a, v := range x.RawRowView(i) {
			sum += v * solved.At(i, a)
		}
	}
	return -(sum/float64(test.Len()) + factor.LogDet() + float64(n)*math.Log(2*math.Pi)) / 2, true
}

// A mixture is one of diagonal Gaussians.
type mixture struct {
	n                 int
	lnWeight          []float64
	centre, deviation []float64 // components x units
	constant          []float64 // of the log-densities
}

// newMixture starts at samples that are far from each other (k-means++).
func newMixture(s table, k int, rng *rand.Rand) *mixture {
	n, m := s.Units(), s.Len()
	x := &mixture{n: n, lnWeight: make([]float64, k), centre: make([]float64, k*n), deviation: make([]float64, k*n), constant: make([]float64, k)}
	nearest, at := make([]float64, m), rng.IntN(m)
	for a := range nearest {
		nearest[a] = math.Inf(1)
	}
	for c := range k {
		total := 0.0
		for i := range n {
			x.centre[c*n+i], x.deviation[c*n+i] = float64(s.Row(i)[at]), 1
		}
		distance := make([]float64, m)
		for i := range n {
			for a, v := range s.Row(i) {
				d := float64(v) - x.centre[c*n+i]
				distance[a] += d * d
			}
			for _, a := range s.holes[i] {
				d := float64(s.Row(i)[a]) - x.centre[c*n+i]
				distance[a] -= d * d
			}
		}
		for a, d := range distance {
			nearest[a] = min(nearest[a], max(0, d))
			total += nearest[a]
		}
		chosen := rng.Float64() * total
		for a, d := range nearest {
			at = a
			if chosen -= d; chosen <= 0 {
				break
			}
		}
		x.lnWeight[c] = -math.Log(float64(k))
	}
	x.setConstants()
	return x
}

func (x *mixture) setConstants() {
	for c := range x.constant {
		x.constant[c] = x.lnWeight[c] - float64(x.n)*math.Log(2*math.Pi)/2
		for _, d := range x.deviation[c*x.n : (c+1)*x.n] {
			x.constant[c] -= math.Log(d)
		}
	}
}

// logs returns ln p of the known values of each sample, and the share of each component in it, components x samples.
func (x *mixture) logs(s table) (lnP, shares []float64) {
	m, k := s.Len(), len(x.lnWeight)
	lnP, shares = make([]float64, m), make([]float64, k*m)
	parallel.For(k, 1, func(lo, hi int) {
		for c := lo; c < hi; c++ {
			row := shares[c*m : (c+1)*m]
			for a := range row {
				row[a] = x.constant[c]
			}
			for i := range x.n {
				centre, half := x.centre[c*x.n+i], 0.5/(x.deviation[c*x.n+i]*x.deviation[c*x.n+i])
				for a, v := range s.Row(i) {
					d := float64(v) - centre
					row[a] -= half * d * d
				}
				for _, a := range s.holes[i] {
					d := float64(s.Row(i)[a]) - centre
					row[a] += half*d*d + math.Log(2*math.Pi)/2 + math.Log(x.deviation[c*x.n+i])
				}
			}
		}
	})
	each := make([]float64, k)
	for a := range m {
		for c := range k {
			each[c] = shares[c*m+a]
		}
		lnP[a] = rbm.LogSumExp(each)
		for c := range k {
			shares[c*m+a] = math.Exp(each[c] - lnP[a])
		}
	}
	return lnP, shares
}

// mean returns the mean of ln p.
func (x *mixture) mean(s table) (mean float64) {
	lnP, _ := x.logs(s)
	for _, v := range lnP {
		mean += v / float64(len(lnP))
	}
	return mean
}

// update is the maximisation step, given the shares of the components in the samples.
func (x *mixture) update(s table, shares []float64, least float64) {
	m := s.Len()
	parallel.For(len(x.lnWeight), 1, func(lo, hi int) {
		for c := lo; c < hi; c++ {
			share, total := shares[c*m:(c+1)*m], 1e-9
			for _, w := range share {
				total += w
			}
			x.lnWeight[c] = math.Log(total / float64(m))
			for i := range x.n {
				var sum, square float64
				seen, holes, row := total, s.holes[i], s.Row(i)
				for a, v := range row {
					sum += share[a] * float64(v)
				}
				for _, a := range holes {
					sum -= share[a] * float64(row[a])
					seen -= share[a]
				}
				if !(seen > leastSeen*total) { // the component sees nothing of the unit
					continue
				}
				mean := sum / seen
				for a, v := range row {
					square += share[a] * (float64(v) - mean) * (float64(v) - mean)
				}
				for _, a := range holes {
					square -= share[a] * (float64(row[a]) - mean) * (float64(row[a]) - mean)
				}
				x.centre[c*x.n+i], x.deviation[c*x.n+i] = mean, math.Sqrt(max(0, square)/seen+least)
			}
		}
	})
	x.setConstants()
}

// fitMixture fits by expectation and maximisation until a round gains less than 1e-4 nats per sample.
func fitMixture(ctx context.Context, s table, k int, key stream.Key) (*mixture, error) {
	x, last := newMixture(s, k, key.Rand()), math.Inf(-1)
	for range mixtureRounds {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		lnP, shares := x.logs(s)
		now := 0.0
		for _, v := range lnP {
			now += v / float64(len(lnP))
		}
		if now-last < 1e-4 {
			break
		}
		last = now
		x.update(s, shares, floor)
	}
	return x, nil
}
