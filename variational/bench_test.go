package variational

import (
	"context"
	"fmt"
	"testing"

	"bethe/dual"
	"bethe/spin"
	"bethe/stream"
)

// BenchmarkStep is a training step at the size of docs/performance.md: 784
// visible units, 500 samples and 500 chains, one sweep. With -cpuprofile it
// tells where the time goes and the share of the products (kernel.MulBits).
func BenchmarkStep(b *testing.B) {
	key := stream.New(1)
	samples := spin.Random(784, 5000, key.Rand())
	for _, hidden := range []int{100, 500} {
		for _, centre := range []bool{true, false} {
			b.Run(fmt.Sprintf("784x%d/centred=%v", hidden, centre), func(b *testing.B) {
				model := NewModel[float32](Initial{Hidden: hidden, Coupling: 0.05, Fields: true, Centre: centre, Deviation: 0.3, Key: key.Sub(1)}, samples)
				chains := &dual.Chains[float32]{Count: 500, Sweeps: 1, Key: key.Sub(2)}
				opt := Options{Steps: 1 << 40, Batch: 500, Rate: 0.01, FieldRate: 1, CouplingRate: 0.5, MaxTheta: 4, Key: key.Sub(3)}
				if centre {
					opt.OffsetRate = 0.01
				}
				trainer, err := NewTrainer(model, spinsOf(model, samples), &dual.Annealed[float32]{Engine: chains}, Mixture[float32]{}, opt)
				if err != nil {
					b.Fatal(err)
				}
				for b.Loop() {
					if _, err := trainer.learn(context.Background(), 0.01); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkDeepStep is a training step of 784-500-500 as docs/performance.md has it, beside
// BenchmarkStep of 784-500.
func BenchmarkDeepStep(b *testing.B) {
	key := stream.New(1)
	samples := spin.Random(784, 5000, key.Rand())
	model := NewModel[float32](Initial{Hidden: 500, Above: []int{500}, Coupling: 0.05, Fields: true, Centre: true, Deviation: 0.3, Key: key.Sub(1)}, samples)
	chains := &dual.Chains[float32]{Count: 500, Sweeps: 1, Key: key.Sub(2)}
	opt := Options{Steps: 1 << 40, Batch: 500, Rate: 0.01, FieldRate: 1, CouplingRate: 0.5, MaxTheta: 4, OffsetRate: 0.01, Key: key.Sub(3), Deep: Deep{Recognition: Aware, Hold: true, Key: key.Sub(4)}}
	trainer, err := NewTrainer(model, spinsOf(model, samples), &dual.Annealed[float32]{Engine: chains}, Mixture[float32]{}, opt)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := trainer.learn(context.Background(), 0.01); err != nil {
			b.Fatal(err)
		}
	}
}
