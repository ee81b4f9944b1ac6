package main

import (
	"context"
	"image"

	"github.com/spf13/cobra"

	"bethe/dataset/source"
	"bethe/evaluate"
	"bethe/figure"
	"bethe/rbm"
	"bethe/stream"
)

// completeFlags are what complete is told.
type completeFlags struct {
	data   dataFlags
	from   string
	clamp  string
	count  int
	sweeps int
	out    string
	png    string
}

// completeReport is the JSON object of complete.
type completeReport struct {
	Model       string  `json:"model"`
	From        string  `json:"from"`
	Samples     []int   `json:"samples"` // their numbers in the data
	Clamped     int     `json:"clamped"`
	Completions int     `json:"completions"` // of each sample
	Sweeps      int     `json:"sweeps"`
	Error       float64 `json:"error"` // share of the inferred units whose mean has another sign than the sample
	Out         string  `json:"out,omitempty"`
	PNG         string  `json:"png,omitempty"`
}

func newCompleteCommand(c *console) *cobra.Command {
	var f completeFlags
	cmd := &cobra.Command{
		Use: "complete MODEL", Short: "Infer a part of samples from the rest", Args: oneArgument("a model file"),
		Long: `Holds some visible units at what they are in samples and infers the others, by
Gibbs sampling of the machine given those: their posterior means, and
completions drawn from the posterior.

The picture has a row for each sample: the sample, what was given of it (what was
not is blue), the posterior mean, completions.`,
		Example: `  bethe complete runs/m500/model.npz --from mnist:test:0-9 --clamp top --png completed.png
  bethe complete runs/m500/model.npz --from mnist:test:3,18 --clamp 0-13x0-27 -n 8 --out completed.npz
  bethe complete model.npz --from held-out.csv:0 --clamp 0-5,9 --out completed.npz`,
		RunE: func(cmd *cobra.Command, args []string) error { return c.complete(cmd.Context(), args[0], &f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.from, "from", "", "samples to complete: DATA:K, the K-th of DATA counted from 0, or several, such as mnist:test:0-4,9")
	flags.StringVar(&f.clamp, "clamp", "", "what is given: top, bottom, left or right (a half), units counted from 0 (0-9,20), or a rectangle, columns x rows (0-13x0-27)")
	flags.IntVarP(&f.count, "count", "n", 5, "completions of each sample: independent chains")
	flags.IntVar(&f.sweeps, "sweeps", 500, "Gibbs sweeps of each chain")
	flags.StringVarP(&f.out, "out", "o", "", "npz file: mean, float32, one sample a row; completions, int8, samples x completions x units; given, int8, 1 where a unit was")
	flags.StringVar(&f.png, "png", "", "picture: each sample, what was given, the mean, completions")
	f.data.registerReading(cmd)
	return cmd
}

func (c *console) complete(ctx context.Context, path string, f *completeFlags) error {
	switch {
	case f.from == "" || f.clamp == "":
		return usagef("name what to complete and what is given: --from DATA:K --clamp UNITS")
	case f.count < 1 || f.sweeps < 1:
		return usagef("-n %d --sweeps %d: both must be at least 1", f.count, f.sweeps)
	}
	if err := outputs(f.out, f.png); err != nil {
		return err
	}
	file, err := rbm.Load(path)
	if err != nil {
		return err
	}
	machine := file.Machine()
	picked, err := f.data.pick(f.from, machine.Visible())
	if err != nil {
		return err
	}
	if file.Info.Width > 0 {
		picked.Width, picked.Height = file.Info.Width, file.Info.Height
	}
	units, err := source.Region(f.clamp, machine.Visible(), picked.Width, picked.Height)
	if err != nil {
		return inFlag("--clamp", err)
	}
	r, err := during(c, "completing", func(progress func(float64)) (*evaluate.Completion, error) {
		return evaluate.CompleteKnown(ctx, machine, picked.Samples, units, evaluate.Restoring{Chains: f.count, Sweeps: f.sweeps, Key: stream.New(c.seed), Progress: progress})
	})
	if err != nil {
		return err
	}
	if err := save(f.out, r.Write); err != nil {
		return err
	}
	if err := savePNG(f.png, func() image.Image {
		return figure.Completions(picked.Samples, r.Given, r.Mean, r.States, picked.Width, picked.Height)
	}); err != nil {
		return err
	}
	c.printf("%d of %d units of %d samples inferred from the others; the sign of the mean is wrong for %.1f %% of them\n", len(r.Free), machine.Visible(), len(picked.Numbers), 100*r.Error)
	c.printFiles(f.out, f.png)
	return c.object(completeReport{path, f.from, picked.Numbers, len(units), f.count, f.sweeps, r.Error, f.out, f.png})
}

// outputs checks the files that a verb writes.
func outputs(out, png string) error {
	switch {
	case out == "" && png == "":
		return usagef("name a file for the result: --out FILE.npz or --png FILE.png")
	case out == png:
		return usagef("--out and --png name the same file, %s", out)
	}
	return nil
}

// printFiles names the files written.
func (c *console) printFiles(names ...string) {
	for _, name := range names {
		if name != "" {
			c.printf("%s\n", name)
		}
	}
}
