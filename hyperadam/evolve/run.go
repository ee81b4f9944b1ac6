package evolve

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"bethe/figure"
	"bethe/internal/durable"
	"bethe/setting"
)

// Work says what Run does.
type Work struct {
	File        string // of the rule, which is replaced after each generation; its chart goes beside it
	Generations int    // in all, with those that the file has already
	Resume      bool   // go on from the file, or start if there is none
	Program     string // that the file says made it: name and version
	Progress    func(done int, gain float64)
}

// An InterruptedError is returned if the context was done: the file has all generations so far.
type InterruptedError struct {
	Generations int
	Err         error
}

// Error implements error.
func (e *InterruptedError) Error() string {
	return fmt.Sprintf("interrupted after generation %d", e.Generations)
}

// Unwrap returns the context's error.
func (e *InterruptedError) Unwrap() error { return e.Err }

// Run learns a rule, or goes on with one, and draws its chart. The error is a *setting.Error, an *InterruptedError or that of a file.
func Run(ctx context.Context, settings Settings, digits *Digits, w Work) (*Report, error) {
	if w.Generations < 1 {
		return nil, setting.Phrase("generations", "{generations %d}: there must be at least 1", w.Generations)
	}
	l, err := New(settings, digits)
	if err != nil {
		return nil, err
	}
	if _, statErr := os.Stat(w.File); statErr == nil {
		if !w.Resume {
			return nil, setting.Phrase("out", "%s is there already: go on with {resume}, or choose another {out}", w.File)
		}
		if l, err = Resume(w.File, settings, digits); err != nil {
			return nil, err
		}
	}
	if err := durable.MakeFolder(w.File); err != nil {
		return nil, err
	}
	for l.Generations() < w.Generations {
		gain, err := l.Generation(ctx)
		if errors.Is(err, context.Canceled) {
			return nil, &InterruptedError{l.Generations(), err}
		}
		if err != nil {
			return nil, err
		}
		if err := l.File(w.Program).Save(w.File); err != nil {
			return nil, err
		}
		w.Progress(l.Generations(), gain)
	}
	files, err := figure.Save(strings.TrimSuffix(w.File, filepath.Ext(w.File)), Chart(l.Gains()))
	if err != nil {
		return nil, err
	}
	r := l.Report(w.File, files)
	return &r, nil
}
