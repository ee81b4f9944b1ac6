package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// A built machine has a likelihood that exact sums give: few hidden units.
type built struct {
	name    string
	machine *rbm.Machine
	samples *spin.Matrix
	met     *spin.Matrix // states that scouts met in learning; nil if there are none
	// hole tells that hardly anything but luck finds the heavy state of the machine: a golf hole.
	hole bool
}

// A family builds machine k of some.
type family struct {
	name  string
	share int // how many of the machines of a round are of it
	build func(k int, rng *rand.Rand) *built
}

const samplesBuilt = 300

var families = []family{
	{"random binary", 2, randomBinary},
	{"random real", 1, randomReal},
	{"ferromagnet with lean", 2, ferromagnet},
	{"Curie-Weiss at coexistence", 1, coexistence},
	{"entropic modes", 2, entropic},
	{"rare state", 1, rare},
	{"heavy-tailed weights", 2, heavyTailed},
	{"glass", 1, glass},
	{"golf hole, a hidden unit", 1, golf},
	{"golf hole, hidden together", 1, golfTogether},
}

// real returns a machine with couplings w, hidden x visible, and the weights that it keeps.
func real(n, p int, w []float64) (*rbm.Machine, []float32) {
	weights := make([]float32, n*p)
	for k, v := range w {
		weights[k] = float32(v)
	}
	return &rbm.Machine{Params: rbm.NewParams(n, p, 1), Synapses: rbm.RealValued(n, p, weights)}, weights
}

// binary returns a machine with random synapses, and uniform one with all up.
func binary(n, p int, coupling float64, rng *rand.Rand) *rbm.Machine {
	return &rbm.Machine{Params: rbm.NewParams(n, p, coupling), Synapses: rbm.Binary(spin.Random(n, p, rng))}
}

func uniform(n, p int, coupling float64) *rbm.Machine {
	up := spin.New(n, p)
	for i := range n {
		for mu := range p {
			up.Set(i, mu, 1)
		}
	}
	return &rbm.Machine{Params: rbm.NewParams(n, p, coupling), Synapses: rbm.Binary(up)}
}

// pick returns one of the values.
func pick[T any](rng *rand.Rand, values ...T) T { return values[rng.IntN(len(values))] }

func randomBinary(k int, rng *rand.Rand) *built {
	n, p := pick(rng, 30, 60, 120, 240), 6+rng.IntN(7)
	beta := pick(rng, 0.3, 0.7, 1, 1.5)
	m := binary(n, p, beta/math.Sqrt(float64(n)), rng)
	spread(m, 0.5, rng)
	return &built{name: fmt.Sprintf("%dx%d beta %v", n, p, beta), machine: m, samples: drawn(m, rng, nil)}
}

// spread gives a machine random fields.
func spread(m *rbm.Machine, by float64, rng *rand.Rand) {
	for i := range m.VisibleField {
		m.VisibleField[i] = by * rng.NormFloat64()
	}
	for mu := range m.HiddenField {
		m.HiddenField[mu] = by * rng.NormFloat64()
	}
}

func randomReal(k int, rng *rand.Rand) *built {
	n, p := pick(rng, 30, 60, 120, 240), 6+rng.IntN(7)
	beta := pick(rng, 0.3, 0.7, 1, 1.5)
	w := make([]float64, n*p)
	for j := range w {
		w[j] = beta * rng.NormFloat64() / math.Sqrt(float64(n))
	}
	m, _ := real(n, p, w)
	spread(m, 0.7, rng)
	return &built{name: fmt.Sprintf("%dx%d beta %v", n, p, beta), machine: m, samples: drawn(m, rng, nil)}
}

// ferromagnet has two magnetised modes, up and down, whose weights differ by a lean; data come
// from all of it, or from the lighter mode.
func ferromagnet(k int, rng *rand.Rand) *built {
	n, p := pick(rng, 40, 80, 160), 6+rng.IntN(7)
	// Above 1 of n p J^2 the machine is magnetised.
	j := math.Sqrt(pick(rng, 0.8, 1.3, 1.8, 2.5) / float64(n*p))
	m := uniform(n, p, j)
	lean := pick(rng, 0, 0.5, 2, 8, 25)
	for i := range m.VisibleField {
		m.VisibleField[i] = -lean / float64(n)
	}
	from, keep := "all", func(float64) bool { return true }
	if k%3 == 2 {
		from, keep = "up", func(magnetisation float64) bool { return magnetisation > 0 }
	}
	return &built{name: fmt.Sprintf("%dx%d J %.3f lean %v data %s", n, p, j, lean, from), machine: m, samples: drawn(m, rng, keep)}
}

