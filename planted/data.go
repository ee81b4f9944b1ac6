package planted

import (
	"context"
	"fmt"

	"bethe/internal/kernel"
	"bethe/internal/parallel"
	"bethe/rbm"
	"bethe/sample"
	"bethe/spin"
	"bethe/stream"
)

const (
	// MaxEnumerated is the largest smaller layer whose states Data enumerates.
	MaxEnumerated = 20
	// GibbsBurnIn is the number of sweeps after which Data takes the states of
	// Gibbs chains as samples, where neither layer can be enumerated.
	GibbsBurnIn = 1000
)

// Data draws samples independent visible states of a machine, with any fields
// and offsets; the result is visible x samples and depends on the arguments
// alone, not on the number of threads.
//
// If the smaller layer has at most MaxEnumerated units, its states are drawn
// from their exact marginal distribution, by enumeration, and the other layer
// given them: samples are exact but for the rounding of spin.Draw, about 2^-23,
// and the cost is 2^min(N,P) max(N,P) additions. Else each sample is the state of
// a Gibbs chain of its own, GibbsBurnIn sweeps after a start at random hidden
// spins: independent, but exact only as far as the chains have forgotten their
// start, which those of a machine with strong couplings (several states of
// magnetisation) may not.
//
// The error is that of invalid parameters, or the context's. It panics if
// samples is negative or the synapses are not visible x hidden.
func Data(ctx context.Context, m *rbm.Machine, samples int, key stream.Key) (*spin.Matrix, error) {
	checkMachine("Data", m)
	if samples < 0 {
		panic(fmt.Sprintf("planted: Data of %d samples", samples))
	}
	if err := m.Validate(); err != nil {
		return nil, err
	}
	n, p := m.Visible(), m.Hidden()
	if samples == 0 {
		return spin.New(n, 0), nil
	}
	if min(n, p) <= MaxEnumerated {
		plain, _ := m.Plain()
		if n < p { // the visible states themselves are enumerated
			return drawHidden(ctx, exchanged(plain), samples, key.Sub(stream.PlantedMarginal))
		}
		h, err := drawHidden(ctx, plain, samples, key.Sub(stream.PlantedMarginal))
		if err != nil {
			return nil, err
		}
		return drawVisible(ctx, plain, h, key.Sub(stream.PlantedConditional))
	}
	chains := sample.NewChains(sample.OnNetwork(rbm.NetworkOf[float32](m)), samples, key.Sub(stream.PlantedChains))
	for range GibbsBurnIn {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		chains.Sweep(1)
	}
	return chains.Visible, nil
}

// checkMachine panics unless the synapses have the shape of the fields.
func checkMachine(verb string, m *rbm.Machine) {
	if n, p := m.Synapses.Size(); n != m.Visible() || p != m.Hidden() {
		panic(fmt.Sprintf("planted: %s with %d x %d synapses, for %d visible and %d hidden units", verb, n, p, m.Visible(), m.Hidden()))
	}
}

// exchanged returns a machine without offsets with its layers exchanged.
func exchanged(plain *rbm.Machine) *rbm.Machine {
	synapses := spin.New(plain.Hidden(), plain.Visible())
	plain.Signs().Transpose(synapses)
	t := &rbm.Machine{Params: rbm.NewParams(plain.Hidden(), plain.Visible(), plain.Coupling()), Synapses: rbm.Binary(synapses)}
	copy(t.VisibleField, plain.HiddenField)
	copy(t.HiddenField, plain.VisibleField)
	return t
}

// drawHidden draws hidden states of a machine without offsets, hidden x
// samples, from their exact marginal: it inverts the distribution function of
// all 2^P states.
func drawHidden(ctx context.Context, plain *rbm.Machine, samples int, key stream.Key) (*spin.Matrix, error) {
	sums, err := hiddenLogWeights(ctx, plain)
	if err != nil {
		return nil, err
	}
	cumulate(sums)
	rng := key.Rand()
	h := spin.New(plain.Hidden(), samples)
	for a := range samples {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		state := pick(sums, rng.Float64())
		for mu := range plain.Hidden() {
			h.Set(mu, a, int8(state>>mu&1))
		}
	}
	return h, nil
}

