package infer

import (
	"context"
	"math"

	"bethe/internal/kernel"
	"bethe/internal/parallel"
	"bethe/rbm"
	"bethe/stream"
)

// entropy returns ln P(D) and the entropy of the posterior in the Bethe
// approximation: the logarithms of the normalising sums of sites, samples and the factor
// Z^-M, less those of the edges between them. The error is the context's.
func (p *Passing[T]) entropy(ctx context.Context) (evidence, entropy float64, err error) {
	n, hidden := p.visible, float64(p.opt.Hidden)
	j := p.opt.Coupling
	lnZ := p.rule.site(p, p.state)
	blocks := parallel.Pieces(p.samples, samplesTogether)
	parts, energies := make([]float64, blocks), make([]float64, blocks)
	if err := parallel.ForContext(ctx, p.samples, samplesTogether, func(lo, hi int) {
		row := make([][]T, len(p.message))
		for a := lo; a < hi && ctx.Err() == nil; a++ {
			for c := range row {
				row[c] = p.message[c][a*n : (a+1)*n]
			}
			edges, energy := p.rule.edges(p, p.state, a, row, p.work[lo/samplesTogether])
			parts[lo/samplesTogether] += p.lnW[a] - edges
			energies[lo/samplesTogether] += energy
		}
	}); err != nil {
		return 0, 0, err
	}
	lnZ += float64(p.samples) * hidden * (float64(n)*lnCosh(j) - math.Ln2)
	var energy float64
	for k, v := range parts {
		lnZ += v
		energy += energies[k]
	}
	if p.opt.Hidden == 2 {
		q := p.pairMeans(p.state)
		overlap, err := newOverlapFactor(ctx, q, p.samples, j)
		if err != nil {
			return 0, 0, err
		}
		factor, mean := overlap.terms()
		lnZ += factor
		energy += mean
		for i, v := range q {
			lnZ -= math.Log1p(v * math.Tanh(p.state.pair[i]))
		}
	}
	entropy = lnZ - energy
	for mu, prior := range p.prior {
		for i, theta := range prior {
			if math.IsInf(theta, 0) {
				continue
			}
			lnZ -= kernel.Log2Cosh(theta) // so that the prior is a distribution
			entropy -= theta * p.state.mean[mu][i]
		}
	}
	// What ln P(s | xi) holds besides ln cosh of the fields and ln cosh(kappa R).
	constant := float64(n) * (math.Ln2 + lnCosh(j))
	if p.opt.Hidden == 2 {
		constant = float64(n) * (math.Ln2 + kappa(j))
	}
	return lnZ - float64(p.samples)*constant, entropy, nil
}

// gaussLnCosh returns the mean of ln cosh over Gaussian fields of the given means
// and variances, with shares that add up to 1.
func gaussLnCosh(mean, variance, share []float64) (sum float64) {
	for k, s := range share {
		sum += s * (kernel.GaussLog2Cosh(mean[k:k+1], variance[k:k+1]) - math.Ln2)
	}
	return sum
}

// growth finds by how much a small change of the messages grows in an
// iteration without damping: power iteration of the derivative at the fixed
// point, by differences. Messages and beliefs stay as they are.
func (p *Passing[T]) growth(ctx context.Context) (float64, error) {
	const rounds, counted, size = 30, 10, 1e-2 // size relative to the room that messages have
	at := func() ([][]T, *beliefs[T]) {
		m := make([][]T, len(p.message))
		for c, x := range p.message {
			m[c] = append([]T(nil), x...)
		}
		s := p.newBeliefs()
		copy(s.field, p.state.field)
		copy(s.pair, p.state.pair)
		p.rule.site(p, s)
		return m, s
	}
	base, baseState := at()
	if _, err := p.iterate(ctx, base, baseState, 0); err != nil {
		return 0, err
	}
	moved, state := at()
	// The change of the messages is kept in direction.
	direction := make([][]T, len(moved))
	rng := p.opt.Key.Sub(stream.MessagesGrowth).Rand()
	for c := range direction {
		direction[c] = make([]T, len(moved[c]))
		for k := range direction[c] {
			direction[c][k] = T(rng.NormFloat64())
		}
	}
	var sum float64
	norm := math.Sqrt(square(direction))
	for round := range rounds {
		if norm == 0 {
			return 0, nil
		}
		t := float64(p.tanhJ)
		scale := T(size * min(t, (1-t)*(1-t)) * math.Sqrt(float64(len(direction)*len(direction[0]))) / norm)
		parallel.For(p.samples, samplesTogether, func(lo, hi int) {
			for c, d := range direction {
				for k := lo * p.visible; k < hi*p.visible; k++ {
					d[k] *= scale
					moved[c][k] = p.message[c][k] + d[k]
				}
			}
		})
		before := math.Sqrt(square(direction))
		if err := p.believe(ctx, moved, state, 0, nil); err != nil {
			return 0, err
		}
		if _, err := p.iterate(ctx, moved, state, 0); err != nil {
			return 0, err
		}
		for c, d := range direction {
			for k, v := range moved[c] {
				d[k] = v - base[c][k]
			}
		}
		norm = math.Sqrt(square(direction))
		if round >= rounds-counted {
			sum += math.Log(norm / before)
		}
	}
	return math.Exp(sum / counted), nil
}

// square returns the sum of squares.
func square[T rbm.Real](x [][]T) (sum float64) {
	for _, row := range x {
		for _, v := range row {
			sum += float64(v) * float64(v)
		}
	}
	return sum
}
