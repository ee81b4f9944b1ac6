package spin

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"bethe/stream"
)

func TestMulCoarse(t *testing.T) {
	const p, rows, cols = 70, 95, 333
	rng := rand.New(rand.NewPCG(3, 4))
	m := Random(rows, cols, rng)
	a, shift := make([]float32, p*rows), make([]float32, p)
	for k := range a {
		a[k] = float32(rng.NormFloat64())
	}
	for i := range shift {
		shift[i] = float32(rng.NormFloat64())
	}
	exact, coarse, affine := make([]float32, p*cols), make([]float32, p*cols), make([]float32, p*cols)
	Mul(exact, a, p, m)
	MulCoarse(coarse, a, p, m)
	MulAffineCoarse(affine, a, p, m, -0.5, shift)
	for i := range p {
		var largest float64
		for _, v := range a[i*rows : (i+1)*rows] {
			largest = max(largest, math.Abs(float64(v)))
		}
		for j := range cols {
			k := i*cols + j
			if d := math.Abs(float64(coarse[k] - exact[k])); d > 6*math.Sqrt(rows/12.)*largest/1092 {
				t.Fatalf("(%d, %d) = %v, exactly %v", i, j, coarse[k], exact[k])
			}
			if want := -0.5*coarse[k] + shift[i]; math.Abs(float64(affine[k]-want)) > 1e-5 {
				t.Fatalf("(%d, %d) = %v after the affine map, want %v", i, j, affine[k], want)
			}
		}
	}
	if slices.Equal(exact, coarse) {
		t.Error("nothing is rounded")
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(3))
	again := make([]float32, p*cols)
	MulCoarse(again, a, p, m)
	if !slices.Equal(again, coarse) {
		t.Error("three threads give another product")
	}
}

// A prepared matrix gives the same products, and any change to it makes the preparation void.
func TestPrepare(t *testing.T) {
	const p, rows, cols = 40, 95, 130
	rng := rand.New(rand.NewPCG(5, 6))
	m, other := Random(rows, cols, rng), Random(rows, cols, rng)
	a := make([]float32, p*rows)
	for k := range a {
		a[k] = float32(rng.NormFloat64())
	}
	order := rng.Perm(cols)
	turned := Random(cols, rows, rng)
	field := make([]float32, rows*cols)
	var overlaps Overlaps
	left := Random(60, rows, rng)
	changes := []struct {
		name   string
		change func()
	}{
		{"nothing", func() {}},
		{"Set", func() { m.Set(3, 5, -m.At(3, 5)) }},
		{"SetColumn", func() { m.SetColumn(7, make([]byte, (rows+7)/8)) }},
		{"Gather", func() { other.Gather(m, order) }},
		{"Columns.Gather", func() { other.Columns().Gather(m, slices.Concat(order[1:], order[:1])) }},
		{"Copy", func() { m.Copy(Random(rows, cols, rng)) }},
		{"CopyUnits", func() { m.CopyUnits(Random(rows, cols, rng), []int{1, 50}) }},
		{"Swap", func() { m.Swap(Random(rows, cols, rng), []int{1, 50}) }},
		{"Swap, second", func() { Random(rows, cols, rng).Swap(m, []int{1, 50}) }},
		{"Put", func() { m.Put(Random(rows, 2, rng), []int{1, 50}) }},
		{"Load", func() {
			if err := m.Load(Random(rows, cols, rng).Store()); err != nil {
				t.Fatal(err)
			}
		}},
		{"Transpose", func() { turned.Transpose(m) }},
		{"Draw", func() { Draw(m, field, stream.New(4)) }},
		{"Overlaps.SetDraw", func() { overlaps.SetDraw(m, left, Random(60, cols, rng), 0.1, make([]float32, rows), stream.New(5)) }},
		{"Overlaps.Draw", func() { overlaps.Draw(m, 0.1, make([]float32, rows), stream.New(6)) }},
	}
	if Prepare[float64](m); len(m.expanded) > 0 {
		t.Error("a matrix is prepared for products in float64")
	}
	got, want, small := make([]float32, p*cols), make([]float32, p*cols), make([]float32, 3*cols)
	for _, c := range changes {
		Prepare[float32](m)
		before := m.Clone()
		if len(m.expanded) == 0 { // this processor needs no other form: something stands for it
			m.expanded = []int8{1}
		}
		c.change()
		if kept := len(m.expanded) > 0; kept != (c.name == "nothing") {
			t.Errorf("after %s the form for products is kept: %v", c.name, kept)
		}
		if len(m.expanded) == 1 {
			m.expanded = nil
		}
		if c.name != "nothing" && before.Equal(m) {
			t.Fatalf("%s changes nothing", c.name)
		}
		for range 2 { // without what was prepared, and prepared again
			MulCoarse(want, a, p, m.Clone())
			MulCoarse(got, a, p, m)
			MulCoarse(small, a[:3*rows], 3, m)
			if !slices.Equal(got, want) || !slices.Equal(small, want[:3*cols]) {
				t.Errorf("after %s a product differs", c.name)
			}
			Prepare[float32](m)
		}
	}
}
