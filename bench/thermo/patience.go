package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"

	"bethe/dataset"
	"bethe/dataset/mnist"
	"bethe/learn"
	"bethe/runs"
)

// patienceTable learns 1,000 training digits with patience, judged by 1,000 others, and again for twice as long without stopping:
// how far the best reading of the first run is from the best of the second, and what settling makes of it.
func patienceTable(ctx context.Context, w io.Writer, s *settings, _ []string) error {
	folder, err := os.MkdirTemp("", "bethe-patience")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	fmt.Fprintln(w, "| seed | best step | best reading | stopped after | best reading of a run twice as long | at step | difference | shipped, after settling | test digits |\n|---|---|---|---|---|---|---|---|---|")
	for k := range s.repeats {
		seed := s.seed + uint64(k)
		once := func(name string, patience, steps int) (*learn.Result, []runs.Record, error) {
			out := filepath.Join(folder, strconv.Itoa(k)+name)
			result, err := s.patientRun(ctx, out, seed, patience, steps)
			if err != nil {
				return nil, nil, err
			}
			records, err := runs.ReadRecords(out)
			return result, records, err
		}
		stopped, records, err := once("stopped", s.patience, 0)
		if err != nil {
			return err
		}
		p := stopped.Patience
		_, all, err := once("long", math.MaxInt32, int(math.Ceil(2*float64(p.Stopped)/(1-learn.DefaultSettle))))
		if err != nil {
			return err
		}
		early, long := searched(records), searched(all)
		best := runs.Record{}
		for j, r := range long {
			if j < len(early) && *r.Meter.Validation != *early[j].Meter.Validation {
				return fmt.Errorf("seed %d: the runs differ at step %d", seed, r.Step)
			}
			if best.Meter == nil || r.Meter.Validation.Value > best.Meter.Validation.Value {
				best = r
			}
		}
		value := func(e *runs.Estimate) string { return fmt.Sprintf("%.2f ± %.2f", e.Value, (e.High-e.Low)/2) }
		fmt.Fprintf(w, "| %d | %d | %s | %d | %s | %d | %.2f | %.2f | %.2f |\n", seed, p.Best, value(&p.Estimate), p.Stopped, value(best.Meter.Validation), best.Step,
			best.Meter.Validation.Value-p.Estimate.Value, stopped.Validation.Mean(), stopped.LogLikelihood.Mean)
	}
	return nil
}

// patientRun learns in a folder.
func (s *settings) patientRun(ctx context.Context, out string, seed uint64, patience, steps int) (*learn.Result, error) {
	r := learn.Default()
	r.Hidden, r.Patience, r.Steps = s.hidden, patience, steps
	r.Suit()
	if s.rate > 0 {
		r.Rate = s.rate
	}
	some := func(from, to int) *dataset.Set {
		var list []int
		for a := from; a < to; a++ {
			list = append(list, a)
		}
		return mnist.Train().Subset(list)
	}
	job := learn.Job{Data: learn.Data{Set: some(0, 1000), Name: "mnist:train:0-999"}, Validation: learn.Data{Set: some(1000, 2000), Name: "mnist:train:1000-1999"},
		Seed: seed, Folder: out, Meter: true}
	if patience == s.patience {
		job.Evaluation = learn.Evaluation{Asked: true, Data: learn.Data{Set: mnist.Test(), Name: "mnist:test"}}
	}
	run, err := learn.Start(r, job)
	if err != nil {
		return nil, err
	}
	result, err := run.Run(ctx)
	return result, errors.Join(err, run.Close())
}

// searched returns the records of readings while learning searched.
func searched(records []runs.Record) (readings []runs.Record) {
	for _, r := range records {
		if r.Meter != nil && r.Meter.Averaged > 0 && r.Meter.Validation != nil {
			readings = append(readings, r)
		}
	}
	return readings
}
