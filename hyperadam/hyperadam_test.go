package hyperadam

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"testing"
)

func testRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

// drawn returns weights of about the given sizes.
func drawn(rng *rand.Rand, in, out float64) *Weights {
	x := make([]float64, Numbers)
	for k := range x {
		x[k] = in * rng.NormFloat64()
		if k >= Hidden*Features {
			x[k] = out / in * x[k]
		}
	}
	return OfVector(x)
}

func normal[T float32 | float64](rng *rand.Rand, n int, size float64) []T {
	x := make([]T, n)
	for k := range x {
		x[k] = T(size * rng.NormFloat64())
	}
	return x
}

const (
	testVisible, testHidden = 37, 5
	testSteps               = 12
)

func stepOf(count int) Step {
	return Step{Count: count, Rate: 0.1, Limit: 4, Keep: 0.9, Take: 0.1, Fraction: float64(count-1) / testSteps, Settled: count > 8}
}

func TestVector(t *testing.T) {
	w := drawn(testRand(1), 1, 1)
	if x := w.Vector(); len(x) != Numbers || Numbers != 61 || !reflect.DeepEqual(OfVector(x), w) {
		t.Errorf("%d numbers, %v", len(x), OfVector(x))
	}
	other := *w
	other.Out[4][4] = math.Nextafter32(other.Out[4][4], 9)
	if len(w.Hash()) != 16 || w.Hash() == other.Hash() || w.Hash() != OfVector(w.Vector()).Hash() {
		t.Errorf("sums %s and %s", w.Hash(), other.Hash())
	}
	for name, f := range map[string]func(){
		"OfVector": func() { OfVector(make([]float64, 60)) },
		"Move":     func() { NewState[float32](w, 3, 2).Move(make([]float32, 6), make([]float32, 5), stepOf(1)) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}

// plain is the rule in plain loops, as the documentation of the package has it.
type plain struct {
	weights                   *Weights
	first, slow, fast, second []float64
	rows                      [testHidden][2]float64
}

func (p *plain) move(theta, grad []float64, at Step) {
	ema := func(x *float64, keep, g float64) float64 {
		*x = keep**x + (1-keep)*g
		return *x / (1 - math.Pow(keep, float64(at.Count)))
	}
	clip := func(v, limit float64) float64 { return max(-limit, min(limit, v)) }
	settled := 0.0
	if at.Settled {
		settled = 1
	}
	for mu := range testHidden {
		var sums [2]float64
		for i := range testVisible {
			k := mu*testVisible + i
			g, x := grad[k], theta[k]
			first, slow := ema(&p.first[k], at.Keep, g), ema(&p.slow[k], 0.98, g)
			fast, second := math.Sqrt(ema(&p.fast[k], 0.95, g*g))+1e-8, math.Sqrt(ema(&p.second[k], 0.999, g*g))+1e-8
			u := [4]float64{g / second, first / second, slow / second, first / fast}
			f := [Features]float64{1, at.Fraction - 0.5, settled, p.rows[mu][0], p.rows[mu][1], min(2, math.Abs(u[1])), clip(u[0]*u[2], 2), clip(x*u[1], 2), min(4, math.Abs(x)) - 1}
			sums[0] += f[5]
			sums[1] += f[6]
			var o [Outputs]float64
			for j := range o {
				o[j] = float64(p.weights.Out[j][Hidden])
				for q := range Hidden {
					var z float64
					for n, v := range f {
						z += float64(p.weights.In[q][n]) * v
					}
					o[j] += float64(p.weights.Out[j][q]) * z / (1 + math.Abs(z))
				}
			}
			d := math.Exp(clip(o[0], 3)) * (u[1] + o[1]*(u[0]-u[1]) + o[2]*(u[2]-u[1]) + o[3]*(u[3]-u[1]) + 0.1*o[4]*x)
			theta[k] = clip(x+at.Rate*d, at.Limit)
		}
		rate := 0.1
		if at.Count == 1 {
			rate = 1
		}
		for k, sum := range sums {
			p.rows[mu][k] += rate * (sum/testVisible - p.rows[mu][k])
		}
	}
}

// TestMove holds steps against the plain loops: in float64, and in float32 within its precision.
func TestMove(t *testing.T) {
	const n = testVisible * testHidden
	rng := testRand(2)
	w := drawn(rng, 0.7, 0.4)
	want := normal[float64](rng, n, 0.5)
	p := &plain{w, make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n), [testHidden][2]float64{}}
	long, short := append([]float64(nil), want...), make([]float32, n)
	for k, v := range want {
		short[k] = float32(v)
	}
	stateLong, stateShort := NewState[float64](w, testVisible, testHidden), NewState[float32](w, testVisible, testHidden)
	for count := 1; count <= testSteps; count++ {
		grad, gradShort := normal[float64](rng, n, 0.01), make([]float32, n)
		for k, g := range grad {
			gradShort[k] = float32(g)
		}
		p.move(want, grad, stepOf(count))
		stateLong.Move(long, grad, stepOf(count))
		stateShort.Move(short, gradShort, stepOf(count))
		for k, x := range want {
			if !(math.Abs(long[k]-x) < 1e-7) || !(math.Abs(float64(short[k])-x) < 1e-4) { // weights times 0.1 are rounded once more
				t.Fatalf("step %d, theta %d: %v, in float32 %v, not %v", count, k, long[k], short[k], x)
			}
		}
	}
}

// TestMoveIsOdd: where all gradients and thetas turn, thetas stay each other's reverse to the bit, whatever the net.
func TestMoveIsOdd(t *testing.T) {
	const n = testVisible * testHidden
	for seed := range uint64(5) {
		rng := testRand(seed)
		w := drawn(rng, 1, float64(seed))
		a, b := normal[float32](rng, n, 0.5), make([]float32, n)
		for k, v := range a {
			b[k] = -v
		}
		one, other := NewState[float32](w, testVisible, testHidden), NewState[float32](w, testVisible, testHidden)
		for count := 1; count <= testSteps; count++ {
			g, h := normal[float32](rng, n, 0.01), make([]float32, n)
			for k, v := range g {
				h[k] = -v
			}
			one.Move(a, g, stepOf(count))
			other.Move(b, h, stepOf(count))
		}
		for k, v := range a {
			if b[k] != -v {
				t.Fatalf("seed %d, theta %d: %v and %v", seed, k, v, b[k])
			}
		}
	}
}

// TestNothingIsAdam: with weights of 0, steps are Adam's.
func TestNothingIsAdam(t *testing.T) {
	const n = testVisible * testHidden
	rng := testRand(4)
	state, theta := NewState[float64](&Weights{}, testVisible, testHidden), normal[float64](rng, n, 0.5)
	want, m, v := append([]float64(nil), theta...), make([]float64, n), make([]float64, n)
	for count := 1; count <= testSteps; count++ {
		g, at := normal[float64](rng, n, 0.01), stepOf(count)
		state.Move(theta, g, at)
		for k, g := range g {
			m[k], v[k] = 0.9*m[k]+0.1*g, 0.999*v[k]+0.001*g*g
			want[k] += at.Rate * m[k] / (1 - math.Pow(0.9, float64(count))) / (math.Sqrt(v[k]/(1-math.Pow(0.999, float64(count)))) + 1e-8)
			if !(math.Abs(theta[k]-want[k]) < 1e-12) {
				t.Fatalf("step %d, theta %d: %v, Adam's %v", count, k, theta[k], want[k])
			}
		}
	}
}

// TestThreads: threads change nothing.
func TestThreads(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	const visible, hidden = 500, 60
	var first []float32
	for _, threads := range []int{1, 4} {
		runtime.GOMAXPROCS(threads)
		rng := testRand(6)
		state, theta := NewState[float32](drawn(rng, 1, 0.5), visible, hidden), normal[float32](rng, visible*hidden, 0.5)
		for count := range 3 {
			state.Move(theta, normal[float32](rng, visible*hidden, 0.01), stepOf(count+1))
		}
		if first == nil {
			first = theta
		} else if !reflect.DeepEqual(first, theta) {
			t.Errorf("%d threads: other thetas", threads)
		}
	}
}

func BenchmarkMove(b *testing.B) {
	const visible, hidden = 784, 500
	rng := testRand(7)
	state, theta, grad := NewState[float32](drawn(rng, 0.5, 0.3), visible, hidden), normal[float32](rng, visible*hidden, 0.5), normal[float32](rng, visible*hidden, 0.01)
	for _, threads := range []int{1, 2} {
		b.Run(fmt.Sprint(threads), func(b *testing.B) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(threads))
			for b.Loop() {
				state.Move(theta, grad, stepOf(1))
			}
		})
	}
}
