package evaluate

import (
	"context"
	"slices"
	"testing"
	"time"

	"bethe/internal/contexttest"
	"bethe/internal/kernel"
	"bethe/stream"
)

// inputs returns real inputs and their labels, of three classes.
func inputs(samples, features int) (x []float32, labels []int) {
	rng := stream.New(1).Rand()
	for a := range samples {
		labels = append(labels, a%3)
		for i := range features {
			v := rng.Float32()
			if i%3 == a%3 {
				v += 0.2
			}
			x = append(x, v)
		}
	}
	return x, labels
}

// Wherever its context ends, a fit returns the context's error.
func TestFitInterrupted(t *testing.T) {
	x, labels := inputs(3000, 5)
	contexttest.EveryLook(t, "a fit", 7, func(ctx context.Context) error {
		_, err := FitClassifier(ctx, RealInputs(x, 5), labels, Fitting{L2: []float64{1e-4, 1e-2}, HeldOut: 0.2, Key: stream.New(2)})
		return err
	}, func() {})
}

// A fit of many features gives up within 0.1 s.
func TestFitGivesUp(t *testing.T) {
	const features = 600
	x, labels := inputs(4000, features)
	contexttest.GivesUp(t, "a fit", 5*time.Millisecond, func(ctx context.Context) error {
		_, err := FitClassifier(ctx, RealInputs(x, features), labels, Fitting{L2: []float64{1e-4}})
		return err
	})
}

// Products of the features, a stripe at a time, are the bytes of one product of all.
func TestMomentsByStripes(t *testing.T) {
	const samples, features = 300, 2*stripe + 7
	x, _ := inputs(samples, features)
	_, products, err := RealInputs(x, features).Moments(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	whole := make([]float32, features*features)
	kernel.MulReal(whole, x, x, features, samples, features, true, false)
	want := make([]float64, features*features)
	addTo(want, [][]float32{whole})
	scale(want, 1.0/samples)
	if !slices.Equal(products, want) {
		t.Error("other products by stripes")
	}
}
