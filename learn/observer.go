package learn

import (
	"bethe/rbm"
	"bethe/runs"
	"bethe/units"
)

// An Observer is told how a run goes. Calls come one at a time, on the goroutine
// of Run. What an observer looks at changes nothing: learning gives the same
// bytes whoever watches. Embed Silent to implement a part.
type Observer interface {
	// Began is told of a start before its first step, or before it goes on. An
	// error ends the run.
	Began(b Beginning) error
	// Stepped is told after each step.
	Stepped(p Progress)
	// Working is told how much of a stage after learning is done, from 0 to 1.
	Working(stage Stage, fraction float64)
	// Ended is told that a stage is over, also if an error ended it.
	Ended(stage Stage)
	// Recorded is told of each record after it was kept. An error ends the run.
	Recorded(r *runs.Record) error
	// Learned is told of each start that has learned.
	Learned(start int, result *Result)
}

// A Stage is a part of a run that takes time.
type Stage string

// The stages.
const (
	Learning  Stage = "learning"  // the steps of a start
	Drawing   Stage = "drawing"   // samples for the last picture
	Annealing Stage = "annealing" // the likelihood at the end
)

// A Beginning tells what a start is going to do.
type Beginning struct {
	Start   int  // which random start, counted from 0
	Resumed bool // it goes on from a checkpoint
	Step    int  // steps done before
	// Extended is the step after which the run was over before it went on with more to do,
	// at its final rate and in the phase that it ended in; 0 if it never was.
	Extended int
	Visible  int
	Hidden   int
	Layers   []int // sizes of the hidden layers of a deep machine
	Samples  int
	Engine   string // how expectations are found, and why
}

// Progress tells where a start is.
type Progress struct {
	Start     int
	Step      int     // steps done
	Fraction  float64 // of the whole
	Rate      float64
	Coupling  float64
	Polarised float64      // share of synapses that are decided, now and then; NaN if they are real
	Bound     *runs.Bound  // the last that was measured
	Labels    *runs.Labels // at the last record
}

// Silent is an observer that does nothing.
type Silent struct{}

// Began implements Observer.
func (Silent) Began(Beginning) error { return nil }

// Stepped implements Observer.
func (Silent) Stepped(Progress) {}

// Working implements Observer.
func (Silent) Working(Stage, float64) {}

// Ended implements Observer.
func (Silent) Ended(Stage) {}

// Recorded implements Observer.
func (Silent) Recorded(*runs.Record) error { return nil }

// Learned implements Observer.
func (Silent) Learned(int, *Result) {}

// observers tells all of them.
type observers []Observer

func (o observers) began(b Beginning) error {
	for _, each := range o {
		if err := each.Began(b); err != nil {
			return err
		}
	}
	return nil
}

func (o observers) stepped(p Progress) {
	for _, each := range o {
		each.Stepped(p)
	}
}

func (o observers) working(stage Stage, fraction float64) {
	for _, each := range o {
		each.Working(stage, fraction)
	}
}

func (o observers) ended(stage Stage) {
	for _, each := range o {
		each.Ended(stage)
	}
}

func (o observers) recorded(r *runs.Record) error {
	for _, each := range o {
		if err := each.Recorded(r); err != nil {
			return err
		}
	}
	return nil
}

func (o observers) learned(start int, result *Result) {
	for _, each := range o {
		each.Learned(start, result)
	}
}

// An Illustrator draws the pictures of a run folder as PNG files.
type Illustrator interface {
	// DrawData draws samples.
	DrawData(path string, samples units.Shown, width, height int) error
	// DrawSynapses draws the synapses of a model file.
	DrawSynapses(path string, file *rbm.File) error
	// DrawSamples draws the samples of chains. If width or height is 0 each sample is
	// drawn as nearly square as its size allows, here and in DrawData.
	DrawSamples(path string, chains units.Shown, width, height int) error
}
