package kernel

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// setTier makes the exported functions use a tier until the test ends.
func setTier(tb testing.TB, t *tier) {
	old, oldErr := current, tierErr
	current, tierErr = t, nil
	tb.Cleanup(func() { current, tierErr = old, oldErr })
}

// onTiers runs a test on every tier of this machine.
func onTiers(t *testing.T, test func(t *testing.T)) {
	for i := range tiers {
		t.Run(tiers[i].name, func(t *testing.T) {
			setTier(t, &tiers[i])
			test(t)
		})
	}
}

// onPortable calls a function with the portable kernels in use.
func onPortable(do func()) {
	defer func(before *tier) { current = before }(current)
	current = &tiers[0]
	do()
}

func benchTiers(b *testing.B, bench func(b *testing.B)) {
	for i := range tiers {
		b.Run(tiers[i].name, func(b *testing.B) {
			setTier(b, &tiers[i])
			bench(b)
		})
	}
}

func TestPick(t *testing.T) {
	fastest, err := pick("")
	if err != nil || fastest.name != tiers[len(tiers)-1].name {
		t.Fatalf("pick(\"\") = %v, %v", fastest, err)
	}
	p, err := pick("portable")
	if err != nil || p.name != "portable" {
		t.Fatalf("pick(portable) = %v, %v", p, err)
	}
	_, err = pick("avx3")
	if err == nil || !strings.Contains(err.Error(), "BETHE_KERNEL=avx3") || !strings.Contains(err.Error(), "portable") {
		t.Fatalf("pick(avx3): %v", err)
	}
}

// Products in float32 have the bits of the tier that Sums names.
func TestSums(t *testing.T) {
	const m, k, n = 7, 100, 70
	rng, stride := testRand(1), Stride(n)
	bits := randomBits(make([]uint32, Words(k)*stride), rng, k, stride, n)
	a, b := fill(make([]float32, m*k), rng, 1), fill(make([]float32, k*n), rng, 1)
	products := func() []float32 {
		dst := make([]float32, 2*m*n)
		MulBits(dst[:m*n], a, m, k, bits, stride, n)
		MulReal(dst[m*n:], a, b, m, k, n, false, false)
		return dst
	}
	sums := map[string][]float32{}
	onAll(t, func(t *testing.T) {
		switch first, later := sums[Sums()]; {
		case !later:
			if Tier() != Sums() {
				t.Errorf("the sums of %s are of %s, which comes after it", Tier(), Sums())
			}
			sums[Sums()] = products()
		case !slices.Equal(products(), first):
			t.Errorf("the sums of %s are not those of %s", Tier(), Sums())
		}
	})
}

// An unknown tier is an error to Check and a panic in use.
func TestUnknownTier(t *testing.T) {
	old, oldErr := current, tierErr
	defer func() { current, tierErr = old, oldErr }()
	current, tierErr = pick("avx3")
	if Check() == nil {
		t.Error("Check gives no error")
	}
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	Tier()
}

func testRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

// fill sets x to normal numbers of the given deviation.
func fill(x []float32, rng *rand.Rand, deviation float64) []float32 {
	for i := range x {
		x[i] = float32(deviation * rng.NormFloat64())
	}
	return x
}

// randomBits fills a packed matrix: padding is 0.
func randomBits(bits []uint32, rng *rand.Rand, rows, stride, lanes int) []uint32 {
	clear(bits)
	for w := range Words(rows) {
		used := uint32(1)<<min(WordBits, rows-w*WordBits) - 1
		for l := range lanes {
			bits[w*stride+l] = rng.Uint32() & used
		}
	}
	return bits
}

// hard are arguments that functions of a float tend to get wrong.
var hard = func() (x []float32) {
	for _, v := range []float64{0, 1e-45, 1e-38, 1e-30, 1e-10, 1e-4, 0.1, 0.25, 0.5, 0.625, 1, 1.5, 2, 3, 7.9, 7.905311, 8, 10, 20, 43, 44, 60, 87, 88, 89, 127, 1e3, 1e10, 1e38, math.Inf(1)} {
		x = append(x, float32(v), float32(-v))
	}
	return append(x, float32(math.Copysign(0, -1)), float32(math.NaN()))
}()

// same reports whether two floats have the same bits, or are both NaN.
func same(x, y float32) bool {
	return math.Float32bits(x) == math.Float32bits(y) || x != x && y != y
}
