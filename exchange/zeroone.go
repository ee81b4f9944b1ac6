package exchange

import (
	"fmt"
	"io"
	"math"

	"bethe/internal/npy"
	"bethe/rbm"
)

// WriteZeroOne writes the machine in the convention of units v, k in {0, 1}
// (rbm.Machine.ZeroOne) as an .npz archive of float64 arrays: W (visible x
// hidden), vbias, hbias, and constant, by which the logarithm of the machine's
// weights exceeds v.W.k + vbias.v + hbias.k. A free energy is smaller by it than
// the one that other programs compute from the first three; differences of free
// energies, and so probabilities, are the same.
func WriteZeroOne(w io.Writer, m *rbm.Machine) error {
	z := m.ZeroOne()
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

// MaxBytes limits the decoded size of the archive that ReadZeroOne takes: W of
// over 100 million synapses.
const MaxBytes = 1 << 30

// largest is the size up to which parameters of units 0 and 1 are read: beyond
// it a sum of many would no longer be a float32.
const largest = 1e30

// ReadZeroOne reads a machine in the convention of units 0 and 1, the arrays
// that WriteZeroOne writes as float32 or float64 (constant may be absent), and
// returns it as one with real synapses: J w = W/4, b = vbias/2 + sum_mu W/4,
// c = hbias/2 + sum_i W/4, without offsets. Its coupling J is 1/sqrt(visible).
// Errors name the file, the array and what it should be.
func ReadZeroOne(path string) (*rbm.Machine, error) {
	a, err := npy.ReadArchive(path, MaxBytes)
	if err != nil {
		return nil, err
	}
	for _, name := range a.Names() {
		if name != "W" && name != "vbias" && name != "hbias" && name != "constant" {
			return nil, fmt.Errorf("%s: array %q is none of a machine of units 0 and 1: W (visible x hidden), vbias and hbias are", path, name)
		}
	}
	visible, err := reals(a, path, "vbias", -1)
	if err != nil {
		return nil, err
	}
	hidden, err := reals(a, path, "hbias", -1)
	if err != nil {
		return nil, err
	}
	n, p := len(visible), len(hidden)
	if n == 0 || p == 0 {
		return nil, fmt.Errorf("%s: %d visible and %d hidden biases: there must be at least one of each", path, n, p)
	}
	if s := a.Shape("W"); len(s) == 2 && s[0] == p && s[1] == n && n != p {
		return nil, fmt.Errorf("%s: array \"W\" has shape %v, which is hidden x visible: save its transpose, W.T", path, s)
	}
	w, err := reals(a, path, "W", n, p)
	if err != nil {
		return nil, err
	}
	weights := make([]float32, n*p)
	m := &rbm.Machine{Params: rbm.NewParams(n, p, 1/math.Sqrt(float64(n))), Synapses: rbm.RealValued(n, p, weights)}
	for i, v := range visible {
		m.VisibleField[i] = v / 2
	}
	for mu, v := range hidden {
		m.HiddenField[mu] = v / 2
	}
	for i := range n {
		for mu := range p {
			v := w[i*p+mu] / 4
			weights[mu*n+i] = float32(v / m.Coupling())
			m.VisibleField[i] += v
			m.HiddenField[mu] += v
		}
	}
	return m, nil
}

// reals returns an array of float32 or float64 of the given shape.
func reals(a *npy.Archive, path, name string, shape ...int) ([]float64, error) {
	x, err := npy.Get[float64](a, name, shape...)
	if err != nil {
		single, err32 := npy.Get[float32](a, name, shape...)
		if err32 != nil {
			return nil, err
		}
		x = make([]float64, len(single))
		for k, v := range single {
			x[k] = float64(v)
		}
	}
	for k, v := range x {
		if !(math.Abs(v) <= largest) {
			return nil, fmt.Errorf("%s: array %q: element %d is %v: it must lie between %g and %g", path, name, k, v, -largest, largest)
		}
	}
	return x, nil
}
