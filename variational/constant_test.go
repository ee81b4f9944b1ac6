package variational

import (
	"bytes"
	"math"
	"testing"

	"bethe/rbm"
	"bethe/stream"
)

// Learning at a constant rate keeps the rate of the warm-up's end, averages and settles nothing, until it goes back to a state and ends: then
// the rate falls as that of other learning does from 1 - Settle on, the signs learn, and it is over after the steps asked for.
func TestConstant(t *testing.T) {
	samples, _ := plantedSamples(20, 150, stream.New(5))
	opt := Options{Steps: 100, Batch: 40, Average: 0.1, Settle: 0.25, Warmup: 0.1, Constant: true}
	l, parts := learner(t, samples, opt)
	rate := l.opt.Rate
	var kept bytes.Buffer
	var back []float32
	err := l.Run(t.Context(), func(p Progress) error {
		fraction := float64(p.Step) / 100
		switch {
		case p.Step <= 60:
			before := float64(p.Step-1) / 100
			if want := rate * max(0.01, min(1, before/0.1)); math.Abs(p.Rate-want) > 1e-12 || p.Fraction != fraction || l.Kind() != rbm.BinaryKind {
				t.Errorf("step %d: rate %v, not %v, fraction %v, %s", p.Step, p.Rate, want, p.Fraction, l.Kind())
			}
		case p.Step > 60:
			done := float64(p.Step-61) / 10
			share := 1 - 0.9*(0.75+0.25*done-0.1)/0.9
			if math.Abs(p.Rate-rate*share) > 1e-12 || math.Abs(p.Fraction-(0.75+0.25*(done+0.1))) > 1e-12 {
				t.Errorf("step %d: rate %v, not %v, fraction %v", p.Step, p.Rate, rate*share, p.Fraction)
			}
		}
		switch p.Step {
		case 20:
			l.Forget()
		case 40:
			if l.Averaged() != 4 || !l.Searching() {
				t.Errorf("%d models in the mean", l.Averaged())
			}
			back = l.Result().Posterior.Theta
			return WriteCheckpoint(&kept, "run", l, parts)
		case 60:
			step, err := l.Revisit(func() error { return ParseCheckpoint("kept", kept.Bytes(), "run", l, parts) })
			if err != nil || step != 40 || l.Step() != 60 {
				t.Errorf("back to step %d at step %d: %v", step, l.Step(), err)
			}
			for k, v := range back {
				if l.Model.Posterior.Theta[k] != v {
					t.Fatalf("theta %d is %v, and its mean was %v", k, l.Model.Posterior.Theta[k], v)
				}
			}
			l.End(10)
			if l.Searching() || l.Kind() != rbm.SignKind || l.Averaged() != 0 {
				t.Errorf("searching: %v, %s", l.Searching(), l.Kind())
			}
		}
		return nil
	})
	if err != nil || l.Step() != 70 {
		t.Fatalf("it ended after step %d: %v", l.Step(), err)
	}
	other, others := learner(t, samples, Options{Steps: 100, Batch: 40})
	var end bytes.Buffer
	if err := WriteCheckpoint(&end, "run", l, parts); err != nil {
		t.Fatal(err)
	}
	if err := ParseCheckpoint("end", end.Bytes(), "run", other, others); err == nil {
		t.Error("learning whose rate falls takes an end that began")
	}
}