// hiddenLogWeights returns ln sum_s weight(s, h) of all hidden states h of a
// machine without offsets, c.h + sum_i ln 2cosh(b_i + J xi_i.h). In state h
// hidden unit mu is +1 where bit mu is 1. The error is the context's.
func hiddenLogWeights(ctx context.Context, plain *rbm.Machine) ([]float64, error) {
	n, p := plain.Visible(), plain.Hidden()
	// Site i has one of P+1 fields, told by the number of its synapses that
	// agree with h: a count over the low half of the units and one over the rest.
	width := p + 1
	table := make([]float64, n*width)
	for i, b := range plain.VisibleField {
		for k := range width {
			table[i*width+k] = kernel.Log2Cosh(b + plain.Coupling()*float64(2*k-p))
		}
	}
	split := p / 2
	low, err := countAgreements(ctx, plain, 0, split)
	if err != nil {
		return nil, err
	}
	high, err := countAgreements(ctx, plain, split, p)
	if err != nil {
		return nil, err
	}
	for k := range low.count {
		low.count[k] += int32(k % n * width)
	}
	lnw := make([]float64, 1<<p)
	err = parallel.ForContext(ctx, len(lnw), parallel.Grain(n), func(lo, hi int) {
		for h := lo; h < hi; h++ {
			u, v := h&(1<<split-1), h>>split
			sum := low.energy[u] + high.energy[v]
			place := high.count[v*n : (v+1)*n]
			for i, k := range low.count[u*n : (u+1)*n] {
				sum += table[k+place[i]]
			}
			lnw[h] = sum
		}
	})
	return lnw, err
}

// agreements are what hidden units first, ..., last-1 contribute in each of their states.
type agreements struct {
	energy []float64 // [state]: c.h
	count  []int32   // [state][i]: number of units whose synapse at site i equals their spin
}

func countAgreements(ctx context.Context, plain *rbm.Machine, first, last int) (agreements, error) {
	n, states := plain.Visible(), 1<<(last-first)
	g := agreements{make([]float64, states), make([]int32, states*n)}
	for state := range states {
		if err := ctx.Err(); err != nil {
			return agreements{}, err
		}
		for mu := first; mu < last; mu++ {
			up := int8(state>>(mu-first)&1)*2 - 1
			g.energy[state] += float64(up) * plain.HiddenField[mu]
			for i := range n {
				if plain.Signs().At(i, mu) == up {
					g.count[state*n+i]++
				}
			}
		}
	}
	return g, nil
}

// columnsTogether is how many samples drawVisible holds the fields of at once: a
// multiple of kernel.LaneAlign.
const columnsTogether = 8 * kernel.LaneAlign

// drawVisible draws visible states given hidden ones, one per column of h, of a
// machine without offsets. Fields are real numbers and samples are bits, so the
// fields of a few samples at a time are all that is in memory.
func drawVisible(ctx context.Context, plain *rbm.Machine, h *spin.Matrix, key stream.Key) (*spin.Matrix, error) {
	net := rbm.NetworkOf[float64](plain)
	couplingT := make([]float64, len(net.Coupling))
	net.TransposeCoupling(couplingT)
	n := net.Visible()
	s := spin.New(n, h.Cols())
	err := parallel.ForContext(ctx, h.Cols(), columnsTogether, func(lo, hi int) {
		columns := make([]int, hi-lo)
		for k := range columns {
			columns[k] = lo + k
		}
		given := spin.New(h.Rows(), hi-lo)
		h.Gather(given, columns)
		field := make([]float64, n*(hi-lo))
		net.VisibleFields(field, couplingT, given)
		spin.DrawColumns(s, lo, hi, field, key)
	})
	return s, err
}
