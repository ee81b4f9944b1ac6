package spin

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"bethe/internal/kernel"
)

// Sizes around the edges of words (30 rows), lanes (64 columns) and blocks.
var sizes = []int{0, 1, 2, 29, 30, 31, 59, 60, 61, 64, 65, 100}

// A table is a matrix of signs kept plainly: what Matrix is held against.
type table [][]int8

func randomTable(rows, cols int, rng *rand.Rand) table {
	x := make(table, rows)
	for i := range x {
		x[i] = make([]int8, cols)
		for j := range x[i] {
			x[i][j] = int8(rng.IntN(2)*2 - 1)
		}
	}
	return x
}

// matrix packs a table with Set, over junk.
func (x table) matrix(rows, cols int, rng *rand.Rand) *Matrix {
	m := Random(rows, cols, rng)
	for i, row := range x {
		for j, s := range row {
			m.Set(i, j, s)
		}
	}
	return m
}

// eachShape calls f with a random table of every shape.
func eachShape(t *testing.T, f func(t *testing.T, rows, cols int, x table, rng *rand.Rand)) {
	for _, rows := range sizes {
		for _, cols := range sizes {
			rng := rand.New(rand.NewPCG(uint64(rows), uint64(cols)))
			t.Run(fmt.Sprintf("%dx%d", rows, cols), func(t *testing.T) {
				f(t, rows, cols, randomTable(rows, cols, rng), rng)
			})
		}
	}
}

// want checks shape and elements of m, and that the bits outside it are 0.
func want(t *testing.T, what string, m *Matrix, rows, cols int, x table) {
	t.Helper()
	if m.Rows() != rows || m.Cols() != cols {
		t.Fatalf("%s: %d x %d, not %d x %d", what, m.Rows(), m.Cols(), rows, cols)
	}
	inside := make([]uint32, len(m.words))
	for i := range rows {
		for j := range cols {
			if m.At(i, j) != x[i][j] {
				t.Fatalf("%s: element (%d, %d) is %d, not %d", what, i, j, m.At(i, j), x[i][j])
			}
			inside[i/kernel.WordBits*m.stride+j] |= 1 << (i % kernel.WordBits)
		}
	}
	for k, w := range m.words {
		if w&^inside[k] != 0 {
			t.Fatalf("%s: word %d has bits %#x outside the matrix", what, k, w&^inside[k])
		}
	}
}

func flat[T int8 | Real](x table) []T {
	y := []T{}
	for _, row := range x {
		for _, s := range row {
			y = append(y, T(s))
		}
	}
	return y
}

// wantEqual compares slices element by element.
func wantEqual[T comparable](t *testing.T, what string, got, want []T) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d elements, not %d", what, len(got), len(want))
	}
	for k := range want {
		if got[k] != want[k] {
			t.Fatalf("%s: element %d is %v, not %v", what, k, got[k], want[k])
		}
	}
}

func TestElements(t *testing.T) {
	eachShape(t, func(t *testing.T, rows, cols int, x table, rng *rand.Rand) {
		m := x.matrix(rows, cols, rng)
		want(t, "Set", m, rows, cols, x)
		elements[int8](t, m, rows, cols, x)
		elements[float32](t, m, rows, cols, x)
		elements[float64](t, m, rows, cols, x)

		c := m.Clone()
		if !c.Equal(m) || !m.Equal(c) {
			t.Fatal("a clone is not equal")
		}
		for i, row := range x {
			for j, s := range row {
				c.Set(i, j, -s)
				if c.Equal(m) || m.At(i, j) != s {
					t.Fatalf("(%d, %d) set in the clone: equal %v, original %d", i, j, c.Equal(m), m.At(i, j))
				}
				c.Set(i, j, s)
			}
		}
		if !c.Equal(m) || m.Equal(New(rows+1, cols)) || m.Equal(New(rows, cols+1)) {
			t.Fatal("Equal does not tell matrices apart")
		}
	})
}

