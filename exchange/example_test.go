package exchange_test

import (
	"context"
	"fmt"
	"os"

	"bethe/exchange"
	"bethe/rbm"
	"bethe/spin"
)

func machine() *rbm.Machine {
	return &rbm.Machine{Params: rbm.NewParams(2, 1, 0.5), Synapses: rbm.Binary(spin.FromSigns(2, 1, []int8{1, -1}))}
}

// The machine as an Ising problem, as dimod reads it.
func ExampleWriteIsing() {
	if err := exchange.WriteIsing(os.Stdout, machine()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// # vartype=SPIN
	// # spins 0 to 1 are visible, 2 to 2 hidden; temperature 1
	// # constant 0
	// 0 0 0
	// 1 1 0
	// 2 2 0
	// 0 2 -0.5
	// 1 2 0.5
}

// The sampler that exported C and Go sources hold: integers alone, so the same
// samples on any processor.
func ExamplePack() {
	packed, err := exchange.Pack(machine())
	if err != nil {
		fmt.Println(err)
		return
	}
	samples, err := packed.Sample(context.Background(), 4, 10, 1, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for a := range samples.Cols() {
		fmt.Printf("%+d %+d\n", samples.At(0, a), samples.At(1, a))
	}
	// Output:
	// -1 +1
	// -1 -1
	// +1 +1
	// +1 -1
}
