package sampler

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"bethe/dual"
	"bethe/dual/dualtest"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
	"bethe/thermo"
)

// exactly draws exact samples of a problem at an inverse temperature.
func exactly(p *Problem, beta float64, reads int, seed uint32) Samples {
	one := *p
	one.Scale = 1
	net := thermo.Scaled(one.Network(), beta)
	rng := rand.New(rand.NewPCG(uint64(seed), 7))
	s := Samples{spin.New(p.Visible, reads), spin.New(p.Hidden, reads)}
	probabilities := thermo.Enumerate(net).Probabilities()
	for a := range reads {
		k := 0
		for u := rng.Float64() - probabilities[0]; u > 0 && k+1 < len(probabilities); u -= probabilities[k] {
			k++
		}
		for i := range p.Visible {
			s.Visible.Set(i, a, int8(2*(k>>i&1)-1))
		}
	}
	fields := make([]float64, p.Hidden*reads)
	net.HiddenFields(fields, s.Visible)
	spin.Draw(s.Hidden, fields, stream.New(uint64(seed)))
	return s
}

// hot is a sampler of a temperature that it does not tell.
type hot struct {
	beta  func(call int) float64
	calls int
}

func (h *hot) Sample(ctx context.Context, p *Problem, reads int, seed uint32) (Samples, error) {
	if err := ctx.Err(); err != nil {
		return Samples{}, err
	}
	h.calls++
	return exactly(p, h.beta(h.calls), reads, seed), nil
}

func (*hot) Close() error { return nil }

func at(beta float64) func(int) float64 { return func(int) float64 { return beta } }

// The engine is one like our own, with 2,000 reads: six standard errors are 0.14. Gauges and a temperature that is known
// change nothing of it.
func TestSuite(t *testing.T) {
	for _, c := range []struct {
		gauges int
		beta   float64
	}{{0, 1}, {3, 2.5}} {
		dualtest.Engine(t, func() dual.Engine[float64] {
			return &Engine[float64]{Sampler: &hot{beta: at(c.beta)}, Reads: 2000, Key: stream.New(1), Follow: Fixed(c.beta), Gauges: c.gauges}
		}, 0.14, dualtest.Shape{Visible: 5, Hidden: 3, Coupling: 0.4, Field: 0.3})
	}
	dualtest.Engine(t, func() dual.Engine[float32] {
		return &Engine[float32]{Sampler: &hot{beta: at(1)}, Reads: 2000, Key: stream.New(2), Follow: Auto{}}
	}, 0.14, dualtest.Shape{Visible: 4, Hidden: 4, Coupling: 0.4, Field: 0.3})
}

// machine is a network of 6 x 3 units.
func machine() *rbm.Network[float64] {
	rng := rand.New(rand.NewPCG(3, 3))
	net := rbm.NewNetwork[float64](6, 3)
	for k := range net.Coupling {
		net.Coupling[k] = 0.5 * float64(2*rng.IntN(2)-1)
	}
	for i := range net.VisibleField {
		net.VisibleField[i] = 0.4 * rng.NormFloat64()
	}
	return net
}

// Auto finds temperatures from 0.2 to 6 within some calls, and follows one that drifts by a per cent a call: the mean of
// the logarithm is off by less than 0.1. A sampler that is as cold as the ground is warmed.
func TestAuto(t *testing.T) {
	net, m := machine(), rbm.NewMoments[float64](6, 3)
	for _, c := range []struct {
		name string
		beta func(int) float64
	}{{"hot", at(0.2)}, {"cold", at(6)}, {"rising", func(k int) float64 { return 0.4 * math.Exp(0.01*float64(k)) }}, {"freezing", at(300)}} {
		h := &hot{beta: c.beta}
		e := &Engine[float64]{Sampler: h, Reads: 500, Key: stream.New(1), Follow: Auto{}}
		mean, n := 0.0, 0
		for k := range 60 {
			if _, err := e.Moments(t.Context(), m, net); err != nil {
				t.Fatal(err)
			}
			if k >= 20 {
				mean += math.Log(e.Last().Beta / c.beta(h.calls))
				n++
			}
		}
		if mean /= float64(n); math.Abs(mean) > 0.1 {
			t.Errorf("%s: the logarithm of beta is off by %.3f", c.name, mean)
		}
	}
}

