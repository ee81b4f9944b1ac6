package figure

import (
	"fmt"
	"math"

	"bethe/rbm"
	"bethe/sample"
	"bethe/stream"
)

// What traces are drawn of.
const (
	traceChains = 200
	traceSweeps = 100
	mostTraces  = 20
)

// FileTraces draws samples of a machine of real numbers as curves over its columns, each column in units of its mean and deviation in the
// data, from short chains, and the mean and deviation of all chains: 0 and 1, if these are those of the data. Constant columns are left out.
func FileTraces(file *rbm.File) Chart {
	n := file.Visible()
	net := rbm.NetworkOf[float32](file.Machine())
	mean, variance, sigma := make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range n {
		variance[i], sigma[i] = 1, 1
	}
	chains := sample.NewChains(sample.OnGauss(net, mean, variance, sigma), traceChains, stream.New(0))
	chains.Sweep(traceSweeps)
	own := file.Scale.InUnitsOfDeviations(file.VisibleOwn) // ln sigma, then means
	x, values := make([]float64, n), make([][]float64, n)
	for i, k := range file.Scale.Kept() {
		x[i] = float64(k + 1)
		for _, u := range chains.Visible.Row(i) {
			values[i] = append(values[i], own[n+i]+math.Exp(own[i])*float64(u))
		}
	}
	c := &Curves{Title: "Samples of the machine", Note: fmt.Sprintf("%d of %d chains after %d sweeps, in deviations of the data", mostTraces, traceChains, traceSweeps),
		X: Axis{Label: "column"}, Y: Axis{Label: "deviations from the mean of the data"}}
	all := Series{Name: "mean and deviation of all chains", X: x, Band: true, Colour: 2}
	for i := range n {
		sum, square := 0.0, 0.0
		for _, v := range values[i] {
			sum += v / traceChains
			square += v * v / traceChains
		}
		deviation := math.Sqrt(max(0, square-sum*sum))
		all.Y, all.Low, all.High = append(all.Y, sum), append(all.Low, sum-deviation), append(all.High, sum+deviation)
	}
	c.Series = append(c.Series, all)
	for a := range mostTraces {
		y := make([]float64, n)
		for i := range y {
			y[i] = values[i][a]
		}
		one := Series{X: x, Y: y, Thin: true, Colour: 1}
		if a == 0 {
			one.Name = "a sample"
		}
		c.Series = append(c.Series, one)
	}
	return c
}
