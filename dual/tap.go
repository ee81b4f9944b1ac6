package dual

import (
	"context"
	"math"
	"slices"

	"bethe/internal/kernel"
	"bethe/internal/parallel"
	"bethe/rbm"
	"bethe/spin"
)

// TAP is second-order mean field (Thouless, Anderson and Palmer 1977; for
// Boltzmann machines Gabrié, Tramel and Krzakala 2015) on a batch of
// persistent fixed points, which started at data follow a network with many
// states. Its trap without fields is that of plain Bethe correlations.
type TAP[T rbm.Real] struct {
	Points         int          // fixed points followed
	Damping        float64      // share of the old magnetisation kept
	Tolerance      float64      // stop when no magnetisation changes more
	MaxIterations  int          // a call
	InitialVisible *spin.Matrix // visible magnetisations to start at, of Points columns; nil for 0

	visible, hidden []T // magnetisations, visible x points and hidden x points
	before          [2][]T
}

// NewTAP returns the engine with damping 0.5, tolerance 1e-6 and at most 500
// iterations a call, for as many fixed points as start has columns, or one if
// it is nil.
func NewTAP[T rbm.Real](start *spin.Matrix) *TAP[T] {
	t := &TAP[T]{Points: 1, Damping: 0.5, Tolerance: 1e-6, MaxIterations: 500, InitialVisible: start}
	if start != nil {
		t.Points = start.Cols()
	}
	return t
}

// GivesLnZ implements Summing.
func (t *TAP[T]) GivesLnZ() bool { return true }

// Undo implements Undoer.
func (t *TAP[T]) Undo() { t.visible, t.hidden = t.before[0], t.before[1] }

// Moments iterates every fixed point and averages over them. LnZ is the TAP
// free energy of the best of them.
func (t *TAP[T]) Moments(ctx context.Context, dst *rbm.Moments[T], net *rbm.Network[T]) (Report, error) {
	n, p, m := net.Visible(), net.Hidden(), t.Points
	t.before = [2][]T{t.visible, t.hidden}
	if len(t.visible) == n*m && len(t.hidden) == p*m {
		t.visible, t.hidden = slices.Clone(t.visible), slices.Clone(t.hidden)
	} else {
		t.visible, t.hidden = make([]T, n*m), make([]T, p*m)
		if t.InitialVisible != nil {
			spin.Values(t.visible, t.InitialVisible)
			for k := range t.visible {
				t.visible[k] *= 0.9 // inside (-1, 1), so that the point can move
			}
		}
	}
	square := make([]T, n*p)
	for e, k := range net.Coupling {
		square[e] = k * k
	}
	field, onsager := make([]T, max(n, p)*m), make([]T, max(n, p)*m)
	freeV, freeH := make([]T, n*m), make([]T, p*m) // 1 - m^2
	setFree(freeV, t.visible)
	setFree(freeH, t.hidden)
	report := Report{Engine: "tap"}
	for report.Iterations < t.MaxIterations && !report.Converged {
		if err := ctx.Err(); err != nil {
			t.Undo()
			return Report{}, err
		}
		kernel.MulReal(field[:p*m], net.Coupling, t.visible, p, n, m, false, false)
		kernel.MulReal(onsager[:p*m], square, freeV, p, n, m, false, false)
		r := t.update(t.hidden, field, onsager, net.HiddenField)
		setFree(freeH, t.hidden)
		kernel.MulReal(field[:n*m], net.Coupling, t.hidden, n, p, m, true, false)
		kernel.MulReal(onsager[:n*m], square, freeH, n, p, m, true, false)
		report.Residual = max(r, t.update(t.visible, field, onsager, net.VisibleField))
		setFree(freeV, t.visible)
		report.Iterations++
		report.Converged = report.Residual <= t.Tolerance
	}
	kernel.MulReal(dst.Correlation, t.hidden, t.visible, p, m, n, false, true)
	kernel.MulReal(square, freeH, freeV, p, m, n, false, true)
	for e, k := range net.Coupling {
		dst.Correlation[e] = (dst.Correlation[e] + k*square[e]) / T(m)
	}
	rowMeans(dst.Visible, t.visible)
	rowMeans(dst.Hidden, t.hidden)
	report.LnZ = t.freeEnergy(net, freeV, freeH)
	return report, nil
}

