package exchange

import (
	"fmt"
	"math"
	"slices"

	"bethe/internal/npy"
	"bethe/rbm"
)

// MaxBytes limits the decoded size of the archive that Import takes: W of over
// 100 million synapses.
const MaxBytes = 1 << 30

// largest is the size of the largest parameters of units 0 and 1 that are read: beyond
// it a sum of many would no longer be a float32.
const largest = 1e30

// A convention is the names of the arrays of a machine of units 0 and 1.
type convention struct {
	weights, visible, hidden string
	more                     []string // arrays that may be there, and are not needed
	byHidden                 bool     // whether the weights are hidden x visible
}

// conventions are those that are read.
var conventions = []convention{
	{"W", "vbias", "hbias", []string{"constant"}, false},
	{"components_", "intercept_visible_", "intercept_hidden_", []string{"h_samples_", "n_features_in_"}, true},
	{"components", "intercept_visible", "intercept_hidden", nil, true},
}

func (c *convention) names() []string {
	return append([]string{c.weights, c.visible, c.hidden}, c.more...)
}

// An Imported is a machine that another program learned.
type Imported struct {
	Machine *rbm.Machine
	Weights string // name of the array of its weights
	// Rounding is the largest change of a weight, as a share of the largest weight:
	// a synapse is a float32 in units of the coupling.
	Rounding float64
}

// Import reads a machine of units 0 and 1 from an .npz archive: arrays that
// WriteZeroOne writes, W (visible x hidden), vbias and hbias (constant may be
// there), or scikit-learn's attributes components_ (hidden x visible),
// intercept_visible_ and intercept_hidden_, as float32 or float64 of either byte
// order. It returns a machine with real synapses: J w = W/4,
// b = vbias/2 + sum_mu W/4, c = hbias/2 + sum_i W/4, without offsets. Its coupling
// J is 1/sqrt(visible). Errors name the file, the array, and its right shape or type.
func Import(path string) (*Imported, error) {
	var named *convention // by the first array that only one of them has
	a, err := npy.ReadArchiveOf(path, MaxBytes, func(name string, shape []int) error {
		for k := range conventions {
			if c := &conventions[k]; slices.Contains(c.names(), name) && (named == nil || named == c) {
				named = c
				return nil
			}
		}
		if named == nil {
			named = &conventions[0]
		}
		return fmt.Errorf("array %q is none of a machine of units 0 and 1: W (visible x hidden), vbias and hbias are, or components_, intercept_visible_ and intercept_hidden_", name)
	})
	if err != nil {
		return nil, err
	}
	if named == nil {
		named = &conventions[0]
	}
	visible, err := reals(a, path, named.visible, -1)
	if err != nil {
		return nil, err
	}
	hidden, err := reals(a, path, named.hidden, -1)
	if err != nil {
		return nil, err
	}
	n, p := len(visible), len(hidden)
	if n == 0 || p == 0 {
		return nil, fmt.Errorf("%s: %d visible and %d hidden biases: there must be at least one of each", path, n, p)
	}
	rows, columns, order := n, p, "visible x hidden"
	if named.byHidden {
		rows, columns, order = p, n, "hidden x visible"
	}
	if s := a.Shape(named.weights); len(s) == 2 && s[0] == columns && s[1] == rows && n != p {
		return nil, fmt.Errorf("%s: array %q has shape %v, not %s: save its transpose, %s.T", path, named.weights, s, order, named.weights)
	}
	w, err := reals(a, path, named.weights, rows, columns)
	if err != nil {
		return nil, err
	}
	z := rbm.ZeroOne{W: w, Visible: visible, Hidden: hidden}
	if !named.byHidden {
		z.W = make([]float64, n*p)
		for i := range n {
			for mu := range p {
				z.W[mu*n+i] = w[i*p+mu]
			}
		}
	}
	read := &Imported{Weights: named.weights}
	read.Machine, read.Rounding = rbm.FromZeroOne(&z)
	return read, nil
}

// ReadZeroOne returns the machine that Import reads.
func ReadZeroOne(path string) (*rbm.Machine, error) {
	read, err := Import(path)
	if err != nil {
		return nil, err
	}
	return read.Machine, nil
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
