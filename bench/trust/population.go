package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"

	"bethe/evaluate"
	"bethe/rbm"
	"bethe/sample"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// A populated estimate is one by population annealing (Hukushima and Iba 2003; Machta 2010): replicas that are
// copied and removed by their weights on the way from independent spins to a machine.
type populated struct {
	lnZ, heaviest float64
	families      int // that descend from different replicas at the base
}

// Numbers of replicas and temperatures. They cost a seventh of eval with its defaults.
const (
	replicas               = 4096
	populationTemperatures = 500
	populationPilot        = 128 // chains
)

// population anneals a population.
func population(ctx context.Context, source sample.Source[float32, *spin.Matrix, *spin.Matrix], key stream.Key) (p populated, err error) {
	profile, err := sample.MeasureProfile(ctx, source, sample.Measuring{Chains: populationPilot, Steps: populationTemperatures, Key: key.Sub(1)})
	if err != nil {
		return p, err
	}
	ladder := profile.AnnealingLadder(populationTemperatures)
	s, h := source.Base(replicas, key.Sub(2)), source.NewHidden(replicas)
	layers, rng := source.Conditionals(replicas), key.Sub(3).Rand()
	family := make([]int, replicas)
	for l := range family {
		family[l] = l
	}
	p.lnZ = source.LnZBase()
	gains, chosen := make([]float64, replicas), make([]int, replicas)
	for k := 1; k < len(ladder); k++ {
		if err := ctx.Err(); err != nil {
			return p, err
		}
		from, to := float32(ladder[k-1]), float32(ladder[k])
		layers.DrawHidden(h, s, to, key.Sub(4).Sub(uint64(k)))
		clear(gains)
		layers.AddGains(gains, s, from, to)
		sum := rbm.LogSumExp(gains)
		p.lnZ += sum - math.Log(replicas)
		next, at, u := 0, 0.0, rng.Float64()
		for l, g := range gains {
			for at += replicas * math.Exp(g-sum); next < replicas && float64(next)+u < at; next++ {
				chosen[next] = l
			}
		}
		for ; next < replicas; next++ { // rounding
			chosen[next] = replicas - 1
		}
		s, h, family = gathered(s, chosen), gathered(h, chosen), choose(family, chosen)
		layers.DrawVisible(s, h, to, key.Sub(5).Sub(uint64(k)))
	}
	weights := make([]float64, replicas)
	layers.DrawHidden(h, s, 1, key.Sub(6))
	layers.LogWeights(weights, s)
	p.heaviest = slices.Max(weights)
	slices.Sort(family)
	p.families = len(slices.Compact(family))
	return p, nil
}

func gathered(s *spin.Matrix, columns []int) *spin.Matrix {
	out := s.Blank(len(columns))
	s.Gather(out, columns)
	return out
}

func choose(x, of []int) []int {
	out := make([]int, len(of))
	for k, l := range of {
		out[k] = x[l]
	}
	return out
}

// A comparer asks of each machine of a raw file whether population annealing, from spins with the means of data and from
// fair ones, finds more weight than eval told of.
type comparer struct {
	s        *settings
	known    map[string]*record
	rows     []string
	tallies  map[string]*finds
	machines int
}

// populations compares all built machines that a raw file has.
func populations(ctx context.Context, w io.Writer, s *settings, done []*record) error {
	c := &comparer{s: s, known: map[string]*record{}, tallies: map[string]*finds{}}
	for _, r := range done {
		l := &r.Estimate
		l.Evidence = r.Evidence
		r.Evidence.Judge(l, 0, stream.Key(r.Key))
		c.known[r.Family+r.Name] = r
	}
	err := build(s.seed, s.rounds, s.only, s.among(), func(family string, make func() (*built, error)) error {
		b, err := make()
		if err != nil {
			return err
		}
		return c.compare(ctx, family, b)
	})
	c.tell(w)
	return err
}

// finds counts machines: those with more weight than reverse annealing tells, those of them of whose weight eval
// tells or a population, and those of whose weight a population tells alone.
type finds struct{ machines, off, told, found, only int }

func (c *comparer) compare(ctx context.Context, family string, b *built) error {
	r, ok := c.known[family+b.name]
	if !ok {
		return nil
	}
	c.machines++
	key := stream.New(c.s.seed).Sub(1 << 33).Sub(uint64(c.machines))
	least := math.Inf(1)
	for k, base := range [][]float64{units.MeanFields(b.samples), make([]float64, b.samples.Rows())} {
		p, err := population(ctx, sample.OnMachine(b.machine).From(base), key.Sub(uint64(k)))
		if err != nil {
			return err
		}
		least = min(least, r.Estimate.LogWeight-p.lnZ, r.Estimate.LogWeight-p.heaviest)
	}
	t := c.tallies[family]
	if t == nil {
		t = &finds{}
		c.tallies[family] = t
		c.rows = append(c.rows, family)
	}
	t.machines++
	l := &r.Estimate
	told := toldOf(l)
	reverse := *l.ReverseAIS
	if reverse-r.Exact <= wrong {
		return ctx.Err()
	}
	t.off++
	byEval, byPopulation := told < reverse-wrong, least < reverse-wrong
	if byEval {
		t.told++
	}
	if byPopulation {
		t.found++
	}
	if byPopulation && !byEval {
		t.only++
	}
	return ctx.Err()
}

// toldOf returns the least likelihood that an estimate tells of: by measured states, or a ceiling.
func toldOf(l *evaluate.LogLikelihood) float64 {
	least := min(l.Mean, *l.Ceiling, searchOf(l.Equilibrium).Ceiling)
	for _, f := range l.Equilibrium.Apart.Found {
		least = min(least, f.Likelihood)
	}
	return least
}

func (c *comparer) tell(w io.Writer) {
	fmt.Fprintln(w, "| family | machines | reverse too large by more than a nat | eval tells of the weight | a population does | it alone |\n|---|---|---|---|---|---|")
	for _, name := range c.rows {
		t := c.tallies[name]
		fmt.Fprintf(w, "| %s | %d | %d | %d | %d | %d |\n", name, t.machines, t.off, t.told, t.found, t.only)
	}
}
