package dual

import (
	"context"
	"math"
	"slices"

	"bethe/internal/kernel"
	"bethe/internal/parallel"
	"bethe/rbm"
)

// Bethe is belief propagation on the bipartite graph (Bethe approximation),
// exact on trees. Its correlations come from linear response, as derivatives
// of the magnetisations by a field (susceptibility propagation: Mézard and
// Mora 2009), unless EdgeCorrelation is set.
//
// Plain edge correlations of a network without fields are tanh K at the
// paramagnetic fixed point, the same for any other hidden unit, so the
// gradient of the partition term vanishes and the hidden units of a machine
// that learns with them collapse onto each other. Linear response sees the
// loops through other units.
type Bethe[T rbm.Real] struct {
	Damping         float64 // share of the old message kept, in [0, 1)
	Tolerance       float64 // stop when no message changes more
	MaxIterations   int     // a call
	EdgeCorrelation bool    // take correlations from the two messages of an edge only

	visible []float64 // message means m_{i -> mu}, hidden x visible; kept as a warm start
	hidden  []float64 // m_{mu -> i}, hidden x visible
	before  [2][]float64
}

// NewBethe returns the engine with damping 0.3, tolerance 1e-10 and at most
// 2,000 iterations a call.
func NewBethe[T rbm.Real]() *Bethe[T] {
	return &Bethe[T]{Damping: 0.3, Tolerance: 1e-10, MaxIterations: 2000}
}

// GivesLnZ implements Summing.
func (b *Bethe[T]) GivesLnZ() bool { return true }

// Undo implements Undoer.
func (b *Bethe[T]) Undo() { b.visible, b.hidden = b.before[0], b.before[1] }

// Moments passes messages until they settle; the report tells when they did
// not, and then moments are those of the last iteration. LnZ is the Bethe free
// energy's.
func (b *Bethe[T]) Moments(ctx context.Context, dst *rbm.Moments[T], net *rbm.Network[T]) (Report, error) {
	n, p := net.Visible(), net.Hidden()
	b.before = [2][]float64{b.visible, b.hidden}
	if len(b.visible) == n*p {
		b.visible, b.hidden = slices.Clone(b.visible), slices.Clone(b.hidden)
	} else {
		b.visible, b.hidden = make([]float64, n*p), make([]float64, n*p)
	}
	tanhK := make([]float64, n*p)
	for e, k := range net.Coupling {
		tanhK[e] = math.Tanh(float64(k))
	}
	visibleField, hiddenField := make([]float64, n), make([]float64, p) // all messages together
	report := Report{Engine: "bethe"}
	for report.Iterations < b.MaxIterations && !report.Converged {
		report.Residual = b.iterate(ctx, net, tanhK, visibleField, hiddenField)
		if err := ctx.Err(); err != nil {
			b.Undo()
			return Report{}, err
		}
		report.Iterations++
		report.Converged = report.Residual <= b.Tolerance
	}
	for i, f := range visibleField {
		dst.Visible[i] = T(math.Tanh(f))
	}
	for mu, f := range hiddenField {
		dst.Hidden[mu] = T(math.Tanh(f))
	}
	report.LnZ = b.freeEnergy(net, tanhK)
	if b.EdgeCorrelation {
		for e, t := range tanhK {
			m := t * b.visible[e] * b.hidden[e]
			dst.Correlation[e] = T((t + b.visible[e]*b.hidden[e]) / (1 + m))
		}
		return report, nil
	}
	iterations, residual, err := b.respond(ctx, dst, n, p, tanhK)
	if err != nil {
		b.Undo()
		return Report{}, err
	}
	report.Iterations += iterations
	report.Residual = max(report.Residual, residual)
	report.Converged = report.Converged && residual <= b.Tolerance
	return report, nil
}

// State implements Stateful: the messages.
func (b *Bethe[T]) State() State {
	if b.visible == nil {
		return State{}
	}
	return State{Numbers: [][]float64{slices.Clone(b.visible), slices.Clone(b.hidden)}}
}

// Restore implements Stateful.
func (b *Bethe[T]) Restore(visible, hidden int, s State) error {
	x, err := restoreNumbers[float64](s, visible*hidden, visible*hidden)
	if err == nil {
		b.visible, b.hidden = x[0], x[1]
	}
	return err
}

// iterate updates all messages once, hidden to visible and back, and returns
// the largest undamped change. It gives up if the context ends.
func (b *Bethe[T]) iterate(ctx context.Context, net *rbm.Network[T], tanhK, visibleField, hiddenField []float64) (residual float64) {
	n, p := net.Visible(), net.Hidden()
	for mu := range p {
		if ctx.Err() != nil {
			return residual
		}
		row := b.visible[mu*n : (mu+1)*n]
		field := float64(net.HiddenField[mu])
		for i, m := range row {
			field += atanh(tanhK[mu*n+i] * m)
		}
		hiddenField[mu] = field
		for i, m := range row {
			e := mu*n + i
			next := math.Tanh(field - atanh(tanhK[e]*m))
			residual = max(residual, math.Abs(next-b.hidden[e]))
			b.hidden[e] += (1 - b.Damping) * (next - b.hidden[e])
		}
	}
	for i, f := range net.VisibleField {
		visibleField[i] = float64(f)
	}
	for e, t := range tanhK {
		visibleField[e%n] += atanh(t * b.hidden[e])
	}
	for e, t := range tanhK {
		if e%n == 0 && ctx.Err() != nil {
			return residual
		}
		next := math.Tanh(visibleField[e%n] - atanh(t*b.hidden[e]))
		residual = max(residual, math.Abs(next-b.visible[e]))
		b.visible[e] += (1 - b.Damping) * (next - b.visible[e])
	}
	return residual
}

