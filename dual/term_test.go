package dual

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"bethe/rbm"
	"bethe/stream"
)

// eachModel calls f with small models of all kinds.
func eachModel(t *testing.T, f func(t *testing.T, m *rbm.Params, mean []float64)) {
	for k, shape := range [][2]int{{1, 1}, {5, 1}, {1, 4}, {4, 2}, {2, 4}, {3, 3}, {4, 3}} {
		for _, coupling := range []float64{0.1, 0.8, 4} {
			if shape == [2]int{4, 3} && coupling != 0.8 {
				continue // enumerating the 2^12 synapses is slow
			}
			for kind := range 8 {
				fields, offsets, polarised := kind&1 != 0, kind&2 != 0, kind&4 != 0
				t.Run(fmt.Sprintf("%dx%d,J=%g,fields=%v,offsets=%v,polarised=%v", shape[0], shape[1], coupling, fields, offsets, polarised), func(t *testing.T) {
					rng := rand.New(rand.NewPCG(uint64(k), uint64(kind)))
					f(t, randomParams(shape[0], shape[1], coupling, fields, offsets, rng), randomMeans(shape[0]*shape[1], polarised, rng))
				})
				if shape != [2]int{3, 3} {
					continue
				}
				t.Run(fmt.Sprintf("links,J=%g,fields=%v,offsets=%v,polarised=%v", coupling, fields, offsets, polarised), func(t *testing.T) {
					rng := rand.New(rand.NewPCG(uint64(k), uint64(kind)))
					m := randomParams(3, 3, coupling, fields, offsets, rng)
					m.Links = []rbm.Link{{Coupling: coupling, Visible: rbm.Range{To: 2}, Hidden: rbm.Range{To: 3}}, {Coupling: coupling / 2, Visible: rbm.Range{From: 2, To: 3}, Hidden: rbm.Range{From: 1, To: 3}}}
					f(t, m, randomMeans(9, polarised, rng))
				})
			}
		}
	}
}

// ln E_q Z is what averaging Z over every configuration of the synapses gives.
func TestAnnealedIsMeanZ(t *testing.T) {
	eachModel(t, func(t *testing.T, m *rbm.Params, mean []float64) {
		want := lnMeanZ(m, mean)
		_, report := term(t, &Annealed[float64]{Engine: Exact[float64]{}}, m, mean)
		near(t, "ln E_q Z", report.LnZ, want, 1e-12)
		_, lnz := exactMoments(NewNetwork(m, mean))
		near(t, "ln Z of the network", lnz, want, 1e-12)
		if report.Engine != "exact" || !report.Converged || report.Iterations != 0 || report.Residual != 0 {
			t.Errorf("report %+v", report)
		}
	})
}

// No coupling is beyond the bound that the network states, also where synapses are known.
func TestNetworkBound(t *testing.T) {
	eachModel(t, func(t *testing.T, m *rbm.Params, mean []float64) {
		for range 2 {
			net := NewNetwork(m, mean)
			for k, v := range net.Coupling {
				if net.CouplingLimit != m.LargestCoupling() || math.Abs(v) > net.CouplingLimit*(1+1e-12) {
					t.Errorf("K = %v of lambda = %v at J = %v, bounded by %v", v, mean[k], m.LargestCoupling(), net.CouplingLimit)
				}
				mean[k] = math.Copysign(1, mean[k])
			}
		}
	})
}

// Without offsets the dual network has the couplings and constant of the
// closed form, and the fields of the machine; with all synapses known it is
// the machine itself. Both also where exp would overflow.
func TestNetworkForms(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, coupling := range []float64{0.01, 1, 10} {
		m, mean := randomParams(4, 3, coupling, true, false, rng), randomMeans(12, false, rng)
		net := NewNetwork(m, mean)
		constant := 12 * math.Log(math.Cosh(coupling))
		for k, lambda := range mean {
			want := math.Atanh(lambda * math.Tanh(coupling))
			near(t, "K", net.Coupling[k], want, 1e-8)
			constant -= math.Log(math.Cosh(want))
		}
		near(t, "constant", net.Constant, constant, 1e-8)
		near(t, "fields", worst(net.VisibleField, m.VisibleField)+worst(net.HiddenField, m.HiddenField), 0, 1e-13)
	}
	for _, coupling := range []float64{0.5, 400, 1e5} {
		m := randomParams(3, 2, coupling, true, true, rng)
		mean, xi := make([]float64, 6), 0b101100
		for k := range mean {
			mean[k] = spinOf(xi, k)
		}
		_, report := term(t, &Annealed[float64]{Engine: Exact[float64]{}}, m, mean)
		near(t, fmt.Sprintf("ln Z of known synapses at J = %g", coupling), report.LnZ, machineLnZ(m, xi), 1e-12)
		for k := range mean {
			mean[k] *= 0.7
		}
		_, report = term(t, &Annealed[float64]{Engine: Exact[float64]{}}, m, mean)
		near(t, fmt.Sprintf("ln E_q Z at J = %g", coupling), report.LnZ, lnMeanZ(m, mean), 1e-12)
	}
}

