package learn

import (
	"context"
	"math"

	"bethe/dual"
	"bethe/runs"
	"bethe/setting"
	"bethe/spin"
	"bethe/stream"
	"bethe/thermo"
)

// checkWork returns a *SettingError if the work of chains is asked for where there are none, or of machines whose chains are others.
func (r *Run) checkWork() error {
	if !r.job.Work {
		return nil
	}
	visible, hidden := r.recipe.kinds()
	switch {
	case r.recipe.directed():
		return setting.Phrase("work", "{work} is of chains, and {model %s} has none", r.recipe.Model)
	case !r.recipe.spins():
		return setting.Phrase("work", "{work} is of spins, and units are %s and %s", visible, hidden)
	case r.recipe.deep():
		return setting.Phrase("work", "{work} is of machines with one hidden layer, and {hidden %s} has more", r.recipe.Layers)
	case r.outside != nil:
		return setting.Phrase("work", "{work} is of our own chains, and {sampler} takes their place")
	}
	engine, why := expectation(r, spin.New(r.visible(), r.recipe.Chains), stream.New(0))
	if _, ok := engine.(dual.Watchable[float32]); !ok {
		return setting.Phrase("work", "{work} is of chains, and the expectation step is %s: add {estep chains}", why)
	}
	return nil
}

// An accounting tells what learning does to its chains.
type accounting interface {
	// add adds to a record of the model as it is.
	add(l *learner, r *runs.Record) error
	// restart has the account begin after a step, as chains are where no account put them.
	restart(step int)
}

// noAccount keeps none.
type noAccount struct{}

func (noAccount) add(*learner, *runs.Record) error { return nil }
func (noAccount) restart(int)                      {}

// A workAccount keeps account of the work of chains.
type workAccount struct {
	chains *thermo.ChainWork
	engine dual.Watchable[float32]
	since  int
	known  bool // ln Z is, at since
	lnZ    [2]float64
}

// workChains is how many chains are looked at: a product of them takes a fraction of a step.
const workChains = 128

// newAccount returns that of a start.
func (l *learner) newAccount() accounting {
	if !l.job.Work {
		return noAccount{}
	}
	w := &workAccount{chains: thermo.NewChainWork(workChains), engine: l.engine.(dual.Watchable[float32])} // checked before
	w.engine.Watch(w.chains)
	return w
}

func (w *workAccount) restart(step int) {
	w.chains.Restart()
	w.since, w.known = step, false
}

// add implements accounting. Where ln Z of the network of the next step is known, totals are those of chains that come to
// that network.
func (w *workAccount) add(l *learner, r *runs.Record) error {
	step := w.chains.Step()
	if step.Chains == 0 {
		return nil
	}
	estimate := func(v, deviation float64) runs.Estimate {
		return runs.Estimate{Value: runs.Number(v), Low: runs.Number(v - 1.96*deviation), High: runs.Number(v + 1.96*deviation)}
	}
	of := &runs.Work{Chains: step.Chains, Work: estimate(step.Work, step.WorkError), Heat: estimate(step.Heat, step.HeatError), Dissipated: runs.Number(step.Dissipated)}
	r.Work = of
	total := w.chains.Total()
	small := min(l.model.Visible(), l.model.Hidden()) <= quickExact
	if r.Meter != nil || small {
		net := l.network()
		var lnZ [2]float64 // with its standard error; without the constant, as works are
		if small {
			exact, err := net.LnZ(context.Background())
			if err != nil {
				return err
			}
			lnZ[0], of.By = exact-net.Constant, "exact"
		} else {
			z := r.Meter.LnZ
			lnZ, of.By = [2]float64{float64(z.Value) - net.Constant, float64(z.High-z.Low) / (2 * 1.96)}, "meter"
		}
		if !w.known {
			w.chains.Begin(net, w.engine.Hidden())
			w.since, w.known, w.lnZ = r.Step, true, lnZ
		}
		total = w.chains.TotalTo(net, w.engine.Hidden())
		change := lnZ[0] - w.lnZ[0]
		number, all := runs.Number(change), estimate(total.Work+change, math.Sqrt(total.WorkError*total.WorkError+lnZ[1]*lnZ[1]+w.lnZ[1]*w.lnZ[1]))
		of.LnZ, of.Total = &number, &all
	}
	of.Since, of.TotalWork, of.TotalHeat, of.Replaced = w.since, runs.Number(total.Work), runs.Number(total.Heat), total.Replaced
	return nil
}
