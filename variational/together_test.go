package variational

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"testing"

	"bethe/dual"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// randomStack returns models of a stack of the given sizes with all that they can have.
func randomStack[T rbm.Real](coupling float64, seed uint64, sizes ...int) (models []*rbm.Model[T]) {
	rng := stream.New(seed).Rand()
	for l, p := range sizes[1:] {
		n := sizes[l]
		params := rbm.NewParams(n, p, coupling*(0.8+0.4*rng.Float64()))
		for _, x := range [][]float64{params.VisibleField, params.HiddenField, params.VisibleOffset, params.HiddenOffset} {
			for k := range x {
				x[k] = 0.8 * (rng.Float64() - 0.5)
			}
		}
		q := rbm.NewPosterior[T](n, p)
		q.Randomize(1, stream.New(seed+uint64(l)))
		models = append(models, &rbm.Model[T]{Params: params, Posterior: q})
	}
	return models
}

// plainTogether is the bound on a sample, but for ln Z of the topmost machine, in plain loops, for synapses of any means w.
type plainTogether struct {
	params []rbm.Params
	w      [][]float64 // hidden x visible
}

// means returns rho of each layer, the sample first.
func (s plainTogether) means(v []float64) [][]float64 {
	rho := [][]float64{v}
	for l := range s.params[:len(s.params)-1] {
		p := &s.params[l]
		next := make([]float64, p.Hidden())
		for j := range next {
			next[j] = math.Tanh(s.fieldUp(l, j, rho[l]))
		}
		rho = append(rho, next)
	}
	return rho
}

func (s plainTogether) fieldUp(l, j int, x []float64) float64 {
	p := &s.params[l]
	f := p.HiddenField[j]
	for i, v := range x {
		f += p.Coupling() * s.w[l][j*p.Visible()+i] * (v - p.VisibleOffset[i])
	}
	return f
}

func (s plainTogether) fieldDown(l, i int, h []float64) float64 {
	p := &s.params[l]
	f := p.VisibleField[i]
	for j, y := range h {
		f += p.Coupling() * s.w[l][j*p.Visible()+i] * (y - p.HiddenOffset[j])
	}
	return f
}

// spread is the variance of a sum of J xi (h - nu).
func spread(coupling, w, rho, nu float64) float64 {
	return coupling * coupling * (1 + nu*nu - 2*nu*rho - w*w*(rho-nu)*(rho-nu))
}

func (s plainTogether) value(q *Quadrature[float64], v []float64) (sum float64) {
	log2cosh := func(mean, variance float64) float64 { return q.Value([]float64{mean}, []float64{variance}, 1) }
	rho := s.means(v)
	top := len(s.params) - 1
	for l := range top {
		p := &s.params[l]
		for i, x := range rho[l] {
			f, variance := s.fieldDown(l, i, rho[l+1]), 0.
			for j, r := range rho[l+1] {
				variance += spread(p.Coupling(), s.w[l][j*p.Visible()+i], r, p.HiddenOffset[j])
			}
			sum += x*f - log2cosh(f, variance)
		}
		for _, r := range rho[l+1] {
			phi := math.Atanh(r)
			sum += ln2cosh1(phi) - phi*r
		}
	}
	p := &s.params[top]
	for i, r := range rho[top] {
		sum += p.VisibleField[i] * r
	}
	for k := range p.Hidden() {
		f, variance := s.fieldUp(top, k, rho[top]), 0.
		for i, r := range rho[top] {
			variance += spread(p.Coupling(), s.w[top][k*p.Visible()+i], r, p.VisibleOffset[i])
		}
		sum += log2cosh(f, variance) - p.HiddenOffset[k]*(f-p.HiddenField[k])
	}
	return sum
}

func ln2cosh1(x float64) float64 { return math.Abs(x) + math.Log1p(math.Exp(-2*math.Abs(x))) }

// statesOf returns state k of n spins.
func statesOf(n, k int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = float64(2*(k>>i&1) - 1)
	}
	return x
}

