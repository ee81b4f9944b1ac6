package rbm

import (
	"context"
	"fmt"
	"math"
	"sort"

	"bethe/internal/kernel"
	"bethe/internal/parallel"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// spins reports whether all units are spins.
func (n *Network[T]) spins() bool {
	return n.VisibleKind == units.Kind{} && n.HiddenKind == units.Kind{}
}

// AddLogSums adds to dst, for each of its columns, ln of the sum over the states of all
// units of a kind in t times their fields. fields is features x m, and dst[0] is column lo.
func AddLogSums[T Real](dst []float64, fields []T, kind units.Kind, m, lo int, t T) {
	of := kind.Features()
	f := make([]float64, of)
	for row := 0; row < len(fields)/m; row += of {
		for a := range dst {
			for j := range of {
				f[j] = float64(t * fields[(row+j)*m+lo+a])
			}
			dst[a] += kind.LogSum(f)
		}
	}
}

// SetMeans sets dst to the means of units of a kind in fields, both features x m. Those of one-hot
// units in float32 are off by less than 2e-6.
func SetMeans[T Real](dst, fields []T, kind units.Kind, m int) {
	of := kind.Features()
	if fields, ok := any(fields).([]float32); ok && kind.OneHot() {
		dst := any(dst).([]float32)
		parallel.For(len(fields)/max(1, of*m), parallel.Grain(of*m*4), func(lo, hi int) {
			for row := lo; row < hi; row++ {
				one := fields[row*of*m : (row+1)*of*m]
				kernel.OneHotMeans(dst[row*of*m:(row+1)*of*m], one, of, kind.None)
			}
		})
		return
	}
	parallel.For(m, parallel.Grain(len(fields)/max(1, m)*20), func(lo, hi int) {
		f, mean := make([]float64, of), make([]float64, of)
		for row := 0; row < len(fields)/m; row += of {
			for a := lo; a < hi; a++ {
				for j := range of {
					f[j] = float64(fields[(row+j)*m+a])
				}
				kind.Means(mean, f)
				for j, v := range mean {
					dst[(row+j)*m+a] = T(v)
				}
			}
		}
	})
}

// A census goes through the states of the layer of fewer states, of one-hot units or
// spins, in float64, with the fields of the other layer, of any kind of units.
type census struct {
	ctx                    context.Context
	small, large           units.Kind
	states                 int
	hiddenSmall            bool
	smallField, largeField []float64
	coupling               []float64 // small x large
}

// newCensus returns that of a network. The error is ErrTooLarge.
func newCensus[T Real](ctx context.Context, n *Network[T]) (*census, error) {
	lnStates := func(k units.Kind, features int) float64 {
		if !k.Bits() {
			return math.Inf(1)
		}
		return k.LnStates(features)
	}
	ofVisible, ofHidden := lnStates(n.VisibleKind, n.Visible()), lnStates(n.HiddenKind, n.Hidden())
	return newCensusOf(ctx, n, ofHidden <= ofVisible, min(ofVisible, ofHidden))
}

// newCensusOf returns that of a layer of so many states.
func newCensusOf[T Real](ctx context.Context, n *Network[T], hidden bool, lnStates float64) (*census, error) {
	if !(lnStates < MaxExact*math.Ln2+1e-9) {
		return nil, fmt.Errorf("%w: the layer of fewer states has 2^%.1f of them and the limit is 2^%d", ErrTooLarge, lnStates/math.Ln2, MaxExact)
	}
	c := &census{ctx: ctx, small: n.HiddenKind, large: n.VisibleKind, hiddenSmall: hidden,
		smallField: widen(n.HiddenField), largeField: widen(n.VisibleField), coupling: widen(n.Coupling)}
	if !c.hiddenSmall {
		c.small, c.large = c.large, c.small
		c.smallField, c.largeField = c.largeField, c.smallField
		t := make([]float64, len(c.coupling))
		transpose(t, c.coupling, n.Hidden(), n.Visible())
		c.coupling = t
	}
	c.states = 1
	for range len(c.smallField) / c.small.Features() {
		c.states *= c.small.Choices()
	}
	return c, nil
}

// piece is the number of consecutive states that one goroutine visits; results do not
// depend on the number of threads.
func (c *census) piece() int { return min(c.states, max(1<<10, c.states/64)) }

// A place is a state of the small layer, by the choice of each unit: the feature that is
// on, or none.
type place struct {
	*census
	choice []int
	energy float64   // of the small layer's fields
	fields []float64 // of the large layer
}

// on returns the feature that is on of a unit, -1 if none is.
func (p *place) on(unit int) int {
	choice := p.choice[unit]
	switch {
	case !p.small.OneHot() && choice == 1:
		return unit
	case choice == p.small.States: // spins have 0 states
		return -1
	}
	return unit*p.small.States + choice
}

// turn adds by times twice the weight of a feature.
func (p *place) turn(feature int, by float64) {
	if feature < 0 {
		return
	}
	p.energy += 2 * by * p.smallField[feature]
	add(p.fields, 2*by, p.coupling[feature*len(p.largeField):][:len(p.largeField)])
}

// begin returns the place of a state: its digits count from the first unit.
func (c *census) begin(state int) *place {
	p := &place{census: c, choice: make([]int, len(c.smallField)/c.small.Features()), fields: append([]float64{}, c.largeField...)}
	for f, b := range c.smallField { // all features off
		p.energy -= b
		add(p.fields, -1, c.coupling[f*len(c.largeField):][:len(c.largeField)])
	}
	for u := range p.choice {
		p.choice[u] = state % c.small.Choices()
		state /= c.small.Choices()
		p.turn(p.on(u), 1)
	}
	return p
}

// next goes to the next state.
func (p *place) next() {
	for u := range p.choice {
		p.turn(p.on(u), -1)
		p.choice[u]++
		over := p.choice[u] == p.small.Choices()
		if over {
			p.choice[u] = 0
		}
		p.turn(p.on(u), 1)
		if !over {
			return
		}
	}
}

// each visits all states, a piece with one visitor. The error is the context's.
func (c *census) each(visitor func(piece int) func(state int, p *place)) error {
	const betweenLooks = 1 << 14 // fields of the large layer
	between := max(1, betweenLooks/len(c.largeField))
	return parallel.ForContext(c.ctx, c.states, c.piece(), func(lo, hi int) {
		p, visit := c.begin(lo), visitor(lo/c.piece())
		for k := lo; k < hi; k++ {
			if (k-lo)%between == 0 && c.ctx.Err() != nil {
				return
			}
			visit(k, p)
			if k+1 < hi {
				p.next()
			}
		}
	})
}

// logSum returns ln of the sum of all weights, and fills energies, those of the states,
// unless it is nil. The error is the context's.
func (c *census) logSum(energies []float64) (float64, error) {
	parts, of := make([]float64, parallel.Pieces(c.states, c.piece())), c.large.Features()
	for k := range parts {
		parts[k] = math.Inf(-1)
	}
	err := c.each(func(piece int) func(int, *place) {
		return func(state int, p *place) {
			energy := p.energy
			for j := 0; j < len(p.fields); j += of {
				energy += c.large.LogSum(p.fields[j : j+of])
			}
			if energies != nil {
				energies[state] = energy
			}
			parts[piece] = LogSumExp([]float64{parts[piece], energy})
		}
	})
	return LogSumExp(parts), err
}

// censusMoments is ExactMoments of units of other kinds, short of the constant.
func censusMoments[T Real](ctx context.Context, n *Network[T], dst *Moments[T]) (float64, error) {
	c, err := newCensus(ctx, n)
	if err != nil {
		return 0, err
	}
	energies := make([]float64, c.states)
	lnz, err := c.logSum(energies)
	if err != nil {
		return 0, err
	}
	small, large, of := len(c.smallField), len(c.largeField), c.large.Features()
	type sums struct{ on, mean, both []float64 } // features that are on; means of the large layer, and where each is on
	parts := make([]sums, parallel.Pieces(c.states, c.piece()))
	err = c.each(func(piece int) func(int, *place) {
		s := sums{make([]float64, small), make([]float64, large), make([]float64, small*large)}
		parts[piece] = s
		means := make([]float64, large)
		return func(state int, p *place) {
			weight := math.Exp(energies[state] - lnz)
			for j := 0; j < large; j += of {
				c.large.Means(means[j:j+of], p.fields[j:j+of])
			}
			add(s.mean, weight, means)
			for u := range p.choice {
				if f := p.on(u); f >= 0 {
					s.on[f] += weight
					add(s.both[f*large:], weight, means)
				}
			}
		}
	})
	if err != nil {
		return 0, err
	}
	total := parts[0]
	for _, s := range parts[1:] {
		addTo(total.on, s.on)
		addTo(total.mean, s.mean)
		addTo(total.both, s.both)
	}
	for f := range total.on {
		total.on[f] = 2*total.on[f] - 1
		for j, m := range total.mean {
			total.both[f*large+j] = 2*total.both[f*large+j] - m
		}
	}
	smallMean, largeMean := dst.Hidden, dst.Visible
	if !c.hiddenSmall {
		smallMean, largeMean = largeMean, smallMean
	}
	copyTo(smallMean, total.on)
	copyTo(largeMean, total.mean)
	for f := range small {
		for j := range large {
			if c.hiddenSmall {
				dst.Correlation[f*large+j] = T(total.both[f*large+j])
			} else {
				dst.Correlation[j*small+f] = T(total.both[f*large+j])
			}
		}
	}
	return lnz, nil
}

// DrawHidden draws states of the hidden layer, of bits, from their exact distribution:
// hidden x count. The error is ErrTooLarge or the context's.
func (n *Network[T]) DrawHidden(ctx context.Context, count int, key stream.Key) (*spin.Matrix, error) {
	if !n.HiddenKind.Bits() {
		return nil, fmt.Errorf("%w: %s hidden units have no states to enumerate", ErrTooLarge, n.HiddenKind)
	}
	c, err := newCensusOf(ctx, n, true, n.HiddenKind.LnStates(n.Hidden()))
	if err != nil {
		return nil, err
	}
	energies := make([]float64, c.states)
	lnz, err := c.logSum(energies)
	if err != nil {
		return nil, err
	}
	below := 0.0
	for k, e := range energies {
		below += math.Exp(e - lnz)
		energies[k] = below
	}
	h, rng := spin.New(n.Hidden(), count), key.Rand()
	for a := range count {
		p := c.begin(min(c.states-1, sort.SearchFloat64s(energies, rng.Float64()*below)))
		for u := range p.choice {
			if f := p.on(u); f >= 0 {
				h.Set(f, a, 1)
			}
		}
	}
	return h, nil
}
