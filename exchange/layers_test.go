package exchange

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"bethe/rbm"
	"bethe/spin"
)

// deepMachine is a random machine of layers of these sizes.
func deepMachine(t *testing.T, coupling float64, seed uint64, sizes ...int) *rbm.Machine {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 4))
	var chain rbm.Chain
	for l, n := range sizes {
		layer := rbm.Layer{Field: make([]float64, n), Offset: make([]float64, n)}
		for i := range n {
			layer.Field[i], layer.Offset[i] = 1.6*rng.Float64()-0.8, 1.6*rng.Float64()-0.8
		}
		chain.Layers = append(chain.Layers, layer)
		if l > 0 {
			chain.Links = append(chain.Links, rbm.Between{Coupling: coupling * (1 + 0.2*float64(l)), Synapses: rbm.Binary(spin.Random(sizes[l-1], n, rng))})
		}
	}
	m, err := chain.Fold()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// stackOf are random machines upon each other.
func stackOf(coupling float64, seed uint64, sizes ...int) *rbm.Stack {
	s := &rbm.Stack{}
	for l := range len(sizes) - 1 {
		m := testMachine(sizes[l], sizes[l+1], coupling, seed+uint64(l))
		s.Files = append(s.Files, &rbm.File{Params: m.Params, Synapses: m.Synapses})
	}
	return s
}

