package rbm

import (
	"fmt"
	"math"
)

// MaxSum limits the size that the energies of a machine in a file can reach.
// Beyond it a float64 is off by more than a thousandth of a nat, and likelihoods,
// which are differences of such sums, mean nothing.
const MaxSum = 1 << 42

// Sum returns a bound on the energies of the machine that the file ships: the
// absolute values of all fields and couplings, the latter with their offsets.
func (f *File) Sum() float64 {
	p := &f.Model.Params
	fields, visible, hidden := 0.0, 0.0, 0.0
	for i, b := range p.VisibleField {
		fields += math.Abs(b)
		visible += 1 + math.Abs(p.VisibleOffset[i])
	}
	for mu, c := range p.HiddenField {
		fields += math.Abs(c)
		hidden += 1 + math.Abs(p.HiddenOffset[mu])
	}
	if f.Weights == nil {
		return fields + p.Coupling*visible*hidden
	}
	n, couplings := p.Visible(), 0.0
	for mu, nu := range p.HiddenOffset {
		row := 0.0
		for i, w := range f.Weights[mu*n : (mu+1)*n] {
			row += math.Abs(float64(w)) * (1 + math.Abs(p.VisibleOffset[i]))
		}
		couplings += row * (1 + math.Abs(nu))
	}
	return fields + p.Coupling*couplings
}

// checkSums returns an error if the sums of the machine lose their digits.
func (f *File) checkSums() error {
	if sum := f.Sum(); !(sum <= MaxSum) {
		p := &f.Model.Params
		name, largest := "coupling", p.Coupling
		for _, field := range []struct {
			name string
			x    []float64
		}{{"visible_field", p.VisibleField}, {"hidden_field", p.HiddenField}} {
			for k, v := range field.x {
				if math.Abs(v) > largest {
					name, largest = fmt.Sprintf("%s[%d]", field.name, k), math.Abs(v)
				}
			}
		}
		return fmt.Errorf("energies reach %.2g, beyond %.2g, where sums lose the digits that likelihoods are made of; the largest parameter is %s, %.2g", sum, float64(MaxSum), name, largest)
	}
	return nil
}
