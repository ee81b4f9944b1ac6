package rbm

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	"bethe/spin"
	"bethe/stream"
)

// eachMachine calls f with machines of all kinds: more visible than hidden
// units and the reverse, with and without fields and offsets, weak to strong.
func eachMachine(t *testing.T, f func(t *testing.T, m *Machine)) {
	for k, shape := range [][2]int{{1, 1}, {5, 1}, {1, 4}, {6, 3}, {3, 6}, {4, 4}, {7, 2}} {
		for kind := range 4 {
			for _, coupling := range []float64{0.05, 0.5, 3} {
				m := randomMachine(shape[0], shape[1], coupling, kind&1 != 0, kind&2 != 0, rand.New(rand.NewPCG(uint64(k), uint64(kind))))
				t.Run(fmt.Sprintf("%dx%d,J=%g,fields=%v,offsets=%v", shape[0], shape[1], coupling, kind&1 != 0, kind&2 != 0), func(t *testing.T) { f(t, m) })
				t.Run(fmt.Sprintf("%dx%d,J=%g,fields=%v,offsets=%v,real", shape[0], shape[1], coupling, kind&1 != 0, kind&2 != 0), func(t *testing.T) {
					f(t, realMachine(m, rand.New(rand.NewPCG(uint64(k), 9))))
				})
				t.Run(fmt.Sprintf("%dx%d,J=%g,fields=%v,offsets=%v,links", shape[0], shape[1], coupling, kind&1 != 0, kind&2 != 0), func(t *testing.T) { f(t, linkedMachine(m)) })
			}
		}
	}
}

// realMachine returns a machine with random real synapses and m's parameters.
func realMachine(m *Machine, rng *rand.Rand) *Machine {
	w := make([]float32, m.Visible()*m.Hidden())
	for k := range w {
		w[k] = float32(rng.NormFloat64())
	}
	return &Machine{m.Params.Clone(), RealValued(m.Visible(), m.Hidden(), w)}
}

// linkedMachine returns m with several links in the place of one: a block of
// visible units for each of two groups of hidden units, one without the others.
func linkedMachine(m *Machine) *Machine {
	l := m.Clone()
	n, p, j := m.Visible(), m.Hidden(), m.Coupling()
	l.Links = []Link{{j, Range{0, n/2 + 1}, Range{0, p}}}
	if n/2+1 < n {
		l.Links = append(l.Links, Link{2 * j, Range{n/2 + 1, n}, Range{0, (p + 1) / 2}})
	}
	return l
}

