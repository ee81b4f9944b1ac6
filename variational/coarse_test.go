package variational

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"math"
	"os"
	"os/exec"
	"testing"

	"bethe/dual"
	"bethe/internal/kernel"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// fixedTerm is a partition term that is the same in every call, so that
// gradients differ by the data term alone.
type fixedTerm struct{}

func (fixedTerm) Serves(dual.Form) error { return nil }
func (fixedTerm) Rows(_ context.Context, _ *dual.Gradient[float32], _ *rbm.Params, _ []float32) (dual.Row[float32], dual.Report, error) {
	return func(dst []float32, _ []float64, _ int) { clear(dst) }, dual.Report{}, nil
}

// Rounded products change the gradient of a batch by less than 1/500 of the change that
// another batch makes.
func TestCoarseGradientIsFarBelowTheNoiseOfBatches(t *testing.T) {
	const n, p, m = 300, 24, 200
	key := stream.New(8)
	samples, _ := plantedSamples(n, 2*m, key.Sub(0))
	model := NewModel[float32](Initial{Hidden: p, Coupling: 0.1, Fields: true, Centre: true, Deviation: 1, Key: key.Sub(1)}, samples)
	gradient := func(first int, coarse bool) []float32 {
		o := &Objective[float32]{Partition: fixedTerm{}, Hidden: Mixture[float32]{}, Samples: 2 * m, Coarse: coarse}
		cols := make([]int, m)
		for k := range cols {
			cols[k] = first + k
		}
		batch := spin.New(n, m)
		samples.Gather(batch, cols)
		grad := dual.NewGradient[float32](&model.Params)
		if _, err := o.Gradient(context.Background(), grad, model, spinsOf(model, batch)); err != nil {
			t.Fatal(err)
		}
		return grad.Synapse
	}
	distance := func(a, b []float32) float64 {
		var square float64
		for k := range a {
			square += float64(a[k]-b[k]) * float64(a[k]-b[k])
		}
		return math.Sqrt(square)
	}
	exact := gradient(0, false)
	noise, rounding := distance(exact, gradient(m, false)), distance(exact, gradient(0, true))
	if !(rounding > 0 && rounding < noise/500) {
		t.Errorf("rounding changes the gradient by %v, another batch by %v", rounding, noise)
	}
}

// Only batches are rounded: with all samples in every step there is no noise
// to hide it.
func TestOnlyBatchesAreCoarse(t *testing.T) {
	samples, _ := plantedSamples(20, 50, stream.New(9))
	for batch, want := range map[int]bool{0: false, 50: false, 49: true} {
		trainer, _ := learner(t, samples, Options{Steps: 1, Batch: batch})
		if trainer.Objective.Coarse != want {
			t.Errorf("batches of %d of 50 samples: Coarse is %v", batch, trainer.Objective.Coarse)
		}
	}
}

// Learning in batches with chains adds nothing up in an order that depends on
// the kernels, so all of them give the same model. Each runs in a process of
// its own.
func TestSameBytesWhateverTheKernels(t *testing.T) {
	const child = "BETHE_TEST_KERNELS"
	if os.Getenv(child) != "" {
		samples, _ := plantedSamples(100, 200, stream.New(4))
		sum := sha256.New()
		for _, above := range [][]int{nil, {35}, {20, 9}} { // deep machines too
			trainer, _ := learnerOf(t, 67, samples, Options{Steps: 30 - 20*min(1, len(above)), Batch: 70}, above...)
			if err := trainer.Run(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			sum.Write(modelBytes(t, trainer.Model))
		}
		fmt.Printf("model %x\n", sum.Sum(nil))
		return
	}
	var first []byte
	for _, tier := range append(kernel.Tiers(), "tiles") { // products by tiles in Go: what amx does, on any machine
		cmd := exec.Command(os.Args[0], "-test.run=^TestSameBytesWhateverTheKernels$")
		cmd.Env = append(os.Environ(), child+"=1", "BETHE_KERNEL="+tier)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		model, _, found := bytes.Cut(out, []byte("\n"))
		if !found || !bytes.HasPrefix(model, []byte("model ")) {
			t.Fatalf("no model from %s:\n%s", tier, out)
		}
		if first == nil {
			first = model
		}
		if !bytes.Equal(first, model) {
			t.Errorf("%s kernels give another model than %s", tier, kernel.Tiers()[0])
		}
	}
}
