package spin

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	"gonum.org/v1/gonum/mathext"

	"bethe/stream"
)

// Each spin is +1 with probability 1/(1+exp(-2f)): counts of 2^18 draws lie
// within 6 standard deviations, a false alarm once in 10^7 choices of the key.
func TestDrawFrequency(t *testing.T) {
	drawFrequency[float32](t)
	drawFrequency[float64](t)
}

func drawFrequency[T Real](t *testing.T) {
	const n = 1 << 18
	fields := []float64{-1e30, -200, -4, -2, -1, -0.3, -0.01, 0, 0.01, 0.3, 1, 2, 4, 200, 1e30, math.Inf(1), math.Inf(-1)}
	field := make([]T, len(fields)*n)
	for i, f := range fields {
		for a := range n {
			field[i*n+a] = T(f)
		}
	}
	m := New(len(fields), n)
	Draw(m, field, stream.New(1))
	sums := make([]int, len(fields))
	m.RowSums(sums)
	for i, f := range fields {
		p := 1 / (1 + math.Exp(-2*f))
		up := float64(sums[i]+n) / 2
		if math.Abs(up-n*p) > 6*math.Sqrt(n*p*(1-p)) {
			t.Errorf("%T field %g: %.0f of %d spins up, %.0f expected", field, f, up, n, n*p)
		}
	}
}

// Draws are independent: all 2^12 patterns of a block of 3 rows x 4 columns
// (in one generator's lanes and across generators) come with the product of
// their probabilities. Chi-squared, p > 1e-6.
func TestDrawIndependence(t *testing.T) {
	const rows, cols, repeats = 3, 4, 1 << 18
	for _, spread := range []int{1, 8, 16} { // distance between the columns looked at
		width := cols * spread
		field := make([]float64, rows*width)
		for k := range field {
			field[k] = 0.1 * float64(k%7-3)
		}
		expected, counts := make([]float64, 1<<(rows*cols)), make([]float64, 1<<(rows*cols))
		for pattern := range expected {
			expected[pattern] = repeats
			for k := range rows * cols {
				f := field[k/cols*width+k%cols*spread] * float64(2*(pattern>>k&1)-1)
				expected[pattern] *= 1 / (1 + math.Exp(-2*f))
			}
		}
		m := New(rows, width)
		key := stream.New(uint64(spread))
		for r := range repeats {
			Draw(m, field, key.Sub(uint64(r)))
			pattern := 0
			for k := range rows * cols {
				if m.At(k/cols, k%cols*spread) > 0 {
					pattern |= 1 << k
				}
			}
			counts[pattern]++
		}
		chi2 := 0.0
		for pattern, e := range expected {
			chi2 += (counts[pattern] - e) * (counts[pattern] - e) / e
		}
		if p := mathext.GammaIncRegComp(float64(len(expected)-1)/2, chi2/2); p < 1e-6 {
			t.Errorf("columns %d apart: chi-squared %.0f of %d, p = %.2g", spread, chi2, len(expected)-1, p)
		}
	}
}

// The spins are a function of key, field and place. They do not depend on the threads, the
// number of columns, the earlier contents of the matrix or the other fields.
func TestDrawDeterminism(t *testing.T) {
	const rows, cols = 100, 2000
	rng := rand.New(rand.NewPCG(1, 2))
	field := make([]float32, rows*cols)
	for k := range field {
		field[k] = float32(rng.NormFloat64())
	}
	draw := func(threads, cols int) *Matrix {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(threads))
		part := make([]float32, 0, rows*cols)
		for i := range rows {
			part = append(part, field[i*2000:i*2000+cols]...)
		}
		m := Random(rows, cols, rng)
		Draw(m, part, stream.New(3))
		return m
	}
	all := draw(1, cols)
	for _, threads := range []int{2, 5} {
		if !draw(threads, cols).Equal(all) {
			t.Errorf("%d threads draw other spins than 1", threads)
		}
	}
	for _, n := range []int{0, 1, 15, 16, 17, 64, 100, 1999} {
		first := make([]int, n)
		for k := range first {
			first[k] = k
		}
		want := New(rows, n)
		all.Gather(want, first)
		if !draw(2, n).Equal(want) {
			t.Errorf("the first %d columns depend on how many there are", n)
		}
	}
	other := New(rows, cols)
	Draw(other, field, stream.New(4))
	if other.Equal(all) {
		t.Error("another key draws the same spins")
	}
}

// Columns drawn a few at a time are those drawn at once, in float32 and in float64.
func TestDrawColumns(t *testing.T) {
	drawColumns[float32](t)
	drawColumns[float64](t)
}

func drawColumns[T Real](t *testing.T) {
	const rows, cols = 37, 150
	rng := rand.New(rand.NewPCG(6, 7))
	field := make([]T, rows*cols)
	for k := range field {
		field[k] = T(rng.NormFloat64())
	}
	want := New(rows, cols)
	Draw(want, field, stream.New(8))
	got := Random(rows, cols, rng)
	for _, piece := range [][2]int{{128, 150}, {0, 64}, {64, 64}, {64, 128}} {
		part := make([]T, 0, rows*cols)
		for i := range rows {
			part = append(part, field[i*cols+piece[0]:i*cols+piece[1]]...)
		}
		DrawColumns(got, piece[0], piece[1], part, stream.New(8))
	}
	if !got.Equal(want) {
		t.Errorf("%T: other spins than those drawn at once", field[0])
	}
	for _, piece := range [][2]int{{1, 64}, {0, 17}, {-64, 0}, {128, 151}, {128, 64}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("no panic at columns %v", piece)
				}
			}()
			DrawColumns(got, piece[0], piece[1], make([]T, rows*max(0, piece[1]-piece[0])), stream.New(8))
		}()
	}
}

// Seeds keep their meaning: spins without a field do not change from version
// to version. (With one, the last bit of exp could.)
func TestDrawGolden(t *testing.T) {
	const rows, cols, want = 70, 100, 0xa98b70dce80a7bf5
	for _, draw := range []func(*Matrix){
		func(m *Matrix) { Draw(m, make([]float32, rows*cols), stream.New(5)) },
		func(m *Matrix) { Draw(m, make([]float64, rows*cols), stream.New(5)) },
	} {
		m, x := New(rows, cols), make([]int8, rows*cols)
		draw(m)
		Values(x, m)
		h := fnv.New64a()
		for _, s := range x {
			_, _ = h.Write([]byte{byte(s)})
		}
		if got := h.Sum64(); got != want {
			t.Errorf("the spins hash to %#x, not %#x", got, uint64(want))
		}
	}
}
