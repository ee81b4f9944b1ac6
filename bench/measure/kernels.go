package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"bethe/internal/kernel"
	"bethe/spin"
)

// An entrant is one way of doing some work, in a race within this process.
type entrant struct {
	name  string
	run   func()
	times []float64
}

// raceHere times entrants in turns, after one run each that does not count.
func raceHere(rounds int, entrants ...*entrant) {
	const atLeast = 4 * time.Millisecond
	counts := make([]int, len(entrants))
	for k, e := range entrants {
		e.run()
		start := time.Now()
		e.run()
		counts[k] = max(1, int(atLeast/max(time.Since(start), time.Nanosecond)))
	}
	for range rounds {
		for k, e := range entrants {
			start := time.Now()
			for range counts[k] {
				e.run()
			}
			e.times = append(e.times, time.Since(start).Seconds()/float64(counts[k]))
		}
	}
}

// yardstickBLAS is the name of the yardstick of products.
const yardstickBLAS = "OpenBLAS"

// floors of a ratio, by tier.
type floors map[string]float64

// floorOf returns the floor of a tier. On machines with tiles only theirs are judged: the others were stated on
// machines without.
func floorOf(f floors, tier string) float64 {
	if tier != "amx" && tier != "portable" && slices.Contains(kernel.Tiers(), "amx") {
		return 0
	}
	return f[tier]
}

// besideRow returns the row of an entrant beside a yardstick.
func besideRow(what string, ours, yardstick *entrant, f floors) row {
	tier := kernel.Tier()
	return row{What: what, Tier: tier, Threads: 1, Seconds: median(ours.times), Times: ours.times, Against: yardstick.name,
		Value: medianRatio(yardstick.times, ours.times), Unit: "x", Floor: floorOf(f, tier)}
}

// productRows races a product against those of libraries.
func productRows(rounds int, what string, ours func(), real func(b *blas), f floors) (us *entrant, rows []row) {
	us, gonum := &entrant{run: ours}, &entrant{name: "gonum", run: func() { real(&gonumBLAS) }}
	racers := []*entrant{us, gonum}
	if openBLAS != nil {
		racers = append(racers, &entrant{name: yardstickBLAS, run: func() { real(openBLAS) }})
	}
	raceHere(rounds, racers...)
	for _, y := range racers[1:] {
		g := f
		if (y == gonum) != (kernel.Tier() == "portable") {
			g = nil
		}
		rows = append(rows, besideRow(what, us, y, g))
	}
	return us, rows
}

// realProductRows races the real products of a step of Gaussian units.
func realProductRows(rounds int) (rows []row) {
	least := floors{"avx512": 0.8, "avx2": 0.8}
	for _, s := range []struct {
		what    string
		m, k, n int
		transB  bool
	}{
		{"real product: 500x784 by 784x500", 500, 784, 500, false},
		{"real product: 500x500 by the transpose of 784x500", 500, 500, 784, true},
	} {
		a, b, dst := normal(s.m*s.k), normal(s.k*s.n), make([]float32, s.m*s.n)
		_, r := productRows(rounds, s.what, func() { kernel.MulReal(dst, a, b, s.m, s.k, s.n, false, s.transB) },
			func(l *blas) { l.mul(dst, a, b, s.m, s.k, s.n, false, s.transB) }, least)
		rows = append(rows, r...)
	}
	return rows
}

