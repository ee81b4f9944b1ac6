package bethe_test

import (
	"context"
	"fmt"
	"log"

	"bethe"
)

func Example() {
	ctx, recipe := context.Background(), bethe.Default()
	recipe.Hidden, recipe.Batch, recipe.Steps = 30, 100, 3000
	data := bethe.Must(bethe.Read("bars.csv"))
	model := bethe.Must(bethe.Fit(ctx, data, recipe))
	fmt.Println(bethe.Must(model.LogLikelihood(ctx, data)))
	if err := bethe.Save("samples.npz", bethe.Must(model.Sample(ctx, 100))); err != nil {
		log.Fatal(err)
	}
	// Output: -3.86 nats per sample (-4.08 to -3.64)
}
