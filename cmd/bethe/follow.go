package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"time"

	"bethe/anatomy"
	"bethe/figure"
	"bethe/internal/durable"
	"bethe/learn"
	"bethe/rbm"
	"bethe/runs"
	"bethe/trial"
)

// follow follows the first start of a student up the bound and writes it as a
// run folder, for plot and serve.
func (c *console) follow(ctx context.Context, folder string, x *trial.Trial, l *trial.Learner, report *plantedReport) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	lock, err := durable.LockFolder(folder)
	if err != nil {
		return err
	}
	defer func() { _ = lock.Release() }() // the process's end releases it too
	if entries, err := os.ReadDir(folder); err != nil {
		return err
	} else if len(runFilesOf(entries)) > 0 {
		return usagef("%s holds a run already (%s): choose another --out", folder, runFilesOf(entries)[0])
	}
	info := runs.Info{Verb: "planted", Program: program(), Data: "planted", Samples: report.Samples, Visible: report.Visible, Hidden: report.Hidden,
		Seed: report.Seed, Settings: map[string]any{"alpha": report.Alpha, "beta": report.Beta, "correlation": report.Correlation, "rate": l.Rate, "steps": l.Steps},
		Began: time.Now().UTC().Truncate(time.Second)}
	if err := runs.WriteInfo(folder, info); err != nil {
		return err
	}
	began := time.Now()
	trace, err := c.trace(ctx, "following", x, l)
	if err != nil {
		return err
	}
	seconds := time.Since(began).Seconds()
	log, _, err := runs.OpenLog(folder, -1, 0)
	if err != nil {
		return err
	}
	defer log.Close()
	for k := range trace.Points {
		p := &trace.Points[k]
		fraction := float64(p.Step) / float64(l.Steps)
		r := runs.Record{Step: p.Step, Epoch: float64(p.Step), Seconds: seconds * fraction, Fraction: fraction, Rate: runs.Number(math.NaN()), Coupling: runs.Number(x.Teacher.Coupling()),
			Polarised: runs.Number(p.Polarised), KL: runs.Number(p.KL * float64(report.Samples) / float64(report.Visible*report.Hidden)),
			Bound: learn.RecordedBound(p.Terms, report.Engine), TeacherOverlaps: runs.Numbers(p.Units)}
		if !math.IsNaN(p.Pair) {
			r.Overlap = &runs.Overlap{Mean: runs.Number(p.Pair), Max: runs.Number(p.LargestPair)}
		}
		if k == len(trace.Points)-1 {
			mean := make([]float32, len(trace.Model.Posterior.Theta))
			trace.Model.Posterior.Mean(mean)
			r.Magnetisations = anatomy.Magnetisations(mean, learn.MagnetisationBins)
			if values, err := anatomy.SingularValues(mean, report.Hidden); err == nil {
				r.SingularValues = runs.Numbers(values)
			}
		}
		if err := log.Append(r); err != nil {
			return fmt.Errorf("the record of the run cannot be written: %w", err)
		}
	}
	file := &rbm.File{Params: trace.Model.Params, Synapses: rbm.Learned(trace.Model.Posterior.Sign(), trace.Model.Posterior), Info: rbm.Info{Program: program(), Seed: report.Seed, Data: "planted",
		Samples: report.Samples, Steps: l.Steps, Settings: info.Settings}}
	if err := file.Save(filepath.Join(folder, runs.ModelFile)); err != nil {
		return err
	}
	if err := figure.WritePNG(filepath.Join(folder, runs.SynapsesFile), figure.FileSynapses(file)); err != nil {
		return err
	}
	text, err := json.Marshal(report)
	if err != nil {
		return err
	}
	return durable.WriteFile(filepath.Join(folder, runs.ResultFile), writeAll(append(text, '\n')))
}

// runFilesOf names the entries that only a run folder has.
func runFilesOf(entries []os.DirEntry) []string {
	var names []string
	for _, e := range entries {
		if oneOf(e.Name(), runs.InfoFile, runs.MetricsFile, runs.ModelFile, runs.ResultFile, runs.CheckpointFile) {
			names = append(names, e.Name())
		}
	}
	return names
}
