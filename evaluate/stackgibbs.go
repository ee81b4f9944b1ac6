package evaluate

import (
	"context"
	"fmt"
	"math"

	"bethe/internal/kernel"
	"bethe/internal/parallel"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// stackChains are Gibbs chains on the hidden layers of a stack, given evidence about its visible units. Those are summed out: given
// layer 1, unit i has the field F_i, and its evidence the weight
//
//	exp(v_i F_i) / 2cosh F_i             if it is v_i
//	cosh(F_i + s_i) / cosh F_i           if it was seen as the sign of s_i through a channel of strength |s_i|
//	1                                    if nothing is known
//
// A layer between two others is drawn one unit after the other, because the weight of the layer below couples its units. The two layers of
// the topmost machine are drawn as those of any machine.
type stackChains struct {
	nets    []*rbm.Network[float32]
	across  [][]float32 // couplings, visible x hidden
	named   []int       // visible units with evidence
	rows    []float32   // couplings of these in the lowest machine, hidden x named
	linear  []float32   // v, chains x named; 0 if noise is seen
	noise   []float32   // s, chains x named; nil if units are known
	known   *spin.Matrix
	hidden  []*spin.Matrix // of each machine, units x chains
	key     stream.Key
	sweeps  int
	visible int
}

// evidence holds the known visible units: the named ones have the values of states, or were seen through a channel of a strength.
type evidence struct {
	named    []int
	strength float64 // 0: they are known
}

// chains returns chains, a column of states each. They start with hidden units that are inferred from these, witnesses with the opposite.
func (s Stack) chains(states *spin.Matrix, e evidence, key stream.Key, opposite bool) *stackChains {
	c := &stackChains{named: e.named, known: states, key: key, visible: states.Rows()}
	up := states
	for l, machine := range s {
		net := rbm.NetworkOf[float32](machine)
		across := make([]float32, len(net.Coupling))
		net.TransposeCoupling(across)
		c.nets, c.across = append(c.nets, net), append(c.across, across)
		up = s.Up(l, up, key.Sub(stream.ChainsStart).Sub(uint64(l)))
		if opposite && l == 0 {
			up = OnMachine(machine).Opposite(up)
		}
		c.hidden = append(c.hidden, up)
	}
	n, count, of := c.visible, states.Cols(), len(e.named)
	for j := range c.nets[0].Hidden() {
		for _, i := range e.named {
			c.rows = append(c.rows, c.nets[0].Coupling[j*n+i])
		}
	}
	values := make([]float32, count*of)
	for a := range count {
		for k, i := range e.named {
			values[a*of+k] = float32(states.At(i, a))
		}
	}
	c.linear = values
	if e.strength > 0 {
		c.linear, c.noise = make([]float32, len(values)), values
		kernel.Affine(c.noise, c.noise, float32(e.strength), 0)
	}
	return c
}

// Sweep implements sweeping.
func (c *stackChains) Sweep(count int) {
	for range count {
		c.sweeps++
		key := c.key.Sub(stream.ChainsHidden).Sub(uint64(c.sweeps))
		top := len(c.nets) - 1
		for l := range top {
			c.drawLayer(l, key.Sub(uint64(l)))
		}
		fields := make([]float32, c.nets[top].Hidden()*c.hidden[0].Cols())
		c.nets[top].HiddenFields(fields, c.hidden[top-1])
		spin.Draw(c.hidden[top], fields, key.Sub(uint64(top)))
	}
}

// drawLayer draws the hidden units of machine l, one after the other in each chain.
func (c *stackChains) drawLayer(l int, key stream.Key) {
	p, count := c.nets[l].Hidden(), c.hidden[l].Cols()
	above := make([]float32, p*count)
	c.nets[l+1].VisibleFields(above, c.across[l+1], c.hidden[l+1])
	rows, linear, noise := c.rows, c.linear, c.noise
	whole := make([]float32, c.nets[l].Visible()*count)
	c.nets[l].VisibleFields(whole, c.across[l], c.hidden[l])
	of := c.nets[l].Visible()
	fields := make([]float32, len(whole)) // chains x units with evidence
	if l == 0 {
		of = len(c.named)
		fields = fields[:of*count]
		for k, i := range c.named {
			for a := range count {
				fields[a*of+k] = whole[i*count+a]
			}
		}
	} else {
		rows, noise = c.nets[l].Coupling, nil
		kernel.Transpose(fields, of, whole, count, of, count)
		values := make([]float32, of*count)
		spin.Values(values, c.hidden[l-1])
		linear = make([]float32, of*count)
		kernel.Transpose(linear, of, values, count, of, count)
	}
	states := make([]int8, p*count)
	spin.Values(states, c.hidden[l])
	parallel.For(count, 1, func(lo, hi int) {
		g := newEvidenceSum(of)
		for a := lo; a < hi; a++ {
			g.field, g.linear, g.noise = fields[a*of:(a+1)*of], linear[a*of:(a+1)*of], nil
			if noise != nil {
				g.noise = noise[a*of : (a+1)*of]
			}
			rng := key.Sub(uint64(a)).Rand()
			now := g.weight(g.field)
			for j := range p {
				h := states[j*count+a]
				turned := g.turn(rows[j*of:(j+1)*of], -2*float32(h))
				if gain := turned - now - 2*float64(h)*float64(above[j*count+a]); rng.Float64() < 1/(1+math.Exp(-gain)) {
					states[j*count+a] = -h
					now = turned
					g.keep()
				}
			}
		}
	})
	c.hidden[l] = spin.FromSigns(p, count, states)
}

// An evidenceSum is the ln weight of the evidence of a chain, by the fields of its units.
type evidenceSum struct {
	field, linear, noise []float32
	other, shifted       []float32
	sum                  []float64
}

func newEvidenceSum(units int) *evidenceSum {
	return &evidenceSum{other: make([]float32, units), shifted: make([]float32, units), sum: make([]float64, units)}
}

// weight returns the ln weight at fields.
func (g *evidenceSum) weight(field []float32) float64 {
	clear(g.sum)
	kernel.AddLog2Cosh(g.sum, field)
	w := -kernel.Sum(g.sum)
	if g.noise == nil {
		return w + kernel.Dot(field, g.linear)
	}
	clear(g.sum)
	for k, f := range field {
		g.shifted[k] = f + g.noise[k]
	}
	kernel.AddLog2Cosh(g.sum, g.shifted)
	return w + kernel.Sum(g.sum)
}

// turn returns the ln weight if a unit with the given couplings changes by so much.
func (g *evidenceSum) turn(row []float32, by float32) float64 {
	for k, f := range g.field {
		g.other[k] = f + by*row[k]
	}
	return g.weight(g.other)
}

// keep makes the fields those of the last turn.
func (g *evidenceSum) keep() { copy(g.field, g.other) }

// VisibleMeans implements sweeping.
func (c *stackChains) VisibleMeans(dst []float32) {
	count := c.hidden[0].Cols()
	c.nets[0].VisibleFields(dst, c.across[0], c.hidden[0])
	for k, i := range c.named {
		for a := range count {
			if c.noise != nil {
				dst[i*count+a] += c.noise[a*len(c.named)+k]
			}
		}
	}
	kernel.Tanh(dst, dst)
	if c.noise != nil {
		return
	}
	for _, i := range c.named {
		for a := range count {
			dst[i*count+a] = float32(c.known.At(i, a))
		}
	}
}

// states draws the visible units given the hidden ones.
func (c *stackChains) states() *spin.Matrix {
	count := c.hidden[0].Cols()
	fields := make([]float32, c.visible*count)
	c.VisibleMeans(fields)
	for k, v := range fields { // fields of units with these means
		fields[k] = float32(math.Atanh(float64(max(-certainMean, min(certainMean, v)))))
	}
	out := spin.New(c.visible, count)
	spin.Draw(out, fields, c.key.Sub(stream.ChainsVisible))
	if c.noise == nil {
		out.CopyUnits(c.known, c.named)
	}
	return out
}

// certainMean is a mean that is 1 but for the rounding of a float32.
const certainMean = 1 - 1.0/(1<<24)

// restore sweeps chains given evidence of samples, and witnesses beside them, as restore of a machine does.
func (s Stack) restore(ctx context.Context, samples *spin.Matrix, e evidence, r *Restoring) (*SpinRestoration, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	n, m := s[0].Visible(), samples.Cols()
	if samples.Rows() != n {
		return nil, fmt.Errorf("samples of %d units for a machine of %d visible units", samples.Rows(), n)
	}
	if m == 0 || r.Chains < 1 || r.Sweeps < 1 {
		return nil, fmt.Errorf("%d samples, %d chains of each, %d sweeps: at least 1 of each is needed", m, r.Chains, r.Sweeps)
	}
	each := spin.New(n, m*r.Chains)
	samples.Gather(each, columnsOf(m, r.Chains))
	some := columns(samples, 0, min(m, MostChecked))
	chains := s.chains(unknownDrawn(each, e, r.Key), e, r.Key, false)
	key := r.Key.Sub(stream.ChainsWitness)
	watch := newWatch(s.chains(unknownDrawn(some, e, key), e, key, true), n, m, some.Cols(), r)
	mean, err := averaged(ctx, chains, watch, n, m, r)
	if err != nil {
		return nil, err
	}
	return &SpinRestoration{mean, chains.states(), watch.settling.rHat()}, nil
}

// unknownDrawn returns samples with random units where nothing is known.
func unknownDrawn(samples *spin.Matrix, e evidence, key stream.Key) *spin.Matrix {
	out := spin.Random(samples.Rows(), samples.Cols(), key.Sub(stream.ChainsAbove).Rand())
	out.CopyUnits(samples, e.named)
	return out
}

// CompleteKnown is CompleteKnown of a stack: the other units by Gibbs chains on the hidden layers given the named ones.
func (s Stack) CompleteKnown(ctx context.Context, samples *spin.Matrix, units []int, r Restoring) (*Completion, error) {
	restored, err := s.restore(ctx, samples, evidence{named: units}, &r)
	if err != nil {
		return nil, err
	}
	return completed(restored, samples, units), nil
}

// Mend is Mend of a stack.
func (s Stack) Mend(ctx context.Context, samples *spin.Matrix, flip float64, noisy bool, key stream.Key, r Restoring) (*Mended, error) {
	return mended(samples, flip, noisy, key, &r, func(seen *spin.Matrix) (*SpinRestoration, error) {
		return s.restore(ctx, seen, evidence{first(samples.Rows()), math.Log((1-flip)/flip) / 2}, &r)
	})
}
