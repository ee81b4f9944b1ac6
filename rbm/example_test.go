package rbm_test

import (
	"context"
	"fmt"
	"math"

	"bethe/rbm"
	"bethe/spin"
)

// A machine of three visible units that one hidden unit holds together: all up
// or all down is the most probable.
func Example() {
	machine := &rbm.Machine{Params: rbm.NewParams(3, 1, 1), Synapses: rbm.Binary(spin.FromSigns(3, 1, []int8{1, 1, 1}))}
	lnZ, err := machine.LnZ(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	states := spin.FromSigns(3, 2, []int8{
		1, 1,
		1, -1,
		1, 1,
	})
	for a, f := range machine.FreeEnergy(states) {
		fmt.Printf("state %d has probability %.4f\n", a, math.Exp(-f-lnZ))
	}
	// Output:
	// state 0 has probability 0.3425
	// state 1 has probability 0.0525
}

// Two synapses: the data decided one of them.
func ExamplePosterior() {
	q := rbm.NewPosterior[float64](1, 2)
	q.Theta[0] = 3
	mean := make([]float64, 2)
	q.Mean(mean)
	fmt.Printf("means %.3f, divergence from the prior %.3f nats, entropy %.3f nats\n", mean, q.KL(), q.Entropy())
	// Output: means [0.995 0.000], divergence from the prior 0.676 nats, entropy 0.710 nats
}