// enumerated returns the exact bound with the same r, and ln of the sum over the layers, of a stack of three machines.
func (s plainTogether) enumerated(v []float64) (bound, whole float64) {
	rho, total := s.means(v), 0.
	n1, n2 := len(rho[1]), len(rho[2])
	lnP := func(l int, x, h []float64) (sum float64) {
		for i, y := range x {
			f := s.fieldDown(l, i, h)
			sum += y*f - ln2cosh1(f)
		}
		return sum
	}
	for a := range 1 << n1 {
		for b := range 1 << n2 {
			h1, h2 := statesOf(n1, a), statesOf(n2, b)
			w, r := lnP(0, v, h1)+lnP(1, h1, h2), 0.
			p := &s.params[2]
			for i, y := range h2 {
				w += p.VisibleField[i] * y
			}
			for k := range p.Hidden() {
				f := s.fieldUp(2, k, h2)
				w += ln2cosh1(f) - p.HiddenOffset[k]*(f-p.HiddenField[k])
			}
			for l, h := range [][]float64{h1, h2} {
				for j, y := range h {
					r += math.Log((1 + y*rho[l+1][j]) / 2)
				}
			}
			bound += math.Exp(r) * (w - r)
			total += math.Exp(w)
		}
	}
	return bound, math.Log(total)
}

// togetherOf returns a learner of a stack, and what the plain loops know of it.
func togetherOf[T rbm.Real](t *testing.T, models []*rbm.Model[T], samples *spin.Matrix, opt Options) (*Together[T], plainTogether) {
	t.Helper()
	opt.Synapses = rbm.SignKind
	to, err := NewTogether(models, samples, dual.TermFor(rbm.SignKind, dual.Engine[T](dual.Exact[T]{})), units.Hidden[T](NewQuadrature[T](41)), opt, stream.New(3))
	if err != nil {
		t.Fatal(err)
	}
	var s plainTogether
	for _, m := range models {
		s.params = append(s.params, m.Params.Clone())
		w := make([]float64, len(m.Posterior.Theta))
		for k, v := range m.Posterior.Theta {
			w[k] = math.Copysign(1, float64(v))
		}
		s.w = append(s.w, w)
	}
	return to, s
}

// TestTogetherGradient: the gradient of the lower machines is that of the bound in plain loops, by differences; the bound with Gaussian fields is
// near the sum over all states of r, and that is below the likelihood.
func TestTogetherGradient(t *testing.T) {
	samples := spin.Random(5, 3, stream.New(7).Rand())
	to, s := togetherOf(t, randomStack[float64](0.3, 11, 5, 4, 3, 4), samples, Options{Steps: 1, Rate: 0.1})
	to.lift([]int{0, 1, 2})
	to.pullDown()
	quadrature := NewQuadrature[float64](41)
	bound := func() (sum float64) {
		for a := range 3 {
			v := make([]float64, 5)
			for i := range v {
				v[i] = float64(samples.At(i, a))
			}
			sum += s.value(quadrature, v) / 3
		}
		return sum
	}
	for a := range 3 {
		v := make([]float64, 5)
		for i := range v {
			v[i] = float64(samples.At(i, a))
		}
		exact, likelihood := s.enumerated(v)
		if gauss := s.value(quadrature, v); math.Abs(gauss-exact) > 0.02 || exact > likelihood {
			t.Errorf("sample %d: bound %.4f with Gaussian fields, %.4f by enumeration, truth %.4f", a, gauss, exact, likelihood)
		}
	}
	by := func(name string, x *float64, got float64) {
		const step = 1e-4
		was := *x
		*x = was + step
		up := bound()
		*x = was - step
		down := bound()
		*x = was
		if want := (up - down) / (2 * step); math.Abs(got-want) > 1e-6 {
			t.Errorf("%s: gradient %.8f, differences %.8f", name, got, want)
		}
	}
	for k := 1; k >= 0; k-- {
		var next []float64
		if k > 0 {
			to.lower[0].pull = make([]float64, 4*3)
			next = to.lower[0].pull
		}
		byVisible, byHidden, byCoupling := to.lower[k].gradient(quadrature, 3, next)
		name := fmt.Sprintf("machine %d, ", k+1)
		for i := range byVisible {
			by(name+"visible field", &s.params[k].VisibleField[i], byVisible[i])
		}
		for j := range byHidden {
			by(name+"hidden field", &s.params[k].HiddenField[j], byHidden[j])
		}
		by(name+"coupling", &s.params[k].Links[0].Coupling, byCoupling)
		for i, g := range to.lower[k].grad {
			by(name+"synapse", &s.w[k][i], g)
		}
	}
}

