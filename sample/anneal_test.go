package sample

import (
	"context"
	"errors"
	"math"
	"reflect"
	"runtime"
	"slices"
	"testing"

	"bethe/rbm"
	"bethe/stream"
)

func annealed[T rbm.Real](t *testing.T, source SpinSource[T], a Annealing) LnZEstimate {
	t.Helper()
	e, err := AnnealedLnZ(t.Context(), source, a)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func widened[T rbm.Real](x []T) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}

// The mean of exp(log-weight) is Z whatever the number of temperatures, the
// base and the precision: within 5 standard errors over independent chains of
// many keys. All cases together raise a false alarm once in 10^5 changes of keys.
func TestAnnealedUnbiased(t *testing.T) {
	annealedUnbiased[float32](t)
	annealedUnbiased[float64](t)
}

func annealedUnbiased[T rbm.Real](t *testing.T) {
	const keys, chains = 40, 500
	net := testNetwork[T](visible, hidden)
	lnz := lnSum(lnWeights(net))
	for _, base := range [][]float64{make([]float64, visible), widened(net.VisibleField), {0.5, -0.5, 1, 0, 2}} {
		for _, temperatures := range []int{1, 2, 7} {
			var sum, square float64
			for k := range keys {
				e := annealed(t, OnNetwork(net).From(base), Annealing{Chains: chains, Temperatures: temperatures, Key: stream.New(uint64(k))})
				for _, w := range e.LogWeights {
					ratio := math.Exp(w - lnz)
					sum += ratio
					square += ratio * ratio
				}
			}
			const n = keys * chains
			mean := sum / n
			z := (mean - 1) / math.Sqrt((square/n-mean*mean)/n)
			if math.Abs(z) > 5 {
				t.Errorf("%d temperatures, base %.2v: mean of Z estimates %.4f Z, %.1f standard errors off", temperatures, base, mean, z)
			}
		}
	}
}

// A network of units that do not interact, in the base field, is the base: all
// weights are Z, hidden fields included.
func TestAnnealedExact(t *testing.T) {
	net := testNetwork[float64](visible, hidden)
	clear(net.Coupling)
	e := annealed(t, OnNetwork(net).From(net.VisibleField), Annealing{Chains: 50, Temperatures: 10, Key: stream.New(1)})
	lnz := lnSum(lnWeights(net))
	if math.Abs(e.LnZ-lnz) > 1e-12 || e.Spread > 1e-12 || math.Abs(e.Effective-50) > 1e-9 {
		t.Errorf("%.15g with spread %g and %g effective chains, not %.15g", e.LnZ, e.Spread, e.Effective, lnz)
	}
}

// More temperatures bring the log-weights together and to ln Z.
func TestAnnealedConverges(t *testing.T) {
	const n, p, chains = 12, 8, 1000
	net := testNetwork[float64](n, p)
	for k := range net.Coupling {
		net.Coupling[k] *= 1.2
	}
	lnz, err := net.LnZ(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	var spread, gap []float64
	for _, temperatures := range []int{4, 40, 400} {
		e := annealed(t, OnNetwork(net), Annealing{Chains: chains, Temperatures: temperatures, Key: stream.New(2)})
		mean := 0.0
		for _, w := range e.LogWeights {
			mean += w / chains
		}
		spread, gap = append(spread, e.Spread), append(gap, lnz-mean)
		if math.Abs(e.LnZ-lnz) > 6*math.Sqrt((chains/e.Effective-1)/chains)+1e-3 {
			t.Errorf("%d temperatures: ln Z %g, not %g; %g effective chains", temperatures, e.LnZ, lnz, e.Effective)
		}
	}
	for k := 1; k < 3; k++ {
		if !(spread[k] < spread[k-1]/2 && gap[k] < gap[k-1]/4 && gap[k] > 0) {
			t.Errorf("spread %v and gap %v over 4, 40, 400 temperatures", spread, gap)
		}
	}
}

// What the estimate reports follows from its log-weights.
func TestEstimate(t *testing.T) {
	lnw := []float64{math.Log(1), math.Log(2), math.Log(5)}
	e := estimate(slices.Clone(lnw), 1)
	mean := (lnw[0] + lnw[1] + lnw[2]) / 3
	variance := 0.0
	for l, w := range lnw {
		variance += (w - mean) * (w - mean) / 2
		if e.LogWeights[l] != w {
			t.Errorf("log-weight %g", e.LogWeights[l])
		}
	}
	if math.Abs(e.LnZ-math.Log(8.0/3)) > 1e-12 || math.Abs(e.Spread-math.Sqrt(variance)) > 1e-12 || math.Abs(e.Effective-64.0/30) > 1e-9 {
		t.Errorf("%+v", e)
	}
}

func TestAnnealedDeterminism(t *testing.T) {
	net := testNetwork[float32](60, 30)
	run := func(threads int, seed uint64) LnZEstimate {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(threads))
		return annealed(t, OnNetwork(net), Annealing{Chains: 100, Temperatures: 40, Key: stream.New(seed)})
	}
	want := run(1, 3)
	if !reflect.DeepEqual(run(2, 3), want) || !reflect.DeepEqual(run(5, 3), want) {
		t.Error("other threads, other weights")
	}
	if reflect.DeepEqual(run(1, 4), want) {
		t.Error("other key, same weights")
	}
}

func TestAnnealedStops(t *testing.T) {
	net := testNetwork[float64](visible, hidden)
	ctx, cancel := context.WithCancel(t.Context())
	var done []int
	_, err := AnnealedLnZ(ctx, OnNetwork(net), Annealing{Chains: 2, Temperatures: 100, Progress: func(k int) {
		done = append(done, k)
		if k == 32 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) || !slices.Equal(done, []int{16, 32}) {
		t.Errorf("progress %v, error %v", done, err)
	}
	for _, a := range []Annealing{{Chains: 1, Temperatures: 1}, {Chains: 2}} {
		if _, err := AnnealedLnZ(t.Context(), OnNetwork(net), a); err == nil {
			t.Errorf("%+v: no error", a)
		}
	}
}
