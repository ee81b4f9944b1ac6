package main

import (
	"context"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"bethe/figure"
	"bethe/internal/durable"
	"bethe/internal/memory"
	"bethe/internal/npy"
	"bethe/rbm"
	"bethe/sample"
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
	if err := memory.CheckChains(machine.Visible(), machine.Hidden(), float64(f.count), true, "samples", f.count); err != nil {
		return tooLarge("-n", err)
	}
	if f.integers {
		return c.sampleIntegers(ctx, path, machine, f)
	}
	n := machine.Visible()
	report := sampleReport{Model: path, Samples: f.count, Sweeps: f.sweeps, Out: f.out, PNG: f.png}
	var units []int
	var held *spin.Matrix
	if f.clamp != "" {
		if units, err = parseUnits(f.clamp, n); err != nil {
			return err
		}
		if held, err = f.held(n); err != nil {
			return err
		}
		report.Clamped = len(units)
	}
	chains := sample.NewMachineChains(machine, f.count, stream.New(c.seed))
	if held != nil {
		chains.Clamp(units, held)
	}
	if f.tempered {
		tempered, err := c.temper(ctx, machine, f.count, f.sweeps, units, held)
		if err != nil {
			return err
		}
		report.Rungs = tempered.rungs
		// One more sweep, of chains that start there, shows the means.
		chains.Start(tempered.states)
		chains.Sweep(1)
	} else if err := c.sweep(ctx, "sampling", f.sweeps, func() { chains.Sweep(1) }); err != nil {
		return err
	}
	if f.out != "" {
		if err := writeSamples(f.out, chains); err != nil {
			return err
		}
		c.printf("%d samples in %s\n", f.count, f.out)
	}
	if f.png != "" {
		if err := figure.WritePNG(f.png, figure.ChainMeans(chains, file.Info.Width, file.Info.Height)); err != nil {
			return err
		}
		c.printf("%d samples drawn in %s\n", f.count, f.png)
	}
	return c.object(report)
}

// sweep does count sweeps under a progress bar. Its only error is the context's.
func (c *console) sweep(ctx context.Context, what string, count int, once func()) error {
	bar := c.progress(what)
	defer bar.done()
	for k := range count {
		if err := ctx.Err(); err != nil {
			return err
		}
		once()
		bar.set(float64(k+1)/float64(count), "")
	}
	return nil
}

// sampleRows returns samples, a column each, as an array with one in each row.
func sampleRows(samples *spin.Matrix) npy.Array {
	n, count := samples.Rows(), samples.Cols()
	across, values := spin.New(count, n), make([]int8, n*count)
	samples.Transpose(across)
	spin.Values(values, across)
	return npy.Array{Name: "samples", Shape: []int{count, n}, Data: values}
}

// held returns the sample that --from names, once for each chain.
func (f *sampleFlags) held(visible int) (*spin.Matrix, error) {
	name, index, err := splitIndex(f.from)
	if err != nil {
		return nil, err
	}
	set, err := f.data.loadNamed(name)
	if err != nil {
		return nil, err
	}
	switch {
	case index >= set.Len():
		return nil, usagef("--from %s: there are %d samples, counted from 0", f.from, set.Len())
	case set.Visible() != visible:
		return nil, usagef("--from %s: samples of %d spins for a model of %d visible units", f.from, set.Visible(), visible)
	}
	columns := make([]int, f.count)
	for k := range columns {
		columns[k] = index
	}
	held := spin.New(visible, f.count)
	set.Samples.Gather(held, columns)
	return held, nil
}

// parseUnits reads a list of units and ranges, such as 0-9,20.
func parseUnits(list string, visible int) ([]int, error) {
	units, err := parseList("--clamp", list, "unit", visible)
	slices.Sort(units)
	return slices.Compact(units), err
}

// parseList reads a list of numbers and ranges of things, counted from 0, of
// which there are count.
func parseList(flag, list, thing string, count int) ([]int, error) {
	var numbers []int
	for _, part := range strings.Split(list, ",") {
		first, last, isRange := strings.Cut(strings.TrimSpace(part), "-")
		if !isRange {
			last = first
		}
		lo, errLo := strconv.Atoi(first)
		hi, errHi := strconv.Atoi(last)
		if errLo != nil || errHi != nil || lo < 0 || hi < lo || hi >= count {
			return nil, usagef("%s %q: %q is not a %s or a range of them between 0 and %d", flag, list, part, thing, count-1)
		}
		for i := lo; i <= hi; i++ {
			numbers = append(numbers, i)
		}
	}
	return numbers, nil
}

// writeSamples writes the chains' visible states and their means, one sample a row.
func writeSamples(path string, chains *sample.Chains[float32]) error {
	n, count := chains.Visible.Rows(), chains.Visible.Cols()
	means := make([]float32, n*count)
	for i := range n {
		for a, f := range chains.VisibleFields()[i*count : (i+1)*count] {
			means[a*n+i] = float32(math.Tanh(float64(f)))
		}
	}
	return durable.WriteFile(path, func(w io.Writer) error {
		return npy.WriteArchive(w, []npy.Array{
			sampleRows(chains.Visible),
			{Name: "visible_mean", Shape: []int{count, n}, Data: means},
		})
	})
}
