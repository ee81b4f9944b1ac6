package infer

import (
	"math"
	"runtime"
	"testing"

	"bethe/dual"
	"bethe/planted"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
	"bethe/variational"
)

func thetas(count int, deviation float64, key stream.Key) []float64 {
	rng := key.Rand()
	theta := make([]float64, count)
	for k := range theta {
		theta[k] = deviation * rng.NormFloat64()
	}
	return theta
}

// Z_i(x) is the average over all synapses of the other sites, by enumeration, also
// where those of a site depend on each other.
func TestPartitionOfRows(t *testing.T) {
	const n, p, j = 3, 3, 0.7
	const states = 1 << p
	r := NewRows(spin.New(n, 4), thetas(n*p, 1, stream.New(1)), nil, p, j)
	rng := stream.New(2).Rand()
	for k := range r.log {
		r.log[k] += rng.NormFloat64()
	}
	r.believe()
	got, err := r.partition(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		var want [states]float64
		for x := range states {
			for y := range states {
				for z := range states {
					rows := [n]int{}
					rows[i], rows[(i+1)%n], rows[(i+2)%n] = x, y, z
					var sum float64 // Z of these synapses
					for h := range states {
						weight := 1.0
						for _, row := range rows {
							var field float64
							for mu := range p {
								field += j * sign(row, mu) * sign(h, mu)
							}
							weight *= 2 * math.Cosh(field)
						}
						sum += weight
					}
					want[x] += r.belief[(i+1)%n*states+y] * r.belief[(i+2)%n*states+z] * sum
				}
			}
		}
		for x := range states {
			d, e := got[i*states+x]-got[i*states], math.Log(want[x]/want[0])
			if math.Abs(d-e) > 1e-12 {
				t.Errorf("site %d, state %d: ln Z is %v above that of state 0, not %v", i, x, d, e)
			}
		}
	}
}

// The hidden spins of a sample satisfy their equations, also where the covariance is
// large and fields push far out.
func TestHiddenSpinsOfASample(t *testing.T) {
	rng := stream.New(3).Rand()
	for _, p := range []int{1, 2, 5, 8} {
		for range 50 {
			covariance, root := make([]float64, p*p), thetas(p*p, 1/math.Sqrt(float64(p)), stream.Key(rng.Uint64()))
			for mu := range p {
				for nu := range p {
					for k := range p {
						covariance[mu*p+nu] += root[mu*p+k] * root[nu*p+k]
					}
				}
			}
			s := newSolver(p, quadratic(covariance, p), covariance)
			copy(s.field, thetas(p, 3, stream.Key(rng.Uint64())))
			s.solve()
			var z float64
			first, second := make([]float64, p), make([]float64, p*p)
			for x := range 1 << p {
				var e float64
				for mu := range p {
					e += sign(x, mu) * s.field[mu]
					for nu := range p {
						e += sign(x, mu) * covariance[mu*p+nu] * (sign(x, nu)/2 - s.g[nu])
					}
				}
				w := math.Exp(e)
				z += w
				for mu := range p {
					first[mu] += w * sign(x, mu)
					for nu := range p {
						second[mu*p+nu] += w * sign(x, mu) * sign(x, nu)
					}
				}
			}
			for mu := range p {
				if d := math.Abs(first[mu]/z - s.g[mu]); d > 1e-6 {
					t.Errorf("%d units: spin %d is off by %g", p, mu, d)
				}
				for nu := range p {
					// The spread is that of the point before the last step.
					if d := math.Abs(second[mu*p+nu]/z - s.g[mu]*s.g[nu] - s.spread[mu*p+nu]); d > 1e-3 {
						t.Errorf("%d units: covariance %d, %d is off by %g", p, mu, nu, d)
					}
				}
			}
		}
	}
}

