package causes

import (
	"math"
	"slices"
	"testing"

	"bethe/rbm"
	"bethe/stream"
)

// TestCounters: without saturation the counters hold what Bayes says, theta0 + J (S - m N), and
// with it none passes its maximum.
func TestCounters(t *testing.T) {
	samples := toy(10, 900, 3, stream.New(6))
	o := toys()["stdp"]
	o.CounterBits, o.Passes = 20, 1
	l := learn(t, samples, o, nil, 1<<30).(*online)
	bits, c := l.model().synapses.(*Bits), l.circuit
	m, spikes := bits.Threshold(), uint32(0)
	for k := range o.Causes {
		spikes += c.Spikes[k]
		for i := range 10 {
			at := k*10 + i
			if c.On[at]+c.Off[at] != c.Spikes[k] {
				t.Errorf("synapse %d of cause %d counts %v + %v of %v spikes", i, k, c.On[at], c.Off[at], c.Spikes[k])
			}
			s := float64(c.On[at]) - float64(c.Off[at])
			want := clamp(bits.PriorTheta[at]+bits.Coupling[0]*(s-m[i]*float64(c.Spikes[k])), -mostTheta, mostTheta)
			if math.Abs(bits.PriorTheta[at]) != onlineNoise || math.Abs(bits.Theta[at]-want) > 1e-4 {
				t.Errorf("theta of synapse %d of cause %d is %v, not %v", i, k, bits.Theta[at], want)
			}
		}
	}
	if spikes != 900 {
		t.Errorf("%v spikes", spikes)
	}
	o.CounterBits, o.Passes = 3, 3
	c = learn(t, samples, o, nil, 1<<30).(*online).circuit
	if most := max(slices.Max(c.On), slices.Max(c.Off)); most != 7 {
		t.Errorf("the largest counter is %v", most)
	}
}

// TestIntegers: what a circuit weighs in integers is what the formula says in real numbers.
func TestIntegers(t *testing.T) {
	samples := toy(70, 2500, 5, stream.New(6))
	o := toys()["stdp"]
	o.CounterBits, o.Passes = 8, 1
	l := learn(t, samples, o, nil, 1<<30).(*online)
	bits, c := l.model().synapses.(*Bits), l.circuit
	m, j := bits.Threshold(), bits.Coupling[0]
	for k := range o.Causes {
		still := 0.0
		for i := range 70 {
			slope := j * math.Tanh(bits.Theta[k*70+i])
			still -= slope * (1 + m[i])
			if got := float64(c.slope[i*o.Causes+k]) / (1 << weightPlaces); math.Abs(got-slope) > 1e-5 {
				t.Errorf("synapse %d of cause %d weighs %v, not %v", i, k, got, slope)
			}
		}
		if got := float64(c.still[k]) / (1 << weightPlaces); math.Abs(got-still) > 70e-5 {
			t.Errorf("cause %d has %v with every unit off, not %v", k, got, still)
		}
	}
	if file := l.File(rbm.Info{}); file.CounterBits != 8 || file.Homeostasis != o.Homeostasis {
		t.Errorf("file of counters of %d bits, homeostasis %v", file.CounterBits, file.Homeostasis)
	}
	o.Coupling = MaxOnlineCoupling + 1
	if _, err := NewLearner(samples, o); err == nil {
		t.Error("a coupling that integers do not hold is no error")
	}
}

// TestHomeostasis: with it every cause wins.
func TestHomeostasis(t *testing.T) {
	samples := toy(30, 3000, 4, stream.New(7))
	o := toys()["stdp"]
	o.Causes, o.CounterBits, o.Passes = 12, 8, 1
	least := func(homeostasis float64) uint32 {
		o.Homeostasis = homeostasis
		return slices.Min(learn(t, samples, o, nil, 1<<30).(*online).circuit.Spikes)
	}
	if with, without := least(1), least(0); with < 150 || with < 2*without {
		t.Errorf("the rarest cause wins %v samples of 3000 with homeostasis, %v without", with, without)
	}
}
