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
	p := &f.Params
	n, sum := p.Visible(), 0.0
	for _, field := range [][]float64{p.VisibleField, p.HiddenField} {
		for _, v := range field {
			sum += math.Abs(v)
		}
	}
	row := make([]float32, n) // absolute values of the synapses of a hidden unit
	for i := range row {
		row[i] = 1
	}
	var values []float32
	if _, bits := f.Synapses.(Signed); !bits {
		values = Values(f.Synapses)
	}
	for mu, nu := range p.HiddenOffset {
		if values != nil {
			row = values[mu*n : (mu+1)*n]
		}
		for _, l := range p.Links {
			if !l.Joins(mu) {
				continue
			}
			visible := 0.0
			for i := l.Visible.From; i < l.Visible.To; i++ {
				visible += math.Abs(float64(row[i])) * (1 + math.Abs(p.VisibleOffset[i]))
			}
			sum += l.Coupling * visible * (1 + math.Abs(nu))
		}
	}
	return sum
}

// checkSums returns an error if the sums of the machine lose their digits.
func (f *File) checkSums() error {
	if sum := f.Sum(); !(sum <= MaxSum) {
		p := &f.Params
		name, largest := "coupling", p.LargestCoupling()
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
