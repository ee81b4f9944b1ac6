package main

/*
#include "bethe.h"
*/
import "C"

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"sync"
	"time"

	"bethe/internal/npy"
	"bethe/learn"
	"bethe/runs"
)

// A job is work that goes on by itself.
type job struct {
	cancel context.CancelFunc
	done   chan struct{} // closed when it is over

	mu      sync.Mutex
	at      C.bethe_progress // records is len(records)
	records []json.RawMessage

	// What comes of it, once done is closed.
	err    error
	result result
}

// A result is what comes of a job.
type result struct {
	report any // has a JSON form
	arrays []npy.Array
	file   learn.Model // of learning
}

// begin starts work and gives its job away.
func begin(out *C.bethe_handle, stage string, work func(ctx context.Context, j *job) (result, error)) {
	ctx, cancel := context.WithCancel(context.Background())
	j := &job{cancel: cancel, done: make(chan struct{})}
	j.at.bound = C.double(math.NaN())
	j.tell(stage, 0)
	go func() {
		defer close(j.done)
		defer cancel()
		j.err = guarded(func() (err error) {
			j.result, err = work(ctx, j)
			return err
		})
	}()
	hand(out, j)
}

// close implements closer.
func (j *job) close() { j.cancel() }

// tell says how much of a stage is done.
func (j *job) tell(stage string, fraction float64) {
	j.change(func(p *C.bethe_progress) {
		p.fraction = C.double(fraction)
		name := elements[byte](&p.stage[0], len(p.stage))
		clear(name)
		copy(name[:len(name)-1], stage)
	})
}

func (j *job) change(set func(p *C.bethe_progress)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	set(&j.at)
}

// telling returns a function that takes the fraction of a stage that is done.
func (j *job) telling(stage string) func(fraction float64) {
	return func(fraction float64) { j.tell(stage, fraction) }
}

// keep keeps a record.
func (j *job) keep(r *runs.Record) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.records = append(j.records, text)
	j.at.records = C.int64_t(len(j.records))
	return nil
}

// over returns what came of a job, or an error if it is not over or had one.
func (j *job) over() (result, error) {
	select {
	case <-j.done:
		return j.result, j.err
	default:
		return result{}, invalidf("the job is not over: wait for it")
	}
}

// held implements holder.
func (j *job) held() ([]npy.Array, error) {
	r, err := j.over()
	return r.arrays, err
}

//export bethe_wait
func bethe_wait(handle C.bethe_handle, seconds C.double, progress *C.bethe_progress, text **C.char) C.int32_t {
	running := false
	code := try(text, func() error {
		j, err := of[*job](handle, "a job")
		if err != nil {
			return err
		}
		running = !j.await(float64(seconds))
		if progress != nil {
			j.change(func(p *C.bethe_progress) { *progress = *p })
		}
		if running {
			return nil
		}
		return j.err
	})
	if running && code == C.BETHE_DONE {
		return C.BETHE_RUNNING
	}
	return code
}

// await waits for at most so many seconds, and reports whether the job is over.
func (j *job) await(seconds float64) bool {
	const most = 1e6 // a timer takes so many
	timer := time.NewTimer(time.Duration(max(0, min(seconds, most)) * float64(time.Second)))
	defer timer.Stop()
	select {
	case <-j.done:
		return true
	case <-timer.C:
		return false
	}
}

//export bethe_cancel
func bethe_cancel(handle C.bethe_handle, text **C.char) C.int32_t {
	return try(text, func() error {
		j, err := of[*job](handle, "a job")
		if err == nil {
			j.cancel()
		}
		return err
	})
}

//export bethe_report
func bethe_report(handle C.bethe_handle, out **C.char, text **C.char) C.int32_t {
	return try(text, func() error {
		j, err := of[*job](handle, "a job")
		if err != nil {
			return err
		}
		r, err := j.over()
		if err != nil {
			return err
		}
		return say(out, r.report)
	})
}

//export bethe_records
func bethe_records(handle C.bethe_handle, first C.int64_t, out **C.char, text **C.char) C.int32_t {
	return try(text, func() error {
		j, err := of[*job](handle, "a job")
		if err != nil {
			return err
		}
		j.mu.Lock()
		defer j.mu.Unlock()
		if first < 0 || int(first) > len(j.records) {
			return invalidf("records from number %d of %d on", first, len(j.records))
		}
		return say(out, append([]json.RawMessage{}, j.records[first:]...))
	})
}

//export bethe_learned
func bethe_learned(handle C.bethe_handle, out *C.bethe_handle, text **C.char) C.int32_t {
	return try(text, func() error {
		j, err := of[*job](handle, "a job")
		if err != nil {
			return err
		}
		r, err := j.over()
		if err != nil {
			return err
		}
		if r.file == nil {
			return invalidf("the job has learned no machine")
		}
		m, err := machineOf(r.file)
		if err != nil {
			return fmt.Errorf("the machine that was learned: %w", err)
		}
		hand(out, m)
		return nil
	})
}
