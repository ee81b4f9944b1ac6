package planted

import (
	"math"
	"slices"
	"testing"

	"bethe/spin"
	"bethe/stream"
)

// bestByBruteForce returns the greatest sum over all permutations.
func bestByBruteForce(n int, weight []float64, row int, used []bool) float64 {
	if row == n {
		return 0
	}
	best := math.Inf(-1)
	for c := range n {
		if !used[c] {
			used[c] = true
			best = max(best, weight[row*n+c]+bestByBruteForce(n, weight, row+1, used))
			used[c] = false
		}
	}
	return best
}

func TestAssignment(t *testing.T) {
	rng := stream.New(1).Rand()
	for n := 1; n <= 6; n++ {
		for trial := range 300 {
			weight := make([]float64, n*n)
			for k := range weight {
				weight[k] = rng.NormFloat64()
				if trial%2 == 0 { // ties
					weight[k] = float64(rng.IntN(3))
				}
			}
			unit := assign(n, weight)
			sum, used := 0.0, make([]bool, n)
			for r, c := range unit {
				sum += weight[r*n+c]
				used[c] = true
			}
			if slices.Contains(used, false) {
				t.Fatalf("%v is no permutation", unit)
			}
			if best := bestByBruteForce(n, weight, 0, make([]bool, n)); math.Abs(sum-best) > 1e-12 {
				t.Fatalf("weights %v: sum %v, best %v", weight, sum, best)
			}
		}
	}
}

// shuffled returns the synapses with units exchanged and signs reversed: unit
// k of the result is unit order[k] of m.
func shuffled(m *spin.Matrix, order []int, sign []int8) *spin.Matrix {
	s := spin.New(m.Rows(), m.Cols())
	for i := range m.Rows() {
		for k, mu := range order {
			s.Set(i, k, sign[k]*m.At(i, mu))
		}
	}
	return s
}

func TestMatchFindsOrderAndSigns(t *testing.T) {
	const n, p = 60, 7
	rng := stream.New(2).Rand()
	reference := spin.Random(n, p, rng)
	order := rng.Perm(p)
	sign := []int8{1, -1, -1, 1, 1, -1, 1}
	estimate := shuffled(reference, order, sign)
	estimate.Set(0, 0, -estimate.At(0, 0)) // one wrong synapse
	half := make([]float32, n*p)
	for mu := range p {
		for i := range n {
			half[mu*n+i] = 0.5 * float32(estimate.At(i, mu))
		}
	}
	for name, m := range map[string]*Matching{"signs": Match(estimate, reference), "means": MatchMean(half, reference)} {
		scale := 1.0
		if name == "means" {
			scale = 0.5
		}
		for k, nu := range order {
			want := scale
			if k == 0 {
				want -= scale * 2 / n
			}
			if m.Unit[nu] != k || m.Sign[nu] != sign[k] || math.Abs(m.Overlap[nu]-want) > 1e-6 {
				t.Errorf("%s: unit %d: %+v", name, nu, m)
			}
		}
		if want := scale * (1 - 2.0/n/p); math.Abs(m.Mean()-want) > 1e-6 {
			t.Errorf("%s: mean %v, want %v", name, m.Mean(), want)
		}
	}
}

func TestMatchShapes(t *testing.T) {
	mustPanic(t, "rows", func() { Match(spin.New(3, 2), spin.New(4, 2)) })
	mustPanic(t, "columns", func() { Match(spin.New(4, 3), spin.New(4, 2)) })
	mustPanic(t, "empty", func() { Match(spin.New(0, 0), spin.New(0, 0)) })
	mustPanic(t, "estimates", func() { MatchMean(make([]float64, 7), spin.New(4, 2)) })
	mustPanic(t, "no sets", func() { alignedMean(t, nil) })
	mustPanic(t, "sets", func() { alignedMean(t, []*spin.Matrix{spin.New(3, 2), spin.New(4, 2)}) })
}

// Noisy copies of one set of synapses, in any order and signs, have that set
// as the sign of their aligned mean.
func TestAlignedMean(t *testing.T) {
	const n, p, sets = 50, 4, 60
	rng := stream.New(3).Rand()
	truth := spin.Random(n, p, rng)
	var noisy []*spin.Matrix
	for range sets {
		sign := make([]int8, p)
		for k := range sign {
			sign[k] = int8(rng.IntN(2))*2 - 1
		}
		s := shuffled(truth, rng.Perm(p), sign)
		for i := range n {
			for mu := range p {
				if rng.Float64() < 0.2 {
					s.Set(i, mu, -s.At(i, mu))
				}
			}
		}
		noisy = append(noisy, s)
	}
	mean := alignedMean(t, noisy)
	// Each element is the mean of 60 signs that are right with probability 0.8:
	// one of the 200 is wrong with probability 200 P(Bin(60, 0.8) <= 30) = 1e-5.
	sign := spin.New(n, p)
	spin.FromSigns(p, n, mean).Transpose(sign)
	if q := Match(sign, truth).Mean(); q != 1 {
		t.Errorf("overlap of the sign %v", q)
	}
	if q := MatchMean(mean, truth).Mean(); math.Abs(q-0.6) > 0.05 {
		t.Errorf("overlap of the mean %v, want about 0.6", q)
	}
}
