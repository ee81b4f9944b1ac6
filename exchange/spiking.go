package exchange

import (
	"fmt"
	"math"

	"bethe/internal/fixed"
	"bethe/internal/parallel"
	"bethe/spikes"
)

// MaxTau is the longest window of neurons in integers.
const MaxTau = math.MaxUint16

// Spiking is a packed machine as neurons with a refractory window (package spikes), in integers only:
// the specification of the C source that WriteSpikesC writes. A bit of Visible and Hidden is set
// while its neuron is on.
type Spiking struct {
	Visible, Hidden             []uint32
	VisibleSpikes, HiddenSpikes []uint32 // of the last step

	visibleWindow, hiddenWindow []uint16 // steps that are left
	machine                     *Packed
	tau                         uint16
	lnTau                       int64
	random                      fixed.Random
}

// Spiking returns neurons that are all silent, with windows of tau steps. It panics if tau is not from
// 1 to MaxTau.
func (k *Packed) Spiking(seed uint64, tau int) *Spiking {
	if tau < 1 || tau > MaxTau {
		panic(fmt.Sprintf("exchange: a window of %d steps", tau))
	}
	v, h := words(k.visible), words(k.hidden)
	return &Spiking{Visible: make([]uint32, v), Hidden: make([]uint32, h), VisibleSpikes: make([]uint32, v), HiddenSpikes: make([]uint32, h),
		visibleWindow: make([]uint16, k.visible), hiddenWindow: make([]uint16, k.hidden), machine: k, tau: uint16(tau), lnTau: fixedOf(math.Log(float64(tau))), random: fixed.Seeded(seed)}
}

// fire is a step of a neuron: 1 if it spikes. One whose window goes on takes no random word.
func (s *Spiking) fire(window *uint16, odds int64) uint32 {
	if *window > 1 {
		*window--
		return 0
	}
	spike := s.random.Draw(odds - s.lnTau)
	*window = uint16(spike) * s.tau
	return spike
}

// Step is a step of the hidden neurons, in their order, then of the visible ones.
func (s *Spiking) Step() {
	clear(s.Hidden)
	clear(s.HiddenSpikes)
	for mu := range s.hiddenWindow {
		window, odds := &s.hiddenWindow[mu], int64(0)
		if *window <= 1 {
			odds = s.machine.hiddenOdds(s.Visible, mu)
		}
		s.HiddenSpikes[mu/32] |= s.fire(window, odds) << (mu % 32)
		s.Hidden[mu/32] |= uint32(min(*window, 1)) << (mu % 32)
	}
	var odds [32]int64
	for w := range s.Visible {
		s.Visible[w], s.VisibleSpikes[w] = 0, 0
		for i := range s.machine.visibleOdds(&odds, s.Hidden, w) {
			window := &s.visibleWindow[32*w+i]
			s.VisibleSpikes[w] |= s.fire(window, odds[i]) << i
			s.Visible[w] |= uint32(min(*window, 1)) << i
		}
	}
}

// circuit is several Spiking.
type circuit struct {
	machine  *Packed
	networks []*Spiking
	counts   []int32
}

// Circuit returns networks of Spiking, of the seeds seed, seed+1, ...
func (k *Packed) Circuit(seed uint64, networks, tau int) spikes.Circuit {
	c := &circuit{machine: k}
	for a := range networks {
		c.networks = append(c.networks, k.Spiking(seed+uint64(a), tau))
	}
	c.Forget()
	return c
}

func (c *circuit) Populations() []spikes.Population {
	return []spikes.Population{{Name: "visible", Size: c.machine.visible}, {Name: "hidden", Size: c.machine.hidden}}
}

func (c *circuit) Networks() int   { return len(c.networks) }
func (c *circuit) Counts() []int32 { return c.counts }
func (c *circuit) Forget() {
	c.counts = make([]int32, (c.machine.visible+c.machine.hidden)*len(c.networks))
}
func (c *circuit) Window() int { return int(c.networks[0].tau) }

func (c *circuit) Step() {
	parallel.For(len(c.networks), parallel.Grain(c.machine.visible*c.machine.hidden/4), func(lo, hi int) {
		for a := lo; a < hi; a++ {
			c.networks[a].Step()
			c.Spikes(a, func(neuron int) { c.counts[neuron*len(c.networks)+a]++ })
		}
	})
}

func (c *circuit) Spikes(network int, visit func(neuron int)) {
	s := c.networks[network]
	for i := range c.machine.visible {
		if s.VisibleSpikes[i/32]>>(i%32)&1 == 1 {
			visit(i)
		}
	}
	for mu := range c.machine.hidden {
		if s.HiddenSpikes[mu/32]>>(mu%32)&1 == 1 {
			visit(c.machine.visible + mu)
		}
	}
}
