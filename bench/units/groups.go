package main

import (
	"context"
	"fmt"
	"slices"

	"bethe/dataset/mnist"
	"bethe/dual"
	"bethe/rbm"
	"bethe/stream"
	"bethe/units"
	"bethe/variational"
)

// groupCost prints what a step of learning costs with hidden groups, against hidden spins of the same
// number of features: 784 visible spins, batches of 500, 500 chains, one sweep. Processor time is counted, and
// steps of all machines alternate, so that what else the computer does slows all of them; ratios are medians.
func groupCost(ctx context.Context) error {
	const features, steps = 120, 30
	words := []string{"spin", "group:2", "group:4", "group:10", "group:30", "group?:4"}
	times := make([][]float64, len(words))
	trainers := make([]*variational.Trainer[float32], len(words))
	samples := mnist.Train().Samples
	for k, word := range words {
		kind, err := units.ParseKind(word)
		if err != nil {
			return err
		}
		data := units.NewFeatures[float32](samples, units.Kind{})
		start := variational.Initial{Hidden: features, Coupling: 0.05, Fields: true, Centre: true, Deviation: 0.3, Key: stream.New(1)}
		model, err := variational.NewKindModel(start, data, units.Kind{}, kind)
		if err != nil {
			return err
		}
		engine := &dual.Chains[float32]{Count: 500, Sweeps: 1, Key: stream.New(2)}
		opt := variational.Options{Steps: 1 << 20, Batch: 500, Rate: 0.02, FinalRate: 1, FieldRate: 1, CouplingRate: 0.1, OffsetRate: 0.01, MaxTheta: 4, Key: stream.New(3)}
		if trainers[k], err = variational.NewTrainer(model, data, dual.TermFor(rbm.BinaryKind, dual.Engine[float32](engine)), variational.HiddenOf[float32](kind), opt); err != nil {
			return err
		}
	}
	for range steps {
		for k, t := range trainers {
			began := spent()
			once, cancel := context.WithCancel(ctx)
			err := t.Run(once, func(variational.Progress) error { cancel(); return nil })
			cancel()
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil && once.Err() == nil {
				return err
			}
			times[k] = append(times[k], spent()-began)
		}
	}
	median := func(x []float64) float64 {
		x = slices.Sorted(slices.Values(x))
		return x[len(x)/2]
	}
	fmt.Printf("784 x %d features, batch 500, 500 chains: processor seconds a step, and the median ratio to spins\n", features)
	for k, word := range words {
		ratios := make([]float64, steps)
		for s := range ratios {
			ratios[s] = times[k][s] / times[0][s]
		}
		fmt.Printf("  %-9s %.4f  %.2f\n", word, median(times[k]), median(ratios))
	}
	return nil
}
