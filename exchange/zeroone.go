package exchange

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"

	"bethe/internal/npy"
	"bethe/rbm"
)

// WriteZeroOne writes the machine in the convention of units v, k in {0, 1}
// (rbm.Machine.ZeroOne) as an .npz archive of float64 arrays: W (visible x
// hidden), vbias, hbias, and constant. The logarithm of the machine's weights is
// v.W.k + vbias.v + hbias.k + constant. Other programs compute free energies from the
// first three; the machine's are smaller by constant. Differences of free
// energies, and so probabilities, are the same. Errors are numbers that are not
// finite and those of w.
func WriteZeroOne(w io.Writer, m *rbm.Machine) error {
	z := m.ZeroOne()
	if err := finite(map[string][]float64{"W": z.W, "vbias": z.Visible, "hbias": z.Hidden, "constant": {z.Constant}}); err != nil {
		return err
	}
	n, p := m.Visible(), m.Hidden()
	byVisible := make([]float64, n*p)
	for mu := range p {
		for i := range n {
			byVisible[i*p+mu] = z.W[mu*n+i]
		}
	}
	return npy.WriteArchive(w, []npy.Array{
		{Name: "W", Shape: []int{n, p}, Data: byVisible},
		{Name: "vbias", Shape: []int{n}, Data: z.Visible},
		{Name: "hbias", Shape: []int{p}, Data: z.Hidden},
		{Name: "constant", Shape: []int{}, Data: []float64{z.Constant}},
	})
}

// finite returns an error that names an array and an element that is no finite number.
func finite(arrays map[string][]float64) error {
	for _, name := range slices.Sorted(maps.Keys(arrays)) {
		for k, v := range arrays[name] {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("%s[%d] would be %v: a parameter of the machine is too large", name, k, v)
			}
		}
	}
	return nil
}