// With one hidden unit no row is joint: beliefs settle where natural-gradient steps
// with variational.Cavity do, which share no code with these.
func TestRowsOfOneUnit(t *testing.T) {
	_, data := planting(t, 100, 1, 6, stream.New(4))
	const j = 0.1
	theta, prior := thetas(100, 0.5, stream.New(5)), thetas(100, 0.3, stream.New(6))
	r := NewRows(data, theta, prior, 1, j)
	for range 300 {
		step(t, r, 0.3)
	}
	mean := make([]float64, 100)
	r.Mean(mean)
	model := &rbm.Model[float64]{Params: rbm.NewParams(100, 1, j), Posterior: rbm.NewPosterior[float64](100, 1)}
	copy(model.Posterior.Theta, theta)
	model.Posterior.PriorTheta = prior
	trainer, err := variational.NewTrainer(model, units.NewSpins[float64](data), &dual.Annealed[float64]{Engine: dual.Exact[float64]{}}, variational.Cavity[float64]{},
		variational.Options{Steps: 300, Rule: variational.BayesianRule, Rate: 0.3, FinalRate: 1})
	if err == nil {
		err = trainer.Run(t.Context(), nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	want := make([]float64, 100)
	model.Posterior.Mean(want)
	if d := furthest(mean, want); !(d < 1e-6) {
		t.Errorf("means differ by up to %g", d)
	}
}

// Without samples beliefs settle at the prior.
func TestRowsWithoutSamples(t *testing.T) {
	prior := thetas(5*4, 1, stream.New(7))
	r := NewRows(spin.New(5, 0), make([]float64, 5*4), prior, 4, 0.4)
	step(t, r, 1)
	mean, want := make([]float64, 20), make([]float64, 20)
	r.Mean(mean)
	for k, v := range prior {
		want[k] = math.Tanh(v)
	}
	if d := furthest(mean, want); d > 1e-12 {
		t.Errorf("means are off by %g", d)
	}
}

// meanField climbs the bound of independent synapses from a start near the teacher.
func meanField(t *testing.T, teacher *rbm.Machine, data *spin.Matrix, p int) *rbm.Model[float64] {
	t.Helper()
	n := teacher.Visible()
	model := &rbm.Model[float64]{Params: rbm.NewParams(n, p, teacher.Coupling()), Posterior: rbm.NewPosterior[float64](n, p)}
	for mu := range p {
		for i := range n {
			model.Posterior.Theta[mu*n+i] = 0.3 * float64(teacher.Signs().At(i, mu))
		}
	}
	trainer, err := variational.NewTrainer(model, units.NewSpins[float64](data), &dual.Annealed[float64]{Engine: dual.Exact[float64]{}}, variational.Mixture[float64]{},
		variational.Options{Steps: 200, Rule: variational.Adam, Rate: 0.2, FinalRate: 0.1})
	if err == nil {
		err = trainer.Run(t.Context(), nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return model
}

// Joint beliefs are nearer to the exact posterior, by Monte Carlo, than those of
// independent synapses: for two hidden units that are correlated, and for three.
func TestRowsAgainstMonteCarlo(t *testing.T) {
	if testing.Short() {
		t.Skip("statistics over many draws: they run without the race detector")
	}
	for _, c := range []struct {
		hidden             int
		correlation, limit float64
	}{{2, 0.3, 0.06}, {3, 0, 0.06}} {
		const n = 100
		key := stream.New(8).Sub(uint64(c.hidden))
		teacher, err := planted.NewTeacher(n, c.hidden, 1, c.correlation, key.Sub(1))
		if err != nil {
			t.Fatal(err)
		}
		data, err := planted.Data(t.Context(), teacher, 5*n, key.Sub(2))
		if err != nil {
			t.Fatal(err)
		}
		y, err := planted.NewYardstick(t.Context(), teacher, data, planted.DefaultSchedule, key.Sub(3))
		if err != nil {
			t.Fatal(err)
		}
		reference := spin.New(n, c.hidden)
		spin.FromSigns(c.hidden, n, y.FromTeacher.Mean).Transpose(reference)
		off := func(mean []float64) float64 {
			var sum float64
			for k, v := range planted.MatchMean(mean, reference).Ordered(mean) {
				sum += (v - y.FromTeacher.Mean[k]) * (v - y.FromTeacher.Mean[k])
			}
			return math.Sqrt(sum / float64(len(mean)))
		}
		model := meanField(t, teacher, data, c.hidden)
		mean := make([]float64, n*c.hidden)
		model.Posterior.Mean(mean)
		independent := off(mean)
		r := NewRows(data, model.Posterior.Theta, nil, c.hidden, teacher.Coupling())
		for range 40 {
			step(t, r, 0.3)
		}
		r.Mean(mean)
		joint := off(mean)
		t.Logf("%d hidden units, q = %v: independent synapses are off by %.3f, rows by %.3f", c.hidden, c.correlation, independent, joint)
		if joint > c.limit || joint > independent/1.5 {
			t.Errorf("%d hidden units: joint beliefs are off by %.3f, independent ones by %.3f", c.hidden, joint, independent)
		}
	}
}

func TestRowsSameBytes(t *testing.T) {
	_, data := planting(t, 40, 3, 20, stream.New(9))
	theta := thetas(120, 0.5, stream.New(10))
	run := func(threads int, theta []float64) []float64 {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(threads))
		r := NewRows(data, theta, nil, 3, 0.16)
		for range 5 {
			step(t, r, 0.3)
		}
		mean := make([]float64, 120)
		r.Mean(mean)
		return mean
	}
	one := run(1, theta)
	if d := furthest(one, run(3, theta)); d != 0 {
		t.Errorf("another number of threads: means differ by %g", d)
	}
	// Another order and sign of the hidden units is a symmetry.
	other := append(append([]float64{}, theta[80:]...), theta[:80]...)
	for k := range 40 {
		other[k] = -other[k]
	}
	turned := run(1, other)
	want := append(append([]float64{}, one[80:]...), one[:80]...)
	for k := range 40 {
		want[k] = -want[k]
	}
	if d := furthest(turned, want); d > 1e-9 {
		t.Errorf("in another order: means differ by %g", d)
	}
}

func TestRowsPanics(t *testing.T) {
	data := spin.New(4, 3)
	for name, work := range map[string]func(){
		"no unit":        func() { NewRows(data, []float64{}, nil, 0, 1) },
		"too many units": func() { NewRows(data, make([]float64, 36), nil, 9, 1) },
		"coupling":       func() { NewRows(data, make([]float64, 8), nil, 2, math.NaN()) },
		"thetas":         func() { NewRows(data, make([]float64, 7), nil, 2, 1) },
		"prior":          func() { NewRows(data, make([]float64, 8), make([]float64, 4), 2, 1) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			work()
		}()
	}
}

// step is a step of a context that does not end.
func step(t *testing.T, r *Rows[float64], rate float64) {
	t.Helper()
	if err := r.Step(t.Context(), rate); err != nil {
		t.Fatal(err)
	}
}
