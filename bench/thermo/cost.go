package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"bethe/dataset/mnist"
	"bethe/learn"
)

// costTable learns digits with the meter, with the work of the chains, and without, in turns, and compares what they take.
func costTable(ctx context.Context, w io.Writer, s *settings, _ []string) error {
	sides := []struct {
		name string
		job  learn.Job
	}{{"plain", learn.Job{}}, {"meter", learn.Job{Meter: true}}, {"work", learn.Job{Work: true}}}
	took := make([][]float64, len(sides))
	for k := range s.repeats {
		for j, side := range sides {
			r := learn.Default()
			r.Hidden, r.Steps, r.Estep = s.hidden, s.steps, "chains"
			r.Suit()
			job := side.job
			job.Data, job.Seed = learn.Data{Set: mnist.Train(), Name: "mnist"}, s.seed+uint64(k)
			run, err := learn.Start(r, job)
			if err != nil {
				return err
			}
			before := spent()
			if _, err := run.Run(ctx); err != nil {
				return err
			}
			took[j] = append(took[j], float64(spent()-before)/float64(time.Second))
			if err := run.Close(); err != nil {
				return err
			}
		}
	}
	median := func(list []float64) float64 {
		list = slices.Sorted(slices.Values(list))
		return (list[(len(list)-1)/2] + list[len(list)/2]) / 2
	}
	fmt.Fprintf(w, "%d hidden units, %d steps, %s, %d times in turns\n\n| | seconds, median | more than plain |\n|---|---|---|\n", s.hidden, s.steps, timeIs, s.repeats)
	for j, side := range sides {
		var more []float64
		for k, v := range took[j] {
			more = append(more, 100*(v/took[0][k]-1))
		}
		fmt.Fprintf(w, "| %s | %.1f | %.0f %% (%.0f to %.0f) |\n", side.name, median(took[j]), median(more), slices.Min(more), slices.Max(more))
	}
	return nil
}
