package main

import (
	"fmt"
	"math"
	"math/rand/v2"

	"bethe/spin"
)

// attacks are families that were built against the verdict after its limits had been set.
var attacks = []family{
	{"slightly heavier mode", 2, slightly},
	{"sectors", 2, sectors},
	{"data of another machine", 1, foreign},
	{"few samples", 1, fewSamples},
	{"cold", 1, cold},
	{"patterns", 2, patterns},
	{"ladder of modes", 1, staircase},
	{"broad hole", 2, broadHole},
}

// slightly has entropic modes or coexisting phases whose weights differ by about as much as the verdict may miss.
func slightly(k int, rng *rand.Rand) *built {
	b := entropic(2*k+1, rng) // data from the lighter mode
	excess := pick(rng, 0.7, 1.2, 1.6, 2, 2.5, 3, 4)
	if k%2 == 1 {
		b = coexistence(2*k+1, rng) // data from the magnetised one
		balance(b.machine, -excess)
		b.samples = drawn(b.machine, rng, func(magnetisation float64) bool { return magnetisation > 0 })
		b.name = fmt.Sprintf("%dx%d phases, the other %v heavier", b.machine.Visible(), b.machine.Hidden(), excess)
		return b
	}
	balance(b.machine, -excess)
	b.samples = drawnBy(b.machine, rng, func(s float64) bool { return s > 0 }, b.machine.Visible()/5)
	b.name = fmt.Sprintf("%dx%d entropic, the other %v heavier", b.machine.Visible(), b.machine.Hidden(), excess)
	return b
}

// sectors has blocks of units that do not interact, each with two mirrored halves. All data are of one
// half of each block; there are 2 to the power of blocks such sectors of equal weight, or nearly so.
func sectors(k int, rng *rand.Rand) *built {
	size, p := pick(rng, 20, 60, 150), 1+rng.IntN(2)
	blocks := 2 + rng.IntN(9/p)
	n := blocks * size
	m, weights := real(n, blocks*p, nil)
	lean := pick(rng, 0, 0.2, 0.5)
	strength := pick(rng, 1.5, 2.5, 4, 8, 16)
	for b := range blocks {
		for mu := b * p; mu < (b+1)*p; mu++ {
			for i := b * size; i < (b+1)*size; i++ {
				weights[mu*n+i] = float32(math.Sqrt(strength / float64(size*p)))
			}
		}
		for i := b * size; i < (b+1)*size; i++ {
			m.VisibleField[i] = -lean / float64(size)
		}
	}
	s := drawn(m, rng, nil)
	for a := range s.Cols() {
		for b := range blocks {
			up := 0
			for i := b * size; i < (b+1)*size; i++ {
				up += int(s.At(i, a))
			}
			if up < 0 {
				for i := b * size; i < (b+1)*size; i++ {
					s.Set(i, a, -s.At(i, a))
				}
			}
		}
	}
	return &built{name: fmt.Sprintf("%dx%d blocks %d strength %v lean %v", n, blocks*p, blocks, strength, lean), machine: m, samples: s}
}

// foreign has data of another machine of another family, at random of the same size.
func foreign(k int, rng *rand.Rand) *built {
	b := pick(rng, glass, randomReal, heavyTailed, entropic)(k, rng)
	n := b.machine.Visible()
	b.samples = spin.New(n, samplesBuilt)
	pattern := make([]int8, n)
	for i := range pattern {
		pattern[i] = int8(1 - 2*rng.IntN(2))
	}
	noise := pick(rng, 0, 0.05, 0.3)
	for a := range samplesBuilt {
		for i, v := range pattern {
			if rng.Float64() < noise {
				v = -v
			}
			b.samples.Set(i, a, v)
		}
	}
	b.name = fmt.Sprintf("%s, data of a pattern with noise %v", b.name, noise)
	return b
}

// fewSamples has one to three samples, which make the base.
func fewSamples(k int, rng *rand.Rand) *built {
	b := pick(rng, glass, randomReal, heavyTailed, ferromagnet, coexistence)(k, rng)
	count := 1 + rng.IntN(3)
	b.samples = b.samples.Choose(count, rng)
	b.name = fmt.Sprintf("%s, %d samples", b.name, count)
	return b
}

// cold is a glass so cold that hardly anything moves at the machine.
func cold(k int, rng *rand.Rand) *built {
	n, p := pick(rng, 40, 80, 160), 9+rng.IntN(4)
	beta := pick(rng, 6, 10, 20.0)
	m := binary(n, p, beta/math.Sqrt(float64(n)), rng)
	spread(m, pick(rng, 0, 0.3, 3), rng)
	return &built{name: fmt.Sprintf("%dx%d beta %v", n, p, beta), machine: m, samples: drawn(m, rng, nil)}
}

