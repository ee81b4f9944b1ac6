package rbm

import (
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"bethe/stream"
)

// directKL is sum over xi = ±1 of q ln(q/p), with q = (1 + lambda xi)/2.
func directKL(theta, prior []float64) float64 {
	sum := 0.0
	for k := range theta {
		for _, xi := range []float64{1, -1} {
			q := (1 + xi*math.Tanh(theta[k])) / 2
			p := (1 + xi*math.Tanh(prior[k])) / 2
			if q > 0 {
				sum += q * math.Log(q/p)
			}
		}
	}
	return sum
}

func TestKL(t *testing.T) {
	const n, p = 90, 70 // several pieces
	rng := rand.New(rand.NewPCG(1, 2))
	q := NewPosterior[float64](n, p)
	if got := q.KL(); got != 0 {
		t.Errorf("uniform from uniform: %g", got)
	}
	none := make([]float64, n*p)
	for k := range q.Theta {
		q.Theta[k] = 2 * rng.NormFloat64()
	}
	near(t, "KL from uniform", q.KL(), directKL(q.Theta, none), 1e-12)
	q.PriorTheta = make([]float64, n*p)
	near(t, "KL from a uniform prior written out", q.KL(), directKL(q.Theta, none), 1e-12)
	for k := range q.PriorTheta {
		q.PriorTheta[k] = rng.NormFloat64()
	}
	near(t, "KL from a prior", q.KL(), directKL(q.Theta, q.PriorTheta), 1e-12)

	inf := math.Inf(1)
	for _, c := range []struct{ theta, prior, want float64 }{
		{inf, 0, math.Ln2}, {-inf, 0, math.Ln2}, {30, 0, math.Ln2}, {-30, 0, math.Ln2}, {1.5, 1.5, 0},
		{inf, 1, -math.Log((1 + math.Tanh(1)) / 2)}, {-inf, 1, -math.Log((1 - math.Tanh(1)) / 2)},
		{1000, -1000, 2000}, {-1000, 1000, 2000}, {inf, inf, 0}, {-inf, -inf, 0},
		{inf, -inf, inf}, {0, inf, inf}, {1, -inf, inf},
	} {
		one := &Posterior[float64]{1, 1, []float64{c.theta}, []float64{c.prior}}
		if got := one.KL(); got != c.want && !(math.Abs(got-c.want) < 1e-12*max(1, c.want)) {
			t.Errorf("KL of theta %g from %g is %g, not %g", c.theta, c.prior, got, c.want)
		}
	}
}

func TestPosteriorMean(t *testing.T) {
	q := NewPosterior[float64](300, 50)
	q.Randomize(2, stream.New(3))
	mean := make([]float64, len(q.Theta))
	q.Mean(mean)
	for k, v := range mean {
		if v != math.Tanh(q.Theta[k]) {
			t.Fatalf("mean %d is %g, not tanh %g", k, v, q.Theta[k])
		}
	}
}

// Randomize draws normal numbers: mean and variance within 6 standard
// deviations; the same for the same key only.
func TestRandomize(t *testing.T) {
	const n = 1 << 16
	a, b := NewPosterior[float64](n, 1), NewPosterior[float64](n, 1)
	a.Randomize(0.5, stream.New(1))
	var sum, square float64
	for _, v := range a.Theta {
		sum += v / 0.5
		square += v * v / 0.25
	}
	if math.Abs(sum) > 6*math.Sqrt(n) || math.Abs(square-n) > 6*math.Sqrt(2*n) {
		t.Errorf("mean %g, mean square %g", sum/n, square/n)
	}
	b.Randomize(0.5, stream.New(1))
	if !reflect.DeepEqual(a, b) {
		t.Error("the same key gives other thetas")
	}
	b.Randomize(0.5, stream.New(2))
	if reflect.DeepEqual(a.Theta, b.Theta) {
		t.Error("another key gives the same thetas")
	}
}

// Samples have the posterior's frequencies, each synapse in its place
// (visible x hidden), within 6 standard deviations.
func TestSample(t *testing.T) {
	const n, p, repeats = 7, 3, 20_000
	q := NewPosterior[float32](n, p)
	q.Randomize(1.5, stream.New(4))
	q.Theta[0], q.Theta[1] = float32(math.Inf(1)), float32(math.Inf(-1))
	sums := make([]float64, n*p)
	key := stream.New(5)
	for r := range repeats {
		xi := q.Sample(key.Sub(uint64(r)))
		for i := range n {
			for mu := range p {
				sums[mu*n+i] += float64(xi.At(i, mu))
			}
		}
	}
	for k, s := range sums {
		m := math.Tanh(float64(q.Theta[k]))
		if math.Abs(s-repeats*m) > 6*math.Sqrt(repeats*(1-m*m)) {
			t.Errorf("synapse %d: mean %g, not %g", k, s/repeats, m)
		}
	}
}

