package variational

import (
	"math"
	"slices"
	"testing"

	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// fromFile returns a machine with offsets and fields, binary or real.
func fromFile(n, p int, real bool) *rbm.File {
	rng := stream.New(5).Rand()
	params := rbm.NewParams(n, p, 0.3)
	for _, x := range [][]float64{params.VisibleField, params.HiddenField} {
		for k := range x {
			x[k] = rng.NormFloat64() / 2
		}
	}
	for _, x := range [][]float64{params.VisibleOffset, params.HiddenOffset} {
		for k := range x {
			x[k] = 2*rng.Float64() - 1
		}
	}
	q := rbm.NewPosterior[float32](n, p)
	q.Randomize(2, stream.New(6))
	if real {
		return &rbm.File{Params: params, Synapses: rbm.RealValued(n, p, q.Theta)}
	}
	return &rbm.File{Params: params, Synapses: rbm.Learned(q.Sign(), q)}
}

// differences returns free energies of samples less that of the first.
func differences(m *rbm.Machine, samples *spin.Matrix) []float64 {
	f := m.FreeEnergy(samples)
	for k := len(f) - 1; k >= 0; k-- {
		f[k] -= f[0]
	}
	return f
}

// TestFrom: real synapses, and the means of binary ones, start as the very
// distribution that they come from, whatever its offsets and theirs.
func TestFrom(t *testing.T) {
	const n, p = 9, 4
	samples := spin.Random(n, 50, stream.New(7).Rand())
	for _, centre := range []bool{false, true} {
		start := Initial{Hidden: p, Coupling: 0.7, Centre: centre}
		for _, real := range []bool{false, true} {
			for _, kind := range []rbm.Kind{rbm.BinaryKind, rbm.RealKind} {
				file := fromFile(n, p, real)
				model, err := From(file, kind, start, samples)
				if err != nil {
					t.Fatal(err)
				}
				if model.Centred() != centre {
					t.Fatalf("centred: %v, not %v", model.Centred(), centre)
				}
				before := file.Machine()
				weights := slices.Clone(model.Posterior.Theta)
				if kind == rbm.BinaryKind {
					model.Posterior.Mean(weights)
					if real {
						limited(t, file, model)
						continue
					}
					before = &rbm.Machine{Params: file.Params, Synapses: rbm.RealValued(n, p, rbm.Expected(file.Synapses))}
				}
				after := &rbm.Machine{Params: model.Params, Synapses: rbm.RealValued(n, p, weights)}
				a, b := differences(before, samples), differences(after, samples)
				for k := range a {
					if math.Abs(a[k]-b[k]) > 1e-5 {
						t.Fatalf("centre %v, real %v, kind %v, sample %d: free energy %v, not %v", centre, real, kind, k, b[k], a[k])
					}
				}
			}
		}
	}
}

// limited: binary synapses from real ones have their signs, their root mean
// square as the coupling, and, where they are not cut off, J lambda = K.
func limited(t *testing.T, file *rbm.File, model *rbm.Model[float32]) {
	t.Helper()
	var square float64
	cut := 0
	weights := rbm.Values(file.Synapses)
	for k, w := range weights {
		coupling := file.Coupling() * float64(w)
		square += coupling * coupling
		mean := math.Tanh(float64(model.Posterior.Theta[k]))
		if math.Abs(coupling) > fromLimit*model.Coupling() {
			cut++
			coupling = math.Copysign(fromLimit*model.Coupling(), coupling)
		}
		if math.Abs(mean*model.Coupling()-coupling) > 1e-5 {
			t.Fatalf("synapse %d: J lambda = %v, not %v", k, mean*model.Coupling(), coupling)
		}
	}
	if j := math.Sqrt(square / float64(len(weights))); math.Abs(model.Coupling()-j) > 1e-6 {
		t.Errorf("coupling %v, not %v", model.Coupling(), j)
	}
	if cut == 0 || cut == len(weights) {
		t.Errorf("%d synapses of %d are cut off", cut, len(weights))
	}
}

func TestFromNothing(t *testing.T) {
	file := fromFile(9, 4, true)
	file.Synapses = rbm.RealValued(9, 4, make([]float32, 9*4))
	samples := spin.New(9, 3)
	if _, err := From(file, rbm.BinaryKind, Initial{Hidden: 4, Coupling: 1}, samples); err == nil {
		t.Error("no error for couplings of 0")
	}
	defer func() {
		if recover() == nil {
			t.Error("no panic for another shape")
		}
	}()
	_, _ = From(file, rbm.BinaryKind, Initial{Hidden: 5, Coupling: 1}, samples)
}
