package thermo

import (
	"context"
	"math"

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
	meterEnsembles   = 16
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
	key := m.key.Sub(stream.MeterLadders).Sub(uint64(m.rebuilt))
	m.rebuilt++
	source := sample.OnNetwork(clone(net)).Rounded().From(m.base)
	profile, err := sample.MeasureProfile(ctx, source, sample.Measuring{Chains: meterPilotChains, Steps: meterPilotSteps, Key: key.Sub(stream.WayPilot)})
	if err != nil {
		return err
	}
	ladder := profile.ExchangeLadder(meterStep)
	tempered := sample.NewTempered(source, sample.Tempering{Chains: meterEnsembles, Ladder: ladder, Key: key.Sub(stream.WayTempering)})
	tempered.StartAt(m.start)
	if m.tempered != nil {
		for k, t := range ladder {
			nearest := 0
			for j, o := range m.ladder {
				if math.Abs(o-t) < math.Abs(m.ladder[nearest]-t) {
					nearest = j
				}
			}
			tempered.Rung(k).StartAt(m.tempered.Rung(nearest).Visible)
		}
	}
	m.source, m.tempered, m.ladder = source, tempered, ladder
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
	RoundTrips    float64 // an ensemble, while it was read
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