// packedLayers packs a machine.
func packedLayers(t *testing.T, m *rbm.Machine) *PackedLayers {
	t.Helper()
	k, err := PackLayers(m)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func packedStack(t *testing.T, s *rbm.Stack) *PackedLayers {
	t.Helper()
	k, err := PackStack(s)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// Layers of a machine of one hidden layer have the samples of Packed, bit for bit.
func TestLayersOfOne(t *testing.T) {
	for name, m := range shapes() {
		p, err := Pack(m)
		if err != nil {
			t.Fatal(err)
		}
		want, s := p.Sampler(9), packedLayers(t, m).Sampler(9)
		for range 20 {
			want.Sweep()
			s.Sweep()
		}
		s.Descend() // where there is nothing
		if fmt.Sprint(s.Layers) != fmt.Sprint([][]uint32{want.Visible, want.Hidden}) {
			t.Errorf("%s: %x, not %x and %x", name, s.Layers, want.Visible, want.Hidden)
		}
	}
}

// The samples have the distribution of the machine, and of the stack: chi-square over all states of the data, by enumeration. A false
// alarm comes once in a thousand seeds each.
func TestLayersAreExact(t *testing.T) {
	if testing.Short() {
		t.Skip("statistics over many draws: they run without the race detector")
	}
	const chains, sweeps = 4000, 30
	check := func(name string, k *PackedLayers, p []float64) {
		t.Helper()
		s, err := k.Sample(t.Context(), chains, sweeps, 5, nil)
		if err != nil {
			t.Fatal(err)
		}
		count := make([]float64, len(p))
		for a := range chains {
			state := 0
			for i := range s.Rows() {
				state |= int(s.At(i, a)+1) / 2 << i
			}
			count[state]++
		}
		chi2 := 0.0
		for state, v := range p {
			chi2 += math.Pow(count[state]-chains*v, 2) / (chains * v)
		}
		if alarm := (distuv.ChiSquared{K: float64(len(p) - 1)}).Quantile(0.999); chi2 > alarm {
			t.Errorf("%s: chi-square %v is beyond %v", name, chi2, alarm)
		}
	}
	for _, sizes := range [][]int{{3, 4, 2}, {3, 2, 3, 2}, {2, 3, 2, 2, 3}} {
		m := deepMachine(t, 0.3, 2, sizes...)
		even, data := m.Visible(), sizes[0]
		p, sum := make([]float64, 1<<data), 0.0
		for state, f := range m.FreeEnergy(states(even)) {
			p[state&(1<<data-1)] += math.Exp(-f)
			sum += math.Exp(-f)
		}
		for k := range p {
			p[k] /= sum
		}
		check(fmt.Sprint(sizes), packedLayers(t, m), p)
	}
	for _, sizes := range [][]int{{3, 4, 2}, {3, 2, 4, 2}} {
		s := stackOf(0.4, 3, sizes...)
		machines := s.Machines()
		top := machines[len(machines)-1]
		p, sum := make([]float64, 1<<top.Visible()), 0.0
		for state, f := range top.FreeEnergy(states(top.Visible())) {
			p[state] = math.Exp(-f)
			sum += p[state]
		}
		for k := range p {
			p[k] /= sum
		}
		for l := len(machines) - 2; l >= 0; l-- { // p(v) = sum p(v | h) p(h)
			m := machines[l]
			n, of, lower := m.Visible(), len(p), make([]float64, 1<<m.Visible())
			means := m.VisibleMeans(states(m.Hidden()))
			for state := range lower {
				for h, weight := range p {
					for i := range n {
						weight *= (1 + means[i*of+h]*float64(2*(state>>i&1)-1)) / 2
					}
					lower[state] += weight
				}
			}
			p = lower
		}
		check(fmt.Sprint("stack ", sizes), packedStack(t, s), p)
	}
}

// Compiled headers have the samples of the sampler, bit for bit.
func TestLayersC(t *testing.T) {
	const program = `#include <stdio.h>
#ifdef PLAIN
#undef __GNUC__
#endif
#include "machine.h"
int main(void) {
	int c, k;
	for (c = 0; c < 3; c++) {
		digits_chain chain;
		digits_start(&chain, UINT64_MAX - 1 + c);
		for (k = 0; k < 20; k++) digits_sweep(&chain);
#ifdef STACK
		digits_descend(&chain);
#endif
		for (k = 0; k < DIGITS_WORDS; k++) printf("%08x ", (unsigned)chain.units[k]);
		printf("\n");
	}
	printf("%d %d\n", (int)(sizeof digits_size + sizeof digits_place + sizeof digits_field_place + sizeof digits_synapses + sizeof digits_synapse_place
		+ sizeof digits_coupling + sizeof digits_field + sizeof digits_sigmoid), (int)sizeof(digits_chain));
	return 0;
}
`
	for name, k := range map[string]*PackedLayers{
		"deep": packedLayers(t, deepMachine(t, 0.1, 1, 33, 64, 5, 40)), "of two layers": packedLayers(t, deepMachine(t, 100, 2, 70, 31, 33)),
		"stack": packedStack(t, stackOf(0.1, 4, 65, 32, 40, 7)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var header, want strings.Builder
			if err := k.WriteC(&header, &rbm.Info{}, "digits"); err != nil {
				t.Fatal(err)
			}
			for c := range 3 {
				s := k.Sampler(math.MaxUint64 - 1 + uint64(c))
				for range 20 {
					s.Sweep()
				}
				s.Descend()
				for _, layer := range s.Layers {
					for _, w := range layer {
						fmt.Fprintf(&want, "%08x ", w)
					}
				}
				want.WriteByte('\n')
			}
			want.WriteString(sizeText(k.Size(), nil))
			flags := append([]string{"-DPLAIN"}, strict...)
			if k.stack {
				flags = append(flags, "-DSTACK")
			}
			if out := build(t, flags, map[string]string{"machine.h": header.String(), "main.c": program}); out != want.String() {
				t.Errorf("samples\n%s, not\n%s", out, want.String())
			}
		})
	}
}

func TestPackLayersErrors(t *testing.T) {
	if _, err := PackLayers(realMachine(2, 2, 1)); !errors.Is(err, ErrReal) {
		t.Error(err)
	}
	if _, err := PackLayers(deepMachine(t, 1e8, 1, 2, 3, 4)); err == nil || !strings.Contains(err.Error(), "layer 0") {
		t.Error(err)
	}
	s := stackOf(0.1, 1, 3, 2, 2)
	s.Files[1].VisibleField[0] = 1e9
	if _, err := PackStack(s); err == nil || !strings.Contains(err.Error(), "layer 1") {
		t.Error(err)
	}
	m := realMachine(2, 2, 1)
	s.Files[1] = &rbm.File{Params: m.Params, Synapses: m.Synapses}
	if _, err := PackStack(s); !errors.Is(err, ErrReal) {
		t.Error(err)
	}
	var b strings.Builder
	f := fileOf(deepMachine(t, 0.1, 1, 3, 2, 2))
	if err := WriteC(&b, f, "m"); err != nil || !strings.Contains(b.String(), "deep Boltzmann machine") {
		t.Error(err)
	}
	if err := WriteGo(&b, f, "m"); !errors.Is(err, ErrDeep) {
		t.Error(err)
	}
}
