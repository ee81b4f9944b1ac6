package learn

import (
	"encoding/json"
	"maps"
	"slices"

	"bethe/runs"
	"bethe/setting"
)

// limits are the settings that a run which is over may have more of.
var limits = []string{"steps", "epochs", "time", "extended"}

// sameButLimits reports whether two labels are of runs that differ in their limits at most.
func sameButLimits(saved, here string) bool {
	a, okA := flat(saved)
	b, okB := flat(here)
	for _, name := range limits {
		delete(a, name)
		delete(b, name)
	}
	return okA && okB && maps.Equal(a, b)
}

// wasExtended takes over from the folder that the run was over and went on.
func (f *folder) wasExtended() error {
	info, err := runs.ReadInfo(f.path)
	if err != nil || !f.job.Resume {
		return nil // a new run; a damaged file of one that is there tells nothing that counts
	}
	text, err := json.Marshal(info.Settings["extended"])
	if err != nil {
		return err
	}
	var steps []int
	if json.Unmarshal(text, &steps) != nil || len(steps) == 0 {
		return nil
	}
	return f.extendAfter(steps)
}

// over returns the step after which the run was over last, 0 if it never was.
func (r *Run) over() int {
	if len(r.extended) == 0 {
		return 0
	}
	return r.extended[len(r.extended)-1]
}

// pace sets the sweeps of the engine as they are when a fraction is done; those of a run
// that was over stay those of its end.
func (l *learner) pace(fraction float64) {
	if l.over() > 0 {
		fraction = 1
	}
	if l.recipe.FinalSweeps > 0 {
		for _, chains := range l.sweepers {
			chains.SetSweeps(l.recipe.sweepsAt(fraction))
		}
	}
}

// extendAfter sets after which steps the run was over.
func (f *folder) extendAfter(steps []int) error {
	if f.recipe.Restarts > 1 {
		return setting.Phrase("restarts", "{restarts %d}: a run of several starts that is over cannot go on: choose another {out}", f.recipe.Restarts)
	}
	f.extended = slices.Clone(steps)
	f.describe()
	return nil
}

// unfinished reports whether there is more to do than was done.
func (r *Run) unfinished(done *Result) bool {
	f, samples := &r.recipe, r.job.Data.Len()
	perEpoch := samples / min(f.Batch, samples)
	return (f.Steps == 0 || done.Steps < f.Steps) && (f.Epochs == 0 || float64(done.Steps) < float64(f.Epochs)*float64(perEpoch)) &&
		(f.Time == 0 || done.Seconds < f.Time.Seconds())
}

// extends reports whether the run is one that is over and has more to do now. Then its
// info says so, and it is over no more.
func (f *folder) extends(saved *savedResult) (bool, error) {
	if !f.job.Resume || f.recipe.Stack || !sameButLimits(string(saved.Label), f.label) || !f.unfinished(saved.Result) {
		return false, nil
	}
	if f.recipe.Patience > 0 {
		return false, setting.Phrase("patience", "{patience %d}: the run ended by itself and cannot go on: choose another {out}, or go on from its model with {init}", f.recipe.Patience)
	}
	steps := f.extended
	if f.over() < saved.Result.Steps {
		steps = append(slices.Clone(steps), saved.Result.Steps)
	}
	if err := f.extendAfter(steps); err != nil {
		return false, err
	}
	info, err := runs.ReadInfo(f.path)
	if err != nil {
		return false, err
	}
	info.Settings = f.settings
	if info.Command != "" && f.job.Command != "" {
		info.Command += "\n" + f.job.Command
	}
	return true, runs.WriteInfo(f.path, info)
}