func TestSignAndPolarised(t *testing.T) {
	q := &Posterior[float32]{Visible: 3, Hidden: 2, Theta: []float32{1, -1, 0, -0.2, 0.3, 2}}
	xi := q.Sign()
	for k, want := range []int8{1, -1, 1, -1, 1, 1} {
		if got := xi.At(k%3, k/3); got != want {
			t.Errorf("synapse (%d, %d) is %d", k%3, k/3, got)
		}
	}
	if xi.Rows() != 3 || xi.Cols() != 2 {
		t.Errorf("%d x %d", xi.Rows(), xi.Cols())
	}
	for _, c := range []struct{ threshold, want float64 }{{0, 5. / 6}, {0.25, 4. / 6}, {0.7, 3. / 6}, {0.9, 1. / 6}, {0.99, 0}, {1, 0}} {
		if got := q.Polarised(c.threshold); got != c.want {
			t.Errorf("Polarised(%g) = %g, not %g", c.threshold, got, c.want)
		}
	}
}

// A clone, a machine and a conversion share nothing with the model.
func TestModelCopies(t *testing.T) {
	for _, prior := range []bool{false, true} {
		m := &Model[float32]{randomMachine(5, 3, 0.5, true, true, rand.New(rand.NewPCG(1, 2))).Params, NewPosterior[float32](5, 3)}
		m.Posterior.Randomize(1, stream.New(6))
		if prior {
			m.Posterior.PriorTheta = append([]float32(nil), m.Posterior.Theta...)
			m.Posterior.PriorTheta[2] = 0.1
		}
		c, wide, machine := m.Clone(), Convert[float64](m), m.Machine()
		if !reflect.DeepEqual(c, m) || !reflect.DeepEqual(Convert[float32](wide), m) || !reflect.DeepEqual(wide.Params, m.Params) || !reflect.DeepEqual(machine.Params, m.Params) {
			t.Fatal("copies differ")
		}
		nearAll(t, "converted theta", wide.Posterior.Theta, m.Posterior.Theta, 0)
		if !machine.Signs().Equal(m.Posterior.Sign()) || (wide.Posterior.PriorTheta != nil) != prior {
			t.Error("synapses or prior differ")
		}
		original := Convert[float32](Convert[float64](m)) // not by Clone, which is tested here
		for _, x := range [][]float64{
			c.VisibleField, c.HiddenField, c.VisibleOffset, c.HiddenOffset,
			wide.VisibleField, wide.HiddenField, wide.VisibleOffset, wide.HiddenOffset,
			machine.VisibleField, machine.HiddenField, machine.VisibleOffset, machine.HiddenOffset,
		} {
			x[0] += 100
		}
		c.Posterior.Theta[0]++
		wide.Posterior.Theta[0]++
		if prior {
			c.Posterior.PriorTheta[0]++
			wide.Posterior.PriorTheta[0]++
		}
		if !reflect.DeepEqual(m, original) {
			t.Error("a change of a copy changed the model")
		}
	}
}

// TestTypical: decided synapses are their signs, others are drawn (a binomial
// test at six standard errors).
func TestTypical(t *testing.T) {
	const n, p = 50, 200
	q := NewPosterior[float32](n, p)
	for mu := range p {
		for i := range n {
			q.Theta[mu*n+i] = []float32{3, -3, 0.3, float32(math.Inf(-1)), -1}[i%5]
		}
	}
	m := q.Typical(stream.New(1))
	up := make([]float64, 5)
	for i := range n {
		for mu := range p {
			up[i%5] += float64(m.At(i, mu)+1) / 2 / (n * p / 5)
		}
	}
	for k, want := range []float64{1, 0, (1 + math.Tanh(0.3)) / 2, 0, (1 - math.Tanh(1)) / 2} {
		if limit := 6 * math.Sqrt(want*(1-want)/(n*p/5)); math.Abs(up[k]-want) > limit+1e-9 {
			t.Errorf("theta %v: a share of %v is +1, not %v", q.Theta[k], up[k], want)
		}
	}
	if !m.Equal(q.Typical(stream.New(1))) || m.Equal(q.Typical(stream.New(2))) {
		t.Error("draws do not follow the key")
	}
}

func TestAsPrior(t *testing.T) {
	q := NewPosterior[float64](3, 1)
	copy(q.Theta, []float64{-2, 0, 40})
	for strength, want := range map[float64][]float64{1: {-2, 0, 40}, 0: {0, 0, 0}, 0.5: {math.Atanh(-0.5 * math.Tanh(2)), 0, math.Atanh(0.5)}} {
		for k, v := range q.AsPrior(strength) {
			if math.Abs(v-want[k]) > 1e-12 {
				t.Errorf("strength %v, synapse %d: %v, not %v", strength, k, v, want[k])
			}
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("no panic for strength 2")
		}
	}()
	q.AsPrior(2)
}