func TestMachineLnZ(t *testing.T) {
	eachMachine(t, func(t *testing.T, m *Machine) {
		lnz, err := m.LnZ(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		near(t, "ln Z", lnz, bruteLnZ(m.Visible(), m.Hidden(), m.lnWeight), 1e-13)
	})
}

func TestNetworkExact(t *testing.T) {
	for k, shape := range [][2]int{{1, 1}, {5, 1}, {1, 4}, {6, 3}, {3, 6}, {4, 4}} {
		for _, fields := range []bool{false, true} {
			for _, scale := range []float64{0, 0.1, 1, 40} {
				n, p := shape[0], shape[1]
				net := randomNetwork(n, p, scale, fields, rand.New(rand.NewPCG(uint64(k), 9)))
				what := fmt.Sprintf("%d x %d, scale %g, fields %v", n, p, scale, fields)
				checkExactSums(t, what, net, bruteLnZ(n, p, net.lnWeight), bruteMoments(n, p, net.lnWeight), 1e-12)
			}
		}
	}
}

func checkExactSums(t *testing.T, what string, net *Network[float64], lnz float64, moments *Moments[float64], tolerance float64) {
	t.Helper()
	got := NewMoments[float64](net.Visible(), net.Hidden())
	first, err := net.LnZ(context.Background())
	second, err2 := net.ExactMoments(context.Background(), got)
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	near(t, what+": ln Z", first, lnz, tolerance)
	near(t, what+": ln Z of ExactMoments", second, lnz, tolerance)
	nearMoments(t, what, got, moments, tolerance)
}

// Layers so large that the sums are done in several pieces, held against an
// enumeration of the other layer. (Machine: 2^12 states a piece; Network: 2^10.)
func TestExactInPieces(t *testing.T) {
	rng := rand.New(rand.NewPCG(10, 11))
	for _, shape := range [][2]int{{13, 14}, {14, 13}} {
		m := randomMachine(shape[0], shape[1], 0.3, true, true, rng)
		got, err := m.LnZ(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		want, _ := largerLayer(NetworkOf[float64](m))
		near(t, fmt.Sprint("ln Z of machine ", shape), got, want, 1e-12)
	}
	for _, shape := range [][2]int{{11, 12}, {12, 11}, {12, 12}} {
		net := randomNetwork(shape[0], shape[1], 0.3, true, rng)
		lnz, moments := largerLayer(net)
		checkExactSums(t, fmt.Sprint("network ", shape), net, lnz, moments, 1e-11)
	}
}

// In float32 the sums are done in float64: only the results are rounded.
func TestExactFloat32(t *testing.T) {
	rng := rand.New(rand.NewPCG(12, 13))
	for _, shape := range [][2]int{{6, 3}, {3, 6}} {
		n, p := shape[0], shape[1]
		m := randomMachine(n, p, 0.5, true, true, rng)
		net := NetworkOf[float32](m)
		got := NewMoments[float32](n, p)
		lnz, err := net.ExactMoments(context.Background(), got)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "ln Z", lnz, bruteLnZ(n, p, net.lnWeight), 1e-13)
		nearMoments(t, "float32", got, bruteMoments(n, p, net.lnWeight), 1e-7)
		near(t, "ln Z of the machine", lnz, bruteLnZ(n, p, m.lnWeight), 1e-6)
	}
}

func TestErrTooLarge(t *testing.T) {
	m := &Machine{Params: NewParams(MaxExact+1, MaxExact+1, 1), Synapses: Binary(spin.New(MaxExact+1, MaxExact+1))}
	net := NetworkOf[float64](m)
	_, err1 := m.LnZ(context.Background())
	_, err2 := net.LnZ(context.Background())
	_, err3 := net.ExactMoments(context.Background(), NewMoments[float64](MaxExact+1, MaxExact+1))
	for _, err := range []error{err1, err2, err3} {
		if !errors.Is(err, ErrTooLarge) || err.Error() != "too many units for an exact sum: the smaller layer has 26 units and the limit is 25" {
			t.Errorf("error %v", err)
		}
	}
	if checkExact(MaxExact, 1000) != nil || checkExact(1000, MaxExact) != nil {
		t.Error("a smaller layer of the limit is refused")
	}
}

func TestLogSumExp(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range []struct {
		x    []float64
		want float64
	}{
		{nil, -inf}, {[]float64{-inf, -inf}, -inf}, {[]float64{3}, 3}, {[]float64{-inf, 3}, 3}, {[]float64{inf, 3}, inf},
		{[]float64{1000, 1000}, 1000 + math.Ln2}, {[]float64{-1000, -1000, -2000}, -1000 + math.Ln2},
	} {
		if got := LogSumExp(c.x); got != c.want {
			t.Errorf("LogSumExp(%v) = %v, not %v", c.x, got, c.want)
		}
	}
}

// Exact sums have the same bytes whatever the threads.
func TestExactThreads(t *testing.T) {
	rng := rand.New(rand.NewPCG(14, 15))
	m := randomMachine(14, 14, 0.2, true, true, rng)
	net := randomNetwork(13, 12, 0.2, true, rng)
	q := NewPosterior[float32](200, 50)
	q.Randomize(1, stream.New(1))
	type result struct {
		machine, network, kl float64
		moments              [13*12 + 13 + 12]float64
	}
	run := func(threads int) (r result) {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(threads))
		moments := NewMoments[float64](13, 12)
		var err1, err2 error
		r.machine, err1 = m.LnZ(context.Background())
		r.network, err2 = net.ExactMoments(context.Background(), moments)
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		r.kl = q.KL()
		copy(r.moments[:], append(append(moments.Correlation, moments.Visible...), moments.Hidden...))
		return r
	}
	one := run(1)
	for _, threads := range []int{2, 5} {
		if run(threads) != one {
			t.Errorf("%d threads: other results than 1", threads)
		}
	}
}
