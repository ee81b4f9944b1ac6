package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"bethe/dataset/source"
	"bethe/evaluate"
	"bethe/exchange"
	"bethe/figure"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// sampleFlags are what sample is told.
type sampleFlags struct {
	data   dataFlags
	count  int
	sweeps int
	out    string
	png    string
	clamp  string
	from   string

	tempered bool
	integers bool
}

// sampleReport is the JSON object of sample.
type sampleReport struct {
	Model   string `json:"model"`
	Samples int    `json:"samples"`
	Sweeps  int    `json:"sweeps"`
	Clamped int    `json:"clamped"`
	Rungs   int    `json:"temperatures,omitempty"` // of tempered chains
	Out     string `json:"out,omitempty"`
	PNG     string `json:"png,omitempty"`
}

func newSampleCommand(c *console) *cobra.Command {
	var f sampleFlags
	cmd := &cobra.Command{
		Use: "sample MODEL", Short: "Draw samples from a model", Args: oneArgument("a model file"),
		Long: `Draws samples by block Gibbs sampling of the machine that the model file holds,
from independent chains that start at random. With --clamp some
visible units are held at what they are in a given sample, and the machine
completes the rest.

With --tempered each chain is the lowest of a ladder of temperatures that exchange
states: where Gibbs sampling alone stays near where it started, as in machines
with many hidden units, samples then come from all of the distribution.

The picture shows the mean of each visible unit given the hidden ones.`,
		Example: `  bethe sample runs/m500/model.npz -n 100 --png samples.png
  bethe sample runs/m500/model.npz -n 20 --clamp 0-391 --from mnist:test:3 --png completed.png
  bethe sample runs/m500/model.npz --tempered --sweeps 500 --png samples.png
  bethe sample model.npz -n 10000 --sweeps 2000 --out samples.npz`,
		RunE: func(cmd *cobra.Command, args []string) error { return c.sample(cmd.Context(), args[0], &f) },
	}
	flags := cmd.Flags()
	flags.IntVarP(&f.count, "count", "n", 100, "samples: independent chains")
	flags.IntVar(&f.sweeps, "sweeps", 1000, "Gibbs sweeps of each chain")
	flags.StringVarP(&f.out, "out", "o", "", "npz file for the samples: samples, int8, one a row, and visible_mean, float32")
	flags.StringVar(&f.png, "png", "", "picture of the samples")
	flags.StringVar(&f.clamp, "clamp", "", "visible units to hold, counted from 0: 5 or 0-391 or 0-9,20-29")
	flags.StringVar(&f.from, "from", "", "sample that clamped units are held at: DATA:K, the K-th of DATA counted from 0")
	flags.BoolVar(&f.tempered, "tempered", false, "temper the chains (replica exchange)")
	flags.BoolVar(&f.integers, "integers", false, "draw with the integers of exported C and Go source, bit for bit; chain k starts from the seed + k")
	f.data.registerReading(cmd)
	return cmd
}

func (c *console) sample(ctx context.Context, path string, f *sampleFlags) error {
	switch {
	case f.count < 1 || f.sweeps < 1:
		return usagef("-n %d --sweeps %d: both must be at least 1", f.count, f.sweeps)
	case f.out == "" && f.png == "":
		return usagef("name a file for the samples: --out FILE.npz or --png FILE.png")
	case f.out == f.png:
		return usagef("--out and --png name the same file, %s", f.out)
	case (f.clamp == "") != (f.from == ""):
		return usagef("--clamp and --from go together: which units are held, and at which sample")
	case f.integers && (f.png != "" || f.clamp != "" || f.tempered):
		return usagef("--integers draws samples to --out, without --png, --clamp and --tempered")
	}
	file, err := rbm.Load(path)
	if err != nil {
		return err
	}
	machine := file.Machine()
	if f.integers {
		return c.sampleIntegers(ctx, path, machine, f)
	}
	report := sampleReport{Model: path, Samples: f.count, Sweeps: f.sweeps, Out: f.out, PNG: f.png}
	sampling := evaluate.Sampling{Count: f.count, Sweeps: f.sweeps, Tempered: f.tempered, Key: stream.New(c.seed)}
	if f.clamp != "" {
		if sampling.Units, err = source.Units(f.clamp, machine.Visible()); err != nil {
			return inFlag("--clamp", err)
		}
		picked, err := f.data.pick(f.from, machine.Visible())
		if err != nil {
			return err
		}
		if len(picked.Numbers) != 1 {
			return usagef("--from %s: %d samples, where units are held at one", f.from, len(picked.Numbers))
		}
		sampling.Held, report.Clamped = picked.Samples, len(sampling.Units)
	}
	samples, err := during(c, map[bool]string{false: "sampling", true: "tempering"}[f.tempered], func(progress func(float64)) (*evaluate.Samples, error) {
		sampling.Progress = progress
		return evaluate.Sample(ctx, machine, sampling)
	})
	if err != nil {
		return err
	}
	report.Rungs = samples.Temperatures
	if f.out != "" {
		if err := save(f.out, samples.Write); err != nil {
			return err
		}
		c.printf("%d samples in %s\n", f.count, f.out)
	}
	if f.png != "" {
		if err := figure.WritePNG(f.png, figure.ChainMeans(samples.Chains, file.Info.Width, file.Info.Height)); err != nil {
			return err
		}
		c.printf("%d samples drawn in %s\n", f.count, f.png)
	}
	return c.object(report)
}

// sampleIntegers draws as exported source does.
func (c *console) sampleIntegers(ctx context.Context, path string, machine *rbm.Machine, f *sampleFlags) error {
	packed, err := exchange.Pack(machine)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	samples, err := during(c, "sampling", func(progress func(float64)) (*spin.Matrix, error) {
		return packed.Sample(ctx, f.count, f.sweeps, c.seed, progress)
	})
	if err != nil {
		return err
	}
	if err := save(f.out, func(w io.Writer) error { return evaluate.WriteSamples(w, samples) }); err != nil {
		return err
	}
	c.printf("%d samples in %s\n", f.count, f.out)
	return c.object(sampleReport{Model: path, Samples: f.count, Sweeps: f.sweeps, Out: f.out})
}