// atanh is math.Atanh with arguments kept a rounding error inside (-1, 1).
func atanh(x float64) float64 {
	const limit = 1 - 1e-15
	return math.Atanh(max(-limit, min(limit, x)))
}

// freeEnergy returns ln Z = sum of ln Z of the units - sum of ln Z of the edges.
func (b *Bethe[T]) freeEnergy(net *rbm.Network[T], tanhK []float64) float64 {
	n := net.Visible()
	sum := net.Constant
	plus, minus := make([]float64, n), make([]float64, n) // ln weight of s_i = ±1
	for i, f := range net.VisibleField {
		plus[i], minus[i] = float64(f), -float64(f)
	}
	for mu, f := range net.HiddenField {
		up, down := float64(f), -float64(f)
		for i := range n {
			e := mu*n + i
			t := tanhK[e]
			up += math.Log1p(t * b.visible[e])
			down += math.Log1p(-t * b.visible[e])
			plus[i] += math.Log1p(t * b.hidden[e])
			minus[i] += math.Log1p(-t * b.hidden[e])
			sum += kernel.Log2Cosh(float64(net.Coupling[e])) - math.Ln2 - math.Log1p(t*b.visible[e]*b.hidden[e])
		}
		sum += rbm.LogSumExp([]float64{up, down})
	}
	for i := range n {
		sum += rbm.LogSumExp([]float64{plus[i], minus[i]})
	}
	return sum
}

// respond sets the correlations to <s><h> + d<.>/d(field of a unit), for each
// unit of the smaller layer, by iterating the derivative of the messages. It
// returns the most iterations and the largest residual of any unit, and the context's error.
func (b *Bethe[T]) respond(ctx context.Context, dst *rbm.Moments[T], n, p int, tanhK []float64) (iterations int, residual float64, err error) {
	fromVisible, fromHidden := make([]float64, n*p), make([]float64, n*p) // d(message field)/d(cavity field)
	gain := func(t, m float64) float64 { return t * (1 - m*m) / (1 - t*t*m*m) }
	for e, t := range tanhK {
		fromVisible[e], fromHidden[e] = gain(t, b.visible[e]), gain(t, b.hidden[e])
	}
	units := min(n, p)
	counts, residuals := make([]int, units), make([]float64, units)
	err = parallel.ForContext(ctx, units, 1, func(lo, hi int) {
		gv, gh := make([]float64, n*p), make([]float64, n*p) // d(cavity field)/d(field of the unit)
		visible, hidden := make([]float64, n), make([]float64, p)
		for k := lo; k < hi; k++ {
			clear(gv)
			clear(gh)
			count, change := 0, math.Inf(1)
			for ; count < b.MaxIterations && change > b.Tolerance && ctx.Err() == nil; count++ {
				change = 0
				clear(hidden)
				if p <= n {
					hidden[k] = 1
				}
				for mu := range p {
					for e := mu * n; e < (mu+1)*n; e++ {
						hidden[mu] += fromVisible[e] * gv[e]
					}
					for e := mu * n; e < (mu+1)*n; e++ {
						next := hidden[mu] - fromVisible[e]*gv[e]
						change = max(change, math.Abs(next-gh[e]))
						gh[e] += (1 - b.Damping) * (next - gh[e])
					}
				}
				clear(visible)
				if n < p {
					visible[k] = 1
				}
				for e, g := range gh {
					visible[e%n] += fromHidden[e] * g
				}
				for e, g := range gh {
					next := visible[e%n] - fromHidden[e]*g
					change = max(change, math.Abs(next-gv[e]))
					gv[e] += (1 - b.Damping) * (next - gv[e])
				}
			}
			counts[k], residuals[k] = count, change
			if p <= n {
				for i, g := range visible {
					s, h := float64(dst.Visible[i]), float64(dst.Hidden[k])
					dst.Correlation[k*n+i] = T(s*h + (1-s*s)*g)
				}
			} else {
				for mu, g := range hidden {
					s, h := float64(dst.Visible[k]), float64(dst.Hidden[mu])
					dst.Correlation[mu*n+k] = T(s*h + (1-h*h)*g)
				}
			}
		}
	})
	for k := range units {
		iterations, residual = max(iterations, counts[k]), max(residual, residuals[k])
	}
	return iterations, residual, err
}