// Samplers that go against the problem, do not look at it, or always give a ground state end learning within 40 calls, with an error that says so. What is
// sent stays finite. A network without energy is no fault.
func TestLost(t *testing.T) {
	m := rbm.NewMoments[float64](6, 3)
	for _, c := range []struct {
		word   string
		beta   float64
		follow Follower
	}{{"against", -1, Auto{}}, {"against", -1, Fixed(1)}, {"against", -0.5, XuOates{Rate: 0.02, Data: spin.New(6, 10)}}, {"independent", 0, Auto{}}, {"without an exception", 1e9, Auto{}}, {"bounds", 2e-4, Auto{}}} {
		e := &Engine[float64]{Sampler: &hot{beta: at(c.beta)}, Name: "odd", Reads: 300, Key: stream.New(1), Follow: c.follow}
		if c.word == "bounds" {
			e.Reads = 2000
		}
		var err error
		k := 0
		for ; k < 40 && err == nil; k++ {
			_, err = e.Moments(t.Context(), m, machine())
			if b := e.state.beta; err == nil && !(b >= LeastBeta && b <= MostBeta) {
				t.Fatalf("%s: beta %v", c.word, b)
			}
		}
		var failed *Error
		if !errors.As(err, &failed) || failed.Sampler != "odd" || !strings.Contains(err.Error(), c.word) || k < mostLost || int(e.state.calls) != k-1 {
			t.Errorf("%s, %T, after %d calls: %v", c.word, c.follow, k, err)
		}
	}
	e := &Engine[float64]{Sampler: &hot{beta: at(0)}, Reads: 10, Key: stream.New(1), Follow: Auto{}}
	for range 2 * mostLost {
		if _, err := e.Moments(t.Context(), m, rbm.NewNetwork[float64](6, 3)); err != nil || e.state.beta != 1 {
			t.Fatalf("a network without energy: beta %v, %v", e.state.beta, err)
		}
	}
}

// A problem whose coefficients are not finite is not sent.
func TestNotFinite(t *testing.T) {
	m := rbm.NewMoments[float64](6, 3)
	for name, beta := range map[string]float64{"0": 0, "infinite": math.Inf(1), "too small": 1e-320, "none": math.NaN(), "a network that is none": 1} {
		h, net := &hot{beta: at(1)}, machine()
		if beta == 1 {
			net.VisibleField[2] = math.Inf(-1)
		}
		e := &Engine[float64]{Sampler: h, Reads: 10, Follow: Fixed(beta)}
		var failed *Error
		if _, err := e.Moments(t.Context(), m, net); !errors.As(err, &failed) || h.calls != 0 {
			t.Errorf("%s: %d calls, %v", name, h.calls, err)
		}
	}
}

// A range that does not allow the scale is told, and the temperature is read all the same.
func TestLimited(t *testing.T) {
	net, m := machine(), rbm.NewMoments[float64](6, 3)
	e := &Engine[float64]{Sampler: &hot{beta: at(0.5)}, Reads: 20000, Key: stream.New(1), Follow: Auto{}, Range: Range{Coupling: 0.25, Bits: 8, Field: 4}}
	for range 3 {
		if _, err := e.Moments(t.Context(), m, net); err != nil {
			t.Fatal(err)
		}
	}
	r := e.Last()
	if !r.Limited || r.Scale != 0.5 || math.Abs(r.Estimate()-0.5) > 5*r.Local.Error/r.Scale {
		t.Errorf("%+v: the sampler has 0.5, and reads %.3f", r, r.Estimate())
	}
}

// The rule of Xu and Oates moves towards the temperature while data and samples differ: a sampler that is
// too hot has the higher energy, and beta falls.
func TestXuOates(t *testing.T) {
	net, m := machine(), rbm.NewMoments[float64](6, 3)
	data := exactly(NewProblem(net, 1), 1, 2000, 5).Visible
	e := &Engine[float64]{Sampler: &hot{beta: at(0.4)}, Reads: 500, Key: stream.New(1), Follow: XuOates{Rate: 0.05, Data: data}}
	before := 1.0
	for k := range 5 {
		if _, err := e.Moments(t.Context(), m, net); err != nil {
			t.Fatal(err)
		}
		if b := e.state.beta; !(b < before) || b < 0.1 {
			t.Errorf("call %d: beta %v after %v", k, b, before)
		}
		before = e.state.beta
	}
}

// Settings that are none are errors, and so are states of something else.
func TestEngineRefuses(t *testing.T) {
	net, m := machine(), rbm.NewMoments[float64](6, 3)
	for _, e := range []*Engine[float64]{{Reads: 0}, {Reads: 3, Gauges: 4}, {Reads: 3, Gauges: -1}} {
		if _, err := e.Moments(t.Context(), m, net); err == nil {
			t.Errorf("%d reads in %d gauges pass", e.Reads, e.Gauges)
		}
	}
	for _, s := range []dual.State{{Count: 1}, {Count: 1, Numbers: [][]float64{{1, 2}}}, {Count: 1, Numbers: [][]float64{{-1, 6, 3}}}, {Count: 1, Numbers: [][]float64{{1, 6, 4}}}} {
		if err := (&Engine[float64]{}).Restore(6, 3, s); err == nil {
			t.Errorf("%+v passes", s)
		}
	}
}

// TestMain is also the programs that the tests of transports run.
func TestMain(m *testing.M) {
	if os.Getenv(actAs) != "" {
		os.Exit(act(os.Getenv(actAs), os.Args[1:]))
	}
	os.Exit(m.Run())
}
