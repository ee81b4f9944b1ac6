package learn

import (
	"bytes"
	"context"

	"bethe/rbm"
	"bethe/runs"
	"bethe/spin"
	"bethe/units"
	"bethe/variational"
)

// A keeper keeps the results of a run: in a folder, or not at all.
type keeper interface {
	// open begins a run, and returns the result of an earlier call that came to
	// the end, if there is one.
	open() (finished *Result, err error)
	close() error

	// prepare makes sure, before any work, that the results can be kept.
	prepare(ctx context.Context, l *learner) error
	resume(l *learner) (resumed bool, err error)
	// save keeps a checkpoint; the less time is left, as the context tells, the faster.
	save(ctx context.Context, l *learner) error

	// keepBest keeps the state of the best reading so far, beside checkpoints; revisit goes back to it.
	keepBest(ctx context.Context, l *learner) error
	revisit(l *learner) error

	// records opens the records to go on after a step of a start, and returns
	// those that stay.
	records(start, step int) (recorder, []runs.Record, error)
	// keepPictures removes pictures along the way that no record names.
	keepPictures(records []runs.Record) error
	// drawAlong keeps a file and its pictures along the way, and names them in a
	// record.
	drawAlong(ctx context.Context, r *runs.Record, file *rbm.File, chains func() (units.Shown, error)) error

	// ship keeps the model and the states that scouts met, nil if there are none, drawSamples
	// the last picture, finish the result.
	ship(ctx context.Context, file *rbm.File, met *spin.Matrix) error
	drawSamples(chains func() (units.Shown, error)) error
	finish(result *Result) error
	model() string // where the model is
	where() string // the folder; empty if nothing is kept
}

// A recorder keeps records.
type recorder interface {
	Append(r runs.Record) error
	Close() error
}

// memory keeps no files: the caller gets the result.
type memory struct {
	best *bytes.Buffer // of the start that learns
}

func (m memory) keepBest(_ context.Context, l *learner) error {
	m.best.Reset()
	return variational.WriteCheckpoint(m.best, l.label, l.trainer, l.parts...)
}

func (m memory) revisit(l *learner) error {
	return variational.ParseCheckpoint("the best state", m.best.Bytes(), l.label, l.trainer, l.parts...)
}

func (memory) open() (*Result, error)                              { return nil, nil }
func (memory) close() error                                        { return nil }
func (memory) prepare(context.Context, *learner) error             { return nil }
func (memory) resume(*learner) (bool, error)                       { return false, nil }
func (memory) save(context.Context, *learner) error                { return nil }
func (memory) records(int, int) (recorder, []runs.Record, error)   { return unrecorded{}, nil, nil }
func (memory) keepPictures([]runs.Record) error                    { return nil }
func (memory) ship(context.Context, *rbm.File, *spin.Matrix) error { return nil }
func (memory) drawSamples(func() (units.Shown, error)) error       { return nil }
func (memory) finish(*Result) error                                { return nil }
func (memory) where() string                                       { return "" }
func (memory) model() string                                       { return "" }
func (memory) drawAlong(context.Context, *runs.Record, *rbm.File, func() (units.Shown, error)) error {
	return nil
}

type unrecorded struct{}

func (unrecorded) Append(runs.Record) error { return nil }
func (unrecorded) Close() error             { return nil }
