package infer_test

import (
	"context"
	"fmt"

	"bethe/infer"
	"bethe/planted"
	"bethe/stream"
)

// Messages between 100 synapses and 400 samples of their machine.
func Example() {
	ctx, key := context.Background(), stream.New(1)
	teacher, err := planted.NewTeacher(100, 1, 1, 0, key.Sub(0))
	if err != nil {
		fmt.Println(err)
		return
	}
	data, err := planted.Data(ctx, teacher, 400, key.Sub(1))
	if err != nil {
		fmt.Println(err)
		return
	}
	messages, err := infer.New[float64](data, infer.DefaultOptions(1, teacher.Coupling(), key.Sub(2)))
	if err != nil {
		fmt.Println(err)
		return
	}
	result, err := messages.Run(ctx, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	right := 0
	for i, mean := range result.Mean {
		if (mean > 0) == (teacher.Signs().At(i, 0) > 0) {
			right++
		}
	}
	fmt.Println("settled:", result.Converged)
	fmt.Println("synapses found, up to the sign of all:", max(right, 100-right))
	// Output:
	// settled: true
	// synapses found, up to the sign of all: 90
}

// Where many synapses can be found at all: at beta = 1, above alpha = 1.
func ExampleLargeLimit() {
	for _, alpha := range []float64{0.9, 2, 5} {
		fmt.Printf("alpha %.1f: overlap %.2f\n", alpha, infer.LargeLimit(alpha, 1).Overlap)
	}
	// Output:
	// alpha 0.9: overlap 0.00
	// alpha 2.0: overlap 0.55
	// alpha 5.0: overlap 0.88
}
