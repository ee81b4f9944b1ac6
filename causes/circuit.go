package causes

import (
	"fmt"

	"bethe/internal/fixed"
)

// weightPlaces are the binary places of all numbers of the online rule.
const weightPlaces = 24

// MaxOnlineCoupling is the strongest coupling that the online rule has integers for.
const MaxOnlineCoupling = 64

// An OnlineRule has the numbers of the rule STDP, integers of 24 binary places: the rule runs
// on integers alone, and so on any processor to the same bits. It stands for
//
//	theta_ik = theta0_ik + J [(1 - m_i) on_ik - (1 + m_i) off_ik],  theta0 = ±0.1
//	ln P(k | s) = sum_i J tanh(theta_ik) (s_i - m_i) - H spikes_k + const
//
// with m the threshold of Bits, on and off the counters of a synapse.
type OnlineRule struct {
	Visible, Causes int
	Coupling        int64   // J
	On, Off         []int64 // J (1 - m) and J (1 + m), of length visible
	Above           []int64 // 1 + m
	First           int64   // size of theta0
	Most            uint32  // that a counter holds
	Homeostasis     int64   // H
}

// NewOnlineRule returns the rule of a mixture whose coupling, fields and thresholds stay as they are.
func NewOnlineRule(bits *Bits, counterBits int, homeostasis float64) *OnlineRule {
	j := bits.Coupling[0]
	if !(j <= MaxOnlineCoupling) || counterBits < 1 || counterBits > 32 {
		panic(fmt.Sprintf("causes: online rule with coupling %v, counters of %d bits", j, counterBits))
	}
	of := func(x float64) int64 { return fixed.Of(x, weightPlaces) }
	r := &OnlineRule{Visible: bits.Visible(), Causes: bits.States, Coupling: of(j), First: of(onlineNoise), Most: uint32(1<<counterBits - 1), Homeostasis: of(homeostasis)}
	for _, m := range bits.Threshold() {
		r.On, r.Off, r.Above = append(r.On, of(j*(1-m))), append(r.Off, of(j*(1+m))), append(r.Above, of(1+m))
	}
	return r
}

// A Circuit learns by an OnlineRule: winner-take-all neurons, one a cause. One of them, drawn
// by its probability given the sample and how often it spiked before, spikes; each of its
// synapses counts the spike with its unit on or with it off. A counter that is full halves
// both of its synapse.
type Circuit struct {
	Rule    *OnlineRule
	On, Off []uint32 // counters, causes x visible
	Spikes  []uint32 // of each cause
	Random  [4]uint32

	raised []bool  // theta0 > 0, causes x visible
	slope  []int32 // J tanh theta, visible x causes
	still  []int64 // what each cause has if every unit is off
	logs   []int64
}

// Start returns a circuit that has seen nothing. Its signs of theta0 and its draws are the
// words of fixed.Random of the seed: bit n%32 of word n/32 for synapse n of causes x visible,
// then a word a sample.
func (r *OnlineRule) Start(seed uint64) *Circuit {
	n := r.Visible * r.Causes
	c := &Circuit{Rule: r, On: make([]uint32, n), Off: make([]uint32, n), Spikes: make([]uint32, r.Causes), raised: make([]bool, n),
		slope: make([]int32, n), still: make([]int64, r.Causes), logs: make([]int64, r.Causes)}
	random, word := fixed.Seeded(seed), uint32(0)
	for at := range c.raised {
		if at%32 == 0 {
			word = random.Next()
		}
		c.raised[at] = word>>(at%32)&1 == 1
	}
	c.Random = random
	c.refresh()
	return c
}

// refresh sets all that follows from the counters.
func (c *Circuit) refresh() {
	for k := range c.Rule.Causes {
		c.follow(k)
	}
}

// theta returns the theta of synapse i of cause k, clipped to the range of a sure synapse.
func (c *Circuit) theta(k, i int) int64 {
	r, at := c.Rule, k*c.Rule.Visible+i
	theta := r.On[i]*int64(c.On[at]) - r.Off[i]*int64(c.Off[at])
	if c.raised[at] {
		theta += r.First
	} else {
		theta -= r.First
	}
	return min(max(theta, -mostTheta<<weightPlaces), mostTheta<<weightPlaces)
}

// Synapse returns the synapse of a cause and a unit that the counters speak for, ±1.
func (c *Circuit) Synapse(cause, unit int) int8 {
	if c.theta(cause, unit) < 0 {
		return -1
	}
	return 1
}

// follow sets what follows from the counters of a cause.
func (c *Circuit) follow(k int) {
	r, still := c.Rule, int64(0)
	for i, above := range r.Above {
		theta := c.theta(k, i)
		// tanh theta = 2/(1 + exp(-2 theta)) - 1, of the size of theta, then with its sign
		tanh := int64(fixed.Probability(max(theta, -theta)<<(fixed.Places-weightPlaces+1))-1<<31) >> (fixed.Places - weightPlaces - 1)
		slope := scaled(r.Coupling, tanh)
		less := scaled(slope, above)
		if theta < 0 {
			slope, less = -slope, -less
		}
		c.slope[i*r.Causes+k] = int32(slope)
		still -= less
	}
	c.still[k] = still
}

// scaled returns the product of two numbers that are not negative, rounded.
func scaled(a, b int64) int64 { return (a*b + 1<<(weightPlaces-1)) >> weightPlaces }

// Learn draws the cause that spikes at a sample and lets its synapses learn. Unit i is on where bit
// i%32 of sample[i/32] is set.
func (c *Circuit) Learn(sample []uint32) (winner int) {
	r := c.Rule
	for k := range c.logs {
		c.logs[k] = c.still[k] - r.Homeostasis*int64(c.Spikes[k])
	}
	for i := range r.Visible {
		if sample[i/32]>>(i%32)&1 == 1 {
			for k, w := range c.slope[i*r.Causes : (i+1)*r.Causes] {
				c.logs[k] += 2 * int64(w)
			}
		}
	}
	for k := range c.logs {
		c.logs[k] <<= fixed.Places - weightPlaces
	}
	winner = (*fixed.Random)(&c.Random).Choose(c.logs)
	c.Spikes[winner]++
	on, off := c.On[winner*r.Visible:(winner+1)*r.Visible], c.Off[winner*r.Visible:(winner+1)*r.Visible]
	for i := range on {
		counter := &off[i]
		if sample[i/32]>>(i%32)&1 == 1 {
			counter = &on[i]
		}
		if *counter == r.Most {
			on[i], off[i] = on[i]/2, off[i]/2
		}
		*counter++
	}
	c.follow(winner)
	return winner
}
