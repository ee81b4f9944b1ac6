package evaluate

import (
	"context"
	"math"
	"sync"

	"bethe/internal/kernel"
	"bethe/rbm"
	"bethe/sample"
	"bethe/spin"
	"bethe/units"
)

// A GaussMachine is an rbm.Machine of Gaussian visible units that is evaluated. Its states
// are u = (v - mean)/sigma; likelihoods are densities of v.
type GaussMachine struct {
	machine *rbm.Machine
	density float64 // -sum ln sigma
	sigma   []float64
	fields  func() *rbm.Network[float32]
	weights func() *rbm.Network[float64]
	paths   func() func(mean, variance []float64) *sample.GaussSource
}

// OnGauss returns a machine of Gaussian visible units and hidden units of bits to be
// evaluated, which must not change from then on.
func OnGauss(machine *rbm.Machine) GaussMachine {
	m := GaussMachine{machine: machine, sigma: make([]float64, machine.Visible()),
		fields:  sync.OnceValue(func() *rbm.Network[float32] { return rbm.NetworkOf[float32](machine) }),
		weights: sync.OnceValue(func() *rbm.Network[float64] { return rbm.NetworkOf[float64](machine) })}
	m.paths = sync.OnceValue(func() func(mean, variance []float64) *sample.GaussSource {
		return sample.PathsToGauss(m.fields(), m.sigma)
	})
	for i, s := range machine.VisibleOwn[:machine.Visible()] {
		m.density -= s
		m.sigma[i] = math.Exp(s)
	}
	return m
}

// Visible implements Evaluated.
func (m GaussMachine) Visible() int { return m.machine.Visible() }

// Hidden implements Featuring.
func (m GaussMachine) Hidden() int { return m.machine.Hidden() }

// LogWeights implements Evaluated: ln of the density of v short of ln Z. Log-weights of
// chains (Source) are those of u, without ln sigma, which Z does not know.
func (m GaussMachine) LogWeights(samples *units.Reals[float32]) []float64 {
	net, count := m.weights(), samples.Len()
	u, fields := make([]float64, net.Visible()*count), make([]float64, net.Hidden()*count)
	for k, v := range samples.Values() {
		u[k] = float64(v)
	}
	units.MulAffine(fields, net.Coupling, net.Hidden(), units.RealsOf(net.Visible(), count, u), net.HiddenField)
	weights := make([]float64, count)
	for a := range weights {
		weights[a] = net.Constant + m.density
	}
	for i, b := range net.VisibleField {
		for a, u := range u[i*count : (i+1)*count] {
			weights[a] += (b - u/2) * u
		}
	}
	rbm.AddLogSums(weights, fields, net.HiddenKind, count, 0, 1)
	return weights
}

// Source implements Evaluated. The base has the means and variances of samples, the latter as
// if there were two more at a distance of 1.
func (m GaussMachine) Source(like *units.Reals[float32]) sample.Source[float32, *units.Reals[float32], *spin.Matrix] {
	mean, deviation := units.Moments(like)
	variance, count := make([]float64, len(mean)), float64(like.Len())
	for i, d := range deviation {
		variance[i] = (count*d*d + 2) / (count + 2)
	}
	return m.paths()(mean, variance)
}

// LnZ implements Exact.
func (m GaussMachine) LnZ(ctx context.Context) (float64, error) { return m.weights().LnZ(ctx) }

// HiddenMeans implements Featuring.
func (m GaussMachine) HiddenMeans(dst []float32, samples *units.Reals[float32], gain float64) {
	net := m.fields()
	units.MulAffine(dst, net.Coupling, net.Hidden(), samples, net.HiddenField)
	if gain != 1 {
		kernel.Affine(dst, dst, float32(gain), 0)
	}
	if net.HiddenKind.OneHot() {
		probabilities(dst, net.HiddenKind, samples.Len())
		return
	}
	kernel.Tanh(dst, dst)
}
