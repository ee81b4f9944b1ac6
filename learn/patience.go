package learn

import (
	"context"
	"errors"
	"fmt"
	"math"

	"bethe/dual"
	"bethe/rbm"
	"bethe/runs"
	"bethe/setting"
	"bethe/spin"
	"bethe/thermo"
	"bethe/variational"
)

// DefaultPatientSteps limits learning with patience if nothing else does.
const DefaultPatientSteps = 100_000

// checkPatience returns a *SettingError if learning is to have patience without the meter or the data that it judges by.
func (r *Run) checkPatience() error {
	switch k := r.recipe.Patience; {
	case k == 0:
		return nil
	case r.job.Validation.Set == nil:
		return setting.Phrase("patience", "{patience %d} judges by data that are not learned from: add {validation}, of data or of a share such as 0.1", k)
	case !r.job.Meter:
		return setting.Phrase("patience", "{patience %d} judges by what the meter reads: add {meter}", k)
	}
	return nil
}

// A verdict is how the search for the best reading of held-out likelihood stands.
type verdict struct {
	best     int // step of the best reading; 0: there is none yet
	estimate [3]float64
	waited   int // readings since
	stopped  int // step after which the search ended; 0: it goes on
	byLimit  bool
	ending   int // steps from then on
	followed int // last step that the meter followed
}

// judge takes a reading into account, and reports whether it is the best so far. A reading is worth the lower end of its
// interval: one that is uncertain is no reason to leave one that is sure.
func (v *verdict) judge(step int, e *runs.Estimate) bool {
	value, low, high := float64(e.Value), float64(e.Low), float64(e.High)
	if finite := !math.IsNaN(low-high) && !math.IsInf(low-high, 0); !finite || v.best > 0 && low <= v.estimate[1] {
		v.waited++
		return false
	}
	v.best, v.estimate, v.waited = step, [3]float64{value, low, high}, 0
	return true
}

// record returns the verdict as records and results have it; nil before the first reading.
func (v *verdict) record() *runs.Patience {
	if v.best == 0 {
		return nil
	}
	e := v.estimate
	return &runs.Patience{Best: v.best, Estimate: runs.Estimate{Value: runs.Number(e[0]), Low: runs.Number(e[1]), High: runs.Number(e[2])},
		Waited: v.waited, Stopped: v.stopped, ByLimit: v.byLimit, Ending: v.ending}
}

// A searching is a meter whose readings of validation data end learning at a constant rate: after so many of them that are not the
// best, or at the limit. Readings are of the mean of the models since the reading before: at a constant rate a single one
// swings by many nats. Learning goes back to the best mean, and ends from there. The chains of the meter are in
// checkpoints then, as they decide.
type searching struct {
	*metering
	*learner
	verdict verdict
}

// follow implements stepFollower. If it fails, all is as before, and catchUp does it again.
func (s *searching) follow(ctx context.Context, m *measuring, p variational.Progress) error {
	before := s.State()
	err := s.take(ctx, m, p)
	if err != nil {
		if no := s.Restore(s.model.Visible(), s.model.Hidden(), before); no != nil {
			return errors.Join(err, no)
		}
	}
	return err
}

func (s *searching) take(ctx context.Context, m *measuring, p variational.Progress) error {
	search := s.trainer.Searching()
	last := p.Fraction >= 1 || search && p.Fraction >= 1-s.recipe.Settle
	reading, err := s.metering.step(ctx, s.learner, p.Step, last)
	if err != nil {
		return err
	}
	v := &s.verdict
	v.followed = p.Step
	if reading == nil {
		return nil
	}
	better := search && v.judge(p.Step, reading.Validation)
	if search && (last || v.waited >= s.recipe.Patience) {
		if v.best == 0 {
			return fmt.Errorf("after step %d: the meter has read no finite likelihood of %s: %w", p.Step, s.job.Validation.Name, variational.ErrDiverged)
		}
		v.stopped, v.byLimit = p.Step, v.waited < s.recipe.Patience
		v.ending = int(math.Round(float64(v.best) * s.recipe.Settle / (1 - s.recipe.Settle)))
	}
	r := m.record(p)
	if p.Report.Engine == "" { // the step was another call's
		r.Engine = nil
	}
	r.Meter, r.Patience = reading, v.record()
	if err := m.write(r); err != nil {
		return err
	}
	if better {
		if err := s.states.keepBest(ctx, s.learner); err != nil {
			return err
		}
	}
	if search && v.stopped > 0 {
		return s.goBack()
	}
	if search {
		s.trainer.Forget()
	}
	return nil
}

