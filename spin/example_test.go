package spin_test

import (
	"fmt"

	"bethe/spin"
)

// Three samples of two spins, and what a unit with real synapses sees of each.
func Example() {
	samples := spin.FromSigns(2, 3, []int8{
		1, 1, -1, // spin 0 in samples 0, 1 and 2
		1, -1, -1, // spin 1
	})
	fields := make([]float64, 3)
	spin.Mul(fields, []float64{0.5, 2}, 1, samples)
	fmt.Println(fields)
	// Output: [2.5 -1.5 -2.5]
}
