package trial_test

import (
	"context"
	"fmt"

	"bethe/stream"
	"bethe/trial"
)

// A teacher of 40 x 2 synapses shows 320 samples; a student learns from them.
func Example() {
	ctx, setup := context.Background(), trial.Setup{Visible: 40, Hidden: 2, Alpha: 8, Beta: 1}
	experiment, err := trial.Plant(ctx, setup, stream.New(3))
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := experiment.Learn(ctx, trial.DefaultLearner(setup, 3)); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("overlap with the teacher %.2f, from %d samples\n", experiment.Overlap, experiment.Data.Cols())
	// Output: overlap with the teacher 0.95, from 320 samples
}
