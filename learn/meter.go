package learn

import (
	"context"

	"bethe/dual"
	"bethe/evaluate"
	"bethe/rbm"
	"bethe/runs"
	"bethe/stream"
	"bethe/thermo"
	"bethe/variational"
)

// A metering reads ln Z and likelihoods along learning. It has streams of its own and changes nothing of the machine. After a
// resume its chains begin anew, unless learning is patient.
type metering struct {
	meter      *thermo.Meter
	some       Data // training samples
	validation Data // without a Set: none
}

// meterSamples is the number of samples, at most, whose likelihood the meter tells.
const meterSamples = 1000

// How often the meter follows, and how often it is read, in steps: a reading of a large machine takes as long as hundreds of
// its steps.
const (
	meterEvery       = 25
	meterReport      = 250
	meterReportLarge = 1000
	meterLarge       = 1 << 17 // synapses
)

// between returns the steps between two readings.
func (g *metering) between(synapses int) int {
	if synapses > meterLarge {
		return meterReportLarge
	}
	return meterReport
}

// newMetering returns that of a start.
func (l *learner) newMetering() *metering {
	key := l.key().Sub(stream.RunStarts).Sub(uint64(l.number)).Sub(stream.StartMeter)
	g := &metering{meter: thermo.NewMeter(l.job.Data.Samples, key), some: l.measured()}
	if v := l.job.Validation; v.Set != nil {
		g.validation = v.choose(min(meterSamples, v.Len()), key.Sub(stream.MeterStart).Rand())
	}
	return g
}

// newFollower returns what follows the steps of a start.
func (l *learner) newFollower() stepFollower {
	switch {
	case !l.job.Meter:
		return noMeter{}
	case l.recipe.Patience == 0:
		return l.newMetering()
	}
	s := &searching{metering: l.newMetering(), learner: l}
	l.parts = append(l.parts, s)
	return s
}

// network returns the network that learning samples at the next step: the dual network of the posterior, or the machine of known synapses. While
// learning searches at a constant rate it is that of the mean of the models since the last reading.
func (l *learner) network() *rbm.Network[float32] {
	model, kind := l.model, l.trainer.Kind()
	if l.trainer.Searching() {
		model = l.trainer.Result()
	}
	theta := model.Posterior.Theta
	if !kind.LogOdds() {
		net := rbm.NewNetwork[float32](model.Visible(), model.Hidden())
		net.SetWeights(&model.Params, theta)
		return net
	}
	mean := make([]float32, len(theta))
	if kind.Known() { // signs, also where each step draws: the saved machine has signs
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
	// catchUp follows the step that an earlier call came to, if that was interrupted before it did.
	catchUp(ctx context.Context, m *measuring) error
	// report adds to a result.
	report(r *Result)
}

// noMeter follows nothing.
type noMeter struct{}

func (noMeter) follow(context.Context, *measuring, variational.Progress) error { return nil }
func (noMeter) catchUp(context.Context, *measuring) error                      { return nil }
func (noMeter) report(*Result)                                                 {}

func (g *metering) catchUp(context.Context, *measuring) error { return nil }
func (g *metering) report(*Result)                            {}

// follow has the meter follow a step, and records its reading if there is one.
func (g *metering) follow(ctx context.Context, m *measuring, p variational.Progress) error {
	reading, err := g.step(ctx, m.learner, p.Step, p.Fraction >= 1)
	if err != nil || reading == nil {
		return err
	}
	r := m.record(p)
	r.Meter = reading
	return m.write(r)
}

// step has the meter follow a step, and returns what it reads if it is time to, or the last time.
func (g *metering) step(ctx context.Context, l *learner, step int, last bool) (*runs.Meter, error) {
	if step%meterEvery != 0 && !last {
		return nil, nil
	}
	net := l.network()
	if step%g.between(len(net.Coupling)) != 0 && !last {
		return nil, g.meter.Follow(ctx, net)
	}
	reading, err := g.meter.Read(ctx, net)
	if err != nil {
		return nil, err
	}
	number := func(v float64) runs.Number { return runs.Number(v) }
	online := func(samples Data) (*runs.Estimate, error) {
		weights, err := logWeights(ctx, net, samples)
		if err != nil {
			return nil, err
		}
		mean := 0.0
		for _, w := range weights {
			mean += w / float64(len(weights))
		}
		v := mean - reading.LnZ
		return &runs.Estimate{Value: number(v), Low: number(v - 1.96*reading.Error), High: number(v + 1.96*reading.Error)}, nil
	}
	trained, err := online(g.some)
	if err != nil {
		return nil, err
	}
	of := &runs.Meter{LnZ: runs.Estimate{Value: number(reading.LnZ), Low: number(reading.LnZ - 1.96*reading.Error), High: number(reading.LnZ + 1.96*reading.Error)},
		Online: trained, LeastExchange: number(reading.LeastExchange), RoundTrips: number(reading.RoundTrips), Temperatures: reading.Rungs, Kind: l.trainer.Kind().String()}
	if l.trainer.Searching() {
		of.Averaged = l.trainer.Averaged()
	}
	if min(net.Visible(), net.Hidden()) <= quickExact {
		exact, err := net.LnZ(ctx)
		if err != nil {
			return nil, err
		}
		v := number(exact)
		of.Exact = &v
	}
	if g.validation.Set != nil {
		if of.Validation, err = online(g.validation); err != nil {
			return nil, err
		}
	}
	return of, nil
}

// logWeights returns the logarithms of the weights of the known values of samples.
func logWeights(ctx context.Context, net *rbm.Network[float32], samples Data) ([]float64, error) {
	if samples.Missing != nil {
		return evaluate.ObservedLogWeights(ctx, net, evaluate.Incomplete{Bits: samples.Samples, Missing: samples.Missing})
	}
	weights := make([]float64, samples.Len())
	net.LogWeights(weights, samples.Samples)
	return weights, nil
}
