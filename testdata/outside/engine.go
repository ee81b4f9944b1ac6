// Package outside is written by somebody else: an engine, a partition term and a kind
// of unit on bethe's public packages alone.
package outside

import (
	"context"
	"fmt"
	"math"

	"bethe/dual"
	"bethe/rbm"
)

// Brute is an engine that sums over all states of both layers.
type Brute struct{}

// MaxBrute is the largest number of units of both layers together.
const MaxBrute = 24

// GivesLnZ implements dual.Summing.
func (Brute) GivesLnZ() bool { return true }

// Moments implements dual.Engine. The error is rbm.ErrTooLarge or the context's.
func (Brute) Moments(ctx context.Context, dst *rbm.Moments[float64], net *rbm.Network[float64]) (dual.Report, error) {
	n, p := net.Visible(), net.Hidden()
	if n+p > MaxBrute {
		return dual.Report{}, fmt.Errorf("%w: %d units in both layers, and the limit is %d", rbm.ErrTooLarge, n+p, MaxBrute)
	}
	energies := make([]float64, 1<<(n+p))
	states := func(visit func(k int, s, h []float64)) error {
		s, h := make([]float64, n), make([]float64, p)
		for k := range energies {
			if k%(1<<10) == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			for i := range s {
				s[i] = spinOf(k, i)
			}
			for mu := range h {
				h[mu] = spinOf(k, n+mu)
			}
			visit(k, s, h)
		}
		return nil
	}
	err := states(func(k int, s, h []float64) {
		for mu, v := range h {
			field := net.HiddenField[mu]
			for i, u := range s {
				field += net.Coupling[mu*n+i] * u
			}
			energies[k] += field * v
		}
		for i, u := range s {
			energies[k] += net.VisibleField[i] * u
		}
	})
	if err != nil {
		return dual.Report{}, err
	}
	lnZ := rbm.LogSumExp(energies)
	sums := rbm.NewMoments[float64](n, p)
	if err := states(func(k int, s, h []float64) {
		w := math.Exp(energies[k] - lnZ)
		for i, u := range s {
			sums.Visible[i] += w * u
		}
		for mu, v := range h {
			sums.Hidden[mu] += w * v
			for i, u := range s {
				sums.Correlation[mu*n+i] += w * v * u
			}
		}
	}); err != nil {
		return dual.Report{}, err
	}
	copy(dst.Visible, sums.Visible)
	copy(dst.Hidden, sums.Hidden)
	copy(dst.Correlation, sums.Correlation)
	return dual.Report{Engine: "brute", LnZ: net.Constant + lnZ, Converged: true}, nil
}

// spinOf is unit i in the bits of state k.
func spinOf(k, i int) float64 { return float64(2*(k>>i&1) - 1) }

// Watched is an engine of chains that counts its calls. All else is that of Chains: it
// goes on from a state, takes a call back, and gives no ln Z.
type Watched struct {
	*dual.Chains[float64]
	Calls int
}

// Moments implements dual.Engine.
func (w *Watched) Moments(ctx context.Context, dst *rbm.Moments[float64], net *rbm.Network[float64]) (dual.Report, error) {
	w.Calls++
	return w.Chains.Moments(ctx, dst, net)
}
