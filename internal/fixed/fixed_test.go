package fixed

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

// The first words of xoshiro128++ from the state 1, 2, 3, 4, by the authors' definition, and
// the seed's way into the state.
func TestRandom(t *testing.T) {
	r := Random{1, 2, 3, 4}
	for k, want := range []uint32{641, 1573767, 3222811527, 3517856514, 836907274, 4247214768, 3867114732, 1355841295} {
		if got := r.Next(); got != want {
			t.Errorf("word %d is %d, not %d", k, got, want)
		}
	}
	// SplitMix64 from 1234567 begins with 6457827717110365317 and 3203168211198807973.
	want := Random{6457827717110365317 & 0xffffffff, 6457827717110365317 >> 32, 3203168211198807973 & 0xffffffff, 3203168211198807973 >> 32}
	if got := Seeded(1234567); got != want {
		t.Errorf("state %x, not %x", got, want)
	}
}

func TestProbability(t *testing.T) {
	last := uint64(0)
	for x := -25.0; x < 25; x += 0.00137 {
		at := Of(x, Places)
		got, want := float64(Probability(at))/0x1p32, 1/(1+math.Exp(-x))
		if math.Abs(got-want) > 4e-6 {
			t.Fatalf("log-odds %v: probability %v, not %v", x, got, want)
		}
		if Probability(at) < last || Probability(at)+Probability(-at) != 1<<32 {
			t.Fatalf("log-odds %v: not monotone, or not symmetric", x)
		}
		last = Probability(at)
	}
	if Probability(math.MaxInt64) != 1<<32 || Probability(-math.MaxInt64) != 0 || Probability(0) != 1<<31 {
		t.Error("the ends or the middle")
	}
}

func TestExponential(t *testing.T) {
	last := uint64(1 << 32)
	for x := 0.0; x < 25; x += 0.00137 {
		got := Exponential(Of(x, Places))
		want := math.Exp(-x)
		if x >= End {
			want = 0
		}
		if e := math.Abs(float64(got)/0x1p32 - want); e > 4e-5*want+2.01/0x1p32 {
			t.Fatalf("exp(-%v) is %v, not %v", x, float64(got)/0x1p32, want)
		}
		if got > last {
			t.Fatalf("exp(-%v) is more than before", x)
		}
		last = got
	}
	if Exponential(math.MaxInt64) != 0 {
		t.Error("the end")
	}
}

// TestChoose: winners come as their weights say: chi-squared, a false alarm once in a thousand seeds.
func TestChoose(t *testing.T) {
	for _, count := range []int{1, 2, 7, 8, 9} {
		logs, p, sum := make([]int64, count), make([]float64, count), 0.0
		for k := range logs {
			x := 0.4 * float64(k%5)
			logs[k], p[k] = Of(x-300, Places), math.Exp(x)
			sum += p[k]
		}
		const draws = 40000
		r, seen, chi2 := Seeded(uint64(count)), make([]float64, count), 0.0
		for range draws {
			seen[r.Choose(logs)]++
		}
		for k, n := range seen {
			want := draws * p[k] / sum
			chi2 += (n - want) * (n - want) / want
		}
		if count == 1 {
			continue
		}
		if alarm := (distuv.ChiSquared{K: float64(count - 1)}).Quantile(0.999); chi2 > alarm {
			t.Errorf("%d places: chi-squared %v is beyond %v", count, chi2, alarm)
		}
	}
	r := Seeded(1)
	for range 1000 {
		if k := r.Choose([]int64{math.MinInt64 / 4, math.MaxInt64 / 4, 0}); k != 1 {
			t.Fatalf("place %d of no weight", k)
		}
	}
}
