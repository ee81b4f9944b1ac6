package variational

import (
	"context"
	"errors"
	"fmt"
	"math"

	"bethe/dual"
	"bethe/internal/kernel"
	"bethe/internal/parallel"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// Together learns all machines of a stack at once. It climbs a lower bound on the log-likelihood of samples v = x^0
// under p(v) = sum p_1(x^0 | x^1) p_2(x^1 | x^2) ... p_L(x^{L-1}),
//
//	ln p(v) >= E_r [ sum_l ln p_l(x^{l-1} | x^l) + ln p_L(x^{L-1}) - sum_l ln r_l(x^l) ],    l = 1 ... L-1
//
// Under r all units are independent given v. Their means are those of p_l(x^l | x^{l-1}) at the means of the layer below,
//
//	rho^l = tanh phi^l,    phi^l = c^l + J_l xi^lT (rho^{l-1} - mu^l)
//
// so that the same bits lead up and down, and the gradient by them is the whole one. Fields F^l of layer l-1 given layer l, and
// those of the topmost hidden layer, are sums over the units of r: their averages are Gaussian. The topmost machine learns as it does
// alone, from draws of r.
//
// Synapses are bits that are known: the signs of thetas, or draws. It is not safe for concurrent use.
type Together[T rbm.Real] struct {
	Top *Trainer[T] // of the topmost machine

	lower   []*lowered[T]
	samples *spin.Matrix
	key     stream.Key
	values  []T // of the batch, units x samples
	count   int // of its samples

	weights              []T // of the topmost machine, hidden x visible
	field, tanh, sech2   []T // of its hidden layer
	variance, sumOfSech2 []T // of its fields and of sech^2, a number per sample
}

// lowered is a machine of a stack below the topmost one: hidden units j, visible units i. Matrices of a batch are units x samples.
type lowered[T rbm.Real] struct {
	model                     *rbm.Model[T]
	synapse                   optimiser[T]
	visible, hidden, coupling adam[float64]
	average                   running[T]

	weights []T // hidden x visible
	grad    []T
	phi     []T // fields of r; later the gradient by them
	rho     []T
	pull    []T // gradient by rho: first of the machine above, then of all
	below   []T // x: samples, or rho of the machine below
	down    []T // F, then x - <x>
	tanh    []T
	sech2   []T
	free    []T // variance of F, one per sample
	sums    []T // of sech2, one per sample
	centred []T // rho - nu
	toWidth []T // scratch, hidden x visible
}

// NewTogether returns what learns a stack. models are its machines from the data up; the last is learned by a trainer with the
// given partition term, and lower ones by its rule at its rate. Samples are visible x M. Key is that of the draws of r. The
// models change. Errors are those of NewTrainer, or tell of synapses that are no known bits and of sizes that do not fit.
func NewTogether[T rbm.Real](models []*rbm.Model[T], samples *spin.Matrix, partition dual.Partition[T], hidden units.Hidden[T], opt Options, key stream.Key) (*Together[T], error) {
	kind := rbm.KindOr(opt.Synapses)
	if !kind.Known() || !kind.LogOdds() || len(models) < 2 {
		return nil, fmt.Errorf("%d machines with %s synapses: a stack that learns together has at least two, whose synapses are bits that are known", len(models), kind)
	}
	t := &Together[T]{samples: samples, key: key}
	width := samples.Rows()
	for l, m := range models {
		if m.Visible() != width || m.Deep() || m.Posterior == nil {
			return nil, fmt.Errorf("machine %d of a stack has %d visible units, not %d, or no thetas", l+1, m.Visible(), width)
		}
		width = m.Hidden()
	}
	for _, m := range models[:len(models)-1] {
		n, p, fields := m.Visible(), m.Hidden(), opt.FieldMomentum.Beta()
		t.lower = append(t.lower, &lowered[T]{model: m, synapse: newOptimiser[T](&opt, n, p), visible: newAdam[float64](n, fields), hidden: newAdam[float64](p, fields),
			coupling: newAdam[float64](1, fields), weights: make([]T, n*p), grad: make([]T, n*p), toWidth: make([]T, n*p)})
	}
	first := make([]int, samples.Cols())
	for a := range first {
		first[a] = a
	}
	var err error
	t.write(kind, 0)
	t.Top, err = NewTrainer(models[len(models)-1], units.Data[T](&lifted[T]{units.NewSpins[T](t.lift(first)), t}), partition, hidden, opt)
	return t, err
}

// lifted are samples as the topmost machine sees them: batches are draws of r. They are Data and Redrawn; all but batches is of the draws at
// the start.
type lifted[T rbm.Real] struct {
	*units.Spins[T]
	of *Together[T]
}

// Epoch implements units.Redrawn.
func (*lifted[T]) Epoch(int) {}

// Batch implements units.Data.
func (l *lifted[T]) Batch(_ units.Samples[T], places []int) units.Samples[T] {
	t := l.of
	t.write(t.Top.Kind(), t.Top.Step())
	return units.NewSpins[T](t.lift(places))
}

// write sets the weights of the lower machines.
func (t *Together[T]) write(kind rbm.Kind, step int) {
	for l, m := range t.lower {
		kind.Write(m.model.Posterior.WriterTo(m.weights), t.key.Sub(stream.TogetherSynapses).Sub(uint64(l)).Sub(uint64(step)))
	}
}

// lift infers r for samples and returns a draw of its last layer.
func (t *Together[T]) lift(places []int) *spin.Matrix {
	m := len(places)
	batch := spin.New(t.samples.Rows(), m)
	t.samples.Gather(batch, places)
	t.values, t.count = sized(t.values, batch.Rows()*m), m
	spin.Values(t.values, batch)
	x := t.values
	for _, l := range t.lower {
		l.infer(x, m)
		x = l.rho
	}
	last := t.lower[len(t.lower)-1]
	drawn := spin.New(last.model.Hidden(), m)
	step := 0
	if t.Top != nil {
		step = t.Top.Step()
	}
	spin.Draw(drawn, last.phi, t.key.Sub(stream.TogetherDraws).Sub(uint64(step)))
	return drawn
}

// infer sets phi and rho from x, visible x m.
func (l *lowered[T]) infer(x []T, m int) {
	n, p, j := l.model.Visible(), l.model.Hidden(), l.model.Coupling()
	l.below = x
	l.phi, l.rho = sized(l.phi, p*m), sized(l.rho, p*m)
	kernel.MulReal(l.phi, l.weights, x, p, n, m, false, false)
	parallel.For(p, parallel.Grain(m), func(lo, hi int) {
		for k := lo; k < hi; k++ {
			var atMu float64
			for i, w := range l.weights[k*n : (k+1)*n] {
				atMu += float64(w) * l.model.VisibleOffset[i]
			}
			row := l.phi[k*m : (k+1)*m]
			kernel.Affine(row, row, T(j), T(l.model.HiddenField[k]-j*atMu))
			kernel.Tanh(l.rho[k*m:(k+1)*m], row)
		}
	})
}

// freedom sets free to J^2 sum_k (1 - rho_k^2), the variance of fields in each sample.
func freedom[T rbm.Real](free, rho []T, units, m int, coupling float64) {
	parallel.For(m, sampleGrain, func(lo, hi int) {
		sum := free[lo:hi]
		clear(sum)
		for k := range units {
			for a, r := range rho[k*m+lo : k*m+hi] {
				sum[a] += 1 - r*r
			}
		}
		kernel.AffineFloor(sum, sum, T(coupling*coupling), 0)
	})
}

// sampleGrain is how many samples a thread takes at once in sums over units.
const sampleGrain = 64

// columnSums sets sums to those of the columns of x, rows x m.
func columnSums[T rbm.Real](sums, x []T, rows, m int) {
	parallel.For(m, sampleGrain, func(lo, hi int) {
		clear(sums[lo:hi])
		for k := range rows {
			for a, v := range x[k*m+lo : k*m+hi] {
				sums[lo+a] += v
			}
		}
	})
}

// Run learns as Trainer.Run does; each step of the topmost machine is followed by one of the lower machines, for the same samples.
func (t *Together[T]) Run(ctx context.Context, each func(Progress) error) error {
	return t.Top.Run(ctx, func(p Progress) error {
		if err := t.learn(p); err != nil {
			return err
		}
		if each == nil {
			return nil
		}
		return each(p)
	})
}

// learn takes a step of the lower machines.
func (t *Together[T]) learn(p Progress) error {
	t.pullDown()
	average := t.Top.opt.Average > 0 && t.Top.Fraction() > 1-t.Top.opt.Average && p.Step%averageEvery == 0
	for k := len(t.lower) - 1; k >= 0; k-- {
		l := t.lower[k]
		var next []T
		if k > 0 {
			b := t.lower[k-1]
			b.pull = sized(b.pull, l.model.Visible()*t.count)
			next = b.pull
		}
		byVisible, byHidden, byCoupling := l.gradient(t.Top.Objective.Hidden, t.count, next)
		if !finite(l.grad) || !finite(byVisible) || !finite(byHidden) || math.IsNaN(byCoupling) || math.IsInf(byCoupling, 0) {
			return ErrDiverged
		}
		l.step(&t.Top.opt, p, t.samples.Cols(), byVisible, byHidden, byCoupling)
		if average {
			l.average.add(l.model)
		}
	}
	return nil
}

// pullDown sets the pull of the last of the lower machines: the gradient by its rho of E_r ln p_L.
func (t *Together[T]) pullDown() {
	top, last, m := t.Top.Model, t.lower[len(t.lower)-1], t.count
	n, p, j := top.Visible(), top.Hidden(), top.Coupling()
	t.weights = sized(t.weights, n*p)
	t.Top.Kind().Write(top.Posterior.WriterTo(t.weights), t.Top.Objective.Draw)
	t.field, t.tanh, t.sech2 = sized(t.field, p*m), sized(t.tanh, p*m), sized(t.sech2, p*m)
	t.variance, t.sumOfSech2 = sized(t.variance, m), sized(t.sumOfSech2, m)
	freedom(t.variance, last.rho, n, m, j)
	kernel.MulReal(t.field, t.weights, last.rho, p, n, m, false, false)
	parallel.For(p, parallel.Grain(m), func(lo, hi int) {
		for k := lo; k < hi; k++ {
			var atMu float64
			for i, w := range t.weights[k*n : (k+1)*n] {
				atMu += float64(w) * top.VisibleOffset[i]
			}
			row := t.field[k*m : (k+1)*m]
			kernel.Affine(row, row, T(j), T(top.HiddenField[k]-j*atMu))
			t.Top.Objective.Hidden.Averages(t.tanh[k*m:(k+1)*m], t.sech2[k*m:(k+1)*m], row, t.variance, m)
			kernel.Affine(t.field[k*m:(k+1)*m], t.tanh[k*m:(k+1)*m], T(j), T(-j*top.HiddenOffset[k]))
		}
	})
	columnSums(t.sumOfSech2, t.sech2, p, m)
	last.pull = sized(last.pull, n*m)
	kernel.MulReal(last.pull, t.weights, t.field, n, p, m, true, false)
	parallel.For(n, parallel.Grain(m), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			b, rho := T(top.VisibleField[i]), last.rho[i*m:(i+1)*m]
			for a, v := range last.pull[i*m : (i+1)*m] {
				last.pull[i*m+a] = v + b - T(j*j)*rho[a]*t.sumOfSech2[a]
			}
		}
	})
}