// goBack has learning go on from the best reading to its end.
func (s *searching) goBack() error {
	now := s.State()
	step, err := s.trainer.Revisit(func() error { return s.states.revisit(s.learner) })
	if err != nil {
		return fmt.Errorf("the state of step %d, the best, is lost: %w", s.verdict.best, err)
	}
	if err := s.Restore(s.model.Visible(), s.model.Hidden(), now); err != nil {
		return err
	}
	if step != s.verdict.best {
		return fmt.Errorf("the state of step %d, the best, is lost: there is one of step %d", s.verdict.best, step)
	}
	s.trainer.End(s.verdict.ending)
	s.account.restart(s.trainer.Step())
	return nil
}

// catchUp implements stepFollower: it has the meter follow the step that a call before came to, if that did not.
func (s *searching) catchUp(ctx context.Context, m *measuring) error {
	step := s.trainer.Step()
	if step == 0 || s.verdict.followed >= step {
		return nil
	}
	return s.follow(ctx, m, variational.Progress{Step: step, Fraction: s.trainer.Fraction(), Rate: math.NaN(), Coupling: s.model.Couplings()})
}

// report implements stepFollower.
func (s *searching) report(r *Result) { r.Patience = s.verdict.record() }

// What numbers of a state of a searching are, in their order.
const (
	keptLadders = iota
	keptSweeps
	keptBest
	keptValue
	keptLow
	keptHigh
	keptWaited
	keptStopped
	keptByLimit
	keptEnding
	keptNumbers
)

// State implements dual.Stateful.
func (s *searching) State() dual.State {
	of, v := s.meter.State(), &s.verdict
	n := make([]float64, keptNumbers)
	n[keptLadders], n[keptSweeps] = float64(of.Ladders), float64(of.Sweeps)
	n[keptBest], n[keptValue], n[keptLow], n[keptHigh] = float64(v.best), v.estimate[0], v.estimate[1], v.estimate[2]
	n[keptWaited], n[keptStopped], n[keptEnding] = float64(v.waited), float64(v.stopped), float64(v.ending)
	if v.byLimit {
		n[keptByLimit] = 1
	}
	state := dual.State{Count: uint64(v.followed), Numbers: [][]float64{n}}
	if len(of.Ladder) > 0 {
		state.Numbers = append(state.Numbers, of.Ladder)
	}
	for _, x := range of.Visible {
		state.States = append(state.States, x.Store())
	}
	return state
}

// Restore implements dual.Stateful.
func (s *searching) Restore(visible, hidden int, state dual.State) error {
	if len(state.Numbers) < 1 || len(state.Numbers) > 2 || len(state.Numbers[0]) != keptNumbers {
		return fmt.Errorf("%d arrays of numbers of the meter, not %d numbers and a ladder", len(state.Numbers), keptNumbers)
	}
	n := state.Numbers[0]
	for k, x := range n {
		if k != keptValue && k != keptLow && k != keptHigh && (x != math.Trunc(x) || x < 0 || x > 1<<52) {
			return fmt.Errorf("number %d of the meter is %v, not a count", k, x)
		}
	}
	of := thermo.MeterState{Ladders: uint64(n[keptLadders]), Sweeps: uint64(n[keptSweeps])}
	if len(state.Numbers) == 2 {
		of.Ladder = state.Numbers[1]
	}
	for _, x := range state.States {
		if len(x.Shape) != 2 || x.Shape[0] != visible {
			return fmt.Errorf("states of the meter of shape %v, for %d visible units", x.Shape, visible)
		}
		m := spin.New(visible, x.Shape[1])
		if err := m.Load(x); err != nil {
			return err
		}
		of.Visible = append(of.Visible, m)
	}
	s.verdict = verdict{best: int(n[keptBest]), estimate: [3]float64{n[keptValue], n[keptLow], n[keptHigh]}, waited: int(n[keptWaited]), stopped: int(n[keptStopped]),
		byLimit: n[keptByLimit] == 1, ending: int(n[keptEnding]), followed: int(state.Count)}
	return s.meter.Restore(rbm.NewNetwork[float32](visible, hidden), of)
}

var _ dual.Stateful = (*searching)(nil)
