package planted

import (
	"context"
	"errors"
	"math"
	"runtime"
	"testing"

	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"

	"gonum.org/v1/gonum/stat/combin"
)

// rough returns a machine with fields, offsets and a strong coupling.
func rough(n, p int, key stream.Key) *rbm.Machine {
	rng := key.Rand()
	m := &rbm.Machine{Params: rbm.NewParams(n, p, 0.4), Synapses: rbm.Binary(spin.Random(n, p, rng))}
	for _, x := range [][]float64{m.VisibleField, m.HiddenField, m.VisibleOffset, m.HiddenOffset} {
		for k := range x {
			x[k] = 1.4*rng.Float64() - 0.7
		}
	}
	return m
}

// visibleProbabilities returns P(s) of all states s, bit i of whose number is spin i.
func visibleProbabilities(t *testing.T, m *rbm.Machine) []float64 {
	t.Helper()
	n := m.Visible()
	states := spin.New(n, 1<<n)
	for k := range 1 << n {
		for i := range n {
			states.Set(i, k, int8(k>>i&1))
		}
	}
	lnz, err := m.LnZ(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	p := m.FreeEnergy(states)
	for k, f := range p {
		p[k] = math.Exp(-f - lnz)
	}
	return p
}

func TestDataIsExact(t *testing.T) {
	for _, c := range []struct {
		name string
		n, p int
	}{{"hidden states enumerated", 6, 3}, {"one hidden unit", 5, 1}, {"visible states enumerated", 4, 7}} {
		t.Run(c.name, func(t *testing.T) {
			m := rough(c.n, c.p, stream.New(5))
			counts := make([]int, 1<<c.n)
			for _, k := range columnNumbers(data(t, m, 200_000, stream.New(6))) {
				counts[k]++
			}
			checkCounts(t, counts, visibleProbabilities(t, m))
		})
	}
}

// Where neither layer can be enumerated the states are too many to count. With
// equal synapses the hidden layer enters by its number of spins +1 alone, which
// gives the mean magnetisation; at this coupling it has one state.
func TestDataOfGibbsChains(t *testing.T) {
	const n, p, samples, coupling, field = 22, 21, 1500, 0.03, 0.1
	m := &rbm.Machine{Params: rbm.NewParams(n, p, coupling), Synapses: rbm.Binary(spin.New(n, p))}
	for i := range n {
		m.VisibleField[i] = field
		for mu := range p {
			m.Signs().Set(i, mu, 1)
		}
	}
	var z, want float64
	for k := range p + 1 {
		f := field + coupling*float64(2*k-p)
		w := combin.GeneralizedBinomial(p, float64(k)) * math.Pow(2*math.Cosh(f), n)
		z += w
		want += w * n * math.Tanh(f)
	}
	want /= z
	s := data(t, m, samples, stream.New(7))
	if s.Rows() != n || s.Cols() != samples {
		t.Fatalf("%d x %d spins", s.Rows(), s.Cols())
	}
	x := make([]float64, samples)
	for i := range n {
		for a := range x {
			x[a] += float64(s.At(i, a))
		}
	}
	checkMean(t, "magnetisation", x, want)
}

func TestDataDependsOnlyOnItsKey(t *testing.T) {
	for _, shape := range [][2]int{{30, 12}, {5, 30}, {21, 21}} {
		m := rough(shape[0], shape[1], stream.New(8))
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
		one := data(t, m, 70, stream.New(9))
		runtime.GOMAXPROCS(4)
		if !one.Equal(data(t, m, 70, stream.New(9))) {
			t.Errorf("%v: the number of threads matters", shape)
		}
		if one.Equal(data(t, m, 70, stream.New(10))) {
			t.Errorf("%v: the key does not matter", shape)
		}
	}
}

func TestDataErrors(t *testing.T) {
	ctx := context.Background()
	m := teacher(t, 6, 2, 0, stream.New(1))
	if s := data(t, m, 0, stream.New(1)); s.Rows() != 6 || s.Cols() != 0 {
		t.Errorf("no samples are %d x %d", s.Rows(), s.Cols())
	}
	done, cancel := context.WithCancel(ctx)
	cancel()
	for _, shape := range [][2]int{{6, 2}, {2, 6}, {21, 21}} {
		m := teacher(t, shape[0], shape[1], 0, stream.New(1))
		if _, err := Data(done, m, 1, stream.New(1)); !errors.Is(err, context.Canceled) {
			t.Errorf("%v: error %v", shape, err)
		}
	}
	m.SetCoupling(-1)
	if _, err := Data(ctx, m, 1, stream.New(1)); err == nil {
		t.Error("a negative coupling is no error")
	}
	m.SetCoupling(1)
	mustPanic(t, "negative samples", func() { Data(ctx, m, -1, stream.New(1)) })
	m.Synapses = rbm.Binary(spin.New(5, 2))
	mustPanic(t, "shape", func() { Data(ctx, m, 1, stream.New(1)) })
}
