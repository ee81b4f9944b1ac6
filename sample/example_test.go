package sample_test

import (
	"context"
	"fmt"

	"bethe/rbm"
	"bethe/sample"
	"bethe/spin"
	"bethe/stream"
)

// pair is a machine of two visible units and one hidden one.
func pair() *rbm.Machine {
	return &rbm.Machine{Params: rbm.NewParams(2, 1, 1), Synapses: rbm.Binary(spin.FromSigns(2, 1, []int8{1, 1}))}
}

// Ten thousand chains tell how often two visible units agree: (1+tanh(1)^2)/2.
func ExampleNewChains() {
	const n = 10000
	chains := sample.NewChains(sample.OnMachine(pair()), n, stream.New(1))
	chains.Sweep(50)
	agree := 0
	for a := range n {
		if chains.Visible.At(0, a) == chains.Visible.At(1, a) {
			agree++
		}
	}
	fmt.Printf("%.2f of the chains\n", float64(agree)/n)
	// Output: 0.79 of the chains
}

// The partition function by annealing, beside the exact one.
func ExampleAnnealedLnZ() {
	machine := pair()
	estimate, err := sample.AnnealedLnZ(context.Background(), sample.OnMachine(machine), sample.Annealing{Chains: 1000, Temperatures: 100, Key: stream.New(1)})
	if err != nil {
		fmt.Println(err)
		return
	}
	exact, err := machine.LnZ(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("ln Z %.2f, exactly %.2f\n", estimate.LnZ, exact)
	// Output: ln Z 2.95, exactly 2.95
}
