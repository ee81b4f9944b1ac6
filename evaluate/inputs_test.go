package evaluate_test

import (
	"context"
	"slices"
	"testing"

	"bethe/evaluate"
	"bethe/stream"
)

// must returns a value that comes without an error.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// doubles are inputs of the user's own, a row of float64 a sample.
type doubles [][]float64

func (d doubles) Size() (samples, features int) { return len(d), len(d[0]) }

func (d doubles) Scores(_ context.Context, dst, w []float32, classes int) error {
	for a, x := range d {
		for c := range classes {
			sum := 0.0
			for i, v := range x {
				sum += float64(w[c*len(x)+i]) * v
			}
			dst[c*len(d)+a] = float32(sum)
		}
	}
	return nil
}

func (d doubles) Gradient(_ context.Context, dst []float64, r []float32, classes int) error {
	clear(dst)
	for a, x := range d {
		for c := range classes {
			for i, v := range x {
				dst[c*len(x)+i] += float64(r[c*len(d)+a]) * v
			}
		}
	}
	return nil
}

func (d doubles) Moments(context.Context) (means, products []float64, err error) {
	m, p := d.Size()
	means, products = make([]float64, p), make([]float64, p*p)
	for _, x := range d {
		for i, v := range x {
			means[i] += v / float64(m)
			for j, u := range x {
				products[i*p+j] += v * u / float64(m)
			}
		}
	}
	return means, products, nil
}

// A classifier takes inputs of the user's own as it takes the package's: of the same
// numbers it says the same, and it tells classes apart that are apart.
func TestOwnInputs(t *testing.T) {
	const samples, features = 300, 4
	rng := stream.New(1).Rand()
	var own doubles
	var flat []float32
	labels := make([]int, samples)
	for a := range labels {
		labels[a] = 10 * (a % 3)
		x := make([]float64, features)
		for i := range x {
			x[i] = rng.NormFloat64()
			if i == a%3 {
				x[i] += 6
			}
			x[i] = float64(float32(x[i]))
			flat = append(flat, float32(x[i]))
		}
		own = append(own, x)
	}
	fitting := evaluate.Fitting{L2: []float64{1e-3}}
	of, err := evaluate.FitClassifier(t.Context(), own, labels, fitting)
	if err != nil {
		t.Fatal(err)
	}
	packed, err := evaluate.FitClassifier(t.Context(), evaluate.RealInputs(flat, features), labels, fitting)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := must(of.Classify(t.Context(), own)), must(packed.Classify(t.Context(), evaluate.RealInputs(flat, features))); !slices.Equal(got, want) {
		t.Error("other labels than from inputs of the package")
	}
	if rate := must(of.ErrorRate(t.Context(), own, labels)); rate > 0.02 {
		t.Errorf("error rate %v of classes six deviations apart", rate)
	}
}