// patterns has hidden units that each hold a pattern of their own, of depths that differ, and data of the
// least deep one.
func patterns(k int, rng *rand.Rand) *built {
	n, p := pick(rng, 60, 120, 240), 6+rng.IntN(5)
	w := make([]float64, n*p)
	strength := pick(rng, 0.4, 0.8, 1.5)
	for j := range w {
		w[j] = strength * float64(1-2*rng.IntN(2))
	}
	m, _ := real(n, p, w)
	step := pick(rng, 0.5, 1.5, 4)
	for mu := range p {
		m.HiddenField[mu] = step * float64(mu) / 2
	}
	lowest := rng.IntN(p)
	keep := lowest
	s := drawn(m, rng, nil)
	if k%2 == 1 { // all data near one pattern
		for a := range s.Cols() {
			for i := range n {
				v := int8(1)
				if w[keep*n+i] < 0 {
					v = -1
				}
				if rng.Float64() < 0.05 {
					v = -v
				}
				s.Set(i, a, v)
			}
		}
	}
	return &built{name: fmt.Sprintf("%dx%d strength %v step %v data %d", n, p, strength, step, k%2*(keep+1)), machine: m, samples: s}
}

// staircase has a core whose hidden units turn one after another, each step into a heavier mode behind a wall.
func staircase(k int, rng *rand.Rand) *built {
	p := 8 + rng.IntN(3)
	group := pick(rng, 8, 16)
	n := group * p
	m, weights := real(n, p, nil)
	strength, step := pick(rng, 0.6, 1, 1.5), pick(rng, 0.5, 1.5, 3)
	for g := range p {
		for i := g * group; i < (g+1)*group; i++ {
			weights[g*n+i] = float32(strength)
			if g > 0 { // a group is held down until the one before is up
				weights[(g-1)*n+i] = float32(strength)
			}
			m.VisibleField[i] = -strength
		}
		m.HiddenField[g] = step / 2
	}
	m.HiddenField[0] -= float64(pick(rng, 2, 6, 12))
	s := spin.New(n, samplesBuilt)
	return &built{name: fmt.Sprintf("%dx%d strength %v step %v", n, p, strength, step), machine: m, samples: s}
}

// broadHole has a broad mode: all hidden units have the signs of a pattern, and half of the units are free. Elsewhere
// these are polarised. No state of the mode weighs much. Random visible states lead away from it, and random
// hidden ones to it once in a while.
func broadHole(k int, rng *rand.Rand) *built {
	n, p := pick(rng, 600, 1200), 5+rng.IntN(6)
	m, weights := real(n, p, nil)
	a := pick(rng, 0.3, 0.5)
	signs := make([]float64, p)
	for mu := range signs {
		signs[mu] = float64(1 - 2*rng.IntN(2))
	}
	for i := range n {
		sign := float64(1 - 2*rng.IntN(2))
		for mu, h := range signs {
			weights[mu*n+i] = float32(a * sign * h)
		}
		m.VisibleField[i] = a * sign * float64(p+3)
		if i%2 == 0 {
			m.VisibleField[i] = -a * sign * float64(p)
		}
	}
	excess := pick(rng, 3, 5, 10, 30.0)
	free, other := math.Inf(-1), math.Inf(-1)
	target := 0
	for mu, h := range signs {
		if h > 0 {
			target |= 1 << mu
		}
	}
	weigh := func() {
		free, other = math.Inf(-1), math.Inf(-1)
		hidden(m, func(state int, lnw float64) {
			if state == target {
				free = lnAdd(free, lnw)
			} else {
				other = lnAdd(other, lnw)
			}
		})
	}
	low, high := -a*float64(n), a*float64(n)
	for range 60 { // the hidden fields balance, in the direction of the pattern
		middle := (low + high) / 2
		for mu, h := range signs {
			m.HiddenField[mu] = h * middle
		}
		if weigh(); free-other < excess {
			low = middle
		} else {
			high = middle
		}
	}
	balanced := (low + high) / 2
	for mu, h := range signs {
		m.HiddenField[mu] = h * (balanced - 20)
	}
	samples := drawn(m, rng, nil)
	for mu, h := range signs {
		m.HiddenField[mu] = h * balanced
	}
	return &built{name: fmt.Sprintf("%dx%d strength %v excess %v field %.2f", n, p, a, excess, balanced/(a*float64(n))), machine: m, samples: samples}
}
