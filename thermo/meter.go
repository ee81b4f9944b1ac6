package thermo

import (
	"context"
	"fmt"
	"math"
	"slices"

	"bethe/rbm"
	"bethe/sample"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// A Meter tells ln Z of a network that learns, from tempered chains of its own that follow it. Chains
// forget: what they missed early does not stay, as it does in a running sum of works (docs/thermodynamics.md).
type Meter struct {
	base     []float64
	start    *spin.Matrix
	key      stream.Key
	source   *sample.NetworkSource[float32]
	tempered *sample.SpinTempered[float32]
	ladder   []float64
	rebuilt  int
}

// How a meter is built.
const (
	meterEnsembles   = 32
	meterStep        = 0.9
	meterPilotChains = 16
	meterPilotSteps  = 500
	meterSettling    = 40 // sweeps after a new ladder
	meterBefore      = 6  // sweeps on the network that is read, thrown away
	meterCounted     = 60
)

// NewMeter returns a meter whose chains start at visible samples, and whose path starts at independent spins
// with their means.
func NewMeter(samples *spin.Matrix, key stream.Key) *Meter {
	return &Meter{base: units.MeanFields(samples), start: samples.Choose(meterEnsembles, key.Sub(stream.MeterStart).Rand()), key: key}
}

// A MeterState is what a meter goes on from: the numbers of its ladders and of the sweeps on the last one, the
// ladder, and the visible states at each of its temperatures. Before the first network all are empty.
type MeterState struct {
	Ladders, Sweeps uint64
	Ladder          []float64
	Visible         []*spin.Matrix
}

// State returns a copy of the meter's state.
func (m *Meter) State() MeterState {
	s := MeterState{Ladders: uint64(m.rebuilt), Ladder: slices.Clone(m.ladder)}
	if m.tempered == nil {
		return s
	}
	s.Sweeps = m.tempered.Sweeps()
	for k := range m.ladder {
		s.Visible = append(s.Visible, m.tempered.Rung(k).Visible.Clone())
	}
	return s
}

// Restore puts a meter of the same samples and key where State found one: it then follows and reads as that would have. Net is a network
// of the same size. The error tells what does not fit.
func (m *Meter) Restore(net *rbm.Network[float32], s MeterState) error {
	if len(s.Ladder) == 0 && len(s.Visible) == 0 {
		m.source, m.tempered, m.ladder, m.rebuilt = nil, nil, nil, int(s.Ladders)
		return nil
	}
	if len(s.Ladder) < 2 || len(s.Visible) != len(s.Ladder) || s.Ladder[0] != 0 || s.Ladder[len(s.Ladder)-1] != 1 {
		return fmt.Errorf("the meter's states at %d of %d temperatures from 0 to 1", len(s.Visible), len(s.Ladder))
	}
	for k, v := range s.Visible {
		if k > 0 && !(s.Ladder[k] > s.Ladder[k-1]) {
			return fmt.Errorf("temperature %d of the meter, %v, is not above %v", k, s.Ladder[k], s.Ladder[k-1])
		}
		if v.Rows() != net.Visible() || v.Cols() != meterEnsembles {
			return fmt.Errorf("the meter's states of %d units in %d chains, not %d in %d", v.Rows(), v.Cols(), net.Visible(), meterEnsembles)
		}
	}
	m.rebuilt = int(s.Ladders)
	m.temper(net, s.Ladder)
	for k, v := range s.Visible {
		m.tempered.Rung(k).StartAt(v)
	}
	m.tempered.SetSweeps(s.Sweeps)
	return nil
}

// temper begins chains at the start states on a ladder, whose key is that of the last ladder measured.
func (m *Meter) temper(net *rbm.Network[float32], ladder []float64) {
	key := m.key.Sub(stream.MeterLadders).Sub(uint64(m.rebuilt - 1))
	m.source, m.ladder = sample.OnNetwork(clone(net)).Rounded().Together().From(m.base), ladder
	m.tempered = sample.NewTempered(m.source, sample.Tempering{Chains: meterEnsembles, Ladder: ladder, Key: key.Sub(stream.WayTempering)})
	m.tempered.StartAt(m.start)
}

// clone returns a network that does not change when net does.
func clone(net *rbm.Network[float32]) *rbm.Network[float32] {
	c := rbm.NewNetwork[float32](net.Visible(), net.Hidden())
	c.Constant, c.CouplingLimit = net.Constant, net.CouplingLimit
	copy(c.Coupling, net.Coupling)
	copy(c.VisibleField, net.VisibleField)
	copy(c.HiddenField, net.HiddenField)
	return c
}

// Follow takes a sweep of the chains on the network as it is now. The error is the context's.
func (m *Meter) Follow(ctx context.Context, net *rbm.Network[float32]) error {
	if m.tempered == nil {
		return m.build(ctx, net)
	}
	m.source.Set(clone(net))
	m.tempered.Redraw()
	m.tempered.Sweep(1)
	return ctx.Err()
}

// build measures the ladder anew, and takes the states of the nearest old temperatures along.
func (m *Meter) build(ctx context.Context, net *rbm.Network[float32]) error {
	source := sample.OnNetwork(clone(net)).Rounded().From(m.base)
	key := m.key.Sub(stream.MeterLadders).Sub(uint64(m.rebuilt))
	profile, err := sample.MeasureProfile(ctx, source, sample.Measuring{Chains: meterPilotChains, Steps: meterPilotSteps, Key: key.Sub(stream.WayPilot)})
	if err != nil {
		return err
	}
	m.rebuilt++
	old, oldLadder := m.tempered, m.ladder
	m.temper(net, profile.ExchangeLadder(meterStep))
	if old != nil {
		for k, t := range m.ladder {
			nearest := 0
			for j, o := range oldLadder {
				if math.Abs(o-t) < math.Abs(oldLadder[nearest]-t) {
					nearest = j
				}
			}
			m.tempered.Rung(k).StartAt(old.Rung(nearest).Visible)
		}
	}
	return m.sweep(ctx, meterSettling)
}

func (m *Meter) sweep(ctx context.Context, sweeps int) error {
	for range sweeps {
		if err := ctx.Err(); err != nil {
			return err
		}
		m.tempered.Sweep(1)
	}
	return nil
}

// A MeterReading is ln Z with its standard error over ensembles, and how well the chains exchange.
type MeterReading struct {
	LnZ, Error    float64
	LeastExchange float64
	RoundTrips    float64 // of each ensemble, on average, while it was read
	Rungs         int
}

// Read measures ln Z of a network, which is held meanwhile, on a ladder that is measured anew. The error is the context's.
func (m *Meter) Read(ctx context.Context, net *rbm.Network[float32]) (MeterReading, error) {
	if err := m.build(ctx, net); err != nil {
		return MeterReading{}, err
	}
	if err := m.sweep(ctx, meterBefore); err != nil {
		return MeterReading{}, err
	}
	m.tempered.Exchanges.Reset()
	if err := m.sweep(ctx, meterCounted); err != nil {
		return MeterReading{}, err
	}
	r := MeterReading{LnZ: m.tempered.LnZ(nil), LeastExchange: 1, Rungs: len(m.ladder), RoundTrips: float64(m.tempered.Exchanges.RoundTrips) / meterEnsembles}
	for _, rate := range m.tempered.Exchanges.Rates() {
		r.LeastExchange = min(r.LeastExchange, rate)
	}
	var list []int
	for l := range meterEnsembles { // the jackknife
		list = list[:0]
		for k := range meterEnsembles {
			if k != l {
				list = append(list, k)
			}
		}
		d := m.tempered.LnZ(list) - r.LnZ
		r.Error += d * d * (meterEnsembles - 1) / meterEnsembles
	}
	r.Error = math.Sqrt(r.Error)
	return r, nil
}
