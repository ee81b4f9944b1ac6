package units_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"bethe/spin"
	"bethe/units"
	"bethe/units/unitstest"
)

// holes draws which units are missing, of so many samples.
func holes(units, samples int, share float64, seed uint64) *spin.Matrix {
	rng := rand.New(rand.NewPCG(seed, 9))
	missing := spin.New(units, samples)
	for i := range units {
		for a := range samples {
			if rng.Float64() < share {
				missing.Set(i, a, 1)
			}
		}
	}
	return missing
}

// colours draws one-hot features.
func colours(kind units.Kind, count, samples int, seed uint64) *spin.Matrix {
	rng := rand.New(rand.NewPCG(seed, 8))
	s := spin.New(count*kind.States, samples)
	for i := range count {
		for a := range samples {
			s.Set(i*kind.States+rng.IntN(kind.States), a, 1)
		}
	}
	return s
}

// Where nothing is missing samples with missing values are samples.
func TestIncompleteSamplesKeepTheContract(t *testing.T) {
	unitstest.Samples(t, func(count, samples int, seed uint64) unitstest.Case[float64] {
		c := spins[float64](count, samples, seed)
		c.Data = units.NewIncomplete[float64](spin.Random(count, samples, rand.New(rand.NewPCG(seed, 1))), units.Kind{}, spin.New(count, samples))
		return c
	}, 1e-9)
	unitstest.Samples(t, func(count, samples int, seed uint64) unitstest.Case[float64] {
		c := gaussians[float64](count, samples, seed)
		c.Data = units.NewIncompleteGauss(units.RealsOf(count, samples, unitstest.Normals[float64](count, samples, seed)), spin.New(count, samples))
		return c
	}, 1e-7)
}

// Means and variances of fields, the sums and the entropy against enumeration of synapses and fills.
func TestFieldsOfMissingValues(t *testing.T) {
	const p, m, j = 2, 5, 0.6
	potts := units.Kind{Word: units.Potts, States: 3}
	for _, c := range []struct {
		name string
		kind units.Kind
		data units.Filling[float64]
		n    int
	}{
		{"spins", units.Kind{}, units.NewIncomplete[float64](spin.Random(4, m, rand.New(rand.NewPCG(1, 1))), units.Kind{}, holes(4, m, 0.4, 1)), 4},
		{"colours", potts, units.NewIncomplete[float64](colours(potts, 2, m, 1), potts, holes(2, m, 0.4, 2)), 6},
	} {
		rng := rand.New(rand.NewPCG(5, 5))
		mean, field, offset := make([]float64, p*c.n), make([]float64, c.n), make([]float64, c.n)
		for k := range mean {
			mean[k] = math.Tanh(rng.NormFloat64())
		}
		for i := range field {
			field[i], offset[i] = rng.NormFloat64(), 0.5*rng.NormFloat64()
		}
		c.data.Prepare(nil, false)
		c.data.Start(field)
		for _, known := range []bool{false, true} {
			w := &units.Block[float64]{Rows: p, First: make([]float64, p*m), Second: make([]float64, p*m), Extra: make([]float64, c.data.Extra(p)), Sums: make([]float64, 2*p)}
			l := &units.Link[float64]{Mean: mean, Coupling: j, Offset: offset, Biased: true, Known: known}
			c.data.Fields(w, l)
			got, variance := make([]float64, m), make([]float64, m)
			for mu := range p {
				c.data.Field(w, l, mu, got, variance, 0.2)
				for a := range m {
					first, second := enumerateField(c.kind, c.data, mean[mu*c.n:(mu+1)*c.n], offset, j, a, known)
					if math.Abs(got[a]-first-0.2) > 1e-10 || math.Abs(variance[a]-second) > 1e-10 {
						t.Errorf("%s, known %v, feature %d of sample %d: a field of mean %v and variance %v, not %v and %v", c.name, known, mu, a, got[a], variance[a], first+0.2, second)
					}
				}
			}
		}
	}
}

// enumerateField returns the mean and variance of a field over all synapses, unless they are known, and all
// states of the units, whose features have the means that data tell.
func enumerateField(kind units.Kind, data units.Samples[float64], lambda, offset []float64, j float64, a int, known bool) (mean, variance float64) {
	n := len(lambda)
	var first, second, total float64
	value := data.(units.Valued)
	for state := range 1 << n {
		weight := 1.0
		x := make([]float64, n)
		on := make([]int, n)
		for i := range x {
			x[i] = 2*float64(state>>i&1) - 1
			switch q := value.Value(i, a); {
			case kind.OneHot() && x[i] > 0:
				weight *= (1 + q) / 2
				on[i/kind.States]++
			case !kind.OneHot():
				weight *= (1 + x[i]*q) / 2
			}
		}
		for unit := range n / kind.Features() {
			if kind.OneHot() && on[unit] != 1 {
				weight = 0
			}
		}
		if weight == 0 {
			continue
		}
		for xi := range 1 << n {
			part, f := weight, 0.0
			for i, l := range lambda {
				s := 2*float64(xi>>i&1) - 1
				if known {
					s, part = l, part/2
				} else {
					part *= (1 + l*s) / 2
				}
				f += j * (x[i] - offset[i]) * s
			}
			first += part * f
			second += part * f * f
			total += part
		}
	}
	return first / total, second/total - first*first/total/total
}

func TestBatchesOfIncompleteSamples(t *testing.T) {
	const n, m = 5, 9
	missing := holes(n, m, 0.3, 3)
	s := spin.Random(n, m, rand.New(rand.NewPCG(2, 1)))
	all := units.NewIncomplete[float32](s, units.Kind{}, missing)
	var last units.Samples[float32]
	for _, places := range [][]int{{3, 0, 8, 3}, {7, 1, 2, 5}, {6}} {
		last = all.Batch(last, places)
		for k, a := range places {
			for i := range n {
				want := float64(s.At(i, a))
				if missing.At(i, a) > 0 {
					want = 0
				}
				if got := last.(units.Valued).Value(i, k); got != want {
					t.Errorf("unit %d of sample %d is %v in a batch, not %v", i, a, got, want)
				}
			}
		}
	}
	// Fields come from the known values.
	for i, f := range all.MeanFields() {
		sum, seen := 0, 0
		for a := range m {
			if missing.At(i, a) < 0 {
				sum, seen = sum+int(s.At(i, a)), seen+1
			}
		}
		if want := math.Atanh(float64(sum) / float64(seen+2)); math.Abs(f-want) > 1e-6 {
			t.Errorf("mean field %d is %v, not %v", i, f, want)
		}
	}
}
