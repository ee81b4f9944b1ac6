package main

/*
#include "bethe.h"
*/
import "C"

import (
	"context"
	"encoding/json"
	"strings"

	"bethe/internal/build"
	"bethe/internal/npy"
	"bethe/learn"
	"bethe/runs"
	"bethe/setting"
	"bethe/units"
)

// A learning request is that of bethe_learn and bethe_online_new.
type learning struct {
	Recipe       json.RawMessage   `json:"recipe"`
	Seed         uint64            `json:"seed"`
	Program      string            `json:"program"`
	Data         string            `json:"data"`
	Width        int               `json:"width"`
	Height       int               `json:"height"`
	Folder       string            `json:"folder"`
	Resume       bool              `json:"resume"`
	MeasureEvery int               `json:"measure_every"`
	Share        float64           `json:"validation_share"`
	Names        map[string]string `json:"names"`
}

// inWords returns an error with settings in the caller's words.
func (l *learning) inWords(err error) error {
	text, found := setting.Reworded(err, func(name, value string) string {
		if word, known := l.Names[name]; known {
			name = word
		}
		return strings.TrimSpace(name + " " + value)
	})
	if !found {
		return err
	}
	return invalidf("%s", text)
}

// read reads a request, and the samples and the first machine that it names by handles.
func (l *learning) read(words C.bethe_text, handle, init C.bethe_handle) (recipe learn.Recipe, job learn.Job, err error) {
	l.Program, l.Data = build.Program(), "samples"
	if err := parse(words, l); err != nil {
		return recipe, job, err
	}
	if len(l.Recipe) == 0 {
		l.Recipe = json.RawMessage("{}")
	}
	recipe, named, err := learn.ParseRecipe(l.Recipe)
	if err == nil {
		err = recipe.Foreign(named...)
	}
	if err != nil {
		return recipe, job, invalid{l.inWords(err)}
	}
	s, err := of[*samples](handle, "samples")
	if err != nil {
		return recipe, job, err
	}
	if recipe.Units == units.Potts { // as many colours as there are
		recipe.Units = s.Kind.String()
	}
	set := *s.Set
	set.Name, set.Width, set.Height = l.Data, l.Width, l.Height
	job = learn.Job{Data: learn.Data{Set: &set, Name: l.Data},
		Seed: l.Seed, Program: l.Program, Folder: l.Folder, Resume: l.Resume, MeasureEvery: l.MeasureEvery}
	if l.Width*l.Height != 0 && l.Width*l.Height != set.Units() || l.Width < 0 || l.Height < 0 {
		return recipe, job, invalidf("width %d and height %d of a picture of %d units", l.Width, l.Height, set.Units())
	}
	if init != 0 {
		m, err := of[*machine](init, "a machine")
		if err != nil {
			return recipe, job, err
		}
		if job.Init, err = m.model.first(); err != nil {
			return recipe, job, err
		}
	}
	return recipe, job, nil
}

//export bethe_learn
func bethe_learn(handle C.bethe_handle, words C.bethe_text, labels C.bethe_numbers, validation, init C.bethe_handle, out *C.bethe_handle, text **C.char) C.int32_t {
	return try(text, func() error {
		var request learning
		recipe, given, err := request.read(words, handle, init)
		if err != nil {
			return err
		}
		if labels != nil {
			for _, label := range elements[int64](labels, given.Data.Len()) {
				given.Data.Labels = append(given.Data.Labels, int(label))
			}
		}
		if validation != 0 {
			v, err := of[*samples](validation, "samples")
			if err != nil {
				return err
			}
			given.Validation = learn.Data{Set: v.Set, Name: "the validation samples"}
		}
		if request.Share != 0 {
			if given.Data, given.Validation, err = learn.HoldOut(given.Data, request.Share, given.Seed); err != nil {
				return request.inWords(err)
			}
		}
		run, err := learn.Start(recipe, given)
		if err != nil {
			return request.inWords(err)
		}
		begin(out, string(learn.Learning), func(ctx context.Context, j *job) (r result, err error) {
			defer func() {
				if closed := run.Close(); err == nil {
					err = closed
				}
			}()
			watch := &watcher{job: j}
			found, err := run.Run(ctx, watch)
			if err != nil {
				return r, request.inWords(err)
			}
			if !run.Recipe().Stack { // whose scouts are states of its topmost machine
				met := run.Met()
				if met == nil && request.Folder != "" {
					if met, _, err = learn.Scouted(found.Model, given.Data.Visible()); err != nil {
						return r, err
					}
				}
				if met != nil {
					r.arrays = []npy.Array{bytesOf("scouts", met, met.Cols(), met.Rows())}
				}
			}
			r.report = map[string]any{"result": found, "recipe": run.Recipe()}
			r.file, err = run.Model()
			return r, err
		})
		return nil
	})
}

// A watcher passes on to a job how learning goes.
type watcher struct {
	learn.Silent
	job *job
}

// Stepped implements learn.Observer.
func (w *watcher) Stepped(p learn.Progress) {
	w.job.change(func(at *C.bethe_progress) {
		at.step, at.fraction, at.rate, at.coupling = C.int64_t(p.Step), C.double(p.Fraction), C.double(p.Rate), C.double(p.Coupling)
		if p.Bound != nil {
			at.bound = C.double(p.Bound.Value)
		}
	})
}

// Working implements learn.Observer.
func (w *watcher) Working(stage learn.Stage, fraction float64) { w.job.tell(string(stage), fraction) }

// Recorded implements learn.Observer.
func (w *watcher) Recorded(r *runs.Record) error { return w.job.keep(r) }

//export bethe_online_new
func bethe_online_new(handle C.bethe_handle, words C.bethe_text, init C.bethe_handle, out *C.bethe_handle, text **C.char) C.int32_t {
	return try(text, func() error {
		var request learning
		recipe, given, err := request.read(words, handle, init)
		if err != nil {
			return err
		}
		online, err := learn.StartOnline(recipe, given)
		if err != nil {
			return request.inWords(err)
		}
		hand(out, online)
		return nil
	})
}

//export bethe_online_step
func bethe_online_step(handle, batch C.bethe_handle, total C.int64_t, progress *C.bethe_progress, text **C.char) C.int32_t {
	return try(text, func() error {
		online, err := of[*learn.Online](handle, "a learner")
		if err != nil {
			return err
		}
		s, err := of[*samples](batch, "samples")
		if err != nil {
			return err
		}
		p, err := online.Step(context.Background(), learn.Data{Set: s.Set}, int(total))
		if err == nil && progress != nil {
			*progress = C.bethe_progress{step: C.int64_t(p.Step), rate: C.double(p.Rate), coupling: C.double(p.Coupling)}
		}
		return err
	})
}

//export bethe_online_machine
func bethe_online_machine(handle C.bethe_handle, out *C.bethe_handle, text **C.char) C.int32_t {
	return try(text, func() error {
		online, err := of[*learn.Online](handle, "a learner")
		if err != nil {
			return err
		}
		m, err := machineOf(online.File())
		if err == nil {
			hand(out, m)
		}
		return err
	})
}