// gradient computes the gradient of the bound by the parameters, in nats per sample, from the pull of the machine above. It leaves the
// part of the synapses in grad. If next is not nil it becomes the pull of the machine below.
func (l *lowered[T]) gradient(average units.Hidden[T], m int, next []T) (byVisible, byHidden []float64, byCoupling float64) {
	n, p, j := l.model.Visible(), l.model.Hidden(), l.model.Coupling()
	l.down, l.tanh, l.sech2 = sized(l.down, n*m), sized(l.tanh, n*m), sized(l.sech2, n*m)
	l.free, l.sums, l.centred = sized(l.free, m), sized(l.sums, m), sized(l.centred, p*m)
	freedom(l.free, l.rho, p, m, j)
	parallel.For(p, parallel.Grain(m), func(lo, hi int) {
		for k := lo; k < hi; k++ {
			kernel.Affine(l.centred[k*m:(k+1)*m], l.rho[k*m:(k+1)*m], 1, T(-l.model.HiddenOffset[k]))
		}
	})
	kernel.MulReal(l.down, l.weights, l.centred, n, p, m, true, false)
	byVisible, byHidden = make([]float64, n), make([]float64, p)
	ofCoupling := make([]float64, n+p)
	parallel.For(n, parallel.Grain(m), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			row, tanh, sech2 := l.down[i*m:(i+1)*m], l.tanh[i*m:(i+1)*m], l.sech2[i*m:(i+1)*m]
			kernel.Affine(row, row, T(j), T(l.model.VisibleField[i]))
			average.Averages(tanh, sech2, row, l.free, m)
			var sum, slope float64
			for a, x := range l.below[i*m : (i+1)*m] {
				off := x - tanh[a]
				sum += float64(off)
				slope += float64(off)*(float64(row[a])-l.model.VisibleField[i]) - float64(sech2[a])*float64(l.free[a])
				if next != nil {
					next[i*m+a] = row[a]
				}
				row[a] = off
			}
			byVisible[i], ofCoupling[i] = sum/float64(m), slope/j
		}
	})
	columnSums(l.sums, l.sech2, n, m)
	up := l.tanh // is free now, if it is large enough
	if n < p {
		up = make([]T, p*m)
	}
	up = up[:p*m]
	kernel.MulReal(up, l.weights, l.down, p, n, m, false, false)
	parallel.For(p, parallel.Grain(m), func(lo, hi int) {
		for k := lo; k < hi; k++ {
			var sum, slope float64
			for a := k * m; a < (k+1)*m; a++ {
				rho, phi := l.rho[a], l.phi[a]
				pull := l.pull[a] + T(j)*up[a] + T(j*j)*rho*l.sums[a-k*m] - phi
				d := (1 - rho*rho) * pull
				sum += float64(d)
				slope += float64(d) * (float64(phi) - l.model.HiddenField[k])
				l.phi[a] = d
			}
			byHidden[k], ofCoupling[n+k] = sum/float64(m), slope/j
		}
	})
	if next != nil { // what the means of the layer below do to phi
		through := make([]T, n*m)
		kernel.MulReal(through, l.weights, l.phi, n, p, m, true, false)
		for k, v := range through {
			next[k] += T(j) * v
		}
	}
	// J [(rho - nu) (x - <x>) + phi' (x - mu)] + J^2 xi (rho - nu)^2 sech^2
	perSample := 1 / float64(m)
	kernel.MulReal(l.grad, l.centred, l.down, p, m, n, false, true)
	kernel.MulReal(l.toWidth, l.phi, l.below, p, m, n, false, true)
	parallel.For(p, parallel.Grain(n), func(lo, hi int) {
		for k := lo; k < hi; k++ {
			sum := T(byHidden[k] * float64(m))
			for i := range n {
				l.grad[k*n+i] += l.toWidth[k*n+i] - sum*T(l.model.VisibleOffset[i])
			}
			for a := k * m; a < (k+1)*m; a++ {
				l.centred[a] *= l.centred[a]
			}
		}
	})
	kernel.MulReal(l.toWidth, l.centred, l.sech2, p, m, n, false, true)
	parallel.For(p*n, adamGrain, func(lo, hi int) {
		for k := lo; k < hi; k++ {
			l.grad[k] = T(perSample*j)*l.grad[k] + T(perSample*j*j)*l.weights[k]*l.toWidth[k]
		}
	})
	for _, v := range ofCoupling {
		byCoupling += v * perSample
	}
	return byVisible, byHidden, byCoupling
}