// State implements Stateful: the magnetisations.
func (t *TAP[T]) State() State {
	if t.visible == nil {
		return State{}
	}
	return State{Numbers: [][]float64{widen(t.visible), widen(t.hidden)}}
}

// Restore implements Stateful.
func (t *TAP[T]) Restore(visible, hidden int, s State) error {
	x, err := restoreNumbers[T](s, visible*t.Points, hidden*t.Points)
	if err == nil {
		t.visible, t.hidden = x[0], x[1]
	}
	return err
}

func widen[T rbm.Real](x []T) []float64 {
	y := make([]float64, len(x))
	for k, v := range x {
		y[k] = float64(v)
	}
	return y
}

// update moves magnetisations towards tanh(field + own - m onsager) and returns
// the largest undamped change.
func (t *TAP[T]) update(m, field, onsager, own []T) float64 {
	cols := t.Points
	grain := parallel.Grain(cols * 10)
	residuals := make([]float64, parallel.Pieces(len(own), grain))
	parallel.For(len(own), grain, func(lo, hi int) {
		var residual T
		for k := lo * cols; k < hi*cols; k++ {
			field[k] += own[k/cols] - m[k]*onsager[k]
		}
		kernel.Tanh(field[lo*cols:hi*cols], field[lo*cols:hi*cols])
		for k := lo * cols; k < hi*cols; k++ {
			d := field[k] - m[k]
			residual = max(residual, d, -d)
			m[k] += T(1-t.Damping) * d
		}
		residuals[lo/grain] = float64(residual)
	})
	var residual float64
	for _, r := range residuals {
		residual = max(residual, r)
	}
	return residual
}

func setFree[T rbm.Real](dst, m []T) {
	for k, v := range m {
		dst[k] = 1 - v*v
	}
}

func rowMeans[T rbm.Real](dst, x []T) {
	cols := len(x) / len(dst)
	for i := range dst {
		var sum float64
		for _, v := range x[i*cols : (i+1)*cols] {
			sum += float64(v)
		}
		dst[i] = T(sum / float64(cols))
	}
}

// freeEnergy returns the largest ln Z of the fixed points: entropy, energy and
// the Onsager term.
func (t *TAP[T]) freeEnergy(net *rbm.Network[T], freeV, freeH []T) float64 {
	n, p, m := net.Visible(), net.Hidden(), t.Points
	field, onsager := make([]T, p*m), make([]T, p*m)
	kernel.MulReal(field, net.Coupling, t.visible, p, n, m, false, false)
	square := make([]T, n*p)
	for e, k := range net.Coupling {
		square[e] = k * k
	}
	kernel.MulReal(onsager, square, freeV, p, n, m, false, false)
	best := math.Inf(-1)
	for a := range m {
		lnz := net.Constant
		for i, b := range net.VisibleField {
			v := float64(t.visible[i*m+a])
			lnz += entropy(v) + float64(b)*v
		}
		for mu, c := range net.HiddenField {
			v := float64(t.hidden[mu*m+a])
			lnz += entropy(v) + (float64(c)+float64(field[mu*m+a]))*v + float64(onsager[mu*m+a])*float64(freeH[mu*m+a])/2
		}
		best = max(best, lnz)
	}
	return best
}

// entropy of a spin of magnetisation m, in nats.
func entropy(m float64) float64 {
	term := func(p float64) float64 {
		if p <= 0 {
			return 0
		}
		return -p * math.Log(p)
	}
	return term((1+m)/2) + term((1-m)/2)
}