// TestTogetherRaisesTheBound: learning together raises the exact likelihood of a small stack, and goes on from a saved state.
func TestTogetherRaisesTheBound(t *testing.T) {
	samples := spin.New(6, 40)
	rng := stream.New(5).Rand()
	for a := range 40 {
		for i, first := 0, int8(2*rng.IntN(2)-1); i < 6; i++ {
			samples.Set(i, a, first)
		}
	}
	learn := func(steps, stopAt int) (float64, *Together[float32]) {
		to, _ := togetherOf(t, randomStack[float32](0.3, 2, 6, 4, 3, 5), samples, Options{Steps: steps, Batch: 20, Rate: 0.05, FieldRate: 1, CouplingRate: 0.1, OffsetRate: 0.01, FinalRate: 0.1, Average: 0.5, MaxTheta: 4})
		stop := fmt.Errorf("enough")
		if err := to.Run(t.Context(), func(p Progress) error {
			if p.Step == stopAt {
				return stop
			}
			return nil
		}); err != nil && err != stop {
			t.Fatal(err)
		}
		return likelihoodOf(t, to.Result(), samples), to
	}
	before, _ := learn(1, 0)
	after, whole := learn(120, 0)
	if after < before+1 {
		t.Errorf("likelihood %.3f before, %.3f after", before, after)
	}
	_, half := learn(120, 80)
	_, rest := learn(120, 1)
	if err := rest.Restore(0, 0, half.State()); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(rest.State(), half.State()) || reflect.DeepEqual(rest.State(), whole.State()) {
		t.Error("another state after Restore")
	}
	bad := half.State()
	bad.Numbers = bad.Numbers[1:]
	if rest.Restore(0, 0, bad) == nil {
		t.Error("a state without thetas is no error")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := half.Run(ctx, nil); err == nil {
		t.Error("a context that is done is no error")
	}
	if _, err := NewTogether(half.Result()[:1], samples, nil, Mixture[float32]{}, Options{Synapses: rbm.SignKind}, 0); err == nil {
		t.Error("a stack of one machine is no error")
	}
	if models := half.Result(); len(models) == 3 {
		models[1], models[2] = models[2], models[1]
		if _, err := NewTogether(models, samples, nil, Mixture[float32]{}, Options{Synapses: rbm.SignKind}, 0); err == nil {
			t.Error("machines that do not fit are no error")
		}
	}
}

// likelihoodOf returns the mean exact likelihood of a stack of three machines, its topmost normalised by the sum over states.
func likelihoodOf(t *testing.T, models []*rbm.Model[float32], samples *spin.Matrix) (sum float64) {
	t.Helper()
	var s plainTogether
	for _, m := range models {
		w := make([]float64, len(m.Posterior.Theta))
		for k, v := range m.Posterior.Theta {
			w[k] = math.Copysign(1, float64(v))
		}
		s.params, s.w = append(s.params, m.Params), append(s.w, w)
	}
	lnz, err := models[2].Machine().LnZ(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	m := samples.Cols()
	for a := range m {
		v := make([]float64, samples.Rows())
		for i := range v {
			v[i] = float64(samples.At(i, a))
		}
		_, whole := s.enumerated(v)
		sum += (whole - lnz) / float64(m)
	}
	return sum
}

// TestTogetherDecay: in a step of all machines the thetas of each lose their share before they move.
func TestTogetherDecay(t *testing.T) {
	const rate, decay = 0.1, 0.5
	samples := spin.Random(6, 40, stream.New(7).Rand())
	after := func(decay float64) []*rbm.Model[float64] {
		to, _ := togetherOf(t, randomStack[float64](0.3, 2, 6, 4, 3, 5), samples, Options{Steps: 1, Rate: rate, FinalRate: 1, Momentum: MomentumOf(0), ThetaDecay: decay})
		if err := to.Run(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		return to.Models()
	}
	before, plain, decayed := randomStack[float64](0.3, 2, 6, 4, 3, 5), after(0), after(decay)
	for l := range before {
		for k, theta := range before[l].Posterior.Theta {
			if got, want := plain[l].Posterior.Theta[k]-decayed[l].Posterior.Theta[k], rate*decay*theta; math.Abs(got-want) > 1e-12 {
				t.Fatalf("machine %d: theta %v lost %v, not %v", l+1, theta, got, want)
			}
		}
	}
}
