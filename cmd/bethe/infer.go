package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"slices"
	"sync"

	"github.com/spf13/cobra"

	"bethe/figure"
	"bethe/infer"
	"bethe/planted"
	"bethe/spin"
	"bethe/stream"
	"bethe/trial"
)

// inferFlags are what infer is told.
type inferFlags struct {
	setup      trial.Setup
	alphas     []float64
	instances  int
	starts     int
	damping    float64
	tolerance  float64
	iterations int
	pin        bool
	oracle     bool
	out        string
}

// inferPoint is what messages found at one data density: means over instances.
type inferPoint struct {
	Alpha   float64 `json:"alpha"`
	Samples int     `json:"samples"`
	Overlap float64 `json:"overlap"` // of the signs of the means
	Spread  float64 `json:"overlap_spread"`
	OfMeans float64 `json:"overlap_of_means"`
	// In machines of infinitely many units; only where hidden units are not correlated.
	OverlapLarge    *float64 `json:"overlap_large_limit,omitempty"`
	IterationsLarge *int     `json:"iterations_large_limit,omitempty"`
	Entropy         float64  `json:"entropy_per_synapse"` // nats
	Evidence        float64  `json:"evidence_per_sample"` // ln P(D)/M, nats
	Iterations      float64  `json:"iterations"`          // median over instances, of the first start
	Settled         int      `json:"settled"`             // instances whose messages did
	Growth          float64  `json:"growth"`              // of a small change in an iteration; mean
	GrowthMax       float64  `json:"growth_max"`          // over instances
	// With --oracle: the Bayes optimum by Monte Carlo, and how far messages' means are from its.
	Bayes      *float64 `json:"bayes_overlap,omitempty"`
	MarginalBy *float64 `json:"means_off_rms,omitempty"`
	MarginalAt *float64 `json:"means_off_largest_rms,omitempty"` // of the worst instance
	Seconds    float64  `json:"seconds"`
}

// inferReport is the JSON object of infer.
type inferReport struct {
	Visible     int          `json:"visible"`
	Hidden      int          `json:"hidden"`
	Beta        float64      `json:"beta"`
	Correlation float64      `json:"correlation"`
	Instances   int          `json:"instances"`
	Seed        uint64       `json:"seed"`
	Transition  float64      `json:"transition"` // alpha_c = beta^-4
	Points      []inferPoint `json:"points"`
	Files       []string     `json:"files,omitempty"`
}

