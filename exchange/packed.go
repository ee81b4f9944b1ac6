package exchange

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/bits"

	"bethe/internal/fixed"
	"bethe/internal/parallel"
	"bethe/rbm"
	"bethe/spin"
)

// A Packed machine is what the C and Go sources hold: its synapses as bits, and
// its fields and coupling as integers. Its sampler uses integers
// only, so that it has the same samples on every processor, with or
// without a floating-point unit.
//
// A unit's log-odds, twice its field, are a fixed-point number of 32 binary
// places; the probability that follows is a 32-bit number, interpolated linearly
// between the 1409 values of a table. It differs from the exact one by less
// than 4e-6.
type Packed struct {
	visible, hidden           int
	synapses                  []uint32 // row mu: words(visible) words, unit i at bit i%32 of word i/32
	coupling                  int64    // 2 J
	visibleField, hiddenField []int64  // 2 b, 2 c
}

// ErrReal is the error of packing a machine whose synapses are no bits.
var ErrReal = errors.New("its synapses are real numbers, not bits: safetensors, rbm01, ising and pynn hold them")

// ErrDeep is the error of packing a deep machine.
var ErrDeep = errors.New("a deep machine: source in Go, Verilog and neurons hold one hidden layer; c, ising, pynn and safetensors hold all")

// Pack returns the machine in integers. Errors are ErrReal, ErrDeep and log-odds beyond 2^29.
func Pack(m *rbm.Machine) (*Packed, error) {
	if _, ok := m.Synapses.(rbm.Signed); !ok {
		return nil, ErrReal
	}
	if m.Deep() {
		return nil, ErrDeep
	}
	signs := m.Signs()
	plain, _ := m.Plain()
	n, p := m.Visible(), m.Hidden()
	odds := 2 * m.Coupling() * float64(max(n, p))
	for _, fields := range [][]float64{plain.VisibleField, plain.HiddenField} {
		for _, f := range fields {
			if total := odds + 2*math.Abs(f); !(total < 1<<29) {
				return nil, fmt.Errorf("log-odds of a unit reach %.3g, the limit in integers is %d: its coupling or fields are too strong", total, 1<<29)
			}
		}
	}
	k := &Packed{visible: n, hidden: p, synapses: make([]uint32, p*words(n)), coupling: fixedOf(2 * m.Coupling())}
	for mu := range p {
		row := k.row(mu)
		for i := range n {
			if signs.At(i, mu) > 0 {
				row[i/32] |= 1 << (i % 32)
			}
		}
	}
	for _, b := range plain.VisibleField {
		k.visibleField = append(k.visibleField, fixedOf(2*b))
	}
	for _, c := range plain.HiddenField {
		k.hiddenField = append(k.hiddenField, fixedOf(2*c))
	}
	return k, nil
}

func fixedOf(x float64) int64 { return fixed.Of(x, fixed.Places) }

// words returns the 32-bit words that hold n bits.
func words(n int) int { return (n + 31) / 32 }

// Size returns what the C source of the machine takes on a device.
func (k *Packed) Size() Size {
	return Size{
		Constants: 4*len(k.synapses) + 8*(k.visible+k.hidden) + 4*len(fixed.Sigmoid),
		Chain:     4 * (words(k.visible) + words(k.hidden) + len(fixed.Random{})),
	}
}

func (k *Packed) row(mu int) []uint32 {
	w := words(k.visible)
	return k.synapses[mu*w : (mu+1)*w]
}

// A Sampler is a Gibbs chain on a packed machine. It is the specification of the
// samplers in C and Go source. Unit i of a layer is bit i%32 of word i/32, set
// where the spin is +1.
type Sampler struct {
	Visible, Hidden []uint32

	machine *Packed
	random  fixed.Random
}