// difference is the derivative of f at 0, by fourth-order central differences.
func difference(f func(d float64) float64) float64 {
	const e = 2e-4
	return (8*(f(e)-f(-e)) - (f(2*e) - f(-2*e))) / (12 * e)
}

// checkGradient holds the gradient of a term against numerical differences of
// its ln Z; newTerm makes it afresh, with the same random numbers.
func checkGradient(t *testing.T, newTerm func() Partition[float64], m *rbm.Params, mean []float64, synapses bool, tolerance float64) {
	t.Helper()
	grad, _ := term(t, newTerm(), m, mean)
	slope := func(x *float64) float64 {
		old := *x
		defer func() { *x = old }()
		return difference(func(d float64) float64 {
			*x = old + d
			_, report := term(t, newTerm(), m, mean)
			return report.LnZ
		})
	}
	for k := range mean {
		if synapses {
			near(t, fmt.Sprintf("derivative by lambda %d = %g", k, mean[k]), grad.Synapse[k], slope(&mean[k]), tolerance)
		}
	}
	for i := range m.VisibleField {
		near(t, fmt.Sprint("derivative by b ", i), grad.VisibleField[i], slope(&m.VisibleField[i]), tolerance)
	}
	for mu := range m.HiddenField {
		near(t, fmt.Sprint("derivative by c ", mu), grad.HiddenField[mu], slope(&m.HiddenField[mu]), tolerance)
	}
	for k := range m.Links {
		near(t, fmt.Sprint("derivative by J ", k), grad.Coupling[k], slope(&m.Links[k].Coupling), tolerance)
	}
}

// By lambda only where |lambda| < 0.95: the differences must keep away from ±1.
func TestAnnealedGradient(t *testing.T) {
	annealed := &Annealed[float64]{Engine: Exact[float64]{}}
	eachModel(t, func(t *testing.T, m *rbm.Params, mean []float64) {
		polarised := false
		for k := range mean {
			if math.Abs(mean[k]) == 1 {
				polarised = true
			} else {
				mean[k] *= 0.95
			}
		}
		checkGradient(t, func() Partition[float64] { return annealed }, m, mean, !polarised, 1e-8)
	})
	// At lambda = ±1 the term is linear in each lambda's E_q Z: Z of either sign.
	rng := rand.New(rand.NewPCG(3, 4))
	m := randomParams(3, 2, 0.7, true, true, rng)
	mean, xi := make([]float64, 6), 0b010110
	for k := range mean {
		mean[k] = spinOf(xi, k)
	}
	grad, _ := term(t, annealed, m, mean)
	for k := range mean {
		up, down := machineLnZ(m, xi|1<<k), machineLnZ(m, xi&^(1<<k))
		near(t, "derivative by a lambda of ±1", grad.Synapse[k], (math.Exp(up-machineLnZ(m, xi))-math.Exp(down-machineLnZ(m, xi)))/2, 1e-12)
	}
	moments, _ := exactMoments(NewNetwork(m, mean))
	nearMoments(t, "moments of the last term", annealed.Moments(), moments, 1e-12)
}

func TestQuenchedGradient(t *testing.T) {
	for k, shape := range [][2]int{{1, 1}, {5, 1}, {1, 4}, {4, 3}, {3, 4}} {
		for _, coupling := range []float64{0.3, 1.5} {
			for _, fields := range []bool{false, true} {
				rng := rand.New(rand.NewPCG(uint64(k), 5))
				n, p := shape[0], shape[1]
				m, mean := randomParams(n, p, coupling, fields, false, rng), randomMeans(n*p, false, rng)
				for k := range mean {
					mean[k] *= 0.9
				}
				newTerm := func() Partition[float64] {
					return &Quenched[float64]{Engine: Exact[float64]{}, Draws: 6, Key: stream.New(7)}
				}
				checkGradient(t, newTerm, m, mean, true, 1e-7)
			}
		}
	}
}