func elements[T int8 | Real](t *testing.T, m *Matrix, rows, cols int, x table) {
	t.Helper()
	dst := make([]T, rows*cols)
	Values(dst, m)
	wantEqual(t, "Values", dst, flat[T](x))
	for k := range dst {
		dst[k] *= T(k%3 + 1)
		if dst[k] > 0 && k%2 == 0 {
			dst[k] = 0 // counts as +1
		}
	}
	want(t, "FromSigns", FromSigns(rows, cols, dst), rows, cols, x)
}

func TestNewAndZeroValue(t *testing.T) {
	m := New(2, 3)
	for k := range 6 {
		if m.At(k/3, k%3) != -1 {
			t.Fatal("New is not -1 everywhere")
		}
	}
	m.Set(1, 2, 5)
	m.Set(0, 1, 0)
	want(t, "Set", m, 2, 3, table{{-1, -1, -1}, {-1, -1, 1}})
	if zero := new(Matrix); !zero.Equal(New(0, 0)) || !zero.Clone().Equal(zero) {
		t.Error("the zero value is not an empty matrix")
	}
}

func TestRandomIsFair(t *testing.T) {
	m := Random(100, 10_000, rand.New(rand.NewPCG(3, 4)))
	sums := make([]int, 100)
	m.RowSums(sums)
	for i, s := range sums {
		if s < -600 || s > 600 { // 6 standard deviations
			t.Errorf("row %d sums to %d of 10000", i, s)
		}
	}
}

func TestGather(t *testing.T) {
	eachShape(t, func(t *testing.T, rows, cols int, x table, rng *rand.Rand) {
		if cols == 0 {
			return
		}
		m := x.matrix(rows, cols, rng)
		for _, k := range []int{0, 1, 64, 130} {
			pick, y := make([]int, k), make(table, rows)
			for a := range pick {
				pick[a] = rng.IntN(cols)
				for i := range y {
					y[i] = append(y[i], x[i][pick[a]])
				}
			}
			dst := Random(rows, k, rng)
			m.Gather(dst, pick)
			want(t, "Gather", dst, rows, k, y)
			again := New(rows, k)
			m.Columns().Gather(again, pick)
			if !again.Equal(dst) {
				t.Errorf("%d x %d: Columns gathers other elements", rows, k)
			}
		}
	})
}

func TestCopyUnits(t *testing.T) {
	eachShape(t, func(t *testing.T, rows, cols int, x table, rng *rand.Rand) {
		y := randomTable(rows, cols, rng)
		m, src := x.matrix(rows, cols, rng), y.matrix(rows, cols, rng)
		var pick []int
		for i := range rows {
			if i%2 == 0 || i == rows-1 {
				pick = append(pick, i, i)
				x[i] = y[i]
			}
		}
		m.CopyUnits(src, pick)
		want(t, "CopyUnits", m, rows, cols, x)
		want(t, "source of CopyUnits", src, rows, cols, y)
	})
}

func TestTranspose(t *testing.T) {
	eachShape(t, func(t *testing.T, rows, cols int, x table, rng *rand.Rand) {
		y := make(table, cols)
		for j := range y {
			for i := range rows {
				y[j] = append(y[j], x[i][j])
			}
		}
		dst := Random(cols, rows, rng)
		x.matrix(rows, cols, rng).Transpose(dst)
		want(t, "Transpose", dst, cols, rows, y)
	})
	// Large enough for several pieces of work.
	rng := rand.New(rand.NewPCG(5, 6))
	m := Random(1000, 3001, rng)
	once, twice := New(3001, 1000), New(1000, 3001)
	m.Transpose(once)
	once.Transpose(twice)
	if !twice.Equal(m) || once.At(2999, 998) != m.At(998, 2999) {
		t.Error("transposed twice, a large matrix differs")
	}
}

