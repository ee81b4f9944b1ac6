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

// denoiseFlags are what denoise is told.
type denoiseFlags struct {
	data   dataFlags
	flip   float64
	noisy  bool
	count  int
	chains int
	sweeps int
	out    string
	png    string
}

// denoiseReport is the JSON object of denoise.
type denoiseReport struct {
	Model   string   `json:"model"`
	Data    string   `json:"data"`
	Samples int      `json:"samples"`
	Flip    float64  `json:"flip"`
	Chains  int      `json:"chains"`
	Sweeps  int      `json:"sweeps"`
	Before  *float64 `json:"error_before"` // share of the units that are wrong; absent where the truth is not known
	After   *float64 `json:"error_after"`
	Out     string   `json:"out,omitempty"`
	PNG     string   `json:"png,omitempty"`
}

func newDenoiseCommand(c *console) *cobra.Command {
	var f denoiseFlags
	cmd := &cobra.Command{
		Use: "denoise MODEL", Short: "Infer what noisy samples were", Args: oneArgument("a model file"),
		Long: help("denoise"),
		Example: `  bethe denoise runs/m500/model.npz --flip 0.1 --png denoised.png
  bethe denoise model.npz --data seen.npz --noisy --flip 0.05 --count 0 --out restored.npz`,
		RunE: func(cmd *cobra.Command, args []string) error { return c.denoise(cmd.Context(), args[0], &f) },
	}
	f.data.register(cmd, "mnist:test")
	flags := cmd.Flags()
	flags.Float64Var(&f.flip, "flip", 0.1, "probability with which each spin is flipped")
	flags.BoolVar(&f.noisy, "noisy", false, "the data are noisy already")
	flags.IntVarP(&f.count, "count", "n", 100, "samples to take, from the first on; 0 for all")
	flags.IntVar(&f.chains, "chains", 5, "chains of each sample")
	flags.IntVar(&f.sweeps, "sweeps", 150, "Gibbs sweeps of each chain")
	flags.StringVarP(&f.out, "out", "o", "", "npz file: seen and restored, int8, and mean, float32, one sample a row")
	flags.StringVar(&f.png, "png", "", "picture: each sample, its noisy version, the mean, its sign")
	return cmd
}

func (c *console) denoise(ctx context.Context, path string, f *denoiseFlags) error {
	switch {
	case !(f.flip > 0 && f.flip < 0.5):
		return usagef("--flip %v: it must lie between 0 and 0.5", f.flip)
	case f.count < 0 || f.chains < 1 || f.sweeps < 1:
		return usagef("-n %d --chains %d --sweeps %d: chains and sweeps must be at least 1, and the samples not negative", f.count, f.chains, f.sweeps)
	}
	if f.out != "" || f.png != "" {
		if err := outputs(f.out, f.png); err != nil {
			return err
		}
	}
	file, err := rbm.Load(path)
	if err != nil {
		return err
	}
	machine := file.Machine()
	set, err := f.data.load()
	if err != nil {
		return err
	}
	if err := source.Fits(set, machine.Visible()); err != nil {
		return usagef("%s: %w", f.data.name, err)
	}
	if f.count > 0 {
		set = set.Head(min(f.count, set.Len()))
	}
	r, err := during(c, "denoising", func(progress func(float64)) (*evaluate.Mended, error) {
		return evaluate.Mend(ctx, machine, set.Samples, f.flip, f.noisy, stream.New(c.seed), evaluate.Restoring{Chains: f.chains, Sweeps: f.sweeps, Progress: progress})
	})
	if err != nil {
		return err
	}
	report := denoiseReport{path, f.data.name, set.Len(), f.flip, f.chains, f.sweeps, r.Before, r.After, f.out, f.png}
	if f.noisy {
		c.printf("%d samples restored; %.2f %% of their spins change\n", set.Len(), 100*r.Changed)
	} else {
		c.printf("%d samples of %s: %.2f %% of their spins were wrong, %.2f %% are after\n", set.Len(), f.data.name, 100**r.Before, 100**r.After)
	}
	if err := save(f.out, r.Write); err != nil {
		return err
	}
	truth := set.Samples
	if f.noisy {
		truth = nil
	}
	if err := savePNG(f.png, func() image.Image {
		return figure.Restorations(truth, r.Seen, r.Mean, r.Restored, set.Width, set.Height)
	}); err != nil {
		return err
	}
	c.printFiles(f.out, f.png)
	return c.object(report)
}