// step moves the parameters uphill as the trainer of the topmost machine moves its own.
func (l *lowered[T]) step(opt *Options, p Progress, samples int, byVisible, byHidden []float64, byCoupling float64) {
	at := func(rate, limit float64) move {
		return move{rate: rate, count: p.Step, limit: limit, fraction: p.Fraction, settled: true}
	}
	limit := opt.MaxTheta
	if limit == 0 {
		limit = math.Inf(1)
	}
	m := at(p.Rate, limit)
	m.decay = opt.ThetaDecay
	l.synapse.step(l.model.Posterior.Theta, l.grad, m)
	if r := p.Rate * opt.FieldRate; r > 0 {
		limit := opt.fieldLimit(samples, &l.model.Params)
		l.visible.step(l.model.VisibleField, byVisible, at(r, limit))
		l.hidden.step(l.model.HiddenField, byHidden, at(r, limit))
	}
	if r := p.Rate * opt.CouplingRate; r > 0 {
		lnJ := []float64{math.Log(l.model.Coupling())}
		l.coupling.step(lnJ, []float64{byCoupling * l.model.Coupling()}, at(r, math.Inf(1)))
		l.model.SetCoupling(math.Exp(lnJ[0]))
	}
}

// Result returns the machines as Trainer.Result does, from the data up.
func (t *Together[T]) Result() []*rbm.Model[T] {
	var models []*rbm.Model[T]
	for _, l := range t.lower {
		model := l.model.Clone()
		l.average.set(model)
		models = append(models, model)
	}
	return append(models, t.Top.Result())
}