func TestSums(t *testing.T) {
	eachShape(t, func(t *testing.T, rows, cols int, x table, rng *rand.Rand) {
		m := x.matrix(rows, cols, rng)
		got, sums := make([]int, rows), make([]int, rows)
		for i, row := range x {
			got[i] = 77
			for _, s := range row {
				sums[i] += int(s)
			}
		}
		m.RowSums(got)
		wantEqual(t, "RowSums", got, sums)

		for _, k := range []int{0, 1, 3, 70} {
			y := randomTable(rows, k, rng)
			dots, got := make([]int32, cols*k), make([]int32, cols*k)
			for i, row := range x {
				for j, s := range row {
					for l, r := range y[i] {
						dots[j*k+l] += int32(s) * int32(r)
					}
				}
			}
			Dot(got, m, y.matrix(rows, k, rng))
			wantEqual(t, "Dot", got, dots)
		}
	})
}

// Products of whole numbers are exact, up to 2^16 in float32 and 2^45 in
// float64: more than the other type could hold.
func TestMul(t *testing.T) {
	eachShape(t, func(t *testing.T, rows, cols int, x table, rng *rand.Rand) {
		for _, p := range []int{0, 1, 2, 5, 17} {
			mul[float32](t, rows, cols, p, 1<<16, x, rng)
			mul[float64](t, rows, cols, p, 1<<45, x, rng)
		}
	})
}

func mul[T Real](t *testing.T, rows, cols, p int, most int64, x table, rng *rand.Rand) {
	t.Helper()
	m := x.matrix(rows, cols, rng)
	numbers := func(n int) []T {
		y := make([]T, n)
		for k := range y {
			y[k] = T(rng.Int64N(2*most+1) - most)
		}
		return y
	}
	a, b := numbers(p*rows), numbers(p*cols)
	right, rightT := make([]T, p*cols), make([]T, p*rows)
	for k := range p {
		for i, row := range x {
			for j, s := range row {
				right[k*cols+j] += a[k*rows+i] * T(s)
				rightT[k*rows+i] += b[k*cols+j] * T(s)
			}
		}
	}
	got, gotT := numbers(p*cols), numbers(p*rows)
	Mul(got, a, p, m)
	MulT(gotT, b, p, m)
	wantEqual(t, fmt.Sprintf("Mul of %d rows of %T", p, a), got, right)
	wantEqual(t, fmt.Sprintf("MulT of %d rows of %T", p, a), gotT, rightT)
	shift := numbers(p)
	for k := range right {
		right[k] = 2*right[k] + shift[k/cols]
	}
	MulAffine(got, a, p, m, 2, shift)
	wantEqual(t, fmt.Sprintf("MulAffine of %d rows of %T", p, a), got, right)
}

// Every result has the same bytes on 1 thread as on several.
func TestThreads(t *testing.T) {
	const rows, cols, p = 311, 2000, 57
	rng := rand.New(rand.NewPCG(7, 8))
	m, other := Random(rows, cols, rng), Random(rows, 99, rng)
	a := make([]float32, p*rows)
	for k := range a {
		a[k] = rng.Float32() - 0.5
	}
	type result struct {
		mul  [p * cols]float32
		mulT [p * rows]float32
		dot  [cols * 99]int32
	}
	run := func(threads int) *result {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(threads))
		r := new(result)
		Mul(r.mul[:], a, p, m)
		MulT(r.mulT[:], r.mul[:], p, m)
		Dot(r.dot[:], m, other)
		return r
	}
	one := run(1)
	for _, threads := range []int{2, 5} {
		if *run(threads) != *one {
			t.Errorf("%d threads: other results than 1", threads)
		}
	}
}

