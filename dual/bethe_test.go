package dual

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"bethe/rbm"
)

// On trees belief propagation is exact: ln Z, magnetisations and, by linear
// response, all correlations, those of units without a coupling between them
// included.
func TestBetheOnTrees(t *testing.T) {
	for k, tree := range []struct {
		n, p  int
		edges [][2]int // visible, hidden; nil for all
	}{
		{1, 1, nil}, {6, 1, nil}, {1, 5, nil},
		{4, 3, [][2]int{{0, 0}, {1, 0}, {1, 1}, {2, 1}, {2, 2}, {3, 2}}}, // a chain
		{3, 4, [][2]int{{0, 0}, {0, 1}, {1, 1}, {1, 2}, {2, 3}}},         // two parts
		{4, 4, nil}, // no tree: made one below
	} {
		for _, coupling := range []float64{0.2, 1, 3} {
			rng := rand.New(rand.NewPCG(uint64(k), 1))
			net := randomNetwork(tree.n, tree.p, coupling, 0.5, rng)
			edges := tree.edges
			if tree.n == 4 && tree.p == 4 {
				edges = [][2]int{{0, 0}, {0, 1}, {0, 2}, {0, 3}, {1, 3}, {2, 3}, {3, 2}}
			}
			if edges != nil {
				keep := map[int]bool{}
				for _, e := range edges {
					keep[e[1]*tree.n+e[0]] = true
				}
				for e := range net.Coupling {
					if !keep[e] {
						net.Coupling[e] = 0
					}
				}
			}
			what := fmt.Sprintf("tree %d, coupling %g", k, coupling)
			want, lnz := exactMoments(net)
			got, report := moments(t, NewBethe[float64](), net)
			if !report.Converged || report.Engine != "bethe" || report.Iterations == 0 || report.Residual > 1e-10 {
				t.Errorf("%s: report %+v", what, report)
			}
			near(t, what+": ln Z", report.LnZ, lnz, 1e-9)
			nearMoments(t, what, got, want, 1e-8)

			// The two messages of an edge give the correlation of its ends.
			edge := NewBethe[float64]()
			edge.EdgeCorrelation = true
			got, _ = moments(t, edge, net)
			for e, k := range net.Coupling {
				if k != 0 {
					near(t, what+": edge correlation", got.Correlation[e], want.Correlation[e], 1e-8)
				}
			}
		}
	}
}

// With loops the errors of ln Z and of the linear-response correlations are
// small where the coupling is (loops of four edges: K^4), and fall by about
// 2^4 when it is halved. Without fields the leading terms are clean.
func TestBetheWithLoops(t *testing.T) {
	for k, shape := range [][2]int{{5, 4}, {3, 6}, {4, 4}} {
		lnZ := func(coupling, field float64) (lnZError, momentError float64) {
			net := randomNetwork(shape[0], shape[1], coupling, field, rand.New(rand.NewPCG(uint64(k), 2)))
			want, lnz := exactMoments(net)
			got, report := moments(t, NewBethe[float64](), net)
			if !report.Converged {
				t.Errorf("%v: %+v", shape, report)
			}
			return math.Abs(report.LnZ - lnz), max(worst(got.Visible, want.Visible), worst(got.Hidden, want.Hidden), worst(got.Correlation, want.Correlation))
		}
		for _, field := range []float64{0, 0.5} {
			z, m := lnZ(0.2, field)
			zHalf, mHalf := lnZ(0.1, field)
			if !(z < 0.03 && m < 0.03) {
				t.Errorf("%v, field %g: ln Z off by %.2g, moments by %.2g", shape, field, z, m)
			}
			if !(z/zHalf > 10 && z/zHalf < 22) || !(m/mHalf > 5) {
				t.Errorf("%v, field %g: errors of ln Z %.2g to %.2g, of moments %.2g to %.2g", shape, field, z, zHalf, m, mHalf)
			}
		}
	}
}

