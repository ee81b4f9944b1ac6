package causes

import (
	"fmt"
	"math"

	"bethe/internal/kernel"
	"bethe/rbm"
	"bethe/units"
)

// OfGroup returns the directed mixture that a machine of visible spins and one hidden group,
// group:K, is: cause k is on with the probability of state k of the group, and
//
//	P(s_i | k) ∝ exp( s_i (b_i + J xi_ik) ), pi_k ∝ exp(c_k - J mu.xi_k) prod_i 2cosh(b_i + J xi_ik),
//
// b and J of features 0 and 1, with b_i less J sum_k xi_ik p_k for offsets p. The error tells of other
// kinds of units, of more than one group, and of synapses that are not bits.
func OfGroup(file *rbm.File) (*File, error) {
	kind, n := file.HiddenKind, file.Visible()
	signed, bits := file.Synapses.(rbm.Signed)
	switch {
	case file.VisibleKind != units.Kind{} || kind.Word != units.Group || kind.None || file.Hidden() != kind.States || !file.Whole():
		return nil, fmt.Errorf("a directed mixture is a machine of visible spins and one hidden group:K, and this one has %s units and %d features of %s", file.VisibleKind, file.Hidden(), kind)
	case !bits:
		return nil, fmt.Errorf("a directed mixture of one-bit synapses, and those of this machine are not bits")
	}
	j, signs := file.Coupling(), signed.Signs()
	f := &File{Model: MixtureModel, Info: file.Info, Layer: Layer{wholeOf(n), kind.States}, Coupling: 2 * j,
		Field: append([]float64(nil), file.VisibleField...), Synapses: make([]float64, kind.States*n), LnWeight: make([]float64, kind.States)}
	for k := range kind.States {
		for i := range n {
			xi := float64(signs.At(i, k))
			f.Synapses[k*n+i] = xi
			f.Field[i] -= j * xi * (1 + file.HiddenOffset[k])
		}
	}
	f.Mean = append([]float64(nil), f.Synapses...)
	if q, ok := file.Synapses.(rbm.Uncertain); ok {
		for k, v := range q.Posterior().Theta {
			f.Mean[k] = math.Tanh(float64(v))
		}
	}
	for k := range kind.States {
		ln := 2 * file.HiddenField[k]
		for i, b := range f.Field {
			xi := f.Synapses[k*n+i]
			ln += kernel.Log2Cosh(b+f.Coupling*xi) - f.Coupling*file.VisibleOffset[i]*xi
		}
		f.LnWeight[k] = ln
	}
	total := rbm.LogSumExp(f.LnWeight)
	for k := range f.LnWeight {
		f.LnWeight[k] -= total
	}
	return f, nil
}