// For one hidden unit the quenched term is a one-dimensional Gaussian average,
// which many draws approach; the field and what z does is checked by quadrature.
func TestQuenchedMean(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 7))
	m, mean := randomParams(4, 1, 0.8, true, false, rng), randomMeans(4, false, rng)
	variance := 0.0
	for _, l := range mean {
		variance += 0.8 * 0.8 * (1 - l*l)
	}
	lnZ := func(z float64) float64 {
		net := rbm.NewNetwork[float64](4, 1)
		copy(net.VisibleField, m.VisibleField)
		net.HiddenField[0] = m.HiddenField[0] + math.Sqrt(variance)*z
		for k, l := range mean {
			net.Coupling[k] = 0.8 * l
		}
		_, lnz := exactMoments(net)
		return lnz
	}
	var want, weight, square float64
	for z := -8.0; z <= 8; z += 1.0 / 64 { // the trapezoidal rule: exact here to rounding
		w, even := math.Exp(-z*z/2), (lnZ(z)+lnZ(-z))/2
		want, weight, square = want+w*even, weight+w, square+w*even*even
	}
	want /= weight
	deviation := math.Sqrt(square/weight - want*want) // of a pair z, -z

	const draws, steps = 200, 50
	q := &Quenched[float64]{Engine: Exact[float64]{}, Draws: draws, Key: stream.New(8)}
	sum, seen := 0.0, map[float64]bool{}
	for range steps {
		_, report := term(t, q, m, mean)
		sum += report.LnZ
		seen[report.LnZ] = true
	}
	if z := (sum/steps - want) / (deviation / math.Sqrt(draws*steps/2)); math.Abs(z) > 5 {
		t.Errorf("mean %g, not %g: %.1f standard errors", sum/steps, want, z)
	}
	if len(seen) != steps {
		t.Errorf("%d steps, only %d different sets of draws", steps, len(seen))
	}
	// The two draws of a pair are z and -z.
	one := &Quenched[float64]{Engine: Exact[float64]{}, Draws: 2, Key: stream.New(9)}
	_, report := term(t, one, m, mean)
	z := stream.New(9).Sub(0).Rand().NormFloat64()
	near(t, "a pair", report.LnZ, (lnZ(z)+lnZ(-z))/2, 1e-12)
}

// With known synapses nothing is random: the term is the machine's ln Z.
func TestQuenchedKnown(t *testing.T) {
	m := randomParams(3, 2, 0.6, true, false, rand.New(rand.NewPCG(8, 9)))
	mean, xi := make([]float64, 6), 0b100101
	for k := range mean {
		mean[k] = spinOf(xi, k)
	}
	newTerm := func() Partition[float64] {
		return &Quenched[float64]{Engine: Exact[float64]{}, Draws: 2, Key: stream.New(1)}
	}
	_, report := term(t, newTerm(), m, mean)
	near(t, "ln Z", report.LnZ, machineLnZ(m, xi), 1e-12)
	checkGradient(t, newTerm, m, mean, false, 1e-8)
	// By lambda the term has an infinite slope there; the gradient leaves that part out.
	net := NewNetwork(m, mean)
	moments, _ := exactMoments(net)
	grad, _ := term(t, newTerm(), m, mean)
	for k, c := range moments.Correlation {
		near(t, "derivative by lambda", grad.Synapse[k], 0.6*c, 1e-12)
	}
}

// What the quenched term reports of its engine: all iterations, the largest
// residual, and converged only if every draw was.
func TestQuenchedReport(t *testing.T) {
	m, mean := randomParams(4, 3, 0.5, true, false, rand.New(rand.NewPCG(1, 1))), make([]float64, 12)
	engine := &scripted{reports: []Report{{Engine: "e", LnZ: 1, Iterations: 5, Residual: 0.1, Converged: true}, {Engine: "e", LnZ: 2, Iterations: 7, Residual: 0.4, Converged: false}, {Engine: "e", LnZ: 3, Iterations: 1, Residual: 0.2, Converged: true}, {Engine: "e", LnZ: 6, Iterations: 2, Residual: 0, Converged: true}}}
	_, report := term(t, &Quenched[float64]{Engine: engine, Draws: 4}, m, mean)
	if want := (Report{Engine: "e", LnZ: 3, Iterations: 15, Residual: 0.4, Converged: false}); report != want {
		t.Errorf("report %+v, not %+v", report, want)
	}
}

// scripted is an engine that says what it is told to.
type scripted struct {
	reports []Report
	err     error
}

func (s *scripted) GivesLnZ() bool { return true }

func (s *scripted) Moments(context.Context, *rbm.Moments[float64], *rbm.Network[float64]) (Report, error) {
	if s.err != nil {
		return Report{}, s.err
	}
	r := s.reports[0]
	s.reports = s.reports[1:]
	return r, nil
}

