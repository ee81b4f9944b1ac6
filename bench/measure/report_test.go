package main

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Times of every round come out as benchmarks, those of a contender in several rows once.
func TestWriteStat(t *testing.T) {
	var r report
	r.Machine = "a processor"
	x := row{What: "step, centred", Tier: "avx512", Threads: 2, Times: []float64{0.002, 0.0025}, Against: "PyTorch"}
	y := x
	y.Against, y.Times = "scikit-learn", []float64{1}
	r.add("Training step", "", []row{x, y, {What: "memory, MB"}})
	r.add("Other", "", []row{{What: "PyTorch: as usual", Times: []float64{1e-9}}})
	path := filepath.Join(t.TempDir(), "stat")
	if err := r.writeStat(path); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := `cpu: a processor
BenchmarkTraining-step/step-centred/kernels=avx512/threads=2 1 2e+06 ns/op
BenchmarkTraining-step/step-centred/kernels=avx512/threads=2 1 2.5e+06 ns/op
BenchmarkOther/PyTorch-as-usual 1 1 ns/op
`
	if string(text) != want {
		t.Errorf("got\n%swant\n%s", text, want)
	}
}

// Floors are those of the fastest tier: where there are tiles, no other has any.
func TestFloorsOfTiers(t *testing.T) {
	with, without := &bench{tiers: []string{"amx", "avx512", "avx2"}}, &bench{tiers: []string{"avx512", "avx2"}}
	for _, c := range []struct {
		b    *bench
		tier string
		want float64
	}{{with, "amx", 4}, {with, "avx512", 0}, {without, "avx512", 2}, {without, "avx2", 0}, {&bench{tiers: []string{"avx2"}}, "avx2", 0}} {
		if got := c.b.onTop(c.tier, 2, 4); got != c.want {
			t.Errorf("%s of %v has the floor %v, want %v", c.tier, c.b.tiers, got, c.want)
		}
	}
	var r report
	r.add("Section", "", []row{{What: "a", Value: 1, Floor: 2}, {What: "b", Value: 3, Floor: 2}, {What: "c", Value: 3, Limit: 2}})
	if len(r.Missed) != 2 || !strings.Contains(r.Missed[0], "a") || !strings.Contains(r.Missed[1], "c") {
		t.Errorf("missed: %q", r.Missed)
	}
}

// Products that are right are far within the limit, and one wrong element is far outside.
func TestBLASError(t *testing.T) {
	if off := blasError(&gonumBLAS); off > errorLimit/2 {
		t.Errorf("gonum is off by %v", off)
	}
	for name, spoil := range map[string]func(dst []float32){
		"wrong": func(dst []float32) { dst[len(dst)/2] *= 1.001 },
		"NaN":   func(dst []float32) { dst[0] = float32(math.NaN()) },
	} {
		bad := gonumBLAS
		bad.mul = func(dst, a, b []float32, m, k, n int, transA, transB bool) {
			gonumBLAS.mul(dst, a, b, m, k, n, transA, transB)
			spoil(dst)
		}
		if off := blasError(&bad); off <= errorLimit {
			t.Errorf("a product with an element that is %s is off by %v only", name, off)
		}
	}
}