// Models returns the machines as they are, from the data up. They change with the next step.
func (t *Together[T]) Models() []*rbm.Model[T] {
	var models []*rbm.Model[T]
	for _, l := range t.lower {
		models = append(models, l.model)
	}
	return append(models, t.Top.Model)
}

// Spreads returns, of each hidden layer from the data up, the standard deviation over the samples of the last batch of the mean of a unit
// under r, the topmost one given the last of these, as a mean over units. All are NaN before the first step.
func (t *Together[T]) Spreads() []float64 {
	var out []float64
	spread := func(means []T, units int) {
		sum := math.NaN()
		if len(t.tanh) > 0 { // there was a step
			sum = 0
		}
		for k := 0; k < units && !math.IsNaN(sum); k++ {
			sum += deviation(means[k*t.count:(k+1)*t.count]) / float64(units)
		}
		out = append(out, sum)
	}
	for _, l := range t.lower {
		spread(l.rho, l.model.Hidden())
	}
	spread(t.tanh, t.Top.Model.Hidden())
	return out
}

// kept lists what a checkpoint keeps of a machine.
func (l *lowered[T]) kept() (thetas []*[]T, numbers []*[]float64) {
	thetas = []*[]T{&l.model.Posterior.Theta}
	for _, k := range l.synapse.kept() {
		thetas = append(thetas, k.x)
	}
	for _, s := range []*adam[float64]{&l.visible, &l.hidden, &l.coupling} {
		numbers = append(numbers, &s.First, &s.Second)
	}
	return thetas, append(numbers, &l.model.VisibleField, &l.model.HiddenField)
}

