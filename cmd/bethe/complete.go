package main

import (
	"context"
	"image/color"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"bethe/dataset"
	"bethe/evaluate"
	"bethe/figure"
	"bethe/internal/durable"
	"bethe/internal/memory"
	"bethe/internal/npy"
	"bethe/rbm"
	"bethe/spin"
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
	settledReport
}

func newCompleteCommand(c *console) *cobra.Command {
	var f completeFlags
	cmd := &cobra.Command{
		Use: "complete MODEL", Short: "Infer a part of samples from the rest", Args: oneArgument("a model file"),
		Long: `Holds some visible units at what they are in samples and infers the others, by
Gibbs sampling of the machine given those: their posterior means, and
completions drawn from the posterior. Whether the chains have settled is told by
the first 100 samples: by R-hat of the halves of all chains of a sample and of
one more that starts far from where they do. Where they have not, it says so.

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
	n := machine.Visible()
	numbers, samples, width, height, err := f.samples(n)
	if err != nil {
		return err
	}
	if file.Info.Width > 0 {
		width, height = file.Info.Width, file.Info.Height
	}
	units, err := parseRegion(f.clamp, n, width, height)
	if err != nil {
		return err
	}
	if err := memory.CheckChains(n, machine.Hidden(), float64(f.count)*float64(len(numbers)), true, "completions", f.count); err != nil {
		return tooLarge("-n", err)
	}
	bar := c.progress("completing")
	r, err := evaluate.Complete(ctx, machine, samples, units, evaluate.Restoring{
		Chains: f.count, Sweeps: f.sweeps, Key: stream.New(c.seed), Progress: func(f float64) { bar.set(f, "") },
	})
	bar.done()
	if err != nil {
		return err
	}
	given := make([]int8, n)
	for _, i := range units {
		given[i] = 1
	}
	var free []int
	for i, g := range given {
		if g == 0 {
			free = append(free, i)
		}
	}
	m := len(numbers)
	report := completeReport{path, f.from, numbers, len(units), f.count, f.sweeps, float64(r.Wrong(samples, free)) / float64(max(1, len(free)*m)), f.out, f.png, c.settled(r, f.sweeps)}
	if f.out != "" {
		arrays := append(restorationArrays(r, m, f.count, "completions"), npy.Array{Name: "given", Shape: []int{n}, Data: given})
		if err := durable.WriteFile(f.out, func(w io.Writer) error { return npy.WriteArchive(w, arrays) }); err != nil {
			return err
		}
	}
	if f.png != "" {
		img := figure.Compare(min(m, mostRows), 3+min(f.count, mostCompletions), n, width, height, func(row, column, i int) color.RGBA {
			switch {
			case column == 0 || column == 1 && given[i] == 1:
				return figure.Grey(float64(samples.At(i, row)))
			case column == 1:
				return figure.Unknown
			case column == 2:
				return figure.Grey(float64(r.Mean[i*m+row]))
			}
			return figure.Grey(float64(r.States.At(i, row*f.count+column-3)))
		})
		if err := figure.WritePNG(f.png, img); err != nil {
			return err
		}
	}
	c.printf("%d of %d units of %d samples inferred from the others; the sign of the mean is wrong for %.1f %% of them\n", len(free), n, m, 100*report.Error)
	c.printFiles(f.out, f.png)
	return c.object(report)
}

// What pictures show at most.
const (
	mostRows        = 40
	mostCompletions = 20
)

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

// restorationArrays returns the means, samples x units, and the chains' states,
// samples x chains x units.
func restorationArrays(r *evaluate.Restoration, samples, chains int, states string) []npy.Array {
	n := r.States.Rows()
	means := make([]float32, len(r.Mean))
	for i := range n {
		for a := range samples {
			means[a*n+i] = r.Mean[i*samples+a]
		}
	}
	return []npy.Array{
		{Name: "mean", Shape: []int{samples, n}, Data: means},
		{Name: states, Shape: []int{samples, chains, n}, Data: rows(r.States)},
	}
}

// rows returns the columns of s, one after another.
func rows(s *spin.Matrix) []int8 {
	across := spin.New(s.Cols(), s.Rows())
	s.Transpose(across)
	values := make([]int8, s.Rows()*s.Cols())
	spin.Values(values, across)
	return values
}

// samples returns those that --from names, and the shape of a picture.
func (f *completeFlags) samples(visible int) (numbers []int, samples *spin.Matrix, width, height int, err error) {
	cut := strings.LastIndexByte(f.from, ':')
	if cut < 0 {
		return nil, nil, 0, 0, usagef("--from %q: it must be DATA:K, the K-th sample of DATA counted from 0, such as mnist:test:3", f.from)
	}
	var set *dataset.Set
	if set, err = f.data.loadNamed(f.from[:cut]); err != nil {
		return nil, nil, 0, 0, err
	}
	if set.Visible() != visible {
		return nil, nil, 0, 0, usagef("--from %s: samples of %d spins for a model of %d visible units", f.from, set.Visible(), visible)
	}
	if numbers, err = parseList("--from", f.from[cut+1:], "sample", set.Len()); err != nil {
		return nil, nil, 0, 0, err
	}
	samples = spin.New(visible, len(numbers))
	set.Samples.Gather(samples, numbers)
	return numbers, samples, set.Width, set.Height, nil
}

// parseRegion reads units as parseUnits does, a half of a picture, or a
// rectangle of columns x rows.
func parseRegion(text string, visible, width, height int) ([]int, error) {
	half := oneOf(text, "top", "bottom", "left", "right")
	columns, lines, rectangle := strings.Cut(text, "x")
	if !half && !rectangle {
		return parseUnits(text, visible)
	}
	if width < 1 || height < 1 || width*height != visible {
		return nil, usagef("--clamp %s: the %d units are not known to be a picture; name units", text, visible)
	}
	switch text {
	case "top":
		columns, lines = span(0, width), span(0, (height+1)/2)
	case "bottom":
		columns, lines = span(0, width), span(height/2, height)
	case "left":
		columns, lines = span(0, (width+1)/2), span(0, height)
	case "right":
		columns, lines = span(width/2, width), span(0, height)
	}
	xs, err := parseList("--clamp", columns, "column", width)
	if err != nil {
		return nil, err
	}
	ys, err := parseList("--clamp", lines, "row", height)
	if err != nil {
		return nil, err
	}
	var units []int
	for _, y := range ys {
		for _, x := range xs {
			units = append(units, y*width+x)
		}
	}
	return units, nil
}

// span is the range from lo up to hi as text.
func span(lo, hi int) string { return strconv.Itoa(lo) + "-" + strconv.Itoa(hi-1) }
