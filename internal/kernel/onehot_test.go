package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// checkOneHot holds the kernels in use to the portable ones.
func checkOneHot(t *testing.T, seed uint64, k, n int, none bool) {
	x, noise, v := arguments(t, seed, k*n), arguments(t, seed+1, k*n), arguments(t, seed+2, k*n)
	for j := range v {
		v[j] = abs32(v[j])
	}
	equal := func(name string, got, want []float32) {
		t.Helper()
		for j := range want {
			if !same(got[j], want[j]) {
				t.Fatalf("%s of %d x %d, none %v: element %d is %v, want %v", name, k, n, none, j, got[j], want[j])
			}
		}
	}
	count, least := ofNone(none)
	got, want := guarded[float32](t, k*n), make([]float32, k*n)
	OneHotMeans(got, x, k, none)
	oneHotMeans(want, x, k, n, count, least)
	equal("means", got, want)

	got2, want2 := guarded[float32](t, k*n), make([]float32, k*n)
	OneHotMoments(got, got2, x, v, noise, k, none)
	oneHotMoments(want, want2, x, v, noise, k, n, count, least)
	equal("first moments", got, want)
	equal("second moments", got2, want2)

	uniform, rng := guarded[float32](t, n), rand.New(rand.NewPCG(seed, 1))
	for a := range uniform {
		uniform[a] = rng.Float32()
	}
	choice, wanted := guarded[int32](t, n), make([]int32, n)
	copy(got, x)
	copy(want, x)
	OneHotChoices(choice, got, uniform, k, none)
	oneHotChoices(wanted, want, uniform, k, n, count, least)
	if !slices.Equal(choice, wanted) {
		t.Fatalf("choices of %d x %d, none %v: %v, want %v", k, n, none, choice, wanted)
	}
	copy(got, x)
	OneHotMeans(want, x, k, none)
	OneHotMeans(got, got, k, none)
	equal("means in place", got, want)
}

func TestOneHot(t *testing.T) {
	onTiers(t, func(t *testing.T) {
		for n := range 36 {
			checkOneHot(t, uint64(n), 1+n%5, n, n%2 == 0)
		}
		checkOneHot(t, 40, 30, 100, false)
	})
}

func FuzzOneHot(f *testing.F) {
	f.Add(uint64(1), uint8(3), uint8(100), true)
	f.Fuzz(func(t *testing.T, seed uint64, k, n uint8, none bool) {
		onTiers(t, func(t *testing.T) { checkOneHot(t, seed, 1+int(k%40), int(n), none) })
	})
}

// Means are those of a softmax in float64 to 1e-6, also of fields far from 0 and each other; moments of one noise
// are the mean of two of them.
func TestOneHotSoftmax(t *testing.T) {
	softmax := func(f []float64, none bool) []float64 {
		top, sum := slices.Max(f), 0.0
		if none {
			top = max(top, 0)
			sum = math.Exp(-2 * top)
		}
		p := make([]float64, len(f))
		for j, v := range f {
			p[j] = math.Exp(2 * (v - top))
			sum += p[j]
		}
		for j := range p {
			p[j] /= sum
		}
		return p
	}
	near := func(what string, got float32, want float64) {
		t.Helper()
		if !(math.Abs(float64(got)-want) < 2e-6) {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	rng := testRand(9)
	for _, k := range []int{1, 2, 7} {
		for _, spread := range []float64{0.3, 3, 300} {
			for _, none := range []bool{false, true} {
				mean, variance, noise, u, v := make([]float32, k), make([]float32, k), make([]float32, k), make([]float64, k), make([]float64, k)
				for j := range k {
					mean[j], variance[j], noise[j] = float32(8*spread*rng.NormFloat64()), float32(spread*spread*rng.Float64()), float32(rng.NormFloat64())
					d := float32(float32(math.Sqrt(float64(variance[j]))) * noise[j])
					u[j], v[j] = float64(mean[j]+d), float64(mean[j]-d)
				}
				first, second := make([]float32, k), make([]float32, k)
				OneHotMoments(first, second, mean, variance, noise, k, none)
				p, q := softmax(u, none), softmax(v, none)
				means := slices.Clone(mean)
				OneHotMeans(means, means, k, none)
				of := make([]float64, k)
				for j := range of {
					of[j] = float64(mean[j])
				}
				exact := softmax(of, none)
				for j := range k {
					name := fmt.Sprintf("feature %d of %d, spread %g, none %v", j, k, spread, none)
					near("mean of "+name, means[j], 2*exact[j]-1)
					near("first of "+name, first[j], p[j]+q[j]-1)
					near("second of "+name, second[j], 2*(p[j]*(1-p[j])+q[j]*(1-q[j])))
				}
			}
		}
	}
}
