package main

import (
	"fmt"
	"math"
	"math/bits"

	"bethe/dataset/mnist"
	"bethe/sample"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// How covariances of pairs of pixels are measured.
const (
	covarianceChains = 2000
	temperedChains   = 128
	temperedSweeps   = 4000 // half of them are thrown away
	temperedEvery    = 50   // sweeps between the states that count
	profileSteps     = 1000
)

// covariances prints how strong covariances of pairs of pixels of the machine are beside those of the
// digits that it learned from: by chains from digits and from scattered states after more and more sweeps, and by
// tempered chains. If plain and tempered chains agree, the remaining difference is the machine's.
func (b *bench) covariances() {
	fmt.Fprint(b.w, "\n## Covariances of pairs of pixels\n\n| states | sweeps | slope on those of the training digits | correlation with them |\n|---|---|---|---|\n")
	train := mnist.Train().Samples
	data := covariancesOf(train)
	row := func(name string, sweeps int, s *spin.Matrix) {
		slope, correlation := against(covariancesOf(s), data)
		fmt.Fprintf(b.w, "| %s | %d | %.3f | %.3f |\n", name, sweeps, slope, correlation)
	}
	key := stream.New(b.seed)
	row("test digits", 0, mnist.Test().Samples)
	row("as many training digits as chains", 0, train.Choose(covarianceChains, key.Rand()))
	source := sample.OnMachine(b.machine).From(units.MeanFields(train))
	for k, start := range []struct {
		name   string
		states *spin.Matrix
	}{
		{"chains from digits", train.Choose(covarianceChains, key.Sub(1).Rand())},
		{"chains from scattered states", source.Scattered(covarianceChains, key.Sub(2))},
	} {
		chains := sample.NewChains(source, covarianceChains, key.Sub(3+uint64(k)))
		chains.StartAt(start.states)
		for _, sweeps := range []int{100, 400, 2000, 10000} {
			for chains.Sweeps < uint64(sweeps) {
				if b.err = b.ctx.Err(); b.err != nil {
					return
				}
				chains.Sweep(1)
			}
			row(start.name, sweeps, chains.Visible)
		}
	}
	profile, err := sample.MeasureProfile(b.ctx, source, sample.Measuring{Chains: temperedChains, Steps: profileSteps, Key: key.Sub(5)})
	if err != nil {
		b.err = err
		return
	}
	tempered := sample.NewTempered(source, sample.Tempering{Chains: temperedChains, Ladder: profile.ExchangeLadder(0.75), Key: key.Sub(6)})
	tempered.StartAt(source.Scattered(temperedChains, key.Sub(7)))
	met := spin.New(train.Rows(), temperedChains*temperedSweeps/2/temperedEvery)
	at := 0
	for k := range temperedSweeps {
		if b.err = b.ctx.Err(); b.err != nil {
			return
		}
		tempered.Sweep(1)
		if k < temperedSweeps/2 || k%temperedEvery != 0 {
			continue
		}
		columns := make([]int, temperedChains)
		for l := range columns {
			columns[l] = at + l
		}
		met.Put(tempered.Top().Visible, columns)
		at += temperedChains
	}
	row("tempered chains from scattered states", temperedSweeps, met)
}

// covariancesOf returns the covariances of all pairs of units of samples.
func covariancesOf(s *spin.Matrix) []float64 {
	n, count := s.Rows(), s.Cols()
	rows, means := make([][]uint64, n), make([]float64, n)
	for i := range rows {
		rows[i] = make([]uint64, (count+63)/64)
		up := 0
		for a := range count {
			if s.At(i, a) > 0 {
				rows[i][a/64] |= 1 << (a % 64)
				up++
			}
		}
		means[i] = float64(2*up-count) / float64(count)
	}
	var all []float64
	for i := range n {
		for j := range i {
			differ := 0
			for k, w := range rows[i] {
				differ += bits.OnesCount64(w ^ rows[j][k])
			}
			all = append(all, 1-2*float64(differ)/float64(count)-means[i]*means[j])
		}
	}
	return all
}

// against returns the slope of x on y through the origin, and their correlation about it.
func against(x, y []float64) (slope, correlation float64) {
	var xx, xy, yy float64
	for k := range x {
		xx, xy, yy = xx+x[k]*x[k], xy+x[k]*y[k], yy+y[k]*y[k]
	}
	return xy / yy, xy / math.Sqrt(xx*yy)
}
