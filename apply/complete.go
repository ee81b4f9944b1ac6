package apply

import (
	"context"
	"image"

	"bethe/dataset/source"
	"bethe/evaluate"
	"bethe/figure"
	"bethe/rbm"
	"bethe/setting"
	"bethe/spin"
	"bethe/stream"
)

// Completing infers a part of samples from the rest (evaluate.CompleteKnown).
type Completing struct {
	Job
	From  string // DATA:LIST of samples, or DATA
	Clamp string // given units: a source.Region
	// Truth names data of the same samples with fewer missing values: filled values are compared with them; empty for From. It serves
	// samples with missing values (Job.Data says what stands for those) and units other than spins.
	Truth  string
	Count  int // completions of each sample: independent chains
	Sweeps int // of each chain
	Files
}

// A CompletionReport is what a completion found.
type CompletionReport struct {
	Model       string  `json:"model"`
	From        string  `json:"from"`
	Samples     []int   `json:"samples"` // their numbers in the data
	Clamped     int     `json:"clamped"`
	Completions int     `json:"completions"` // of each sample
	Sweeps      int     `json:"sweeps"`
	Error       float64 `json:"error"` // share of the inferred units whose mean has another sign than the sample
	Files
	Settling
	Filled   *Filled `json:"filled,omitempty"` // where values are missing, or units are no spins
	Visible  int     `json:"-"`                // units of a sample
	Inferred int     `json:"-"`                // of these
}

// Run completes, and writes the files: arrays as evaluate.Completion.Write does, and a
// picture as figure.Completions does; where values are missing, or units are no spins, filled values and their
// probabilities. The error is a *setting.Error, the context's, that
// of the model or the data, or of a file that cannot be written.
func (c *Completing) Run(ctx context.Context) (*CompletionReport, error) {
	if c.From == "" || c.Clamp == "" && !c.fills() {
		return nil, setting.Phrase("from", "name what to complete and what is given: {from DATA:K} {clamp UNITS}")
	}
	if err := setting.AtLeastOne("both must be at least 1", setting.Count{Name: "count", Value: c.Count}, setting.Count{Name: "sweeps", Value: c.Sweeps}); err != nil {
		return nil, err
	}
	if err := c.neededOrSequences("result"); err != nil && (!c.fills() || c.Truth == "" && c.Clamp == "") {
		return nil, err
	}
	m, err := able[completes](&c.Job, "complete", c.Out, c.PNG)
	if err != nil {
		return nil, err
	}
	return m.complete(ctx, c)
}

func (file layered) complete(ctx context.Context, c *Completing) (*CompletionReport, error) {
	if c.fills() {
		return fill(ctx, file.File, c)
	}
	if c.Truth != "" {
		return nil, setting.Errorf("truth", c.Truth, "it is of data with missing values: say what stands for them with {missing}")
	}
	machine := file.Machine()
	return c.spins(ctx, file.about(), machine.Layers().Data(), []*rbm.Machine{machine}, func(ctx context.Context, samples *spin.Matrix, units []int, r evaluate.Restoring) (*evaluate.Completion, error) {
		return evaluate.CompleteKnown(ctx, machine, samples, units, r)
	})
}

// spins completes samples of n visible spins by a model that was made so, whose chains are on machines.
func (c *Completing) spins(ctx context.Context, about *rbm.Info, n int, machines []*rbm.Machine,
	infer func(ctx context.Context, samples *spin.Matrix, units []int, r evaluate.Restoring) (*evaluate.Completion, error)) (*CompletionReport, error) {
	picked, err := c.Data.Pick("from", c.From, n)
	if err != nil {
		return nil, err
	}
	width, height := shape(about, picked.Width, picked.Height)
	units, err := source.Region("clamp", c.Clamp, n, width, height)
	if err != nil {
		return nil, err
	}
	for _, machine := range machines {
		if err := (count{"count", c.Count}).fits(machine, len(picked.Numbers), "completions", true); err != nil {
			return nil, err
		}
	}
	r, err := infer(ctx, picked.Samples, units, evaluate.Restoring{Chains: c.Count, Sweeps: c.Sweeps, Key: stream.New(c.Seed), Progress: c.progress("completing")})
	if err != nil {
		return nil, err
	}
	report := &CompletionReport{c.Model, c.From, picked.Numbers, len(units), c.Count, c.Sweeps, r.Error, c.Files, settling(r.SpinRestoration), nil, n, len(r.Free)}
	return report, c.write(r.Write, func() image.Image {
		return figure.Completions(picked.Samples, r.Given, r.Mean, r.States, width, height)
	})
}
