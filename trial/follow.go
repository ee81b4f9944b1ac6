package trial

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"bethe/anatomy"
	"bethe/internal/durable"
	"bethe/rbm"
	"bethe/runs"
)

// magnetisationBins is the number of bins of posterior means in a record.
const magnetisationBins = 40

// A FolderError says that a folder holds a run already.
type FolderError struct{ Folder, File string }

func (e *FolderError) Error() string {
	return fmt.Sprintf("%s holds a run already (%s)", e.Folder, e.File)
}

// A Following says how the first start of a student is followed up the bound into a
// run folder, for figures and pages.
type Following struct {
	Folder  string
	Program string // that made the run: name and version
	Command string // that made it, for a shell: runs.Info
	// Draw draws the synapses of the model that the start ended at.
	Draw     func(path string, f *rbm.File) error
	Progress Progress
}

// Follow follows the first start of a trial of a report and writes it as a run
// folder, with the report as its result. The error is a *FolderError if the folder
// holds a run, the context's, or that of learning or of a file.
func (f *Following) Follow(ctx context.Context, x *Trial, l *Learner, report *Report) error {
	if err := os.MkdirAll(f.Folder, 0o755); err != nil {
		return err
	}
	lock, err := durable.LockFolder(f.Folder)
	if err != nil {
		return err
	}
	defer func() { _ = lock.Release() }() // the process's end releases it too
	entries, err := os.ReadDir(f.Folder)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if slices.Contains([]string{runs.InfoFile, runs.MetricsFile, runs.ModelFile, runs.ResultFile, runs.CheckpointFile}, e.Name()) {
			return &FolderError{f.Folder, e.Name()}
		}
	}
	info := runs.Info{Verb: runs.Planted, Program: f.Program, Command: f.Command, Data: "planted", Samples: report.Samples, Visible: report.Visible, Hidden: report.Hidden,
		Seed: report.Seed, Settings: map[string]any{"alpha": report.Alpha, "beta": report.Beta, "correlation": report.Correlation, "rate": l.Rate, "steps": l.Steps},
		Began: time.Now().UTC().Truncate(time.Second)}
	if err := runs.WriteInfo(f.Folder, info); err != nil {
		return err
	}
	began := time.Now()
	trace, err := x.Watch(ctx, "following", l, f.Progress)
	if err != nil {
		return err
	}
	if err := f.record(ctx, x, l, report, trace, time.Since(began).Seconds()); err != nil {
		return err
	}
	file := &rbm.File{Params: trace.Model.Params, Synapses: rbm.Learned(trace.Model.Posterior.Sign(), trace.Model.Posterior), Info: rbm.Info{Program: f.Program, Seed: report.Seed, Data: "planted",
		Samples: report.Samples, Steps: l.Steps, Settings: info.Settings}}
	if err := file.Save(filepath.Join(f.Folder, runs.ModelFile)); err != nil {
		return err
	}
	if err := f.Draw(filepath.Join(f.Folder, runs.SynapsesFile), file); err != nil {
		return err
	}
	text, err := json.Marshal(report)
	if err != nil {
		return err
	}
	return durable.WriteFile(filepath.Join(f.Folder, runs.ResultFile), func(w io.Writer) error {
		_, err := w.Write(append(text, '\n'))
		return err
	})
}

// record writes the points of a trace as records, as if each step took as long.
func (f *Following) record(ctx context.Context, x *Trial, l *Learner, report *Report, trace *Trace, seconds float64) error {
	log, _, err := runs.OpenLog(f.Folder, -1, 0)
	if err != nil {
		return err
	}
	defer log.Close()
	for k := range trace.Points {
		p := &trace.Points[k]
		fraction := float64(p.Step) / float64(l.Steps)
		r := runs.Record{Step: p.Step, Epoch: float64(p.Step), Seconds: seconds * fraction, Fraction: fraction, Rate: runs.Number(math.NaN()), Coupling: runs.Number(x.Teacher.Coupling()),
			Polarised: runs.Number(p.Polarised), KL: runs.Number(p.KL * float64(report.Samples) / float64(report.Visible*report.Hidden)),
			Bound:           &runs.Bound{Value: runs.Number(p.Bound()), Data: runs.Number(p.Data), Partition: runs.Number(p.Partition), KL: runs.Number(p.KL), By: report.Engine},
			TeacherOverlaps: runs.Numbers(p.Units)}
		if !math.IsNaN(p.Pair) {
			r.Overlap = &runs.Overlap{Mean: runs.Number(p.Pair), Max: runs.Number(p.LargestPair)}
		}
		if k == len(trace.Points)-1 {
			mean := make([]float32, len(trace.Model.Posterior.Theta))
			trace.Model.Posterior.Mean(mean)
			r.Magnetisations = anatomy.Magnetisations(mean, magnetisationBins)
			if values, err := anatomy.SingularValues(ctx, mean, report.Hidden); err == nil {
				r.SingularValues = runs.Numbers(values)
			}
		}
		if err := log.Append(r); err != nil {
			return fmt.Errorf("the record of the run cannot be written: %w", err)
		}
	}
	return nil
}

// Every returns after how many steps a trace measures: about a hundred times where the
// moments of the dual network are sums, else twenty times.
func (t *Trial) Every(l *Learner) int {
	if min(t.Setup.Visible, t.Setup.Hidden) <= 16 {
		return max(1, l.Steps/100)
	}
	return max(1, l.Steps/20)
}

// Watch is Trace with the points that Every suggests.
func (t *Trial) Watch(ctx context.Context, stage string, l *Learner, progress Progress) (*Trace, error) {
	return t.Trace(ctx, l, t.Every(l), stepsOf(stage, l, progress))
}

// stepsOf tells steps as progress of a stage.
func stepsOf(stage string, l *Learner, progress Progress) func(step int) {
	progress(stage, 0, "")
	return func(step int) { progress(stage, float64(step)/float64(l.Steps), "") }
}