func TestPanics(t *testing.T) {
	m := New(3, 4)
	for name, c := range map[string]struct {
		f    func()
		want string
	}{
		"New":              {func() { New(-1, 2) }, "spin: negative dimension -1 x 2"},
		"FromSigns":        {func() { FromSigns(2, 2, []int8{1}) }, "spin: FromSigns with 1 elements, not 4"},
		"At, row":          {func() { m.At(3, 0) }, "spin: element (3, 0) of a 3 x 4 matrix"},
		"At, column":       {func() { m.At(0, 4) }, "spin: element (0, 4) of a 3 x 4 matrix"},
		"At, negative":     {func() { m.At(-1, 0) }, "spin: element (-1, 0) of a 3 x 4 matrix"},
		"Set":              {func() { m.Set(0, -1, 1) }, "spin: element (0, -1) of a 3 x 4 matrix"},
		"Values":           {func() { Values(make([]int8, 11), m) }, "spin: Values with 11 elements, not 12"},
		"Gather, shape":    {func() { m.Gather(New(3, 1), []int{0, 1}) }, "spin: Gather of 2 columns of 3 rows into 3 x 1"},
		"Gather, rows":     {func() { m.Gather(New(2, 2), []int{0, 1}) }, "spin: Gather of 2 columns of 3 rows into 2 x 2"},
		"Gather, column":   {func() { m.Gather(New(3, 1), []int{4}) }, "spin: Gather of column 4 of a 3 x 4 matrix"},
		"Columns, Gather":  {func() { m.Columns().Gather(New(3, 1), []int{-1}) }, "spin: Gather of column -1 of a 3 x 4 matrix"},
		"CopyUnits, shape": {func() { m.CopyUnits(New(4, 3), nil) }, "spin: CopyUnits of 4 x 3 to 3 x 4"},
		"CopyUnits, row":   {func() { m.CopyUnits(New(3, 4), []int{3}) }, "spin: CopyUnits of row 3 of 3"},
		"Transpose":        {func() { m.Transpose(New(3, 4)) }, "spin: Transpose of 3 x 4 into 3 x 4"},
		"RowSums":          {func() { m.RowSums(make([]int, 4)) }, "spin: RowSums with 4 sums, not 3"},
		"Dot, rows":        {func() { Dot(nil, m, New(2, 1)) }, "spin: Dot of columns of 3 and 2 rows"},
		"Dot, result":      {func() { Dot(make([]int32, 15), m, m) }, "spin: Dot with 15 elements, not 16"},
		"Mul, left factor": {func() { Mul(make([]float32, 8), make([]float32, 5), 2, m) }, "spin: Mul with 5 elements of the left factor, not 6"},
		"Mul, result":      {func() { Mul(make([]float64, 7), make([]float64, 6), 2, m) }, "spin: Mul with 7 elements of the result, not 8"},
		"MulT":             {func() { MulT(make([]float64, 6), make([]float64, 6), 2, m) }, "spin: Mul with 6 elements of the left factor, not 8"},
		"Draw":             {func() { Draw(m, make([]float32, 11), 0) }, "spin: Draw with 11 fields, not 12"},
	} {
		func() {
			defer func() {
				if got, _ := recover().(string); !strings.Contains(got, c.want) {
					t.Errorf("%s: panic %q, not %q", name, got, c.want)
				}
			}()
			c.f()
		}()
	}
}

// Choose takes every column once before any a second time.
func TestChoose(t *testing.T) {
	m := New(4, 10)
	for c := range 10 {
		for i := range 4 {
			m.Set(i, c, int8(c>>i&1))
		}
	}
	counts := make([]int, 10)
	chosen := m.Choose(25, rand.New(rand.NewPCG(7, 8)))
	for k := range 25 {
		c := 0
		for i := range 4 {
			c |= int(chosen.At(i, k)+1) / 2 << i
		}
		if counts[c]++; counts[c] != k/10+1 {
			t.Errorf("column %d taken %d times in %d", c, counts[c], k+1)
		}
	}
}

// Swap exchanges the named columns and no others.
func TestSwap(t *testing.T) {
	const rows, cols = 61, 9
	a, b := Random(rows, cols, rand.New(rand.NewPCG(1, 1))), Random(rows, cols, rand.New(rand.NewPCG(2, 2)))
	x, y := a.Clone(), b.Clone()
	x.Swap(y, []int{7, 0})
	for i := range rows {
		for j := range cols {
			p, q := a, b
			if j == 0 || j == 7 {
				p, q = b, a
			}
			if x.At(i, j) != p.At(i, j) || y.At(i, j) != q.At(i, j) {
				t.Fatalf("element (%d, %d)", i, j)
			}
		}
	}
	for _, f := range []func(){
		func() { x.Swap(y, []int{cols}) }, func() { x.Swap(New(rows+1, cols), nil) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			f()
		}()
	}
}
