package rbm

import (
	"context"
	"fmt"

	"bethe/internal/kernel"
)

// SampleLogWeight returns ln Z~(v): the logarithm of the weight of a sample (±1, one per unit
// of the data's layer) summed over all hidden layers, exactly. The cost is that of LnZ
// of the layers above the data's. The error is ErrTooLarge or the context's.
func (m *Machine) SampleLogWeight(ctx context.Context, v []float64) (float64, error) {
	return NetworkOf[float64](m).SampleLogWeight(ctx, v)
}

// SampleLogWeight is that of a machine whose network this is: the first len(v) visible units
// are held at v.
func (n *Network[T]) SampleLogWeight(ctx context.Context, v []float64) (float64, error) {
	all, rest := n.Visible(), n.Visible()-len(v)
	if rest < 0 || len(v) == 0 {
		panic(fmt.Sprintf("rbm: a sample of %d units of a network of %d visible ones", len(v), all))
	}
	clamped := NewNetwork[float64](rest, n.Hidden())
	clamped.Constant = n.Constant
	copyTo(clamped.HiddenField, n.HiddenField)
	copyTo(clamped.VisibleField, n.VisibleField[len(v):])
	for i, x := range v {
		clamped.Constant += x * float64(n.VisibleField[i])
	}
	for mu := range n.Hidden() {
		row := n.Coupling[mu*all : (mu+1)*all]
		for i, x := range v {
			clamped.HiddenField[mu] += x * float64(row[i])
		}
		copyTo(clamped.Coupling[mu*clamped.Visible():], row[len(v):])
	}
	if rest > 0 {
		return clamped.LnZ(ctx)
	}
	sum := clamped.Constant
	for _, f := range clamped.HiddenField {
		sum += kernel.Log2Cosh(f)
	}
	return sum, ctx.Err()
}