func TestTermErrors(t *testing.T) {
	m := rbm.NewParams(2, 2, 1)
	mean, grad := make([]float64, 4), NewGradient[float64](&m)
	for _, draws := range []int{0, -2, 3} {
		if _, err := Term(context.Background(), &Quenched[float64]{Engine: Exact[float64]{}, Draws: draws}, grad, &m, mean); err == nil {
			t.Errorf("%d draws: no error", draws)
		}
	}
	cause := errors.New("cause")
	for _, p := range []Partition[float64]{&Quenched[float64]{Engine: &scripted{err: cause}, Draws: 2}, &Annealed[float64]{Engine: &scripted{err: cause}}} {
		if _, err := Term(context.Background(), p, grad, &m, mean); err != cause {
			t.Errorf("%T: error %v, not the engine's", p, err)
		}
		func() {
			defer func() {
				if got := recover(); got != "dual: 3 posterior means for 2 x 2 synapses" {
					t.Errorf("%T: panic %v", p, got)
				}
			}()
			_, _ = Term(context.Background(), p, grad, &m, mean[:3])
		}()
	}
	for want, p := range map[string]Partition[float64]{"annealed": &Annealed[float64]{}, "quenched": &Quenched[float64]{Draws: 2}, "weighted": &Weighted[float64]{}} {
		func() {
			defer func() {
				if got := recover(); got != "dual: the "+want+" term has no Engine" {
					t.Errorf("%T without an engine: panic %v", p, got)
				}
			}()
			_, _ = Term(context.Background(), p, grad, &m, mean)
		}()
	}
	for _, offset := range []*float64{&m.VisibleOffset[1], &m.HiddenOffset[0]} {
		*offset = 0.1
		if _, err := Term(context.Background(), &Quenched[float64]{Engine: Exact[float64]{}, Draws: 2}, grad, &m, mean); !errors.Is(err, ErrOffsets) {
			t.Errorf("offsets: error %v", err)
		}
		*offset = 0
	}
}

// The bound with the exact data term never exceeds the evidence,
//
//	E_q[data] - M ln E_q Z - KL(q || p) <= ln sum over xi of p(xi) P(D | xi),
//
// for random machines, priors and data, everything but ln E_q Z and the
// divergence by enumeration of all synapses; and it is close where the
// coupling is weak and the posterior is the prior.
func TestBound(t *testing.T) {
	rng := rand.New(rand.NewPCG(10, 11))
	annealed := &Annealed[float64]{Engine: Exact[float64]{}}
	shapes := [][2]int{{1, 1}, {2, 2}, {4, 1}, {1, 4}, {3, 2}, {2, 3}, {4, 2}, {3, 3}}
	for k := range 400 {
		n, p := shapes[k%len(shapes)][0], shapes[k%len(shapes)][1]
		coupling := []float64{1e-3, 0.3, 1, 3}[rng.IntN(4)]
		m := randomParams(n, p, coupling, rng.IntN(2) == 0, rng.IntN(2) == 0, rng)
		q := rbm.NewPosterior[float64](n, p)
		q.Randomize(1, stream.New(uint64(k)))
		weak := k%5 == 0
		if weak {
			m.SetCoupling(1e-3)
		}
		prior := make([]float64, n*p) // means
		if rng.IntN(2) == 0 {
			q.PriorTheta = make([]float64, n*p)
			for e := range prior {
				q.PriorTheta[e] = rng.NormFloat64()
				prior[e] = math.Tanh(q.PriorTheta[e])
			}
		}
		if weak {
			clear(q.Theta)
			copy(q.Theta, q.PriorTheta)
		}
		mean := make([]float64, n*p)
		q.Mean(mean)
		samples := make([]int, 1+rng.IntN(6))
		for a := range samples {
			samples[a] = rng.IntN(1 << n)
		}

		data := 0.0
		var evidence []float64
		for xi := range 1 << (n * p) {
			lnw := 0.0 // of the samples, without Z
			for _, s := range samples {
				lnw += sampleLnWeight(m, xi, s)
			}
			data += math.Exp(lnProbability(mean, xi)) * lnw
			evidence = append(evidence, lnProbability(prior, xi)+lnw-float64(len(samples))*machineLnZ(m, xi))
		}
		_, report := term(t, annealed, m, mean)
		gap := lnSum(evidence) - (data - float64(len(samples))*report.LnZ - q.KL())
		if gap < -1e-10 || weak && gap > 1e-3 {
			t.Errorf("machine %d (%d x %d, J = %g): the bound lies %g below the evidence", k, n, p, m.Coupling(), gap)
		}
	}
}

// sampleLnWeight is ln of the sum over hidden states of the weight of visible
// state s: b.s + sum_mu [ ln 2cosh( field + c ) - nu field ].
func sampleLnWeight(m *rbm.Params, xi, s int) float64 {
	n, sum := m.Visible(), 0.0
	for i, b := range m.VisibleField {
		sum += b * spinOf(s, i)
	}
	for mu, c := range m.HiddenField {
		field := 0.0
		for i, offset := range m.VisibleOffset {
			field += m.Coupling() * spinOf(xi, mu*n+i) * (spinOf(s, i) - offset)
		}
		sum += ln2cosh(field+c) - m.HiddenOffset[mu]*field
	}
	return sum
}
