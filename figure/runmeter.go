package figure

import (
	"math"

	"bethe/runs"
)

// estimates takes an estimate, with its interval, from the records that have it.
func estimates(records []runs.Record, of func(r *runs.Record) *runs.Estimate) Series {
	s := Series{Low: []float64{}, High: []float64{}}
	for k := range records {
		e := of(&records[k])
		if e == nil || math.IsNaN(float64(e.Value)) {
			continue
		}
		s.X, s.Y = append(s.X, float64(records[k].Step)), append(s.Y, float64(e.Value))
		s.Low, s.High = append(s.Low, float64(e.Low)), append(s.High, float64(e.High))
	}
	s.Band = len(s.X) > 1
	return s
}

// ofMeter takes an estimate of the meter.
func ofMeter(part func(m *runs.Meter) *runs.Estimate) func(r *runs.Record) *runs.Estimate {
	return func(r *runs.Record) *runs.Estimate {
		if r.Meter == nil {
			return nil
		}
		return part(r.Meter)
	}
}

// onlineCurve draws the likelihoods that the meter read: of a run those of training samples and of
// validation data, of several runs those of validation data where a run has them.
func onlineCurve(starts []Run) Chart {
	f := &Curves{Title: "Log-likelihood by the meter", Note: "of the network that learning samples; bands: 95 %", X: step, Y: nats("log-likelihood")}
	online := ofMeter(func(m *runs.Meter) *runs.Estimate { return m.Online })
	validation := ofMeter(func(m *runs.Meter) *runs.Estimate { return m.Validation })
	for k, run := range starts {
		s, held := estimates(run.Records, online), estimates(run.Records, validation)
		if len(starts) == 1 {
			s.Name, held.Name, s.Colour, held.Colour = "training samples", "validation data", LearnedOn, HeldOut
			f.add(s)
			f.add(held)
			continue
		}
		if len(held.X) > 0 {
			s = held
		}
		s.Name, s.Colour = run.Name, k+1
		f.add(s)
	}
	return f.orNil()
}

// lnZCurve draws ln Z as the meter read it, and exactly where it is known.
func lnZCurve(starts []Run) Chart {
	f := &Curves{Title: "ln Z by the meter", Note: "of the network that learning samples; bands: 95 %", X: step, Y: Axis{Label: "ln Z", Unit: "nats"}}
	for k, run := range starts {
		s := estimates(run.Records, ofMeter(func(m *runs.Meter) *runs.Estimate { return &m.LnZ }))
		if len(starts) > 1 {
			s.Name, s.Colour = run.Name, k+1
			f.add(s)
			continue
		}
		exact := series(run.Records, func(r *runs.Record) float64 {
			if r.Meter == nil || r.Meter.Exact == nil {
				return math.NaN()
			}
			return float64(*r.Meter.Exact)
		})
		if exact.Name, exact.Points, exact.Colour = "exact", true, Exact; len(exact.X) > 0 {
			s.Name = "meter"
		}
		f.add(s)
		f.add(exact)
	}
	return f.orNil()
}

// workCurve draws what learning does to its chains: work and heat of steps, what their changes dissipate, and, where ln Z is known, what chains
// have dissipated in all. Of several runs it draws what steps dissipate.
func workCurve(starts []Run) Chart {
	part := func(of func(w *runs.Work) runs.Number) func(r *runs.Record) float64 {
		return func(r *runs.Record) float64 {
			if r.Work == nil {
				return math.NaN()
			}
			return float64(of(r.Work))
		}
	}
	dissipated := &Curves{Title: "Dissipated by the change of a step", Note: "if chains were in equilibrium before it", X: step, Y: Axis{Label: "dissipated", Unit: "nats", Log: true}}
	for k, run := range starts {
		s := series(run.Records, part(func(w *runs.Work) runs.Number { return w.Dissipated }))
		if len(starts) > 1 {
			s.Name, s.Colour = run.Name, k+1
		}
		dissipated.add(s)
	}
	if len(starts) != 1 {
		return dissipated.orNil()
	}
	records := starts[0].Records
	both := &Curves{Title: "Work and heat of a step", X: step, Y: Axis{Label: "work, heat", Unit: "nats per chain"}}
	work, heat := series(records, part(func(w *runs.Work) runs.Number { return w.Work.Value })), series(records, part(func(w *runs.Work) runs.Number { return w.Heat.Value }))
	work.Name, heat.Name = "work", "heat"
	both.add(work)
	both.add(heat)
	all := &Curves{Title: "Dissipated by the chains", Note: "since ln Z is known; band: 95 %", X: step, Y: Axis{Label: "dissipated", Unit: "nats per chain"}}
	all.add(estimates(records, func(r *runs.Record) *runs.Estimate {
		if r.Work == nil {
			return nil
		}
		return r.Work.Total
	}))
	return side(both.orNil(), dissipated.orNil(), all.orNil())
}
