package main

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"sort"
	"strings"
	"time"
	"unsafe"
	_ "unsafe"

	"bethe/internal/kernel"
	"bethe/internal/zzbench/cb"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"
)

//go:linkname current bethe/internal/kernel.current
var current unsafe.Pointer

//go:linkname pick bethe/internal/kernel.pick
func pick(name string) (unsafe.Pointer, error)

func setTier(n string) {
	p, err := pick(n)
	if err != nil {
		panic(err)
	}
	current = p
}

type cont struct {
	name string
	f    func()
	ts   []float64
}

// race runs contenders interleaved; the first is the reference.
func race(title string, work float64, unit string, cs ...*cont) {
	for k := 0; k <= *rounds; k++ {
		for _, c := range cs {
			n := 1
			t := time.Now()
			c.f()
			d := time.Since(t)
			if d < time.Millisecond {
				n = int(time.Millisecond/max(d, time.Microsecond)) + 1
				t = time.Now()
				for range n {
					c.f()
				}
				d = time.Since(t)
			}
			if k > 0 {
				c.ts = append(c.ts, d.Seconds()/float64(n))
			}
		}
	}
	fmt.Println(title)
	for _, c := range cs {
		r := make([]float64, len(c.ts))
		for i := range r {
			r[i] = cs[0].ts[i] / c.ts[i]
		}
		sort.Float64s(r)
		s := append([]float64(nil), c.ts...)
		sort.Float64s(s)
		v := work / s[len(s)/2] / 1e9
		if unit == "ns" {
			v = 1 / v
		}
		fmt.Printf("  %-18s %9.4f ms  %8.3f %s   x%.2f\n", c.name, s[len(s)/2]*1e3, v, unit, r[len(r)/2])
	}
}

func tier(n string, f func()) *cont { return &cont{name: n, f: func() { setTier(n); f() }} }
func tiers(f func()) []*cont {
	return []*cont{tier("portable", f), tier("avx2", f), tier("avx512", f)}
}

var rounds = flag.Int("r", 9, "")
var only = flag.String("only", "", "")

func want(s string) bool { return *only == "" || strings.Contains(s, *only) }

func randf(n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(rand.NormFloat64())
	}
	return x
}

func main() {
	flag.Parse()
	cb.SetThreads(1)
	if want("mul") {
		for _, s := range [][3]int{{500, 784, 1000}, {100, 784, 1000}, {500, 1000, 784}, {784, 500, 1000}, {500, 784, 500}, {1, 784, 1000}, {2, 784, 1000}, {5, 784, 1000}, {8, 784, 100}, {100, 100, 100}} {
			p, k, m := s[0], s[1], s[2]
			st := kernel.Stride(m)
			bits := make([]uint32, kernel.Words(k)*st)
			x := make([]float32, k*m)
			for r := range k {
				for l := range m {
					b := rand.Uint32() & 1
					bits[r/30*st+l] |= b << (r % 30)
					x[r*m+l] = float32(int(b)*2 - 1)
				}
			}
			a, dst := randf(p*k), make([]float32, p*m)
			blasC := &cont{name: "openblas", f: func() { cb.Sgemm(false, false, p, m, k, a, k, x, m, dst, m) }}
			if p == 1 {
				xt := make([]float32, k*m)
				for r := range k {
					for l := range m {
						xt[l*k+r] = x[r*m+l]
					}
				}
				blasC = &cont{name: "openblas sgemv", f: func() { cb.Sgemv(m, k, xt, k, a, dst) }}
			}
			cs := append([]*cont{blasC, {name: "gonum", f: func() {
				gonum.Implementation{}.Sgemm(blas.NoTrans, blas.NoTrans, p, m, k, 1, a, k, x, m, 0, dst, m)
			}}}, tiers(func() { kernel.MulBits(dst, a, p, k, bits, st, m) })...)
			race(fmt.Sprintf("mul %dx%dx%d", p, k, m), 2*float64(p*k*m), "GF", cs...)
		}
	}
	if want("elem") {
		const n = 1 << 14
		x, v, d, d2, sum := randf(n), randf(n), make([]float32, n), make([]float32, n), make([]float64, n)
		for i := range v {
			v[i] *= v[i]
		}
		for i := range x {
 x[i] = float32(i-n/2) / (n / 2) * 10
}
		race("elem tanh", n, "ns", append([]*cont{{name: "math.Tanh", f: func() {
			for i, x := range x {
				d[i] = float32(math.Tanh(float64(x)))
			}
		}}}, tiers(func() { kernel.Tanh(d, x) })...)...)
		race("elem gaussMoments", n, "ns", tiers(func() { kernel.GaussMoments(d, d2, x, v) })...)
		race("elem gaussLog2Cosh", n, "ns", tiers(func() { kernel.GaussLog2Cosh(x, v) })...)
		race("elem addLog2Cosh", n, "ns", tiers(func() { kernel.AddLog2Cosh(sum, x) })...)
		race("elem addLog2CoshStep", n, "ns", tiers(func() { kernel.AddLog2CoshStep(sum, x, 0.5, 0.6) })...)
	}
	if want("draw") {
		const rows, lanes = 784, 1024
		field := randf(rows * lanes)
		bits := make([]uint32, kernel.Words(rows)*lanes)
		var g kernel.Generator
		for i := range g {
			g[i] = rand.Uint64()
		}
		race("draw", rows*lanes, "ns", tiers(func() {
			for l := 0; l < lanes; l += 16 {
				kernel.DrawBlock(bits[l:], lanes, field[l:], lanes, rows, 16, &g)
			}
		})...)
	}
	more()
}
