package evaluate

import (
	"context"
	"fmt"
	"math"

	"bethe/internal/kernel"
	"bethe/internal/parallel"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// DataTerms are estimates of the mean ln Z~ of samples under a deep machine or a stack, the logarithm of
// their weight summed over all hidden layers, in nats per sample. They go with ln Z from either side. Even hidden layers of
// a deep machine are proposed by mean field, r, and odd layers summed out; of a stack r is the p(h|v) of each machine. On average
//
//	Bound <= Importance <= truth,  Bound <= Clamped <= truth
type DataTerms struct {
	Exact           bool    `json:"exact,omitempty"`  // all three are the sum itself
	Bound           float64 `json:"bound"`            // E_r of the log-weight over r, over the draws
	Importance      float64 `json:"importance"`       // ln of the mean weight over r of the draws
	Clamped         float64 `json:"clamped,omitzero"` // by annealing from r with the sample held, ln of the mean over the runs; none of stacks
	BoundError      float64 `json:"bound_error"`      // standard errors of the draws and runs alone
	ImportanceError float64 `json:"importance_error"`
	ClampedError    float64 `json:"clamped_error,omitzero"`
	Draws           int     `json:"draws,omitempty"`
	Runs            int     `json:"runs,omitempty"`
	// Drawn are those of samples drawn from the machine, if they were asked for.
	Drawn *DrawnTerms `json:"drawn,omitempty"`

	each []float64 // Bound of each sample
}

// How the data terms of a deep machine are estimated.
const (
	termDraws        = 20
	termRuns         = 4
	termTemperatures = 60
	meanFieldRounds  = 30
	fewHidden        = 10 // states are enumerated if the hidden layers of one parity have no more units
	termBlock        = 1 << 9
)

// MachineLikelihood is Likelihood of a machine of spins, also of a deep one. Samples of a deep one
// are those of its data layer; it returns their data terms, and all estimates are with
// Bound, the conservative one. The met states are those of SpinMachine.Remember.
func MachineLikelihood(ctx context.Context, machine *rbm.Machine, met, samples *spin.Matrix, opt Options) (LogLikelihood, error) {
	if !machine.Deep() {
		return Likelihood(ctx, OnMachine(machine).Remember(met), samples, opt)
	}
	if n := machine.Layers().Data(); samples.Rows() != n {
		return LogLikelihood{}, fmt.Errorf("samples of %d units for a machine of %d visible units", samples.Rows(), n)
	}
	if samples.Cols() == 0 {
		return LogLikelihood{}, fmt.Errorf("no samples to evaluate")
	}
	terms, filled, err := EstimateData(ctx, machine, samples, opt.Key.Sub(stream.EstimateData))
	if err != nil {
		return LogLikelihood{}, err
	}
	opt.weights = terms.each
	l, err := Likelihood(ctx, OnMachine(machine).Remember(met), filled, opt)
	l.DataTerms = terms
	if err == nil && !l.Exact {
		l.quoteLower()
	}
	if err == nil && opt.Drawn > 0 && !terms.Exact {
		terms.Drawn, err = BracketData(ctx, machine, columns(filled, 0, min(opt.Drawn, filled.Cols())), opt.Equilibration, opt.Key.Sub(stream.EstimateDrawn))
	}
	return l, err
}

// quoteLower makes the quoted value the lower one of both directions.
func (l *LogLikelihood) quoteLower() {
	if l.ForwardAIS != nil {
		l.Mean = min(l.Mean, *l.ForwardAIS)
	}
}

// Lowest and Highest return the values that annealing in both directions leaves open: exact ones are the same.
func (l *LogLikelihood) Lowest() float64 {
	if l.ForwardAIS == nil {
		return l.Mean
	}
	return min(l.Mean, *l.ForwardAIS, *l.ReverseAIS)
}

// Highest is said at Lowest.
func (l *LogLikelihood) Highest() float64 {
	if l.ForwardAIS == nil {
		return l.Mean
	}
	return max(l.Mean, *l.ForwardAIS, *l.ReverseAIS)
}

// With returns what a likelihood is with another estimate of the data term.
func (t *DataTerms) With(likelihood, term float64) float64 { return likelihood - t.Bound + term }

// EstimateData estimates the data terms of samples (units of the data's layer x M) under
// a deep machine, and returns the samples with even hidden units below them that are drawn in
// the clamped annealing. The error is the context's.
func EstimateData(ctx context.Context, machine *rbm.Machine, samples *spin.Matrix, key stream.Key) (*DataTerms, *spin.Matrix, error) {
	c := newClamped(machine)
	terms := &DataTerms{Draws: termDraws, Runs: termRuns}
	m := samples.Cols()
	filled := units.Below(samples, spin.New(c.even, m))
	var bounds, importances, clamps, boundErrors, gainErrors, annealErrors []float64
	for lo := 0; lo < m; lo += termBlock {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		part := columns(samples, lo, min(m, lo+termBlock))
		b := c.block(part, key.Sub(uint64(lo)))
		if err := b.estimate(ctx, &bounds, &importances, &clamps, &boundErrors, &gainErrors, &annealErrors); err != nil {
			return nil, nil, err
		}
		for k := range c.even {
			for a := range part.Cols() {
				filled.Set(c.data+k, lo+a, b.state.At(k, a))
			}
		}
	}
	if min(c.even, c.odd) <= fewHidden {
		terms.Exact, terms.Draws, terms.Runs = true, 0, 0
		for a := range m {
			if err := ctx.Err(); err != nil {
				return nil, nil, err
			}
			v := make([]float64, c.data)
			for i := range v {
				v[i] = float64(samples.At(i, a))
			}
			var err error
			if bounds[a], err = c.net64.SampleLogWeight(ctx, v); err != nil {
				return nil, nil, err
			}
		}
		terms.Bound = mean(bounds)
		terms.Importance, terms.Clamped = terms.Bound, terms.Bound
	} else {
		terms.Bound, terms.Importance, terms.Clamped = mean(bounds), mean(importances), mean(clamps)
		terms.BoundError, terms.ImportanceError, terms.ClampedError = meanError(boundErrors), meanError(gainErrors), meanError(annealErrors)
	}
	terms.each = bounds
	return terms, filled, nil
}

// A clamped is a deep machine whose data layer is held at samples: odd units j and even ones k.
type clamped struct {
	net64           *rbm.Network[float64]
	layers          rbm.Folding
	data, odd, even int
	below           []float32 // couplings of the data: odd x data
	above           []float32 // couplings of the even units: odd x even
	aboveT          []float32 // above, even x odd
	couplings       upperCouplings
	oddField        []float32
	evenField       []float32
}

func newClamped(machine *rbm.Machine) *clamped {
	f := machine.Layers()
	net := rbm.NetworkOf[float64](machine)
	n := net.Visible()
	c := &clamped{net64: net, layers: f, data: f.Data(), odd: f.Hidden(), even: n - f.Data()}
	for j := range c.odd {
		for i, k := range net.Coupling[j*n : (j+1)*n] {
			if i < c.data {
				c.below = append(c.below, float32(k))
			} else {
				c.above = append(c.above, float32(k))
			}
		}
		c.oddField = append(c.oddField, float32(net.HiddenField[j]))
	}
	c.aboveT = make([]float32, len(c.above))
	kernel.Transpose(c.aboveT, c.odd, c.above, c.even, c.odd, c.even)
	c.couplings = newUpperCouplings(machine, c.above, c.odd, c.even)
	for _, b := range net.VisibleField[c.data:] {
		c.evenField = append(c.evenField, float32(b))
	}
	return c
}

// A termsBlock is the work on some samples.
type termsBlock struct {
	*clamped
	m      int
	key    stream.Key
	base   []float64 // b.v and the constant
	field  []float32 // of the odd units by the data: odd x m
	mean   []float32 // M of the even units: even x m
	state  *spin.Matrix
	scaled []float32 // scratch of the odd units
	evens  []float32 // scratch of the even units
}

func (c *clamped) block(samples *spin.Matrix, key stream.Key) *termsBlock {
	m := samples.Cols()
	b := &termsBlock{clamped: c, m: m, key: key, base: make([]float64, m), field: make([]float32, c.odd*m), mean: make([]float32, c.even*m),
		state: spin.New(c.even, m), scaled: make([]float32, c.odd*m), evens: make([]float32, c.even*m)}
	spin.MulAffine(b.field, c.below, c.odd, samples, 1, c.oddField)
	spin.Mul(b.base, c.net64.VisibleField[:c.data], 1, samples)
	for a := range b.base {
		b.base[a] += c.net64.Constant
	}
	field := make([]float32, c.odd*m)
	kernel.Transpose(field, c.odd, b.field, m, c.odd, m)
	kernel.Transpose(b.mean, m, c.meanField(field, m), c.even, m, c.even)
	return b
}

// lnR adds sign times ln r of the state to sum.
func (b *termsBlock) lnR(sum []float64, sign float64) {
	m := b.m
	logs := make([]float64, m)
	for k := range b.even {
		for a, f := range b.mean[k*m : (k+1)*m] {
			sum[a] += sign * float64(f) * float64(b.state.At(k, a))
		}
		kernel.AddLog2Cosh(logs, b.mean[k*m:(k+1)*m])
	}
	for a, l := range logs {
		sum[a] -= sign * l
	}
}

// weigh adds to sum the log-weight of the state, odd units summed out, with couplings of the
// even units at share t, but for the fields of the even units.
func (b *termsBlock) weigh(sum []float64, t float32) {
	fields := b.fieldsAt(t)
	for j := range b.odd {
		kernel.AddLog2Cosh(sum, fields[j*b.m:(j+1)*b.m])
	}
}

// fieldsAt returns the fields of the odd units with couplings of the even units at share t.
func (b *termsBlock) fieldsAt(t float32) []float32 {
	spin.MulAffine(b.scaled, b.above, b.odd, b.state, t, make([]float32, b.odd))
	for k, f := range b.field {
		b.scaled[k] += f
	}
	return b.scaled
}

// along adds scale times b.h of the state to sum, with the fields of the even units.
func (b *termsBlock) along(sum []float64, scale float64) {
	m := b.m
	for k, f := range b.evenField {
		for a := range m {
			sum[a] += scale * float64(f) * float64(b.state.At(k, a))
		}
	}
}

// estimate appends the estimates of each sample to the lists; errors are variances.
func (b *termsBlock) estimate(ctx context.Context, bounds, importances, clamps, boundErrors, gainErrors, annealErrors *[]float64) error {
	m := b.m
	draws := make([][]float64, termDraws)
	for k := range draws {
		if err := ctx.Err(); err != nil {
			return err
		}
		spin.Draw(b.state, b.mean, b.key.Sub(stream.DataDraws).Sub(uint64(k)))
		w := append([]float64(nil), b.base...)
		b.weigh(w, 1)
		b.along(w, 1)
		b.lnR(w, -1)
		draws[k] = w
	}
	runs := make([][]float64, termRuns)
	for k := range runs {
		w, err := b.anneal(ctx, b.key.Sub(stream.DataAnnealing).Sub(uint64(k)))
		if err != nil {
			return err
		}
		runs[k] = w
	}
	for a := range m {
		of := func(lists [][]float64) (values []float64) {
			for _, l := range lists {
				values = append(values, l[a])
			}
			return values
		}
		d, r := of(draws), of(runs)
		*bounds = append(*bounds, mean(d))
		*boundErrors = append(*boundErrors, varianceOf(d)/float64(len(d)))
		importance, clamp := lnMean(d), lnMean(r)
		*importances, *gainErrors = append(*importances, importance), append(*gainErrors, lnMeanVariance(d, importance))
		*clamps, *annealErrors = append(*clamps, clamp), append(*annealErrors, lnMeanVariance(r, clamp))
	}
	return nil
}

// anneal anneals from r to the even units given the samples and returns the log-weights.
func (b *termsBlock) anneal(ctx context.Context, key stream.Key) ([]float64, error) {
	spin.Draw(b.state, b.mean, key.Sub(stream.HeldEven))
	w := b.start()
	for t := range termTemperatures {
		if err := b.move(ctx, w, t, t+1, key.Sub(uint64(t+1))); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// annealBack anneals from the state, which is of the even units given the samples, to r, and returns log-weights whose exponentials with
// the other sign have the mean of 1/weight.
func (b *termsBlock) annealBack(ctx context.Context, key stream.Key) ([]float64, error) {
	w := make([]float64, b.m)
	for t := termTemperatures; t > 0; t-- {
		if err := b.move(ctx, w, t, t-1, key.Sub(uint64(t))); err != nil {
			return nil, err
		}
	}
	for a, start := range b.start() {
		w[a] = start - w[a]
	}
	return w, nil
}

// start returns the log-weights of r and the odd units at share 0.
func (b *termsBlock) start() []float64 {
	m := b.m
	w := append([]float64(nil), b.base...)
	for j := range b.odd {
		kernel.AddLog2Cosh(w, b.field[j*m:(j+1)*m])
	}
	for k := range b.even {
		kernel.AddLog2Cosh(w, b.mean[k*m:(k+1)*m])
	}
	return w
}

// move adds to w what the state gains from a share to another, both in termTemperatures, and moves the state there.
func (b *termsBlock) move(ctx context.Context, w []float64, at, next int, key stream.Key) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m := b.m
	odd, shift := spin.New(b.odd, m), make([]float32, b.even)
	from, to := float32(at)/termTemperatures, float32(next)/termTemperatures
	step := float64(to - from)
	b.along(w, step)
	for k := range b.even {
		for a, f := range b.mean[k*m : (k+1)*m] {
			w[a] -= step * float64(f) * float64(b.state.At(k, a))
		}
	}
	before := make([]float64, m)
	b.weigh(before, from)
	b.weigh(w, to) // leaves the fields at to
	for a, v := range before {
		w[a] -= v
	}
	spin.Draw(odd, b.scaled, key.Sub(stream.HeldOdd))
	kernel.Affine(shift, b.evenField, to, 0)
	spin.MulAffine(b.evens, b.aboveT, b.even, odd, to, shift)
	parallel.For(b.even, parallel.Grain(m), func(lo, hi int) {
		for a := lo * m; a < hi*m; a++ {
			b.evens[a] += (1 - to) * b.mean[a]
		}
	})
	spin.Draw(b.state, b.evens, key.Sub(stream.HeldEven))
	return nil
}

// varianceOf returns the variance of values.
func varianceOf(x []float64) (v float64) {
	if len(x) < 2 {
		return 0
	}
	average := mean(x)
	for _, y := range x {
		v += (y - average) * (y - average) / float64(len(x)-1)
	}
	return v
}

// lnMeanVariance returns the variance of lnMean by the delta method.
func lnMeanVariance(x []float64, value float64) float64 {
	ratios := make([]float64, len(x))
	for k, v := range x {
		ratios[k] = math.Exp(v - value)
	}
	return varianceOf(ratios) / float64(len(x))
}