func newInferCommand(c *console) *cobra.Command {
	var f inferFlags
	cmd := &cobra.Command{
		Use: "infer", Short: "Pass messages on the posterior over planted synapses", Args: noArguments,
		Long: `Draws teachers with one or two hidden units and data from them, as planted does,
and passes messages on the posterior over their synapses itself (belief
propagation), for each of several data densities alpha. It tells the overlap
with the teacher, the entropy of the synapses that remain candidates, how many
iterations messages took to settle, and how much a small change of them grows in
an iteration (below 1: stable).

Learning becomes possible at alpha = beta^-4, and takes longest there: easy, hard,
easy. For hidden units that are not correlated the overlap of infinitely many
visible units is given beside it. --oracle compares the means of the synapses
with those of a Monte Carlo walk through the exact posterior. -o writes the
figure and its numbers.`,
		Example: `  bethe infer
  bethe infer --visible 1000 --alpha 0.5,0.8,1,1.2,1.5,2,3,4 -o figs
  bethe infer --visible 100 --hidden 2 --alpha 3,5 --oracle --json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(); err != nil {
				return err
			}
			return c.infer(cmd.Context(), &f)
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&f.setup.Visible, "visible", 200, "visible units N")
	flags.IntVar(&f.setup.Hidden, "hidden", 1, "hidden units P, 1 or 2")
	flags.Float64SliceVar(&f.alphas, "alpha", []float64{0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 3, 4, 5}, "samples a visible unit, one or more: M = alpha N")
	flags.Float64Var(&f.setup.Beta, "beta", 1, "coupling J = beta/sqrt N of the teacher, known to the learner")
	flags.Float64Var(&f.setup.Correlation, "correlation", 0, "correlation q between the synapses of hidden units")
	flags.IntVar(&f.instances, "instances", 5, "teachers for each alpha")
	flags.IntVar(&f.starts, "restarts", 1, "random starts, of which the one with the most evidence is kept")
	flags.Float64Var(&f.damping, "damping", 0.2, "share of the old message that is kept")
	flags.Float64Var(&f.tolerance, "tolerance", 1e-5, "messages have settled when no mean changes more")
	flags.IntVar(&f.iterations, "iterations", 1000, "iterations at most")
	flags.BoolVar(&f.pin, "pin", false, "fix the synapses of the first visible unit to +1, which breaks the symmetry of signs")
	flags.BoolVar(&f.oracle, "oracle", false, "also walk through the exact posterior and compare the means")
	flags.StringVarP(&f.out, "out", "o", "", "folder for the figure and its numbers")
	return cmd
}

func (f *inferFlags) check() error {
	if len(f.alphas) == 0 {
		return usagef("--alpha needs at least one density")
	}
	for _, alpha := range f.alphas {
		f.setup.Alpha = alpha
		if err := f.setup.Validate(); err != nil {
			return usagef("--%w", err)
		}
	}
	switch {
	case f.setup.Hidden > infer.MaxHidden:
		return usagef("--hidden %d: messages on the posterior are for 1 or %d hidden units", f.setup.Hidden, infer.MaxHidden)
	case f.instances < 1 || f.starts < 1 || f.iterations < 1:
		return usagef("--instances %d --restarts %d --iterations %d: each must be at least 1", f.instances, f.starts, f.iterations)
	case !(f.damping >= 0 && f.damping < 1):
		return usagef("--damping %v: it must be at least 0 and below 1", f.damping)
	case !(f.tolerance > 0) || math.IsInf(f.tolerance, 0):
		return usagef("--tolerance %v: it must be positive and finite", f.tolerance)
	}
	_, err := infer.New[float32](spin.New(f.setup.Visible, 1), f.options(0)) // the coupling's range
	if err != nil {
		return usagef("--beta %v: %w", f.setup.Beta, err)
	}
	return nil
}

func (f *inferFlags) options(key stream.Key) infer.Options {
	opt := infer.DefaultOptions(f.setup.Hidden, f.setup.Beta/math.Sqrt(float64(f.setup.Visible)), key)
	opt.Pin, opt.Damping, opt.Tolerance, opt.MaxIterations = f.pin, f.damping, f.tolerance, f.iterations
	return opt
}

// inferred is what messages found in one instance.
type inferred struct {
	*infer.Result
	iterations       int // of the first start
	overlap, ofMeans float64
	bayes, off       float64 // off: root mean square distance of the means from Monte Carlo's
}

// Labels of the random streams of an instance, below the key of its trial.
const (
	inferStarts = 100 + iota
	inferOracle
)

func (c *console) infer(ctx context.Context, f *inferFlags) error {
	r := &inferReport{Visible: f.setup.Visible, Hidden: f.setup.Hidden, Beta: f.setup.Beta, Correlation: f.setup.Correlation,
		Instances: f.instances, Seed: c.seed, Transition: math.Pow(f.setup.Beta, -4)}
	c.printf("N = %d, P = %d, beta = %g, q = %g: %d instances each; transition at alpha = %.3g\n",
		r.Visible, r.Hidden, r.Beta, r.Correlation, f.instances, r.Transition)
	c.printf("%6s %8s %8s %8s %8s %10s %8s %7s", "alpha", "overlap", "spread", "N=inf", "entropy", "iterations", "settled", "growth")
	if f.oracle {
		c.printf(" %8s %8s", "Bayes", "means by")
	}
	c.printf("\n")
	for k, alpha := range f.alphas {
		point, err := c.inferAt(ctx, f, alpha, stream.New(c.seed).Sub(uint64(k)))
		if err != nil {
			return err
		}
		r.Points = append(r.Points, *point)
		large := "-"
		if point.OverlapLarge != nil {
			large = fmt.Sprintf("%.3f", *point.OverlapLarge)
		}
		c.printf("%6g %8.3f %8.3f %8s %8.3f %10.0f %5d/%d %8.3f", alpha, point.Overlap, point.Spread, large, point.Entropy, point.Iterations, point.Settled, f.instances, point.Growth)
		if f.oracle {
			c.printf(" %8.3f %8.3f", *point.Bayes, *point.MarginalBy)
		}
		c.printf("\n")
	}
	if f.out != "" {
		if err := os.MkdirAll(f.out, 0o755); err != nil {
			return err
		}
		var err error
		if r.Files, err = saveFigure(f.out, "infer", r.figure(), r.table()); err != nil {
			return err
		}
		for _, name := range r.Files {
			c.printf("%s\n", name)
		}
	}
	return c.object(r)
}

// inferAt infers all instances at one data density.
func (c *console) inferAt(ctx context.Context, f *inferFlags, alpha float64, key stream.Key) (*inferPoint, error) {
	setup := f.setup
	setup.Alpha = alpha
	found := make([]inferred, f.instances)
	work := func(k int) error {
		x, err := trial.Plant(ctx, setup, key.Sub(uint64(k)))
		if err == nil {
			err = f.one(ctx, &found[k], x, key.Sub(uint64(k)))
		}
		return err
	}
	if large := setup.Visible*setup.Samples() > 1<<20; large { // one at a time, on all threads, as memory is what counts
		var one sync.Mutex
		all := work
		work = func(k int) error {
			one.Lock()
			defer one.Unlock()
			return all(k)
		}
	}
	seconds, err := c.each(fmt.Sprintf("alpha %g", alpha), f.instances, work)
	if err != nil {
		return nil, err
	}
	p := &inferPoint{Alpha: alpha, Samples: setup.Samples(), Seconds: seconds}
	share := 1 / float64(f.instances)
	var iterations []int
	var bayes, square, worst float64
	for _, x := range found {
		p.Overlap += share * x.overlap
		p.OfMeans += share * x.ofMeans
		p.Entropy += share * x.Entropy / float64(setup.Visible*setup.Hidden)
		p.Evidence += share * x.Evidence / float64(p.Samples)
		p.Growth += share * x.Growth
		p.GrowthMax = max(p.GrowthMax, x.Growth)
		iterations = append(iterations, x.iterations)
		if x.Converged {
			p.Settled++
		}
		bayes += share * x.bayes
		square += share * x.off * x.off
		worst = max(worst, x.off)
	}
	for _, x := range found {
		p.Spread += share * (x.overlap - p.Overlap) * (x.overlap - p.Overlap)
	}
	p.Spread = math.Sqrt(p.Spread)
	slices.Sort(iterations)
	p.Iterations = float64(iterations[len(iterations)/2]+iterations[(len(iterations)-1)/2]) / 2
	if setup.Correlation == 0 {
		large := infer.LargeLimit(alpha, setup.Beta)
		p.OverlapLarge, p.IterationsLarge = &large.Overlap, &large.Iterations
	}
	if f.oracle {
		off := math.Sqrt(square)
		p.Bayes, p.MarginalBy, p.MarginalAt = &bayes, &off, &worst
	}
	return p, nil
}

// one infers the synapses of a trial from all starts.
func (f *inferFlags) one(ctx context.Context, found *inferred, x *trial.Trial, key stream.Key) error {
	for k := range f.starts {
		messages, err := infer.New[float32](x.Data, f.options(key.Sub(inferStarts).Sub(uint64(k))))
		if err != nil {
			return err
		}
		r, err := messages.Run(ctx, nil)
		if err != nil {
			return err
		}
		if k == 0 {
			found.iterations = r.Iterations
		}
		if found.Result == nil || r.Evidence > found.Evidence {
			found.Result = r
		}
	}
	n, p := x.Setup.Visible, x.Setup.Hidden
	signs := spin.New(n, p)
	spin.FromSigns(p, n, found.Mean).Transpose(signs)
	found.overlap = planted.Match(signs, x.Teacher.Signs()).Mean()
	match := planted.MatchMean(found.Mean, x.Teacher.Signs())
	found.ofMeans = match.Mean()
	if !f.oracle {
		return nil
	}
	y, err := planted.NewYardstick(ctx, x.Teacher, x.Data, planted.DefaultSchedule, key.Sub(inferOracle))
	if err != nil {
		return err
	}
	found.bayes = y.FromTeacher.Overlap.Mean()
	mine := match.Ordered(found.Mean)
	var square float64
	for k, v := range y.FromTeacher.MeanOverlap.Ordered(y.FromTeacher.Mean) {
		square += (v - mine[k]) * (v - mine[k])
	}
	found.off = math.Sqrt(square / float64(n*p))
	return nil
}

func (r *inferReport) table() *table {
	t := &table{columns: []string{"alpha", "samples", "overlap", "overlap_spread", "overlap_of_means", "overlap_large_limit", "entropy_per_synapse", "evidence_per_sample",
		"iterations", "iterations_large_limit", "settled", "growth", "growth_max", "bayes_overlap", "means_off_rms"}}
	or := func(x *float64) float64 {
		if x == nil {
			return math.NaN()
		}
		return *x
	}
	for _, p := range r.Points {
		large := math.NaN()
		if p.IterationsLarge != nil {
			large = float64(*p.IterationsLarge)
		}
		t.add(p.Alpha, p.Samples, p.Overlap, p.Spread, p.OfMeans, or(p.OverlapLarge), p.Entropy, p.Evidence,
			p.Iterations, large, p.Settled, p.Growth, p.GrowthMax, or(p.Bayes), or(p.MarginalBy))
	}
	return t
}

// figure draws overlap, entropy, iterations and growth against alpha.
func (r *inferReport) figure() figure.Chart {
	var alpha, overlap, low, high, entropy, iterations, growth, bayes []float64
	for _, p := range r.Points {
		alpha, overlap = append(alpha, p.Alpha), append(overlap, p.Overlap)
		low, high = append(low, p.Overlap-p.Spread), append(high, p.Overlap+p.Spread)
		entropy, iterations, growth = append(entropy, p.Entropy), append(iterations, p.Iterations), append(growth, p.Growth)
		if p.Bayes != nil {
			bayes = append(bayes, *p.Bayes)
		}
	}
	first, last := slices.Min(alpha), slices.Max(alpha)
	x := figure.Axis{Label: "data density α"}
	line := func(low, high float64) figure.Series { return guide("transition", r.Transition, low, high) }
	curve := func(title, y string, values []float64, more ...figure.Series) *figure.Curves {
		f := &figure.Curves{Title: title, X: x, Y: figure.Axis{Label: y}, Series: []figure.Series{{Name: "messages", X: alpha, Y: values}}}
		f.Series = append(f.Series, more...)
		return f
	}
	overlaps := curve("Overlap with the teacher", "overlap", overlap)
	overlaps.Series[0].Low, overlaps.Series[0].High = low, high
	times := curve("Time to settle", "iterations", iterations)
	if r.Correlation == 0 {
		var fine, large, steps []float64
		for k := range 200 {
			a := first + (last-first)*float64(k)/199
			l := infer.LargeLimit(a, r.Beta)
			fine, large, steps = append(fine, a), append(large, l.Overlap), append(steps, float64(l.Iterations))
		}
		overlaps.Series = append(overlaps.Series, figure.Series{Name: "N = ∞", Colour: 2, X: fine, Y: large})
		times.Series = append(times.Series, figure.Series{Name: "N = ∞", Colour: 2, X: fine, Y: steps})
	}
	if len(bayes) == len(alpha) {
		overlaps.Series = append(overlaps.Series, figure.Series{Name: "Bayes optimum", Colour: 3, X: alpha, Y: bayes, Points: true})
	}
	overlaps.Y.Min, overlaps.Y.Max = 0, 1
	overlaps.Series = append(overlaps.Series, line(0, 1))
	times.Y.Log = true
	times.Series = append(times.Series, line(10, 1000))
	return &figure.Panels{
		Title:   fmt.Sprintf("Messages on the posterior: N = %d, P = %d, β = %g, %d teachers each", r.Visible, r.Hidden, r.Beta, r.Instances),
		Columns: 2,
		Charts: []figure.Chart{overlaps, times,
			curve("Entropy of the candidates", "nats a synapse", entropy, line(0, math.Ln2)),
			curve("Growth of a small change in an iteration", "factor", growth, line(0, 1.1))},
	}
}
