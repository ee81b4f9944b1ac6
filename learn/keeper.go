package learn

import (
	"context"

	"bethe/rbm"
	"bethe/runs"
	"bethe/spin"
	"bethe/units"
)

// A keeper keeps the results of a run: in a folder, or not at all.
type keeper interface {
	// open begins a run, and returns the result of an earlier call that came to
	// the end, if there is one.
	open() (finished *Result, err error)
	close() error

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
type memory struct{}

func (memory) open() (*Result, error)                              { return nil, nil }
func (memory) close() error                                        { return nil }
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
