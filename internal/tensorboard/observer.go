package tensorboard

import (
	"errors"
	"time"

	"bethe/learn"
	"bethe/runs"
)

// An Observer writes the event files of a run of learning, one for each start.
type Observer struct {
	learn.Silent
	Folder string // of the run

	files []*Writer
}

// Began opens the file of a start, which goes on after the steps done before.
func (o *Observer) Began(b learn.Beginning) error {
	w, err := Create(o.Folder, time.Now(), b.Step)
	if err == nil {
		o.files = append(o.files, w)
	}
	return err
}

// Recorded writes a record to the file of the last start.
func (o *Observer) Recorded(r *runs.Record) error {
	return o.files[len(o.files)-1].Record(o.Folder, time.Now(), r)
}

// Close closes all files.
func (o *Observer) Close() (err error) {
	for _, w := range o.files {
		err = errors.Join(err, w.Close())
	}
	return err
}
