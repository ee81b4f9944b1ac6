package dual_test

import (
	"testing"

	"bethe/dual"
	"bethe/dual/dualtest"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

func TestExactKeepsTheContract(t *testing.T) {
	shapes := []dualtest.Shape{{Visible: 5, Hidden: 3, Coupling: 0.7, Field: 0.5}, {Visible: 3, Hidden: 5, Coupling: 1.5}, {Visible: 1, Hidden: 1, Coupling: 0.5, Field: 1}}
	dualtest.Engine(t, func() dual.Engine[float64] { return dual.Exact[float64]{} }, 1e-12, shapes...)
	dualtest.Engine(t, func() dual.Engine[float32] { return dual.Exact[float32]{} }, 1e-6, shapes...)
	dualtest.GivesUp(t, func() dual.Engine[float64] { return dual.Exact[float64]{} }, dualtest.Shape{Visible: 784, Hidden: dual.MaxExact, Coupling: 0.1})
}

func TestBetheKeepsTheContract(t *testing.T) {
	plain := func() dual.Engine[float64] { return dual.NewBethe[float64]() }
	trees := []dualtest.Shape{{Visible: 6, Hidden: 1, Coupling: 0.8, Field: 0.5}, {Visible: 1, Hidden: 5, Coupling: 0.8, Field: 0.5}}
	dualtest.Engine(t, plain, 1e-9, trees...)
	// With loops it is an approximation.
	dualtest.Engine(t, plain, 3e-3, dualtest.Shape{Visible: 5, Hidden: 4, Coupling: 0.15, Field: 0.5})
	dualtest.GivesUp(t, plain, dualtest.Shape{Visible: 200, Hidden: 100, Coupling: 0.05, Field: 0.1})
}

func TestTAPKeepsTheContract(t *testing.T) {
	tap := func() dual.Engine[float64] {
		tap := dual.NewTAP[float64](nil)
		tap.Tolerance = 1e-12
		return tap
	}
	points := func() dual.Engine[float32] {
		return dual.NewTAP[float32](spin.Random(5, 3, stream.New(1).Rand()))
	}
	// Correlations are off by the second order in the couplings.
	shape := dualtest.Shape{Visible: 5, Hidden: 4, Coupling: 0.05, Field: 0.5}
	dualtest.Engine(t, tap, 4e-3, shape)
	dualtest.Engine(t, points, 4e-3, shape)
	many := func() dual.Engine[float64] { return dual.NewTAP[float64](spin.New(200, 60)) }
	dualtest.GivesUp(t, many, dualtest.Shape{Visible: 200, Hidden: 60, Coupling: 0.5, Field: 0.1})
}

// Averages over 1,000 chains at one time: standard errors up to 0.032. A tolerance of
// 0.18, 5.7 of them, raises a false alarm once in 10^6 runs of this test's 50 numbers.
func TestChainsKeepTheContract(t *testing.T) {
	shape := dualtest.Shape{Visible: 5, Hidden: 3, Coupling: 0.4, Field: 0.5}
	dualtest.Engine(t, chains[float64](1000, 8, 0), 0.18, shape)
	dualtest.Engine(t, chains[float32](1000, 40, 50), 0.18, shape) // scouts in the third call
	large := dualtest.Shape{Visible: 200, Hidden: 60, Coupling: 0.1}
	dualtest.GivesUp(t, chains[float32](500, 400, 0), large)
	dualtest.GivesUp(t, chains[float32](1000, 400, 1000), large)
}

func chains[T rbm.Real](count, sweeps, scouts int) func() dual.Engine[T] {
	return func() dual.Engine[T] {
		return &dual.Chains[T]{Count: count, Sweeps: sweeps, Scouts: scouts, Key: stream.New(1)}
	}
}

// spins are machines of spins with synapses of the given kinds.
func spins(offset float64, links int, kinds ...rbm.Kind) (machines []dualtest.Machine) {
	for _, kind := range kinds {
		machines = append(machines, dualtest.Machine{Form: dual.Form{Synapses: kind, Visible: units.Spin, Hidden: units.Spin}, VisibleOffset: offset, HiddenOffset: offset, Links: links})
	}
	return machines
}

// gaussians are machines of Gaussian visible and of Gaussian hidden units beside spins.
func gaussians(links int, kinds ...rbm.Kind) (machines []dualtest.Machine) {
	for _, kind := range kinds {
		machines = append(machines,
			dualtest.Machine{Form: dual.Form{Synapses: kind, Visible: units.Gauss, Hidden: units.Spin}, VisibleOffset: 1, HiddenOffset: 0.9, Own: 2, Links: links},
			dualtest.Machine{Form: dual.Form{Synapses: kind, Visible: units.Spin, Hidden: units.Gauss}, VisibleOffset: 0.9, HiddenOffset: 1, Links: links})
	}
	return machines
}

func TestTermsKeepTheContract(t *testing.T) {
	annealed := func() dual.Partition[float64] { return &dual.Annealed[float64]{Engine: dual.Exact[float64]{}} }
	bits := []rbm.Kind{rbm.BinaryKind, rbm.SampledKind, rbm.SignKind}
	for _, machines := range [][]dualtest.Machine{spins(0, 1, bits...), spins(0, 2, bits...), spins(0.9, 1, bits...), spins(0.9, 2, bits...)} {
		dualtest.Partition(t, annealed, 1e-8, machines...)
	}
	dualtest.PartitionLike(t, annealed, dualtest.MeanZ, 1e-8, spins(0.9, 1, bits...)...)
	dualtest.PartitionLike(t, annealed, dualtest.MeanZ, 1e-8, spins(0.9, 2, bits...)...)
	dualtest.TermGivesUp(t, annealed, spins(0.9, 1, bits...)[0], 784, dual.MaxExact)
	known := []rbm.Kind{rbm.RealKind, rbm.SampledKind, rbm.SignKind}
	for _, links := range []int{1, 2} {
		machines := append(spins(0.9, links, known...), gaussians(links, known...)...)
		dualtest.Partition(t, func() dual.Partition[float64] { return &dual.Weighted[float64]{Engine: dual.Exact[float64]{}} }, 1e-8, machines...)
	}
	gauss := func() dual.Partition[float64] { return dual.Gauss[float64]{} }
	dualtest.Partition(t, gauss, 1e-8, gaussians(1, bits...)...)
	dualtest.TermGivesUp(t, gauss, gaussians(1, bits...)[0], 40, 14)
	dualtest.Partition(t, func() dual.Partition[float64] {
		return &dual.Quenched[float64]{Engine: dual.Exact[float64]{}, Draws: 4, Key: stream.New(1)}
	}, 1e-8, spins(0, 1, bits...)...)
}

// Chains as in TestChainsKeepTheContract; derivatives have factors of about 1.
func TestTermsOfChainsKeepTheContract(t *testing.T) {
	exact := func() dual.Partition[float64] { return &dual.Annealed[float64]{Engine: dual.Exact[float64]{}} }
	annealed := func() dual.Partition[float64] {
		return &dual.Annealed[float64]{Engine: chains[float64](1000, 8, 0)()}
	}
	bits := []rbm.Kind{rbm.BinaryKind, rbm.SampledKind, rbm.SignKind}
	dualtest.PartitionLike(t, annealed, dualtest.ValueOf(t, exact), 0.18, spins(0.9, 1, bits...)...)
	quenched := func(engine func() dual.Engine[float64]) func() dual.Partition[float64] {
		return func() dual.Partition[float64] {
			q := &dual.Quenched[float64]{Engine: engine(), Draws: 4, Key: stream.New(1)}
			return partTerm{q, q, q}
		}
	}
	// sums over eight edges and factors z of about 1
	dualtest.PartitionLike(t, quenched(chains[float64](300, 8, 0)), dualtest.ValueOf(t, quenched(func() dual.Engine[float64] { return dual.Exact[float64]{} })), 0.6, spins(0, 1, bits...)...)
}

// Chains on Gaussian machines against their exact term: 200 chains at one time, whose derivatives
// have standard errors of up to some 0.07 max(1, |value|). A tolerance of 0.5, seven of them, raises
// a false alarm at a rate far below 1e-6.
func TestGaussChainsKeepTheContract(t *testing.T) {
	chains := func() dual.Partition[float64] {
		return &dual.GaussChains[float64]{Count: 200, Sweeps: 6, Key: stream.New(1)}
	}
	bits := []rbm.Kind{rbm.BinaryKind, rbm.SampledKind, rbm.SignKind}
	exact := dualtest.ValueOf(t, func() dual.Partition[float64] { return dual.Gauss[float64]{} })
	dualtest.PartitionLike(t, chains, exact, 0.5, gaussians(1, bits...)...)
	many := func() dual.Partition[float64] {
		return &dual.GaussChains[float64]{Count: 300, Sweeps: 200, Key: stream.New(1)}
	}
	dualtest.TermGivesUp(t, many, gaussians(1, bits...)[0], 60, 24) // a sweep takes a third of the patience under the race detector
}

// partTerm is a term whose state is not all that it keeps: its engine has a state of its own.
type partTerm struct {
	dual.Partition[float64]
	dual.Undoer
	dual.Summing
}
