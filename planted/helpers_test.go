package planted

import (
	"context"
	"math"
	"testing"

	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"

	"gonum.org/v1/gonum/stat/distuv"
)

// falseAlarm is the probability that a statistical test here would fail
// for correct code, were its seed not fixed.
const falseAlarm = 1e-6

func teacher(t testing.TB, n, p int, correlation float64, key stream.Key) *rbm.Machine {
	t.Helper()
	m, err := NewTeacher(n, p, 1, correlation, key)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func data(t testing.TB, m *rbm.Machine, samples int, key stream.Key) *spin.Matrix {
	t.Helper()
	s, err := Data(context.Background(), m, samples, key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// columnNumbers reads each column as a binary number, bit u being row u.
func columnNumbers(s *spin.Matrix) []int {
	x := make([]int, s.Cols())
	for a := range x {
		for u := range s.Rows() {
			x[a] |= int(s.At(u, a)+1) / 2 << u
		}
	}
	return x
}

// fromNumber returns the n x p synapses whose bit i*p+mu is set in x.
func fromNumber(n, p, x int) *spin.Matrix {
	m := spin.New(n, p)
	for k := range n * p {
		m.Set(k/p, k%p, int8(x>>k&1))
	}
	return m
}

// checkCounts holds counts against probabilities by Pearson's chi-squared,
// pooling the outcomes that are expected fewer than 10 times.
func checkCounts(t *testing.T, counts []int, probability []float64) {
	t.Helper()
	total := 0
	for _, c := range counts {
		total += c
	}
	var chi2, restSeen, restExpected, sum float64
	classes := 0
	term := func(seen, expected float64) {
		chi2 += (seen - expected) * (seen - expected) / expected
		classes++
	}
	for k, c := range counts {
		expected := probability[k] * float64(total)
		sum += probability[k]
		if expected < 10 {
			restSeen += float64(c)
			restExpected += expected
			continue
		}
		term(float64(c), expected)
	}
	if restExpected > 10 {
		term(restSeen, restExpected)
	}
	if math.Abs(sum-1) > 1e-9 {
		t.Fatalf("probabilities sum to %v", sum)
	}
	if p := (distuv.ChiSquared{K: float64(classes - 1)}).Survival(chi2); p < falseAlarm {
		t.Errorf("chi-squared %.1f of %d classes: p = %.2g", chi2, classes, p)
	}
}

// checkMean is Student's test that independent numbers have the given mean.
func checkMean(t *testing.T, what string, x []float64, want float64) {
	t.Helper()
	n := float64(len(x))
	var mean, square float64
	for _, v := range x {
		mean += v / n
	}
	for _, v := range x {
		square += (v - mean) * (v - mean)
	}
	deviation := math.Sqrt(square / (n - 1) / n)
	student := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: n - 1}
	if p := 2 * student.Survival(math.Abs(mean-want)/deviation); p < falseAlarm {
		t.Errorf("%s: %v ± %v, want %v: p = %.2g", what, mean, deviation, want, p)
	}
}

func mustPanic(t *testing.T, what string, f func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Errorf("%s: no panic", what)
		}
	}()
	f()
}

// alignedMean, likelihoodOf and stateOf are those of a context that does not end.
func alignedMean(t testing.TB, sets []*spin.Matrix) []float64 {
	mean, err := AlignedMean(t.Context(), sets)
	if err != nil {
		t.Fatal(err)
	}
	return mean
}

func likelihoodOf(t testing.TB, post *ExactPosterior, synapses *spin.Matrix) float64 {
	l, err := post.LogLikelihood(t.Context(), synapses)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func stateOf(t testing.TB, post *ExactPosterior, synapses *spin.Matrix) *state {
	st, err := post.newState(t.Context(), synapses)
	if err != nil {
		t.Fatal(err)
	}
	return st
}
