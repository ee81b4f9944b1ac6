package sample

import (
	"slices"
	"testing"

	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// Extreme hidden states are of five kinds, pairs of columns each: one unit up, one down,
// spins of one mean, fair spins, all alike.
func TestExtremeHiddenStates(t *testing.T) {
	h := spin.New(8, 100)
	extremeHiddenStates(h, stream.New(1))
	ones, means := map[int]bool{}, map[int]bool{}
	for l := range h.Cols() {
		ups, which := 0, 0
		for mu := range h.Rows() {
			if h.At(mu, l) > 0 {
				ups, which = ups+1, mu
			}
		}
		switch kind := l / 2 % 5; {
		case kind == 0 && ups != 1, kind == 1 && ups != 7, kind == 4 && ups != 8*(1-l/10%2):
			t.Errorf("column %d of kind %d has %d units up", l, kind, ups)
		case kind == 0:
			ones[which] = true
		case kind == 2:
			means[ups] = true
		}
	}
	if len(ones) != 8 || len(means) < 5 {
		t.Errorf("units alone up %v, numbers of units up %v", ones, means)
	}
}

// One hidden unit holds a state of all visible units together, which outweighs all others
// by far. No chain from scattered states finds it; some of the extreme states are it. Equal keys give
// equal states.
func TestExtremesFindAHole(t *testing.T) {
	const n, p = 60, 5
	rng := stream.New(1).Rand()
	w, hole := make([]float32, n*p), make([]int8, n)
	for i := range hole {
		hole[i] = int8(1 - 2*rng.IntN(2))
		w[i] = 3 * float32(hole[i])
	}
	for k := n; k < len(w); k++ {
		w[k] = 0.1 * float32(rng.NormFloat64())
	}
	m := &rbm.Machine{Params: rbm.NewParams(n, p, 1), Synapses: rbm.RealValued(n, p, w)}
	m.HiddenField[0] = -3*n + 20 // with the unit down there are 2^60 states to be in
	for i, s := range hole {
		m.VisibleField[i] = 3 * float64(s)
	}
	source := OnMachine(m)
	in := func(s *spin.Matrix) (count int) {
		for l := range s.Cols() {
			alike := 0
			for i, v := range hole {
				if s.At(i, l) == v {
					alike++
				}
			}
			if alike >= n-1 {
				count++
			}
		}
		return count
	}
	found := source.Extremes(100, stream.New(2))
	if in(found) < 5 || in(source.Scattered(100, stream.New(2))) > 0 {
		t.Errorf("%d extreme states and %d scattered ones in the hole", in(found), in(source.Scattered(100, stream.New(2))))
	}
	if again := source.Extremes(100, stream.New(2)); again.Hash() != found.Hash() || source.Extremes(100, stream.New(3)).Hash() == found.Hash() {
		t.Error("equal keys, other states; or other keys, equal ones")
	}
}

func TestHeaviest(t *testing.T) {
	if got := Heaviest([]float64{1, 3, 2, 3}, 3); !slices.Equal(got, []int{1, 3, 2}) {
		t.Errorf("%v", got)
	}
	if got := Heaviest([]float64{1}, 3); !slices.Equal(got, []int{0}) {
		t.Errorf("%v", got)
	}
}
