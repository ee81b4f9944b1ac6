package main

import (
	"slices"
	"testing"
)

// The kernels that OpenBLAS takes by itself stay unless others are more than a twentieth faster, and then the fastest is
// asked for by the name that it was asked by.
func TestFastest(t *testing.T) {
	itself := coreResult{Core: "Prescott", Seconds: 1}
	for _, c := range []struct {
		others []coreResult
		want   string
	}{
		{nil, "Prescott"},
		{[]coreResult{{Core: "Haswell", ask: "Haswell", Seconds: 0.96}}, "Prescott"},
		{[]coreResult{{Core: "Haswell", ask: "HASWELL", Seconds: 0.9}}, "HASWELL"},
		{[]coreResult{{Core: "Zen", ask: "Zen", Seconds: 0.8}, {Core: "SkylakeX", ask: "SkylakeX", Seconds: 0.2}, {Core: "Haswell", ask: "Haswell", Seconds: 0.3}}, "SkylakeX"},
		{[]coreResult{{Core: "SkylakeX", ask: "SkylakeX", Seconds: 0.2}, {Core: "Cooperlake", ask: "Cooperlake", Seconds: 0.199}}, "SkylakeX"},
	} {
		if got := fastest(append([]coreResult{itself}, c.others...)).ask; got != c.want {
			t.Errorf("of %+v: %q, not %q", c.others, got, c.want)
		}
	}
}

// Products of the tier avx2 keep their floors beside kernels of the same instructions and lose them beside faster ones; other rows
// stay as they are.
func TestProductsAlike(t *testing.T) {
	rows := []row{{What: "product", Against: yardstickBLAS, Value: 0.9, Floor: 1.6}, {What: "product", Against: "gonum", Value: 20, Floor: 1.6}}
	alike := []row{{What: "product", Against: yardstickBLAS, Value: 1.8, Floor: 1.6}, {What: "product", Against: "gonum", Value: 19, Floor: 1.6}}
	got := withAlike(rows, alike, "SkylakeX", "Haswell")
	want := []row{
		{What: "product", Against: yardstickBLAS + ", kernels for SkylakeX", Value: 0.9},
		{What: "product", Against: "gonum", Value: 20, Floor: 1.6},
		{What: "product", Against: yardstickBLAS + ", kernels for Haswell", Value: 1.8, Floor: 1.6},
	}
	if !slices.EqualFunc(got, want, func(a, b row) bool {
		return a.What == b.What && a.Against == b.Against && a.Value == b.Value && a.Floor == b.Floor
	}) {
		t.Errorf("%+v", got)
	}
	// Nothing is measured where OpenBLAS has no such kernels, or they are the fastest.
	for name, b := range map[string]*bench{"none": {}, "the same": {narrowCore: "Haswell"}} {
		t.Setenv(coreVariable, "Haswell")
		if same, err := b.productsAlike(slices.Clone(alike)); err != nil || len(same) != 2 || same[0].Against != yardstickBLAS || same[0].Floor != 1.6 {
			t.Errorf("%s: %+v, %v", name, same, err)
		}
	}
}