// Sampler returns a chain that starts at fair hidden spins and visible spins -1.
// Its random numbers are fixed.Random of the seed.
func (k *Packed) Sampler(seed uint64) *Sampler {
	s := &Sampler{Visible: make([]uint32, words(k.visible)), Hidden: make([]uint32, words(k.hidden)), machine: k, random: fixed.Seeded(seed)}
	for w := range s.Hidden {
		s.Hidden[w] = s.random.Next()
	}
	if n := k.hidden % 32; n != 0 {
		s.Hidden[len(s.Hidden)-1] &= 1<<n - 1
	}
	return s
}

// hiddenOdds returns the log-odds of a hidden unit given the visible ones.
func (k *Packed) hiddenOdds(visible []uint32, mu int) int64 {
	unlike := 0
	for w, bitsOf := range k.row(mu) {
		unlike += bits.OnesCount32(bitsOf ^ visible[w])
	}
	return k.coupling*int64(k.visible-2*unlike) + k.hiddenField[mu]
}

// visibleOdds sets the log-odds of the visible units of a word given the hidden ones, and returns
// how many there are. Synapses are packed along the visible units; squares of 32 x 32 bits are turned.
func (k *Packed) visibleOdds(odds *[32]int64, hidden []uint32, word int) int {
	var unlike [32]int
	stride := words(k.visible)
	for v, h := range hidden {
		var square [32]uint32
		for l := range min(32, k.hidden-32*v) {
			square[l] = k.synapses[(32*v+l)*stride+word]
		}
		transpose32(&square)
		for i, column := range square {
			unlike[i] += bits.OnesCount32(column ^ h)
		}
	}
	count := min(32, k.visible-32*word)
	for i := range count {
		odds[i] = k.coupling*int64(k.hidden-2*unlike[i]) + k.visibleField[32*word+i]
	}
	return count
}

// DrawHidden draws the hidden spins given the visible ones.
func (s *Sampler) DrawHidden() {
	clear(s.Hidden)
	for mu := range s.machine.hidden {
		s.Hidden[mu/32] |= s.random.Draw(s.machine.hiddenOdds(s.Visible, mu)) << (mu % 32)
	}
}

// DrawVisible draws the visible spins given the hidden ones.
func (s *Sampler) DrawVisible() {
	var odds [32]int64
	for w := range s.Visible {
		s.Visible[w] = 0
		for i := range s.machine.visibleOdds(&odds, s.Hidden, w) {
			s.Visible[w] |= s.random.Draw(odds[i]) << i
		}
	}
}

// transpose32 exchanges bit i of word l with bit l of word i (Warren, Hacker's
// Delight, section 7-3).
func transpose32(x *[32]uint32) {
	for j, m := 16, uint32(0xffff); j != 0; j, m = j>>1, m^m<<(j>>1) {
		for l := 0; l < 32; l = (l + j + 1) &^ j {
			t := (x[l]>>j ^ x[l+j]) & m
			x[l] ^= t << j
			x[l+j] ^= t
		}
	}
}

// Sweep draws the visible layer given the hidden one, then the hidden one given
// the visible.
func (s *Sampler) Sweep() {
	s.DrawVisible()
	s.DrawHidden()
}

// Sample returns the visible states (visible x chains) of chains of seeds seed,
// seed+1, ... after the given number of sweeps. It calls progress, if not nil,
// with the fraction done. The error is the context's.
func (k *Packed) Sample(ctx context.Context, chains, sweeps int, seed uint64, progress func(float64)) (*spin.Matrix, error) {
	samplers := make([]*Sampler, chains)
	for c := range samplers {
		samplers[c] = k.Sampler(seed + uint64(c))
	}
	for t := range sweeps {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		parallel.For(chains, parallel.Grain(k.visible*k.hidden/4), func(lo, hi int) {
			for _, s := range samplers[lo:hi] {
				s.Sweep()
			}
		})
		if progress != nil {
			progress(float64(t+1) / float64(sweeps))
		}
	}
	out := spin.New(k.visible, chains)
	for c, s := range samplers {
		for i := range k.visible {
			if s.Visible[i/32]>>(i%32)&1 == 1 {
				out.Set(i, c, 1)
			}
		}
	}
	return out, nil
}