// kernelRows races the kernels of this process's tier against their yardsticks.
// Products in portable code have a floor against gonum, others against OpenBLAS.
func kernelRows(rounds int) []row {
	tier := kernel.Tier()
	var rows []row
	compare := func(what string, ours *entrant, yardstick *entrant, f floors) {
		rows = append(rows, besideRow(what, ours, yardstick, f))
	}
	product := func(what string, ours func(), real func(b *blas), f floors) *entrant {
		us, r := productRows(rounds, what, ours, real, f)
		rows = append(rows, r...)
		return us
	}

	direct := floors{"avx512": 2.3, "avx2": 1.6, "portable": 1.6}
	backward := floors{"avx512": 2.0, "avx2": 1.4, "portable": 1.6}
	for _, s := range []struct {
		what           string
		p, k, m        int
		transA, transB bool // how a program with real weights holds them
		floors         floors
	}{
		{"hidden fields, 500x784 by 784x1000 bits", 500, 784, 1000, false, false, direct},
		{"hidden fields, 100x784 by 784x1000 bits", 100, 784, 1000, false, false, direct},
		{"visible fields, 784x500 by 500x1000 bits", 784, 500, 1000, true, false, direct},
		{"gradient, 500x1000 by 1000x784 bits", 500, 1000, 784, false, true, backward},
	} {
		stride := kernel.Stride(s.m)
		bits := make([]uint32, kernel.Words(s.k)*stride)
		x := make([]float32, s.k*s.m)
		for r := range s.k {
			for l := range s.m {
				b := rand.Uint32() & 1
				bits[r/kernel.WordBits*stride+l] |= b << (r % kernel.WordBits)
				if v := 2*float32(b) - 1; s.transB {
					x[l*s.k+r] = v
				} else {
					x[r*s.m+l] = v
				}
			}
		}
		a, dst := normal(s.p*s.k), make([]float32, s.p*s.m)
		product("product: "+s.what, func() { kernel.MulBits(dst, a, s.p, s.k, bits, stride, s.m) },
			func(b *blas) { b.mul(dst, a, x, s.p, s.k, s.m, s.transA, s.transB) }, s.floors)
		product("coarse product: "+s.what, func() { kernel.MulBitsCoarse(dst, a, s.p, s.k, bits, stride, s.m, 1, nil) },
			func(b *blas) { b.mul(dst, a, x, s.p, s.k, s.m, s.transA, s.transB) }, nil)
	}
	for _, some := range []int{8, 32, 500} { // the rows that go together in a step, and all
		const k, m = visible, 500
		stride := kernel.Stride(m)
		bits := make([]uint32, kernel.Words(k)*stride)
		for w := range bits {
			if w%stride < m {
				bits[w] = rand.Uint32() >> 2 & (1<<min(kernel.WordBits, k-w/stride*kernel.WordBits) - 1)
			}
		}
		expanded := kernel.Lines(nil, kernel.ExpandedBytes(k, m))
		kernel.Expand(expanded, bits, stride, k, m)
		a, dst := normal(some*k), make([]float32, some*m)
		us := &entrant{name: fmt.Sprintf("coarse product: %dx%d by %dx%d bits, prepared", some, k, k, m),
			run: func() { kernel.MulExpandedCoarse(dst, a, some, k, bits, stride, m, expanded, 1, nil) }}
		raceHere(rounds, us)
		f := floors{}
		if some == 500 {
			f["amx"] = 900
		}
		rows = append(rows, row{What: us.name, Tier: tier, Threads: 1, Seconds: median(us.times), Times: us.times,
			Value: 2 * float64(some) * k * m / median(us.times) / 1e9, Unit: "GF-eq/s", Floor: floorOf(f, tier)})
	}
	for _, m := range []int{1000, 20000} {
		samples := spin.Random(784, m, rand.New(rand.NewPCG(1, 2)))
		turned := spin.New(m, 784)
		samples.Transpose(turned)
		x, a, y := make([]float32, m*784), normal(784), make([]float32, m)
		spin.Values(x, turned)
		product(fmt.Sprintf("matrix-vector: 784 by 784x%d bits", m), func() { spin.Mul(y, a, 1, samples) },
			func(b *blas) { b.mulVector(y, x, a, m, 784) }, nil)
	}
	{
		a, b, dst := normal(500*784), normal(784*1000), make([]float32, 500*1000)
		product("real product: 500x784 by 784x1000", func() { kernel.MulReal(dst, a, b, 500, 784, 1000, false, false) },
			func(l *blas) { l.mul(dst, a, b, 500, 784, 1000, false, false) }, nil)
	}
	{
		samples, turned := spin.Random(784, 1000, rand.New(rand.NewPCG(1, 2))), spin.New(1000, 784)
		a, dst := normal(500*784), make([]float32, 500*1000)
		pack := &entrant{run: func() { samples.Transpose(turned) }}
		mul := &entrant{run: func() { spin.Mul(dst, a, 500, samples) }}
		raceHere(rounds, pack, mul)
		rows = append(rows, row{What: "packing: transposition of 784x1000 bits", Tier: tier, Threads: 1, Seconds: median(pack.times), Times: pack.times,
			Against: "their product with 500x784", Value: 100 * medianRatio(pack.times, mul.times), Unit: "%", Limit: 10})
	}
	{
		x, y := make([]float32, 1<<14), make([]float32, 1<<14)
		for k := range x {
			x[k] = 10 * (2*float32(k)/float32(len(x)) - 1)
		}
		ours := &entrant{run: func() { kernel.Tanh(y, x) }}
		library := &entrant{name: "math.Tanh", run: func() {
			for k, v := range x {
				y[k] = float32(math.Tanh(float64(v)))
			}
		}}
		raceHere(rounds, ours, library)
		compare("tanh, one number", ours, library, floors{"avx512": 80, "avx2": 40})
		each(&rows[len(rows)-1], float64(len(x)))
	}
	{
		const p, k, lanes = 500, visible, 1024
		random := func(words, stride int) []uint32 {
			x := make([]uint32, words*stride)
			for i := range x {
				x[i] = rand.Uint32() >> 2
			}
			return x
		}
		sp := kernel.Stride(p)
		a, b, counts := random(kernel.Words(k), sp), random(kernel.Words(k), lanes), make([]uint16, p*lanes)
		ours := &entrant{run: func() { kernel.CountDiff(counts, lanes, a, sp, p, b, lanes, k, lanes) }}
		wide := newPlainSweep(lanes)
		loop := &entrant{name: "rows of bits.OnesCount64", run: func() {
			for c := range lanes {
				wide.hiddenCounts(counts[c*p:(c+1)*p], c)
			}
		}}
		raceHere(rounds, ours, loop)
		compare("popcount field of 784 spins, one unit", ours, loop, floors{"avx512": 7, "avx2": 2.2})
		each(&rows[len(rows)-1], p*lanes)
	}
	return rows
}

// each makes a row of n things one of each.
func each(r *row, n float64) {
	r.Seconds /= n
	for i := range r.Times {
		r.Times[i] /= n
	}
}

// normal returns n normal numbers.
func normal(n int) []float32 {
	x := make([]float32, n)
	for k := range x {
		x[k] = float32(rand.NormFloat64())
	}
	return x
}
