// Package planted provides the planted experiment: a teacher machine with
// known synapses, data sampled from it, the overlap of a student's synapses
// with the teacher's, and the overlap that the best possible student reaches.
//
// As everywhere in this module a data set of M samples of N visible spins is an
// N x M spin matrix, the synapses of a machine are N x P, and real estimates of
// synapses are hidden x visible (P x N, row-major).
package planted

import (
	"fmt"
	"math"

	"bethe/rbm"
	"bethe/setting"
	"bethe/spin"
	"bethe/stream"
)

// NewTeacher returns a machine without fields and offsets, of coupling
// J = beta/sqrt(visible) and with random synapses: each is ±1 with equal
// probability, sites are independent, and two hidden units agree at a site with
// probability (1+correlation)/2, so that their overlap has the mean correlation.
//
// With two hidden units that is the paper's ensemble (H. Huang, Phys. Rev. E
// 102, 030301), for correlations from -1 to 1. With more, every unit copies a
// hidden common pattern, each synapse with probability (1+sqrt(correlation))/2
// and its reverse otherwise, which asks for a correlation from 0 to 1; pairs of
// units are then as with two, and no pair is special. One hidden unit has
// nothing to be correlated with. The error names a correlation out of range or
// a coupling that is not positive and finite. It panics unless there is at least
// one unit in each layer.
func NewTeacher(visible, hidden int, beta, correlation float64, key stream.Key) (*rbm.Machine, error) {
	if visible < 1 || hidden < 1 {
		panic(fmt.Sprintf("planted: NewTeacher of %d visible and %d hidden units", visible, hidden))
	}
	if err := CheckCorrelation(hidden, correlation); err != nil {
		return nil, err
	}
	synapses := spin.New(visible, hidden)
	m := &rbm.Machine{Params: rbm.NewParams(visible, hidden, beta/math.Sqrt(float64(visible))), Synapses: rbm.Binary(synapses)}
	if err := m.Validate(); err != nil {
		return nil, fmt.Errorf("beta %v: %w", beta, err)
	}
	agree := (1 + correlation) / 2 // with the first unit
	if hidden > 2 {
		agree = (1 + math.Sqrt(correlation)) / 2 // with the common pattern
	}
	rng := key.Rand()
	for i := range visible {
		pattern := int8(rng.Uint64()>>63)*2 - 1
		for mu := range hidden {
			if mu == 0 && hidden <= 2 || rng.Float64() < agree {
				synapses.Set(i, mu, pattern)
			} else {
				synapses.Set(i, mu, -pattern)
			}
		}
	}
	return m, nil
}

// CheckCorrelation returns the *setting.Error of NewTeacher about a correlation that so
// many hidden units cannot have.
func CheckCorrelation(hidden int, correlation float64) error {
	lowest := -1.0
	if hidden > 2 {
		lowest = 0
	}
	if !(correlation >= lowest && correlation <= 1) {
		return setting.Errorf("correlation", fmt.Sprintf("%v of %d hidden units", correlation, hidden), "it must lie between %g and 1", lowest)
	}
	return nil
}

// Successor returns a teacher whose synapses are those of another, each reversed
// with probability (1-correlation)/2: for a correlation of 1 they are the same,
// for 0 they have nothing to do with each other. Other parameters are shared. It
// panics unless the correlation is from -1 to 1.
func Successor(teacher *rbm.Machine, correlation float64, key stream.Key) *rbm.Machine {
	if !(correlation >= -1 && correlation <= 1) {
		panic(fmt.Sprintf("planted: Successor of correlation %v", correlation))
	}
	before := teacher.Signs()
	after := before.Clone()
	rng := key.Rand()
	for i := range teacher.Visible() {
		for mu := range teacher.Hidden() {
			if rng.Float64() < (1-correlation)/2 {
				after.Set(i, mu, -before.At(i, mu))
			}
		}
	}
	return &rbm.Machine{Params: teacher.Params.Clone(), Synapses: rbm.Binary(after)}
}
