package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"sort"
	"strings"

	"bethe/dataset"
	"bethe/learn"
	"bethe/rbm"
	"bethe/sampler"
	"bethe/spin"
	"bethe/stream"
	"bethe/thermo"
)

// A drift is the inverse temperature of a sampler, from 0 to 1 of learning.
type drift struct {
	name string
	beta func(u float64) float64
}

var drifts = []drift{
	{"0.4", func(float64) float64 { return 0.4 }}, {"1", func(float64) float64 { return 1 }}, {"3", func(float64) float64 { return 3 }},
	{"0.4 rising to 3", func(u float64) float64 { return 0.4 * math.Pow(3/0.4, u) }},
	{"wave, 0.43 to 2.85, three periods", func(u float64) float64 { return 1.1 * math.Exp(0.95*math.Sin(6*math.Pi*u)) }},
}

// A cryostat is a sampler of small machines, exact but for its temperature and its noise.
type cryostat struct {
	beta  func(u float64) float64
	noise float64 // of each coefficient, as a share of the largest coupling
	steps int
	key   stream.Key
	calls int
}

// Sample implements sampler.Sampler.
func (c *cryostat) Sample(ctx context.Context, p *sampler.Problem, reads int, _ uint32) (sampler.Samples, error) {
	if err := ctx.Err(); err != nil {
		return sampler.Samples{}, err
	}
	key := c.key.Sub(uint64(c.calls))
	rng := key.Sub(1).Rand()
	one := *p
	one.Scale = 1
	net := thermo.Scaled(one.Network(), c.beta(float64(c.calls)/float64(c.steps)))
	c.calls++
	top := 0.0
	for _, v := range net.Coupling {
		top = max(top, math.Abs(v))
	}
	for _, list := range [][]float64{net.Coupling, net.VisibleField, net.HiddenField} {
		for k := range list {
			list[k] += c.noise * top * rng.NormFloat64()
		}
	}
	return draw(net, reads, key), nil
}

// Close implements sampler.Sampler.
func (*cryostat) Close() error { return nil }

// draw draws independent samples of a small network.
func draw(net *rbm.Network[float64], reads int, key stream.Key) sampler.Samples {
	cumulated := thermo.Enumerate(net).Probabilities()
	for k := 1; k < len(cumulated); k++ {
		cumulated[k] += cumulated[k-1]
	}
	rng := key.Sub(2).Rand()
	s := sampler.Samples{Visible: spin.New(net.Visible(), reads), Hidden: spin.New(net.Hidden(), reads)}
	for a := range reads {
		k := min(len(cumulated)-1, sort.SearchFloat64s(cumulated, rng.Float64()))
		for i := range net.Visible() {
			s.Visible.Set(i, a, int8(2*(k>>i&1)-1))
		}
	}
	fields := make([]float64, net.Hidden()*reads)
	net.HiddenFields(fields, s.Visible)
	spin.Draw(s.Hidden, fields, key.Sub(3))
	return s
}

// Sizes and steps of the experiment.
const (
	effectiveVisible, effectiveHidden, effectiveTeacher = 12, 5, 3
	effectiveSteps, effectiveReads                      = 600, 500
)

// An effectiveRule is a way to believe in a temperature; known is a sampler that is told.
type effectiveRule struct {
	name, word string
	known      bool
}

// effectiveTable learns machines through samplers of hidden temperature.
func effectiveTable(ctx context.Context, w io.Writer, s *settings, _ []string) error {
	all := []effectiveRule{{"none", "1", false}, {"Xu-Oates 0.005", "xu-oates:0.005", false}, {"Xu-Oates 0.02", "xu-oates:0.02", false}, {"Xu-Oates 0.1", "xu-oates:0.1", false},
		{"auto", "auto", false}, {"known", "1", true}}
	var rules []effectiveRule
	for _, r := range all {
		if s.rules == "" || slices.Contains(strings.Split(s.rules, ","), r.name) {
			rules = append(rules, r)
		}
	}
	fmt.Fprint(w, "| inverse temperature | noise |")
	for _, r := range rules {
		fmt.Fprintf(w, " %s |", r.name)
	}
	fmt.Fprintf(w, " largest difference of auto from known |\n|---|---|%s---|\n", strings.Repeat("---|", len(rules)))
	row := 0
	for _, noise := range []float64{0, 0.05} {
		for _, d := range drifts {
			if row++; s.row > 0 && s.row != row {
				continue
			}
			fmt.Fprintf(w, "| %s | %g %% |", d.name, 100*noise)
			values := map[string][]float64{}
			for _, r := range rules {
				var list []float64
				mean := 0.0
				for k := range s.repeats {
					beta := d.beta
					if r.known {
						beta = func(float64) float64 { return 1 }
					}
					l, err := effectiveRun(ctx, r.word, beta, noise, s.seed+uint64(k))
					if err != nil {
						return err
					}
					list = append(list, l)
					mean += l / float64(s.repeats)
				}
				values[r.name] = list
				fmt.Fprintf(w, " %.3f |", mean)
			}
			worst := 0.0
			for k, l := range values["known"] {
				if auto := values["auto"]; auto != nil {
					worst = max(worst, math.Abs(l-auto[k]))
				}
			}
			fmt.Fprintf(w, " %.4f |\n", worst)
		}
	}
	return nil
}

// teacherOf returns the machine that the data of a seed are drawn from.
func teacherOf(seed uint64) *rbm.Network[float64] {
	teacher := rbm.NewNetwork[float64](effectiveVisible, effectiveTeacher)
	rng := stream.New(seed).Sub(4).Rand()
	for k := range teacher.Coupling {
		teacher.Coupling[k] = 0.55 * float64(2*rng.IntN(2)-1)
	}
	for i := range teacher.VisibleField {
		teacher.VisibleField[i] = 0.2 * rng.NormFloat64()
	}
	return teacher
}

// effectiveRun returns the exact expected log-likelihood, under the teacher, of a machine learned through a sampler.
func effectiveRun(ctx context.Context, word string, beta func(float64) float64, noise float64, seed uint64) (float64, error) {
	key, teacher := stream.New(seed), teacherOf(seed)
	data := draw(teacher, 2000, key.Sub(5)).Visible
	r := learn.Default()
	r.Hidden, r.Synapses, r.Batch, r.Steps, r.Chains, r.Sampler, r.SamplerBeta = effectiveHidden, "real", data.Cols(), effectiveSteps, effectiveReads, "cryostat", word
	r.Suit()
	run, err := learn.Start(r, learn.Job{Data: learn.Data{Set: &dataset.Set{Samples: data}, Name: "teacher"}, Seed: seed,
		Sampler: &cryostat{beta: beta, noise: noise, steps: effectiveSteps, key: key.Sub(6)}})
	if err != nil {
		return 0, err
	}
	if _, err := run.Run(ctx); err != nil {
		return 0, err
	}
	file, err := run.File()
	if err != nil {
		return 0, err
	}
	student := thermo.Enumerate(rbm.NetworkOf[float64](file.Machine()))
	mean := 0.0
	for k, p := range thermo.Enumerate(teacher).Probabilities() {
		mean += p * (student.LogWeights[k] - student.LnZ)
	}
	return mean, run.Close()
}
