package main

import (
	"context"
	"image/color"
	"io"

	"github.com/spf13/cobra"

	"bethe/evaluate"
	"bethe/figure"
	"bethe/internal/durable"
	"bethe/internal/memory"
	"bethe/internal/npy"
	"bethe/rbm"
	"bethe/spin"
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
	settledReport
}

// Labels of the random streams of denoise.
const (
	streamNoise = iota
	streamDenoise
)

func newDenoiseCommand(c *console) *cobra.Command {
	var f denoiseFlags
	cmd := &cobra.Command{
		Use: "denoise MODEL", Short: "Infer what noisy samples were", Args: oneArgument("a model file"),
		Long: `Flips each spin of samples with probability --flip, infers from that alone what
they were, and says how many spins are wrong before and after. With --noisy the
data are noisy already, and nothing is flipped.

The inference is exact Bayes with the machine as the prior: noise is a field
ln((1-flip)/flip)/2 along what was seen, in which the visible units are sampled.
The answer for each spin is the sign of its posterior mean, which errs least.

The picture has a row for each sample: the sample, its noisy version, the
posterior mean, its sign.`,
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
	if set.Visible() != machine.Visible() {
		return usagef("%s: samples of %d spins for a model of %d visible units", f.data.name, set.Visible(), machine.Visible())
	}
	if f.count > 0 {
		set = set.Head(min(f.count, set.Len()))
	}
	n, m := set.Visible(), set.Len()
	if err := memory.CheckChains(n, machine.Hidden(), float64(f.chains)*float64(m), false, "chains", f.chains); err != nil {
		return tooLarge("--chains", err)
	}
	key := stream.New(c.seed)
	seen := set.Samples.Clone()
	if !f.noisy {
		evaluate.Flip(seen, f.flip, key.Sub(streamNoise))
	}
	bar := c.progress("denoising")
	r, err := evaluate.Denoise(ctx, machine, seen, f.flip, evaluate.Restoring{
		Chains: f.chains, Sweeps: f.sweeps, Key: key.Sub(streamDenoise), Progress: func(f float64) { bar.set(f, "") },
	})
	bar.done()
	if err != nil {
		return err
	}
	restored := spin.FromSigns(n, m, r.Mean)
	report := denoiseReport{Model: path, Data: f.data.name, Samples: m, Flip: f.flip, Chains: f.chains, Sweeps: f.sweeps, Out: f.out, PNG: f.png,
		settledReport: c.settled(r, f.sweeps)}
	if f.noisy {
		c.printf("%d samples restored; %.2f %% of their spins change\n", m, 100*shareWrong(seen, restored))
	} else {
		before, after := shareWrong(set.Samples, seen), shareWrong(set.Samples, restored)
		report.Before, report.After = &before, &after
		c.printf("%d samples of %s: %.2f %% of their spins were wrong, %.2f %% are after\n", m, f.data.name, 100*before, 100*after)
	}
	if f.out != "" {
		arrays := []npy.Array{restorationArrays(r, m, f.chains, "")[0],
			{Name: "seen", Shape: []int{m, n}, Data: rows(seen)}, {Name: "restored", Shape: []int{m, n}, Data: rows(restored)}}
		if err := durable.WriteFile(f.out, func(w io.Writer) error { return npy.WriteArchive(w, arrays) }); err != nil {
			return err
		}
	}
	if f.png != "" {
		shown := []func(i, a int) float64{
			func(i, a int) float64 { return float64(set.Samples.At(i, a)) },
			func(i, a int) float64 { return float64(seen.At(i, a)) },
			func(i, a int) float64 { return float64(r.Mean[i*m+a]) },
			func(i, a int) float64 { return float64(restored.At(i, a)) },
		}
		if f.noisy {
			shown = shown[1:]
		}
		img := figure.Compare(min(m, mostRows), len(shown), n, set.Width, set.Height, func(row, column, i int) color.RGBA {
			return figure.Grey(shown[column](i, row))
		})
		if err := figure.WritePNG(f.png, img); err != nil {
			return err
		}
	}
	c.printFiles(f.out, f.png)
	return c.object(report)
}

// shareWrong returns the share of the spins in which two matrices differ.
func shareWrong(a, b *spin.Matrix) float64 {
	x, y := rows(a), rows(b)
	count := 0
	for k, v := range x {
		if v != y[k] {
			count++
		}
	}
	return float64(count) / float64(len(x))
}
