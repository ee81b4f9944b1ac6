package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// OpenBLAS has kernels for many processors. It takes those for the one it finds, and the slowest where it does not know
// it, so yardsticks are measured with the fastest of those that run and are right.

// coreVariable is the environment variable that tells OpenBLAS which kernels to take.
const coreVariable = "OPENBLAS_CORETYPE"

// cores are the names that OpenBLAS knows on amd64; it takes others itself where its build lacks one.
var cores = append([]string{"", "SkylakeX", "Cooperlake", "Sapphirerapids"}, narrowCores...)

// narrowCores are those whose kernels a processor without AVX-512 runs.
var narrowCores = []string{"Prescott", "Nehalem", "Sandybridge", "Haswell", "Zen"}

// A coreResult is how some kernels of OpenBLAS do.
type coreResult struct {
	Core    string  `json:"core"`    // as OpenBLAS names it
	Seconds float64 `json:"seconds"` // a product of 500 x 784 and 784 x 1000
	Error   float64 `json:"error"`   // largest, in units of what rounding explains
	ask     string  // what has it taken
}

// errorLimit is what kernels may be off, in units of the root of the length of the sums times the precision of a float32
// times the size of a term: many times what any order of additions gives.
const errorLimit = 64

// measureCore times a product and says how far products are off.
func measureCore(b *blas) coreResult {
	const m, k, n = 500, 784, 1000
	a, x, dst := uniform(m*k), uniform(k*n), make([]float32, m*n)
	var times []float64
	for round := range 8 {
		start := time.Now()
		b.mul(dst, a, x, m, k, n, false, false)
		if round > 0 { // the first warms up
			times = append(times, time.Since(start).Seconds())
		}
	}
	return coreResult{Core: b.core, Seconds: slices.Min(times), Error: blasError(b)}
}

// uniform returns n numbers between -1 and 1.
func uniform(n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = 2*rand.Float32() - 1
	}
	return x
}

// blasError compares products of every kind with sums in float64.
func blasError(b *blas) (largest float64) {
	off := func(got float32, want float64, k int) {
		d := math.Abs(float64(got)-want) / (math.Sqrt(float64(k)) * 0x1p-23)
		if math.IsNaN(d) {
			d = math.MaxFloat64
		}
		largest = max(largest, d)
	}
	for _, s := range [][3]int{{1, 1, 1}, {67, 301, 129}, {48, 784, 64}, {130, 65, 33}} {
		m, k, n := s[0], s[1], s[2]
		for _, trans := range [][2]bool{{false, false}, {true, false}, {false, true}} {
			a, x, dst := uniform(m*k), uniform(k*n), make([]float32, m*n)
			b.mul(dst, a, x, m, k, n, trans[0], trans[1])
			for i := range m {
				for j := range n {
					var want float64
					for l := range k {
						at, bt := i*k+l, l*n+j
						if trans[0] {
							at = l*m + i
						}
						if trans[1] {
							bt = j*k + l
						}
						want += float64(a[at]) * float64(x[bt])
					}
					off(dst[i*n+j], want, k)
				}
			}
		}
		a, x, y := uniform(m*k), uniform(k), make([]float32, m)
		b.mulVector(y, a, x, m, k)
		for i := range m {
			var want float64
			for l := range k {
				want += float64(a[i*k+l]) * float64(x[l])
			}
			off(y[i], want, k)
		}
	}
	return largest
}

// chooseCore has every process from here on use OpenBLAS's fastest kernels that are right.
func (b *bench) chooseCore() error {
	var right []coreResult
	var rows []row
	for _, ask := range cores {
		cmd := b.child("portable", "core", 1)
		cmd.Env = append(cmd.Env, coreVariable+"="+ask)
		out, err := cmd.Output()
		if err != nil { // it asks for instructions that this processor lacks
			if ended := (*exec.ExitError)(nil); !errors.As(err, &ended) {
				return err
			}
			continue
		}
		var r coreResult
		if err := json.Unmarshal(out, &r); err != nil {
			return err
		}
		r.ask = ask
		what := "OpenBLAS's kernels for " + r.Core
		if ask == "" {
			what += ", which it takes by itself"
			b.coreItself = r.Core
		} else if !strings.EqualFold(ask, r.Core) { // it does not have these
			continue
		}
		if r.Error > errorLimit {
			b.Missing = append(b.Missing, fmt.Sprintf("%s: wrong by %.3g times what rounding explains", what, r.Error))
			continue
		}
		rows = append(rows, row{What: what, Threads: 1, Seconds: r.Seconds, Value: 2 * 500 * 784 * 1000 / r.Seconds / 1e9, Unit: "GFLOP/s"})
		right = append(right, r)
	}
	if len(right) == 0 {
		return fmt.Errorf("no kernels of OpenBLAS give right products")
	}
	best := fastest(right)
	if narrow := slices.DeleteFunc(slices.Clone(right), func(r coreResult) bool { return !slices.Contains(narrowCores, r.Core) }); len(narrow) > 0 {
		b.narrowCore = fastest(narrow).ask
	}
	b.Versions["openblas"] = strings.Replace(openBLAS.version, ", kernels for "+openBLAS.core, "", 1) + ", kernels for " + best.Core
	if best.Core != b.coreItself {
		b.Versions["openblas"] += " (the fastest right ones; by itself it takes those for " + b.coreItself + ")"
	}
	b.add("Kernels of OpenBLAS", "A product of 500x784 and 784x1000 in float32, one thread, least of seven. The fastest whose products agree with sums in float64 serve all yardsticks that use OpenBLAS.", rows)
	return os.Setenv(coreVariable, best.ask)
}

// fastest returns the first of some kernels, which OpenBLAS takes by itself if they are there, unless others are a good deal faster.
func fastest(right []coreResult) coreResult {
	best := right[0]
	for _, r := range right[1:] {
		if r.Seconds < 0.95*best.Seconds {
			best = r
		}
	}
	if best.ask == "" {
		best.ask = best.Core
	}
	return best
}

// productsAlike returns the rows of the products of the tier avx2 beside OpenBLAS's kernels for processors that have no
// more than it, as they meet on such a processor: the floors of the tier are for those. rows has them
// beside the fastest ones, which use AVX-512 here; these lose their floors, and the kernels' name is added.
func (b *bench) productsAlike(rows []row) ([]row, error) {
	if b.narrowCore == "" || os.Getenv(coreVariable) == b.narrowCore {
		return rows, nil
	}
	alike, err := b.childRows("avx2", "kernels", coreVariable+"="+b.narrowCore)
	if err != nil {
		return nil, err
	}
	return withAlike(rows, alike, os.Getenv(coreVariable), b.narrowCore), nil
}

// withAlike returns rows with those of products beside OpenBLAS's kernels for narrow, of alike; rows themselves are beside those for fast.
func withAlike(rows, alike []row, fast, narrow string) []row {
	for k := range rows {
		if r := &rows[k]; r.Against == yardstickBLAS {
			r.Floor = 0
			r.Against += ", kernels for " + fast
		}
	}
	for _, r := range alike {
		if r.Against == yardstickBLAS {
			r.Against += ", kernels for " + narrow
			rows = append(rows, r)
		}
	}
	return rows
}
