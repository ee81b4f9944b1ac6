package learn

import (
	"context"
	"fmt"
	"strings"
	"time"

	need "bethe/internal/memory"
	"bethe/setting"
)

// A Plan says what learning will take, by a short trial. Its JSON form is what the command prints.
type Plan struct {
	Folder      string  `json:"folder"`
	Visible     int     `json:"visible"`
	Hidden      []int   `json:"hidden"` // of each hidden layer
	Samples     int     `json:"samples"`
	Steps       int     `json:"steps"` // of all starts, or of the layers of a stack
	StepSeconds float64 `json:"step_seconds"`
	Seconds     float64 `json:"seconds"` // of learning, without what is made at its end
	Bytes       float64 `json:"bytes"`   // of memory, at least
}

// trialTime is how long a trial learns.
var trialTime = 2 * time.Second

// Planned tries a recipe on a job for two seconds, and says what all of it will take. It writes nothing. The error is
// that of Start and Run, or a *setting.Error of directed machines and stacks, which it does not try.
func Planned(ctx context.Context, recipe Recipe, job Job) (*Plan, error) {
	if recipe.directed() || recipe.Stack {
		return nil, setting.Phrase("dry_run", "{dry_run} is of machines with hidden units, not of mixtures, trees and stacks")
	}
	p := &Plan{Folder: job.Folder, Samples: job.Data.Len()}
	job.Folder, job.Resume, job.Pictures, job.Evaluation, job.Validation, job.Meter, job.Work = "", false, nil, Evaluation{}, Data{}, false, false
	recipe.Patience = 0
	whole, err := Start(recipe, job)
	if err != nil {
		return nil, err
	}
	defer func() { _ = whole.Close() }() // nothing was opened
	f := whole.Recipe()
	short := recipe
	short.Steps, short.Epochs, short.Time, short.Restarts = 0, 0, trialTime, 1
	trial, err := Start(short, job)
	if err != nil {
		return nil, err
	}
	defer func() { _ = trial.Close() }()
	result, err := trial.Run(ctx)
	if err != nil {
		return nil, err
	}
	p.Visible, p.Hidden = job.Data.Visible(), f.folding(job.Data.Visible())[1:]
	p.StepSeconds = result.Seconds / float64(max(1, result.Steps))
	p.Steps = f.Restarts * f.stepsOf(p.Samples, p.StepSeconds)
	p.Seconds = float64(p.Steps) * p.StepSeconds
	visible, hidden := f.size(p.Visible)
	p.Bytes = need.Training{Visible: visible, Hidden: hidden, Samples: p.Samples, Batch: min(f.Batch, p.Samples), Chains: f.Chains}.Bytes()
	return p, nil
}

// stepsOf returns how many steps the limits allow, the first that is met.
func (f *Recipe) stepsOf(samples int, step float64) int {
	var may []int
	if f.Steps > 0 {
		may = append(may, f.Steps)
	}
	if f.Epochs > 0 {
		may = append(may, f.Epochs*(samples/min(f.Batch, samples)))
	}
	if f.Time > 0 {
		may = append(may, int(f.Time.Seconds()/step))
	}
	least := may[0]
	for _, n := range may {
		least = min(least, n)
	}
	return least
}

// Text says it for a person.
func (p *Plan) Text() string {
	layers := strings.Trim(strings.ReplaceAll(fmt.Sprint(append([]int{p.Visible}, p.Hidden...)), " ", " x "), "[]")
	return fmt.Sprintf("%s units, %d samples: %d steps of about %.2g ms, %s of learning, %s of memory or more; into %s. Nothing was written\n",
		layers, p.Samples, p.Steps, 1000*p.StepSeconds, time.Duration(p.Seconds*float64(time.Second)).Round(time.Second/10), need.Text(p.Bytes), p.Folder)
}
