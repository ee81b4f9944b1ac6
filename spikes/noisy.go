package spikes

import (
	"errors"
	"math"
	"math/rand/v2"
	"sort"

	"bethe/internal/parallel"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// probit is the scale at which the normal distribution function is closest to the logistic
// one: |Phi(u/probit) - 1/(1 + e^-2u)| is at most 0.0095.
const probit = 0.8507

// ErrNotBits is the error of a machine whose synapses cannot flip.
var ErrNotBits = errors.New("synapses that are the only noise must be bits, of one link between all units")

// noisy is a machine whose only noise is its synapses. Neurons compare the sum of their
// inputs with a threshold, and each synapse flips with probability (1 - rho)/2, afresh for each
// neuron and step. With rho = J sqrt(n) / sqrt(probit^2 + n J^2) and threshold -b sqrt(n (1 - rho^2)) /
// probit a neuron of n inputs fires with about the machine's probability: an approximation, the
// worse the stronger the machine.
type noisy struct {
	visible, hidden     *neurons
	toHidden, toVisible side
	key                 stream.Key
	steps               uint64
}

// A side draws one layer given the other.
type side struct {
	synapses  *spin.Matrix // inputs x neurons
	inputs    int
	threshold []float64   // added to the sum of each neuron
	flips     [][]float64 // [n]: distribution function of the number of flips among n synapses
	overlaps  spin.Overlaps
	sums      []float32
}

// FlipChance returns the probability that a synapse flips in a machine of threshold
// neurons with this number of inputs.
func FlipChance(coupling float64, inputs int) float64 {
	n := float64(inputs)
	return (1 - coupling*math.Sqrt(n)/math.Sqrt(probit*probit+n*coupling*coupling)) / 2
}

// newSide returns a side of neurons in the given fields.
func newSide(synapses *spin.Matrix, coupling float64, fields []float64) side {
	n := synapses.Rows()
	flip := FlipChance(coupling, n)
	rho := 1 - 2*flip
	s := side{synapses: synapses, inputs: n, flips: make([][]float64, n+1)}
	for _, b := range fields {
		s.threshold = append(s.threshold, b*math.Sqrt(float64(n)*(1-rho*rho))/probit)
	}
	for k := range s.flips {
		s.flips[k] = binomial(k, flip)
	}
	return s
}

// binomial returns the distribution function of the number of successes in n tries, up to where
// it is 1.
func binomial(n int, p float64) []float64 {
	var f []float64
	sum, term := 0.0, math.Exp(float64(n)*math.Log1p(-p))
	for k := 0; k <= n; k++ {
		sum += term
		f = append(f, sum)
		if 1-sum < 1e-15 {
			break
		}
		term *= float64(n-k) / float64(k+1) * p / (1 - p)
	}
	f[len(f)-1] = 1
	return f
}

// draw draws which neurons fire given the inputs.
func (s *side) draw(fire, inputs *spin.Matrix, key stream.Key) {
	networks, neurons := inputs.Cols(), len(s.threshold)
	s.overlaps.Set(s.synapses, inputs)
	s.sums = resize(s.sums, neurons*networks)
	s.overlaps.Fields(s.sums, 1, make([]float32, neurons))
	parallel.For(neurons, 1, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			rng := key.Sub(uint64(i)).Rand()
			row := s.sums[i*networks : (i+1)*networks]
			for a, v := range row {
				agree := (s.inputs + int(v)) / 2
				sum := 2*(agree-s.flipped(rng, agree)+s.flipped(rng, s.inputs-agree)) - s.inputs
				// a dither of ±1 breaks ties, which all sums of one parity would have
				row[a] = float32(float64(sum) + s.threshold[i] + 2*rng.Float64() - 1)
			}
		}
	})
	*fire = *spin.FromSigns(neurons, networks, s.sums)
}

// flipped draws how many of n synapses flip.
func (s *side) flipped(rng *rand.Rand, n int) int {
	return sort.SearchFloat64s(s.flips[n], rng.Float64())
}

func resize(x []float32, n int) []float32 {
	if len(x) != n {
		return make([]float32, n)
	}
	return x
}

// Noisy returns the circuit of a machine whose only noise is its synapses. Its windows are of one
// step, whatever the options say. The error is ErrNotBits.
func Noisy(machine *rbm.Machine, start *spin.Matrix, o Options) (Circuit, error) {
	if _, ok := machine.Synapses.(rbm.Signed); !ok || !machine.Whole() || !(machine.Coupling() > 0) {
		return nil, ErrNotBits
	}
	plain, _ := machine.Plain()
	across := spin.New(plain.Hidden(), plain.Visible())
	plain.Signs().Transpose(across)
	c := &noisy{key: o.Key, toHidden: newSide(plain.Signs(), plain.Coupling(), plain.HiddenField), toVisible: newSide(across, plain.Coupling(), plain.VisibleField),
		visible: newNeurons(start, 1, o.Key), hidden: newNeurons(spin.New(plain.Hidden(), start.Cols()), 1, o.Key)}
	c.visible.clamp(o.Clamp)
	return c, nil
}

func (c *noisy) Step() {
	c.steps++
	c.toHidden.draw(c.hidden.candidates, c.visible.on, c.key.Sub(stream.SpikesHidden).Sub(c.steps))
	c.hidden.step()
	c.toVisible.draw(c.visible.candidates, c.hidden.on, c.key.Sub(stream.SpikesVisible).Sub(c.steps))
	c.visible.step()
}

func (c *noisy) Populations() []Population {
	return []Population{{Name: "visible", Size: c.visible.on.Rows()}, {Name: "hidden", Size: c.hidden.on.Rows()}}
}

func (c *noisy) Networks() int { return c.visible.on.Cols() }
func (c *noisy) Window() int   { return 1 }

func (c *noisy) Forget() {
	c.visible.forget()
	c.hidden.forget()
}

func (c *noisy) Counts() []int32 {
	return append(append([]int32(nil), c.visible.tally.Counts()...), c.hidden.tally.Counts()...)
}

func (c *noisy) Spikes(network int, visit func(neuron int)) {
	c.visible.spikes(network, visit)
	c.hidden.spikes(network, func(neuron int) { visit(c.visible.on.Rows() + neuron) })
}
