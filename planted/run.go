package planted

import (
	"context"
	"fmt"
	"math/rand/v2"

	"bethe/spin"
	"bethe/stream"
)

// A Schedule says how long a Monte Carlo run is, in sweeps over all synapses.
type Schedule struct {
	// BurnIn sweeps come before the first that is kept, so that the run forgets
	// its start. In the first three fifths of them the temperature falls in
	// equal steps from Temperature to 1, which helps a random start to find the
	// state that fits best.
	BurnIn      int
	Temperature float64 // at least 1
	Keep        int     // sweeps after which the state is kept, at least 1
}

// A Run is a Monte Carlo run over the synapses.
type Run struct {
	Samples       []*spin.Matrix // kept states, visible x hidden, each in the order and signs that it had
	LogLikelihood []float64      // ln P(D | xi) of each, in nats
	Changed       float64        // share of synapses that a kept sweep changes
}

// Run walks through the posterior from the given synapses, visible x hidden: a
// sweep draws the synapses of each site in turn given all others. The run is a
// function of the arguments, on one thread. The error is the context's. It
// panics if the schedule is out of range or the synapses have another shape.
func (post *ExactPosterior) Run(ctx context.Context, start *spin.Matrix, schedule Schedule, key stream.Key) (*Run, error) {
	if schedule.BurnIn < 0 || schedule.Keep < 1 || !(schedule.Temperature >= 1) {
		panic(fmt.Sprintf("planted: Run with a schedule of %+v", schedule))
	}
	st, err := post.newState(ctx, start)
	if err != nil {
		return nil, err
	}
	rng := key.Rand()
	cooling := schedule.BurnIn * 3 / 5
	for sweep := range schedule.BurnIn {
		temperature := 1.0
		if sweep < cooling {
			temperature += (schedule.Temperature - 1) * float64(cooling-sweep) / float64(cooling)
		}
		if _, err := st.sweep(ctx, 1/temperature, rng); err != nil {
			return nil, err
		}
	}
	return st.keep(ctx, schedule.Keep, rng)
}

// keep does sweeps at temperature 1 and keeps the state after each.
func (st *state) keep(ctx context.Context, sweeps int, rng *rand.Rand) (*Run, error) {
	run := &Run{}
	changed := 0
	for range sweeps {
		flips, err := st.sweep(ctx, 1, rng)
		if err != nil {
			return nil, err
		}
		changed += flips
		run.Samples = append(run.Samples, st.synapses())
		run.LogLikelihood = append(run.LogLikelihood, st.logLikelihood())
	}
	run.Changed = float64(changed) / float64(sweeps*st.visible*st.hidden)
	return run, nil
}
