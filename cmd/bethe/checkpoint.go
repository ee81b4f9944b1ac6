package main

import (
	"fmt"
	"os"
	"strconv"
	"time"

	"bethe/internal/durable"
	"bethe/variational"
)

// An interval is the distance of two checkpoints, in steps or in time.
type interval struct {
	steps int
	time  time.Duration
}

// defaultInterval is the interval of checkpoints when nothing else is asked for.
const defaultInterval = "1m"

// parseInterval reads a number of steps, such as 500, or a time, such as 2m.
func parseInterval(text string) (interval, error) {
	if steps, err := strconv.Atoi(text); err == nil && steps > 0 {
		return interval{steps: steps}, nil
	}
	if d, err := time.ParseDuration(text); err == nil && d > 0 {
		return interval{time: d}, nil
	}
	return interval{}, usagef("--checkpoint-every %q: it is a number of steps, such as 500, or a time, such as 2m or 90s", text)
}

// due reports whether a checkpoint is due after a step, the last one having
// been saved at the given time.
func (i interval) due(step int, saved time.Time) bool {
	if i.steps > 0 {
		return step%i.steps == 0
	}
	return time.Since(saved) >= i.time
}

// prepare makes sure, before any work, that the folder can be written to and
// has room for the checkpoints to come and what is written at the end.
func (l *learner) prepare() error {
	if err := l.save(); err != nil {
		return err
	}
	bytes, err := variational.CheckpointBytes(l.label, l.trainer, l.parts...)
	if err != nil {
		return err
	}
	// A new checkpoint is written beside the old one, and the one just saved is
	// small: what has not moved yet packs well.
	if err := durable.CheckRoom(l.path, 2*bytes); err != nil {
		return fmt.Errorf("checkpoints will not fit into %s: %w", l.out, err)
	}
	return nil
}

// save writes the checkpoint.
func (l *learner) save() error {
	if err := variational.SaveCheckpoint(l.path, l.label, l.trainer, l.parts...); err != nil {
		return fmt.Errorf("the checkpoint of step %d cannot be written: %w%s", l.trainer.Step(), err, l.kept())
	}
	l.saved = l.trainer.Step()
	return nil
}

// kept says what is left of a run that ends with an error.
func (l *learner) kept() string {
	if l.saved < 0 {
		return ""
	}
	return fmt.Sprintf("\nthe checkpoint of step %d is whole, in %s", l.saved, l.path)
}

// resume goes back to the checkpoint, where there is one.
func (l *learner) resume() error {
	if _, err := os.Stat(l.path); err != nil {
		return nil
	}
	if err := variational.LoadCheckpoint(l.path, l.label, l.trainer, l.parts...); err != nil {
		return err
	}
	l.saved = l.trainer.Step()
	l.logf("going on after step %d\n", l.saved)
	return nil
}
