// Command likelihood shows how the estimates of a machine's log-likelihood
// converge: with the temperatures of annealing, and with the sweeps of the
// tempered chains that reverse annealing starts from.
//
//	bethe train --hidden 500 --out runs/m500
//	go run ./bench/likelihood runs/m500/model.npz
//
// It prints the tables of docs/likelihood.md; a machine with 500 hidden units
// takes about three minutes on two idle cores. Two tables are printed only if they are asked for:
//
//	go run ./bench/likelihood -only agreement MODEL.npz
//	go run ./bench/likelihood -only covariances MODEL.npz
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"time"

	"bethe/dataset/mnist"
	"bethe/evaluate"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

func main() {
	seed := flag.Uint64("seed", 1, "seed of the estimates")
	only := flag.String("only", "", "one table alone: temperatures, equilibration, agreement or covariances")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: likelihood [-seed N] [-only TABLE] MODEL.npz")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() != 1 || !slices.Contains([]string{"", "temperatures", "equilibration", "agreement", "covariances"}, *only) {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout, flag.Arg(0), *only, *seed); err != nil {
		fmt.Fprintln(os.Stderr, "likelihood:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, w io.Writer, path, only string, seed uint64) error {
	file, err := rbm.Load(path)
	if err != nil {
		return err
	}
	b := &bench{ctx: ctx, w: w, machine: file.Machine(), samples: mnist.Test().Samples, seed: seed}
	if only == "" || only == "temperatures" {
		b.head("Temperatures", "temperatures")
		for _, temperatures := range []int{300, 1000, 3000, 10000, 30000} {
			b.row(temperatures, evaluate.Options{Temperatures: temperatures, Equilibration: 1000})
		}
	}
	if only == "" || only == "equilibration" {
		b.head("Equilibration", "sweeps")
		for _, sweeps := range []int{40, 200, 1000, 4000} {
			b.row(sweeps, evaluate.Options{Temperatures: 3000, Equilibration: sweeps})
		}
	}
	if only == "agreement" { // of the defaults with other temperatures and seeds
		b.head("Agreement", "temperatures")
		for _, temperatures := range []int{3500, evaluate.DefaultTemperatures, 100000} {
			for b.seed = seed; b.seed < seed+3; b.seed++ {
				b.row(temperatures, evaluate.Options{Temperatures: temperatures, Equilibration: evaluate.DefaultEquilibration})
			}
		}
	}
	if only == "covariances" {
		b.covariances()
	}
	return b.err
}

// A bench prints rows until one fails.
type bench struct {
	ctx     context.Context
	w       io.Writer
	machine *rbm.Machine
	samples *spin.Matrix
	seed    uint64
	err     error
}

func (b *bench) head(title, column string) {
	fmt.Fprintf(b.w, "\n## %s\n\n", title)
	fmt.Fprintf(b.w, "| %s | forward | spread | reverse | spread | gap | from data (RAISE) | tempered | starts differ by | autocorrelation | no disagreement seen | seconds |\n", column)
	fmt.Fprintln(b.w, "|---|---|---|---|---|---|---|---|---|---|---|---|")
}

func (b *bench) row(value int, opt evaluate.Options) {
	if b.err != nil {
		return
	}
	opt.Chains, opt.Anneal, opt.Key = evaluate.DefaultChains, true, stream.New(b.seed)
	begin := time.Now()
	l, err := evaluate.Likelihood(b.ctx, evaluate.OnMachine(b.machine), b.samples, opt)
	if err != nil {
		b.err = err
		return
	}
	interval := func(value float64, in *evaluate.Interval) string {
		return fmt.Sprintf("%.2f (%.2f to %.2f)", value, in[0], in[1])
	}
	q := l.Equilibrium
	fmt.Fprintf(b.w, "| %d | %s | %.2f | %s | %.2f | %.2f | %s | %s | %.2f ± %.2f | %.0f | %v | %.0f |\n", value,
		interval(*l.ForwardAIS, l.ForwardInterval), l.Spread, interval(*l.ReverseAIS, l.ReverseInterval), l.ReverseSpread, *l.Gap,
		interval(*l.RAISE, l.RAISEInterval), interval(*l.Tempered, l.TemperedInterval),
		q.StartDifference, q.StartDifferenceError, q.Autocorrelation, q.Reached, time.Since(begin).Seconds())
}