// State implements dual.Stateful: the lower machines, from the data up.
func (t *Together[T]) State() dual.State {
	state := dual.State{Count: uint64(t.lower[0].average.count)}
	add := func(x []T) {
		wide := make([]float64, len(x))
		for k, v := range x {
			wide[k] = float64(v)
		}
		state.Numbers = append(state.Numbers, wide)
	}
	for _, l := range t.lower {
		thetas, numbers := l.kept()
		for _, x := range thetas {
			add(*x)
		}
		for _, x := range append(numbers, &[]float64{l.model.Coupling()}) {
			state.Numbers = append(state.Numbers, append([]float64(nil), *x...))
		}
		if l.average.count > 0 {
			add(l.average.theta)
			for _, x := range l.average.vectors {
				state.Numbers = append(state.Numbers, append([]float64(nil), x...))
			}
		}
	}
	return state
}

// Restore implements dual.Stateful.
func (t *Together[T]) Restore(_, _ int, s dual.State) error {
	at := 0
	wrong := errors.New("the state of the lower machines of a stack has other sizes")
	take := func(size int) ([]float64, bool) {
		if at >= len(s.Numbers) || len(s.Numbers[at]) != size {
			return nil, false
		}
		at++
		return s.Numbers[at-1], true
	}
	narrow := func(dst []T) bool {
		x, ok := take(len(dst))
		for k, v := range x {
			dst[k] = T(v)
		}
		return ok
	}
	for _, l := range t.lower {
		thetas, numbers := l.kept()
		for _, x := range thetas {
			if !narrow(*x) {
				return wrong
			}
		}
		for _, dst := range numbers {
			x, ok := take(len(*dst))
			if !ok {
				return wrong
			}
			copy(*dst, x)
		}
		j, ok := take(1)
		if !ok || !(j[0] > 0) || math.IsInf(j[0], 0) {
			return wrong
		}
		l.model.SetCoupling(j[0])
		l.average = running[T]{count: int(s.Count)}
		if s.Count == 0 {
			continue
		}
		l.average.theta = make([]T, len(l.model.Posterior.Theta))
		if !narrow(l.average.theta) {
			return wrong
		}
		for _, like := range parameters(&l.model.Params) {
			x, ok := take(len(like))
			if !ok {
				return wrong
			}
			l.average.vectors = append(l.average.vectors, x)
		}
	}
	if at != len(s.Numbers) {
		return wrong
	}
	return nil
}

// sized returns x with n elements; they may hold anything.
func sized[T any](x []T, n int) []T {
	if cap(x) < n {
		return make([]T, n)
	}
	return x[:n]
}
