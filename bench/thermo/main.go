// Command thermo measures what docs/thermodynamics.md and docs/samplers.md tell.
//
//	go run ./bench/thermo bar runs/a/model.npz runs/b/model.npz
//	go run ./bench/thermo -repeats 3 effective
//	go run ./bench/thermo -repeats 50 faults
//	go run ./bench/thermo -repeats 3 -rate 0.005 patience
//	go run ./bench/thermo -repeats 3 -hidden 500 cost
//	go run ./bench/thermo heat
//
// bar compares the error of ln Z by annealing forward, in reverse, by the mean of both and by
// BAR, on machines of at most 25 units in the smaller layer: exact starts, equal steps. effective
// learns small machines through samplers of hidden temperature, by each rule that follows it. faults
// learns through a program that fails in five ways. patience compares early stopping with a run that is not stopped. cost
// measures what the meter and the account of work take. heat has samples show that draws in blocks break the heat theorem in detail.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"os/signal"

	"bethe/planted"
	"bethe/rbm"
	"bethe/sample"
	"bethe/stream"
	"bethe/thermo"
	"bethe/units"
)

// settings are what the flags say.
type settings struct {
	seed            uint64
	repeats, chains int
	rules           string
	row             int
	hidden          int
	patience, steps int
	rate            float64
}

var experiments = map[string]func(ctx context.Context, w io.Writer, s *settings, args []string) error{
	"bar": barTable, "effective": effectiveTable, "faults": faultTable, "patience": patienceTable, "cost": costTable, "heat": heatTable, "act": act,
}

func main() {
	var s settings
	flag.Uint64Var(&s.seed, "seed", 1, "seed")
	flag.IntVar(&s.repeats, "repeats", 40, "repeats")
	flag.IntVar(&s.chains, "chains", 64, "chains each way")
	flag.StringVar(&s.rules, "rules", "", "of effective, by their names between commas (default: all)")
	flag.IntVar(&s.row, "row", 0, "of effective, from 1; 0: all")
	flag.IntVar(&s.hidden, "hidden", 100, "hidden units, of patience and cost")
	flag.IntVar(&s.steps, "steps", 2000, "steps, of cost")
	flag.IntVar(&s.patience, "patience", 5, "readings, of patience")
	flag.Float64Var(&s.rate, "rate", 0, "learning rate, of patience; 0: the default")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: thermo [flags] EXPERIMENT [ARGUMENTS]; experiments: bar MODEL..., effective, faults, patience, cost, heat")
		flag.PrintDefaults()
	}
	flag.Parse()
	run := experiments[flag.Arg(0)]
	if run == nil {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout, &s, flag.Args()[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "thermo:", err)
		os.Exit(1)
	}
}

// barTable prints bias and rms error of ln Z.
func barTable(ctx context.Context, w io.Writer, s *settings, paths []string) error {
	fmt.Fprintln(w, "| machine | temperatures | forward | reverse | mean of both | BAR | BAR / better direction |\n|---|---|---|---|---|---|---|")
	for k, path := range paths {
		file, err := rbm.Load(path)
		if err != nil {
			return err
		}
		machine := file.Machine()
		exact, err := machine.LnZ(ctx)
		if err != nil {
			return err
		}
		key := stream.New(s.seed).Sub(uint64(k))
		like, err := planted.Data(ctx, machine, 10000, key.Sub(0))
		if err != nil {
			return err
		}
		source := sample.OnMachine(machine).From(units.MeanFields(like))
		for _, temperatures := range []int{20, 60, 200} {
			var off [4][]float64
			for r := range s.repeats {
				key := key.Sub(uint64(temperatures)).Sub(uint64(r))
				a := sample.Annealing{Chains: s.chains, Temperatures: temperatures, Key: key.Sub(1)}
				forward, err := sample.AnnealedLnZ(ctx, source, a)
				if err != nil {
					return err
				}
				starts, err := planted.Data(ctx, machine, s.chains, key.Sub(2))
				if err != nil {
					return err
				}
				a.Key = key.Sub(3)
				reverse, err := sample.ReverseLnZ(ctx, source, starts, a)
				if err != nil {
					return err
				}
				bar, _ := thermo.BAR(forward.LogWeights, reverse.LogWeights)
				for j, z := range []float64{forward.LnZ, reverse.LnZ, (forward.LnZ + reverse.LnZ) / 2, bar} {
					off[j] = append(off[j], z-exact)
				}
			}
			fmt.Fprintf(w, "| %s | %d |", path, temperatures)
			var rms [4]float64
			for j, list := range off {
				mean := 0.0
				for _, d := range list {
					mean += d / float64(len(list))
					rms[j] += d * d / float64(len(list))
				}
				rms[j] = math.Sqrt(rms[j])
				fmt.Fprintf(w, " %.3f (bias %+.3f) |", rms[j], mean)
			}
			fmt.Fprintf(w, " %.2f |\n", rms[3]/min(rms[0], rms[1]))
		}
	}
	return nil
}
