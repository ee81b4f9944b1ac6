package learn

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"

	"bethe/internal/durable"
	"bethe/runs"
	"bethe/variational"
)

// States keep the states from which a learner goes on: in files, or in memory. A Run does not name them: whoever
// names a Run would compile the training loop again.
type states interface {
	// prepare makes sure, before any work, that the states can be kept.
	prepare(ctx context.Context, l *learner) error
	resume(l *learner) (resumed bool, err error)
	// save keeps a checkpoint; the less time is left, as the context tells, the faster.
	save(ctx context.Context, l *learner) error

	// keepBest keeps the state of the best reading so far, beside checkpoints; revisit goes back to it.
	keepBest(ctx context.Context, l *learner) error
	revisit(l *learner) error
}

// statesOf returns the states of a run's learner.
func statesOf(r *Run) states {
	if path := r.keeper.where(); path != "" {
		return inFolder{r, path}
	}
	return &inMemory{}
}

// inMemory keeps the best state alone.
type inMemory struct{ best bytes.Buffer }

func (m *inMemory) keepBest(_ context.Context, l *learner) error {
	m.best.Reset()
	return variational.WriteCheckpoint(&m.best, l.label, l.trainer, l.parts...)
}

func (m *inMemory) revisit(l *learner) error {
	return variational.ParseCheckpoint("the best state", m.best.Bytes(), l.label, l.trainer, l.parts...)
}

func (*inMemory) prepare(context.Context, *learner) error { return nil }
func (*inMemory) resume(*learner) (bool, error)           { return false, nil }
func (*inMemory) save(context.Context, *learner) error    { return nil }

// inFolder keeps states in the run folder.
type inFolder struct {
	*Run
	path string
}

// checkpointPath is where start k keeps its checkpoint.
func checkpointPath(folder string, recipe *Recipe, k int) string {
	if recipe.Restarts == 1 {
		return filepath.Join(folder, runs.CheckpointFile)
	}
	return filepath.Join(folder, fmt.Sprintf("checkpoint-%d.npz", k))
}

// prepare makes sure, before any work, that the folder can be written to and
// has room for the checkpoints to come and for the files of the end.
func (f inFolder) prepare(ctx context.Context, l *learner) error {
	if err := f.save(ctx, l); err != nil {
		return err
	}
	bytes, err := variational.CheckpointBytes(f.label, l.trainer, l.parts...)
	if err != nil {
		return err
	}
	// A new checkpoint is written beside the old one, and the one just saved is
	// small: what has not moved yet packs well.
	copies := int64(2)
	if f.recipe.Patience > 0 {
		copies = 3
	}
	if err := durable.CheckRoom(checkpointPath(f.path, &f.recipe, l.number), copies*bytes); err != nil {
		return fmt.Errorf("checkpoints will not fit into %s: %w", f.path, err)
	}
	return nil
}

// save writes the checkpoint. Where there is no time and nothing has been learned since
// the last one, that stays.
func (f inFolder) save(ctx context.Context, l *learner) error {
	if ctx.Err() != nil && l.saved == l.trainer.Step() {
		return nil
	}
	if err := variational.SaveCheckpoint(ctx, checkpointPath(f.path, &f.recipe, l.number), f.label, l.trainer, l.parts...); err != nil {
		return fmt.Errorf("the checkpoint of step %d cannot be written: %w%s", l.trainer.Step(), err, l.kept())
	}
	l.saved = l.trainer.Step()
	return nil
}

// bestPath is where start k keeps the state of its best reading, while it learns.
func bestPath(folder string, recipe *Recipe, k int) string {
	if recipe.Restarts == 1 {
		return filepath.Join(folder, runs.BestFile)
	}
	return filepath.Join(folder, fmt.Sprintf("best-%d.npz", k))
}

func (f inFolder) keepBest(ctx context.Context, l *learner) error {
	if err := variational.SaveCheckpoint(ctx, bestPath(f.path, &f.recipe, l.number), f.label, l.trainer, l.parts...); err != nil {
		return fmt.Errorf("the state of step %d, the best, cannot be written: %w%s", l.trainer.Step(), err, l.kept())
	}
	return nil
}

func (f inFolder) revisit(l *learner) error {
	return variational.LoadCheckpoint(bestPath(f.path, &f.recipe, l.number), f.label, l.trainer, l.parts...)
}

// resume goes back to the checkpoint, if there is one, or to the state of the best reading if that came later.
func (f inFolder) resume(l *learner) (bool, error) {
	path := checkpointPath(f.path, &f.recipe, l.number)
	if _, err := os.Stat(path); err != nil {
		return false, nil
	}
	label := f.label
	if f.over() > 0 { // the checkpoint may be that of the end before
		if saved := labelOf(path); sameButLimits(saved, label) {
			label = saved
		}
	}
	if err := variational.LoadCheckpoint(path, label, l.trainer, l.parts...); err != nil {
		if other := ofAnotherRun(path, f.label); other != nil {
			err = other
		}
		return false, err
	}
	l.saved = l.trainer.Step()
	if best := checkpointMeta(bestPath(f.path, &f.recipe, l.number)); f.recipe.Patience > 0 && best.Label == f.label && best.Step > l.saved {
		if err := f.revisit(l); err != nil {
			return false, err
		}
		l.trainer.Forget() // as after each reading
	}
	return true, nil
}
