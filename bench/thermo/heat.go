package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"

	"bethe/rbm"
	"bethe/stream"
	"bethe/thermo"
)

// Sizes and baths of the experiment.
const (
	heatVisible, heatHidden = 3, 2
	heatSamples             = 25000 // times the repeats
)

// heatTable lets pairs (s, h) of a small machine, in equilibrium at inverse temperature 1, take a sweep at a bath: by how much the flows x -> y and
// y -> x differ from what the heat theorem says in detail, by exact sums and by samples. Of the samples one half says which of two flows is too large,
// and the other half by how much: so what they find is no more than there is, but for noise.
func heatTable(_ context.Context, w io.Writer, s *settings, _ []string) error {
	net := rbm.NewNetwork[float64](heatVisible, heatHidden)
	rng := stream.New(s.seed).Sub(7).Rand()
	for _, list := range [][]float64{net.Coupling, net.VisibleField, net.HiddenField} {
		for k := range list {
			list[k] = 0.7 * rng.NormFloat64()
		}
	}
	n := heatSamples * s.repeats
	fmt.Fprintf(w, "%d samples\n\n| sweep | bath | mean of exp, exactly | by samples | violation in detail, exactly | by samples |\n|---|---|---|---|---|---|\n", n)
	for _, bath := range []float64{1, 0.6} {
		for _, order := range []thermo.Sweeping{thermo.Blocks, thermo.Palindromic} {
			exact := thermo.ExchangeHeat(net, 1, bath, 1, order)
			name := map[thermo.Sweeping]string{thermo.Blocks: "blocks s, h", thermo.Palindromic: "h, s, h"}[order]
			f := newFlows(net, bath)
			f.take(n/2, order, rng)
			excess := f.excess()
			weights, found := moments{}, moments{}
			f.each = func(x, y int) {
				weights.add(f.weight(x, y))
				found.add((float64(excess[x][y])*f.weight(x, y) - float64(excess[y][x])) / 2)
			}
			f.take(n/2, order, rng)
			fmt.Fprintf(w, "| %s | %g | %.4f | %s | %.4f | %s |\n", name, bath, exact.MeanExp, weights, exact.Violation, found)
		}
	}
	return nil
}

// moments are of numbers that come one by one.
type moments struct{ n, sum, square float64 }

func (m *moments) add(x float64) {
	m.n++
	m.sum += x
	m.square += x * x
}

// String returns the mean with its standard error.
func (m moments) String() string {
	mean := m.sum / m.n
	return fmt.Sprintf("%.4f ± %.4f", mean, math.Sqrt(max(0, m.square/m.n-mean*mean)/m.n))
}

// flows counts moves between pairs of states: visible state + visible states * hidden state.
type flows struct {
	bath   *rbm.Network[float64]
	energy []float64
	beta   float64
	start  []float64 // cumulated probabilities of the pairs
	count  [][]float64
	each   func(x, y int)
}

func newFlows(net *rbm.Network[float64], bath float64) *flows {
	f := &flows{bath: thermo.Scaled(net, bath), beta: bath}
	states := 1 << (heatVisible + heatHidden)
	weights := make([]float64, states)
	for k := range states {
		e := 0.0
		for i := range heatVisible {
			e -= net.VisibleField[i] * spinAt(k, i)
		}
		for mu := range heatHidden {
			e -= net.HiddenField[mu] * spinAt(k, heatVisible+mu)
			for i := range heatVisible {
				e -= net.Coupling[mu*heatVisible+i] * spinAt(k, i) * spinAt(k, heatVisible+mu)
			}
		}
		f.energy, weights[k] = append(f.energy, e), -e
		f.count = append(f.count, make([]float64, states))
	}
	lnZ, sum := rbm.LogSumExp(weights), 0.0
	for _, v := range weights {
		sum += math.Exp(v - lnZ)
		f.start = append(f.start, sum)
	}
	f.each = func(x, y int) { f.count[x][y]++ }
	return f
}

func spinAt(k, i int) float64 { return float64(2*(k>>i&1) - 1) }

// weight returns exp((bath - 1) times the heat of a move).
func (f *flows) weight(x, y int) float64 { return math.Exp((f.beta - 1) * (f.energy[y] - f.energy[x])) }

// excess tells whether the weighed flow x -> y was larger than that back, 1, or smaller, -1.
func (f *flows) excess() [][]int {
	sign := make([][]int, len(f.count))
	for x := range sign {
		sign[x] = make([]int, len(sign))
		for y := range sign {
			d := f.weight(x, y)*f.count[x][y] - f.count[y][x]
			switch {
			case d > 1e-9:
				sign[x][y] = 1
			case d < -1e-9:
				sign[x][y] = -1
			}
		}
	}
	return sign
}

// take draws pairs in equilibrium and lets each take a sweep.
func (f *flows) take(n int, order thermo.Sweeping, rng *rand.Rand) {
	for range n {
		u, x := rng.Float64(), 0
		for x < len(f.start)-1 && u > f.start[x] {
			x++
		}
		y := x
		if order == thermo.Palindromic {
			y = f.drawHidden(y, rng)
		}
		y = f.drawHidden(f.drawVisible(y, rng), rng)
		f.each(x, y)
	}
}

func (f *flows) drawHidden(k int, rng *rand.Rand) int {
	for mu := range heatHidden {
		field := f.bath.HiddenField[mu]
		for i := range heatVisible {
			field += f.bath.Coupling[mu*heatVisible+i] * spinAt(k, i)
		}
		k = drawn(k, heatVisible+mu, field, rng)
	}
	return k
}

func (f *flows) drawVisible(k int, rng *rand.Rand) int {
	for i := range heatVisible {
		field := f.bath.VisibleField[i]
		for mu := range heatHidden {
			field += f.bath.Coupling[mu*heatVisible+i] * spinAt(k, heatVisible+mu)
		}
		k = drawn(k, i, field, rng)
	}
	return k
}

// drawn sets a spin of a state by its field.
func drawn(k, i int, field float64, rng *rand.Rand) int {
	k &^= 1 << i
	if rng.Float64()*(1+math.Exp(-2*field)) < 1 {
		k |= 1 << i
	}
	return k
}