// coexistence has fields against each other so that a magnetised and another mode weigh
// about the same, with a wall between them.
func coexistence(k int, rng *rand.Rand) *built {
	n, p := pick(rng, 60, 120, 200), 8+rng.IntN(5)
	m := uniform(n, p, pick(rng, 0.03, 0.045, 0.06))
	b := pick(rng, -0.1, -0.2, -0.3)
	for i := range m.VisibleField {
		m.VisibleField[i] = b
	}
	excess := pick(rng, -20, -3, 0, 3, 20)
	balance(m, float64(excess))
	from, keep := "all", func(float64) bool { return true }
	if k%2 == 1 {
		from, keep = "up", func(magnetisation float64) bool { return magnetisation > 0 }
	}
	return &built{name: fmt.Sprintf("%dx%d J %v b %v excess %v data %s", n, p, m.Coupling(), b, excess, from), machine: m, samples: drawn(m, rng, keep)}
}

// balance sets equal hidden fields such that the machine with all hidden units up weighs exp(excess)
// times as much as with all down.
func balance(m *rbm.Machine, excess float64) {
	p := m.Hidden()
	up, down := 0.0, 0.0
	net := rbm.NetworkOf[float64](m)
	for i, b := range net.VisibleField {
		sum := 0.0
		for mu := range p {
			sum += net.Coupling[mu*m.Visible()+i]
		}
		up += log2cosh(b + sum)
		down += log2cosh(b - sum)
	}
	for mu := range m.HiddenField {
		m.HiddenField[mu] = (down - up + excess) / float64(2*p)
	}
}

func log2cosh(x float64) float64 { return math.Abs(x) + math.Log1p(math.Exp(-2*math.Abs(x))) }

// entropic has two modes: many weakly coupled spins are nearly free in one and polarised in the
// other. A core of spins makes the wall between the modes.
func entropic(k int, rng *rand.Rand) *built {
	n, p := pick(rng, 100, 200, 300), 10+rng.IntN(3)
	core := n / 5
	field := pick(rng, 0.2, 0.35)
	excess := pick(rng, -20, -8, 0, 8, 15, 30)
	strong := pick(rng, 0.5, 1, 1.37)
	m, weights := real(n, p, nil)
	for i := range n {
		sign := float64(1 - 2*(i%2))
		weight := field / float64(p) * sign
		if i < core {
			weight, m.VisibleField[i] = strong, 0.9*strong*float64(p)
		} else {
			m.VisibleField[i] = sign * field // polarised with hidden units up, free with them down
		}
		for mu := range p {
			weights[mu*n+i] = float32(weight)
		}
	}
	balance(m, -float64(excess))
	keep := func(float64) bool { return true }
	from := "all"
	if k%2 == 1 { // of the lighter one
		from = "lighter"
		up := func(s float64) bool { return s > 0 }
		if excess < 0 {
			keep = func(s float64) bool { return !up(s) }
		} else {
			keep = up
		}
	}
	return &built{name: fmt.Sprintf("%dx%d field %v strong %v excess %v data %s", n, p, field, strong, excess, from), machine: m, samples: drawnBy(m, rng, keep, core)}
}

// rare has a pattern of some spins that a hidden unit holds together, of a weight that most
// chains do not meet.
func rare(k int, rng *rand.Rand) *built {
	n, p := pick(rng, 60, 120, 200), 6+rng.IntN(5)
	beta := pick(rng, 0.3, 0.7)
	w := make([]float64, n*p)
	for j := range w {
		w[j] = beta * rng.NormFloat64() / math.Sqrt(float64(n))
	}
	size, strength := pick(rng, 10, 20, 40), pick(rng, 0.8, 1.5, 2.5)
	for i := range size {
		w[i] = strength * float64(1-2*rng.IntN(2))
	}
	m, _ := real(n, p, w)
	spread(m, 0.3, rng)
	excess := pick(rng, -6, -3, 0, 4, 10)
	level(m, 0, float64(excess))
	return &built{name: fmt.Sprintf("%dx%d size %d strength %v excess %v", n, p, size, strength, excess), machine: m, samples: drawn(m, rng, nil)}
}

