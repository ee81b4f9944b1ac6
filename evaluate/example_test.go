package evaluate_test

import (
	"context"
	"fmt"

	"bethe/evaluate"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// The log-likelihood of two samples: exact, as the machine is small.
func ExampleLikelihood() {
	machine := &rbm.Machine{Params: rbm.NewParams(3, 1, 1), Synapses: rbm.Binary(spin.FromSigns(3, 1, []int8{1, 1, 1}))}
	samples := spin.FromSigns(3, 2, []int8{
		1, -1,
		1, -1,
		1, 1,
	})
	l, err := evaluate.Likelihood(context.Background(), evaluate.OnMachine(machine), samples, evaluate.Options{Key: stream.New(1)})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.4f nats per sample, exact: %v\n", l.Mean, l.Exact)
	// Output: -2.0092 nats per sample, exact: true
}

// What belongs to the first two units? The machine fills in the third.
func ExampleComplete() {
	machine := &rbm.Machine{Params: rbm.NewParams(3, 1, 2), Synapses: rbm.Binary(spin.FromSigns(3, 1, []int8{1, 1, 1}))}
	given := spin.FromSigns(3, 2, []int8{
		1, -1,
		1, -1,
		-1, -1, // of no account
	})
	done, err := evaluate.Complete(context.Background(), evaluate.OnMachine(machine), given, []int{0, 1}, evaluate.Restoring{Chains: 20, Sweeps: 100, Key: stream.New(1)})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("means of the third: %.2f\n", done.Mean[4:])
	// Output: means of the third: [0.96 -0.96]
}