// The trap: without fields the messages of an edge say tanh K whatever the
// loops. Linear response sees them and is nearer to the truth.
func TestBetheTrap(t *testing.T) {
	for k, shape := range [][2]int{{6, 3}, {3, 6}} {
		net := randomNetwork(shape[0], shape[1], 0.3, 0, rand.New(rand.NewPCG(uint64(k), 3)))
		want, _ := exactMoments(net)
		edge := NewBethe[float64]()
		edge.EdgeCorrelation = true
		trapped, report := moments(t, edge, net)
		response, _ := moments(t, NewBethe[float64](), net)
		for e, k := range net.Coupling {
			if trapped.Correlation[e] != math.Tanh(k) {
				t.Errorf("edge %d: %g, not tanh K = %g", e, trapped.Correlation[e], math.Tanh(k))
			}
		}
		near, far := worst(response.Correlation, want.Correlation), worst(trapped.Correlation, want.Correlation)
		if !report.Converged || !(near < far/3) || !(worst(response.Correlation, trapped.Correlation) > far/2) {
			t.Errorf("%v: linear response off by %.3g, edges by %.3g", shape, near, far)
		}
	}
}

func TestBetheNotConverged(t *testing.T) {
	for name, c := range map[string]struct {
		coupling, field float64
		iterations      int
		edge            bool
	}{
		"few iterations":                {1, 0.5, 2, true},
		"few iterations of response":    {0.3, 0, 2, false}, // at once at the fixed point, but not the response
		"frustrated":                    {2, 0.1, 300, true},
		"response of an unstable point": {2, 0, 500, false},
	} {
		net := randomNetwork(8, 8, c.coupling, c.field, rand.New(rand.NewPCG(4, 0)))
		b := NewBethe[float64]()
		b.MaxIterations, b.EdgeCorrelation = c.iterations, c.edge
		_, report := moments(t, b, net)
		if report.Converged || report.Residual <= b.Tolerance || report.Iterations < c.iterations || report.Iterations > 2*c.iterations {
			t.Errorf("%s: report %+v", name, report)
		}
	}
}

// Messages are kept: a second call on the same network has nothing to do, one
// on another network forgets what does not fit.
func TestBetheWarmStart(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 7))
	b := NewBethe[float64]()
	b.EdgeCorrelation = true
	net := randomNetwork(5, 3, 0.3, 0.5, rng)
	_, first := moments(t, b, net)
	_, second := moments(t, b, net)
	if first.Iterations < 5 || second.Iterations > 2 {
		t.Errorf("%d iterations, then %d", first.Iterations, second.Iterations)
	}
	near(t, "ln Z", second.LnZ, first.LnZ, 1e-9)
	for _, shape := range [][2]int{{3, 5}, {1, 4}, {6, 4}} {
		other := randomNetwork(shape[0], shape[1], 0.3, 0.5, rng)
		warm, report := moments(t, b, other)
		fresh := NewBethe[float64]()
		fresh.EdgeCorrelation = true
		cold, _ := moments(t, fresh, other)
		if !report.Converged {
			t.Errorf("%v: %+v", shape, report)
		}
		nearMoments(t, "warm from another shape", warm, cold, 1e-8)
	}
}

func TestBetheFloat32(t *testing.T) {
	net := randomNetwork(5, 1, 0.8, 0.5, rand.New(rand.NewPCG(8, 9)))
	narrow := rbm.NewNetwork[float32](5, 1)
	for e, v := range net.Coupling {
		narrow.Coupling[e] = float32(v)
	}
	for i, v := range net.VisibleField {
		narrow.VisibleField[i] = float32(v)
	}
	narrow.HiddenField[0], narrow.Constant = float32(net.HiddenField[0]), net.Constant
	want, lnz := exactMoments(net)
	got := rbm.NewMoments[float32](5, 1)
	report, err := NewBethe[float32]().Moments(context.Background(), got, narrow)
	if err != nil || !report.Converged {
		t.Fatal(report, err)
	}
	near(t, "ln Z", report.LnZ, lnz, 1e-6)
	for e, v := range got.Correlation {
		near(t, "correlation", float64(v), want.Correlation[e], 1e-6)
	}
}