// level sets the field of a hidden unit such that the machine with it up weighs exp(excess)
// times as much as with it down.
func level(m *rbm.Machine, mu int, excess float64) {
	m.HiddenField[mu] = 0
	up, down := math.Inf(-1), math.Inf(-1)
	hidden(m, func(state int, lnw float64) {
		if state>>mu&1 == 1 {
			up = lnAdd(up, lnw)
		} else {
			down = lnAdd(down, lnw)
		}
	})
	m.HiddenField[mu] = (excess + down - up) / 2
}

func lnAdd(a, b float64) float64 {
	if a < b {
		a, b = b, a
	}
	if math.IsInf(b, -1) {
		return a
	}
	return a + math.Log1p(math.Exp(b-a))
}

func heavyTailed(k int, rng *rand.Rand) *built {
	n, p := pick(rng, 60, 150, 300), 8+rng.IntN(5)
	s := pick(rng, 1, 1.5, 2.0)
	w := make([]float64, n*p)
	for j := range w {
		w[j] = 0.1 * float64(1-2*rng.IntN(2)) * min(50, math.Exp(s*rng.NormFloat64()))
	}
	m, _ := real(n, p, w)
	spread(m, 1, rng)
	return &built{name: fmt.Sprintf("%dx%d s %v", n, p, s), machine: m, samples: drawn(m, rng, nil)}
}

func glass(k int, rng *rand.Rand) *built {
	n, p := pick(rng, 60, 120, 240), 10+rng.IntN(3)
	beta := pick(rng, 2, 3, 4.0)
	m := binary(n, p, beta/math.Sqrt(float64(n)), rng)
	spread(m, pick(rng, 0, 0.3), rng)
	return &built{name: fmt.Sprintf("%dx%d beta %v", n, p, beta), machine: m, samples: drawn(m, rng, nil)}
}

// golf has a hole: one state of all spins, held by one hidden unit, outweighs the rest. Nothing leads to it.
func golf(k int, rng *rand.Rand) *built {
	n, p, beta := pick(rng, 30, 60, 120, 240), 6+rng.IntN(7), pick(rng, 0.3, 0.7, 1)
	w := make([]float64, n*p)
	for j := range w {
		w[j] = beta * rng.NormFloat64() / math.Sqrt(float64(n))
	}
	strength := 3 + rng.Float64()
	for i := range n {
		w[i] = strength * float64(1-2*rng.IntN(2))
	}
	m, _ := real(n, p, w)
	spread(m, 0.7, rng)
	// The samples are of the machine without the hole.
	m.HiddenField[0] = -2 * strength * float64(n)
	samples := drawn(m, rng, nil)
	excess := pick(rng, 5, 20, 50)
	level(m, 0, float64(excess))
	return &built{name: fmt.Sprintf("%dx%d beta %v excess %v", n, p, beta, excess), machine: m, samples: samples, hole: true}
}

