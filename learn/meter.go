package learn

import (
	"context"

	"bethe/dual"
	"bethe/rbm"
	"bethe/runs"
	"bethe/spin"
	"bethe/stream"
	"bethe/thermo"
	"bethe/variational"
)

// A metering reads ln Z and likelihoods along learning. It has streams of its own and changes nothing of the machine. After a
// resume its chains begin anew.
type metering struct {
	meter      *thermo.Meter
	some       *spin.Matrix
	validation *spin.Matrix // nil: none
	kind       rbm.Kind     // that the meter followed last
	key        stream.Key
}

// How often the meter follows, and how often it is read, in steps: a reading of a large machine takes as long as hundreds of
// its steps.
const (
	meterEvery       = 25
	meterReport      = 250
	meterReportLarge = 1000
	meterLarge       = 1 << 17 // synapses
)

// report returns the steps between two readings.
func (g *metering) report(synapses int) int {
	if synapses > meterLarge {
		return meterReportLarge
	}
	return meterReport
}

// newMetering returns that of a start.
func (l *learner) newMetering(some *spin.Matrix) *metering {
	key := l.key().Sub(stream.RunStarts).Sub(uint64(l.number)).Sub(stream.StartMeter)
	g := &metering{meter: thermo.NewMeter(l.job.Data.Samples, key), some: some, key: key}
	if v := l.job.Validation; v.Set != nil {
		g.validation = v.Samples.Choose(min(1000, v.Len()), key.Sub(stream.MeterStart).Rand())
	}
	return g
}

// network returns the network that learning samples at the next step: the dual network of the posterior, or the machine of known synapses.
func (l *learner) network() *rbm.Network[float32] {
	model, kind := l.model, l.trainer.Kind()
	theta := model.Posterior.Theta
	if !kind.LogOdds() {
		net := rbm.NewNetwork[float32](model.Visible(), model.Hidden())
		net.SetWeights(&model.Params, theta)
		return net
	}
	mean := make([]float32, len(theta))
	if kind.Known() { // signs, also where each step draws: they are what is saved
		for k, t := range theta {
			mean[k] = 1
			if t < 0 {
				mean[k] = -1
			}
		}
	} else {
		model.Posterior.Mean(mean)
	}
	return dual.NewNetwork(&model.Params, mean)
}

// A stepFollower is told of every step.
type stepFollower interface {
	follow(ctx context.Context, m *measuring, p variational.Progress) error
}

// noMeter follows nothing.
type noMeter struct{}

func (noMeter) follow(context.Context, *measuring, variational.Progress) error { return nil }

// follow has the meter follow a step, and reads it if it is time to.
func (g *metering) follow(ctx context.Context, m *measuring, p variational.Progress) error {
	if p.Step%meterEvery != 0 && p.Fraction < 1 {
		return nil
	}
	net := m.network()
	if kind := m.trainer.Kind(); kind != g.kind { // settling jumps to the signs
		if g.kind != nil {
			g.meter = thermo.NewMeter(m.job.Data.Samples, g.key.Sub(stream.MeterSettled))
		}
		g.kind = kind
	}
	if p.Step%g.report(len(net.Coupling)) != 0 && p.Fraction < 1 {
		return g.meter.Follow(ctx, net)
	}
	reading, err := g.meter.Read(ctx, net)
	if err != nil {
		return err
	}
	r := m.record(p)
	number := func(v float64) runs.Number { return runs.Number(v) }
	online := func(samples *spin.Matrix) *runs.Estimate {
		weights := make([]float64, samples.Cols())
		net.LogWeights(weights, samples)
		mean := 0.0
		for _, w := range weights {
			mean += w / float64(len(weights))
		}
		v := mean - reading.LnZ
		return &runs.Estimate{Value: number(v), Low: number(v - 1.96*reading.Error), High: number(v + 1.96*reading.Error)}
	}
	r.Meter = &runs.Meter{LnZ: runs.Estimate{Value: number(reading.LnZ), Low: number(reading.LnZ - 1.96*reading.Error), High: number(reading.LnZ + 1.96*reading.Error)},
		Online: online(g.some), LeastExchange: number(reading.LeastExchange), RoundTrips: number(reading.RoundTrips), Temperatures: reading.Rungs, Kind: g.kind.String()}
	if min(net.Visible(), net.Hidden()) <= quickExact {
		exact, err := net.LnZ(ctx)
		if err != nil {
			return err
		}
		v := number(exact)
		r.Meter.Exact = &v
	}
	if g.validation != nil {
		r.Meter.Validation = online(g.validation)
	}
	return m.write(r)
}
