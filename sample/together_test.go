package sample_test

import (
	"testing"

	"bethe/rbm"
	"bethe/sample"
	"bethe/spin"
	"bethe/stream"
)

// Tempered chains whose fields are computed at once visit the states that they visit rung by rung, in both precisions, rounded or not, also
// when the network changes and from given states.
func TestTogether(t *testing.T) {
	t.Run("float32", func(t *testing.T) { together[float32](t, false) })
	t.Run("float32 rounded", func(t *testing.T) { together[float32](t, true) })
	t.Run("float64", func(t *testing.T) { together[float64](t, false) })
}

func together[T rbm.Real](t *testing.T, rounded bool) {
	const n, p, chains = 47, 13, 5
	rng := stream.New(1).Rand()
	network := func() *rbm.Network[T] {
		net := rbm.NewNetwork[T](n, p)
		for _, list := range [][]T{net.Coupling, net.VisibleField, net.HiddenField} {
			for k := range list {
				list[k] = T(0.1 * rng.NormFloat64())
			}
		}
		return net
	}
	first, second := network(), network()
	base := make([]float64, n)
	for i := range base {
		base[i] = 0.3 * rng.NormFloat64()
	}
	start := spin.Random(n, chains, rng)
	var all [2]*sample.SpinTempered[T]
	for k := range all {
		source := sample.OnNetwork(first).From(base)
		if rounded {
			source.Rounded()
		}
		if k == 1 {
			source.Together()
		}
		e := sample.NewTempered[T, *spin.Matrix, *spin.Matrix](source, sample.Tempering{Chains: chains, Ladder: []float64{0, 0.3, 0.7, 1}, Key: stream.New(2)})
		e.Sweep(3)
		e.StartAt(start)
		e.Sweep(20)
		source.Set(second)
		e.Redraw()
		e.Exchanges.Reset()
		e.Sweep(20)
		all[k] = e
	}
	for r := range 4 {
		a, b := all[0].Rung(r), all[1].Rung(r)
		if !a.Visible.Equal(b.Visible) || !a.Hidden.Equal(b.Hidden) {
			t.Errorf("rung %d: other states", r)
		}
	}
	if a, b := all[0].LnZ(nil), all[1].LnZ(nil); a-b > 1e-4 || b-a > 1e-4 {
		t.Errorf("ln Z %v and %v", a, b)
	}
	if all[0].Exchanges.RoundTrips != all[1].Exchanges.RoundTrips {
		t.Error("other round trips")
	}
}