// golfTogether has a hole that no hidden unit leads to: nearly all of them must have the signs of a
// pattern before any spin turns. Half of the spins turn in it, the others never do, so that
// mirror images of data lead nowhere either.
func golfTogether(k int, rng *rand.Rand) *built {
	n, p := pick(rng, 60, 100), 14
	m, weights := real(n, p, nil)
	a := pick(rng, 0.5, 1)
	hiddenSigns := make([]float64, p)
	for mu := range hiddenSigns {
		hiddenSigns[mu] = float64(1 - 2*rng.IntN(2))
	}
	for i := range n {
		sign := float64(1 - 2*rng.IntN(2))
		for mu, h := range hiddenSigns {
			weights[mu*n+i] = float32(a * sign * h)
		}
		m.VisibleField[i] = a * sign * float64(p+3) // these never turn
		if i%2 == 0 {
			m.VisibleField[i] = -a * sign * float64(p-3) // these do where at most one unit has another sign
		}
	}
	up, down := 0.0, 0.0
	for i, b := range m.VisibleField {
		pull := 0.0
		for mu, h := range hiddenSigns {
			pull += h * float64(weights[mu*n+i])
		}
		up += log2cosh(b + pull)
		down += log2cosh(b - pull)
	}
	field := func(excess float64) {
		for mu, h := range hiddenSigns {
			m.HiddenField[mu] = h * (down - up + excess) / float64(2*p)
		}
	}
	field(-100)
	samples := drawn(m, rng, nil)
	excess := pick(rng, 5, 20, 50)
	field(float64(excess))
	return &built{name: fmt.Sprintf("%dx%d strength %v excess %v", n, p, a, excess), machine: m, samples: samples, hole: true}
}

// hidden calls with ln of the weight of each hidden state, summed over the visible ones. Bit mu of a state is 1 if
// unit mu is up.
func hidden(m *rbm.Machine, each func(state int, lnw float64)) {
	net := rbm.NetworkOf[float64](m)
	n, p := m.Visible(), m.Hidden()
	fields := make([]float64, n)
	for state := range 1 << p {
		copy(fields, net.VisibleField)
		lnw := 0.0
		for mu := range p {
			sign := float64(2*(state>>mu&1) - 1)
			lnw += sign * net.HiddenField[mu]
			for i, w := range net.Coupling[mu*n : (mu+1)*n] {
				fields[i] += sign * w
			}
		}
		for _, f := range fields {
			lnw += log2cosh(f)
		}
		each(state, lnw)
	}
}

// drawn returns exact samples of a machine whose magnetisation is kept; nil keeps all.
func drawn(m *rbm.Machine, rng *rand.Rand, keep func(magnetisation float64) bool) *spin.Matrix {
	return drawnBy(m, rng, keep, m.Visible())
}

// drawnBy is drawn with the magnetisation of the first spins.
func drawnBy(m *rbm.Machine, rng *rand.Rand, keep func(float64) bool, of int) *spin.Matrix {
	n, p := m.Visible(), m.Hidden()
	var lnw []float64
	hidden(m, func(_ int, w float64) { lnw = append(lnw, w) })
	net := rbm.NetworkOf[float64](m)
	// The mean magnetisation in each hidden state tells its mode.
	fields := make([]float64, n)
	fieldsOf := func(state int) {
		copy(fields, net.VisibleField)
		for mu := range p {
			sign := float64(2*(state>>mu&1) - 1)
			for i, w := range net.Coupling[mu*n : (mu+1)*n] {
				fields[i] += sign * w
			}
		}
	}
	if keep != nil {
		for state := range lnw {
			fieldsOf(state)
			mean := 0.0
			for _, f := range fields[:of] {
				mean += math.Tanh(f)
			}
			if !keep(mean) {
				lnw[state] = math.Inf(-1)
			}
		}
	}
	total := rbm.LogSumExp(lnw)
	s := spin.New(n, samplesBuilt)
	for a := range samplesBuilt {
		u, state := rng.Float64(), 0
		for ; state < len(lnw)-1; state++ {
			if u -= math.Exp(lnw[state] - total); u < 0 {
				break
			}
		}
		fieldsOf(state)
		for i, f := range fields {
			if rng.Float64() < 1/(1+math.Exp(-2*f)) {
				s.Set(i, a, 1)
			} else {
				s.Set(i, a, -1)
			}
		}
	}
	return s
}

// build calls each with machines of the families whose names begin with only. It goes through the families once for each round.
func build(seed uint64, rounds int, only string, among []family, each func(family string, make func() (*built, error)) error) error {
	for round := range rounds {
		for f, fam := range among {
			for j := range fam.share {
				if !strings.HasPrefix(fam.name, only) {
					continue
				}
				k := round*fam.share + j
				key := stream.New(seed).Sub(uint64(f)).Sub(uint64(k))
				if err := each(fam.name, func() (*built, error) { return fam.build(k, key.Rand()), nil }); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
