// Package recurrent is HyperAdam as it was published (Wang, Meng, Sun and Xu 2019; variational: 2022), for planted synapses: a reproduction,
// in float64, to compare with. Each synapse has a recurrent net (LSTM) of its own state that sees its gradient, sign and all. From that state come
// the decay rates of several Adams, the weights that combine them, and, in the variational form, how widely the step is drawn around
// the combination. It costs hundreds of products per synapse and step, so machines of digits learn by package hyperadam instead.
package recurrent

import (
	"fmt"
	"math"
)

// Sizes of the net.
const (
	Cells      = 4 // of the recurrent state of a synapse
	Candidates = 5 // Adams that are combined
	Numbers    = 4*Cells*(Cells+2) + 2*Candidates*(Cells+2) + Candidates*(Cells+1) + Cells + 1
)

// Start returns the weights before anything is learned, but for the recurrent net: the decay rates of averages are spread from
// 0.1 to 0.95 and those of squares are 0.999, the combination is the first candidate, and the draw has a width of 0.01. It is
// Adam with a momentum of 0.1.
func Start() []float64 {
	w := make([]float64, Numbers)
	n := parts(w)
	for j := range Candidates {
		n.keep[j][Cells+1] = logit(0.1 + 0.85*float64(j)/(Candidates-1))
		n.keepSquare[j][Cells+1] = logit(0.999)
	}
	n.combine[0][Cells] = 1
	n.width[Cells] = 2 * math.Log(0.01)
	for k := range n.gates { // a state that forgets slowly
		if k < Cells {
			n.gates[k][Cells+1] = 1
		}
	}
	return w
}

// A net is the weights by their use; the last of each row is its constant.
type net struct {
	gates      [4 * Cells][]float64  // of the state and the gradient: forget, take, show; and the candidate state
	keep       [Candidates][]float64 // decay rate of an average, of the state and the average
	keepSquare [Candidates][]float64 // that of a square
	combine    [Candidates][]float64 // weight of a candidate, of the state
	width      []float64             // ln of the variance of the draw
}

// parts returns the net whose weights are w, which it shares.
func parts(w []float64) (n net) {
	if len(w) != Numbers {
		panic(fmt.Sprintf("recurrent: %d weights, not %d", len(w), Numbers))
	}
	take := func(count int) []float64 {
		row := w[:count:count]
		w = w[count:]
		return row
	}
	for k := range n.gates {
		n.gates[k] = take(Cells + 2)
	}
	for j := range Candidates {
		n.keep[j], n.keepSquare[j], n.combine[j] = take(Cells+2), take(Cells+2), take(Cells+1)
	}
	n.width = take(Cells + 1)
	return n
}

// A State is what the rule keeps of each synapse.
type State struct {
	net
	state, cell           [][Cells]float64
	first, second         [][Candidates]float64
	firstLeft, secondLeft [][Candidates]float64 // products of the decay rates: the share that the zeros of the start still have
	Mean, LnVariance      []float64             // of the step of each synapse, after Step
}

// NewState returns the state of some synapses before the first step.
func NewState(weights []float64, synapses int) *State {
	s := &State{net: parts(weights), state: make([][Cells]float64, synapses), cell: make([][Cells]float64, synapses),
		first: make([][Candidates]float64, synapses), second: make([][Candidates]float64, synapses),
		firstLeft: make([][Candidates]float64, synapses), secondLeft: make([][Candidates]float64, synapses),
		Mean: make([]float64, synapses), LnVariance: make([]float64, synapses)}
	for k := range synapses {
		for j := range Candidates {
			s.firstLeft[k][j], s.secondLeft[k][j] = 1, 1
		}
	}
	return s
}

// Step computes the mean and the variance of each synapse's step from the gradient, both to be multiplied by a rate. What the
// net sees of the gradient and of averages is divided by their root mean square over all synapses.
func (s *State) Step(grad []float64) {
	const epsilon = 1e-8
	scale := 1 / (rootMeanSquare(func(k int) float64 { return grad[k] }, len(grad)) + epsilon)
	var firstScale [Candidates]float64
	for j := range firstScale {
		firstScale[j] = 1 / (rootMeanSquare(func(k int) float64 { return s.first[k][j] }, len(grad)) + epsilon)
	}
	for k, g := range grad {
		s.remember(k, scale*g)
		state, sum := &s.state[k], 0.
		for j := range Candidates {
			b := logistic(affine(s.keep[j], state, firstScale[j]*s.first[k][j]))
			c := logistic(affine(s.keepSquare[j], state, firstScale[j]*s.first[k][j]))
			s.first[k][j] = b*s.first[k][j] + (1-b)*g
			s.second[k][j] = c*s.second[k][j] + (1-c)*g*g
			s.firstLeft[k][j] *= b
			s.secondLeft[k][j] *= c
			adam := s.first[k][j] / (1 - s.firstLeft[k][j]) / (math.Sqrt(s.second[k][j]/(1-s.secondLeft[k][j])) + epsilon)
			sum += elu(linear(s.combine[j], state)) * adam
		}
		s.Mean[k], s.LnVariance[k] = sum, linear(s.width, state)
	}
}

// remember takes the recurrent state of synapse k one step on, with the input x.
func (s *State) remember(k int, x float64) {
	state, cell := s.state[k], &s.cell[k]
	for i := range Cells {
		forget, take, show := logistic(affine(s.gates[i], &state, x)), logistic(affine(s.gates[Cells+i], &state, x)), logistic(affine(s.gates[2*Cells+i], &state, x))
		cell[i] = forget*cell[i] + take*math.Tanh(affine(s.gates[3*Cells+i], &state, x))
		s.state[k][i] = show * math.Tanh(cell[i])
	}
}

// Divergence returns that of the drawn step from a standard normal one, a mean over synapses, in nats.
func (s *State) Divergence() (kl float64) {
	for k, mu := range s.Mean {
		kl += (math.Exp(s.LnVariance[k]) + mu*mu - 1 - s.LnVariance[k]) / 2 / float64(len(s.Mean))
	}
	return kl
}

// affine is a row of weights on the state, one more number and a constant.
func affine(w []float64, state *[Cells]float64, x float64) float64 {
	return w[0]*state[0] + w[1]*state[1] + w[2]*state[2] + w[3]*state[3] + w[Cells]*x + w[Cells+1]
}

// linear is a row of weights on the state and a constant.
func linear(w []float64, state *[Cells]float64) float64 {
	return w[0]*state[0] + w[1]*state[1] + w[2]*state[2] + w[3]*state[3] + w[Cells]
}

func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

func logit(p float64) float64 { return math.Log(p / (1 - p)) }

func elu(x float64) float64 {
	if x < 0 {
		return math.Expm1(x)
	}
	return x
}

func rootMeanSquare(of func(k int) float64, n int) float64 {
	sum := 0.
	for k := range n {
		sum += of(k) * of(k)
	}
	return math.Sqrt(sum / float64(max(1, n)))
}
