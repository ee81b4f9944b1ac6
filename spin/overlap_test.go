package spin

import (
	"math"
	"math/rand/v2"
	"testing"

	"bethe/stream"
)

func TestOverlaps(t *testing.T) {
	rng := stream.New(3).Rand()
	for _, shape := range [][3]int{{1, 1, 1}, {0, 2, 3}, {5, 0, 4}, {30, 7, 64}, {31, 3, 65}, {784, 5, 130}, {100, 61, 17}} {
		k, p, lanes := shape[0], shape[1], shape[2]
		a, b := Random(k, p, rng), Random(k, lanes, rng)
		shift := make([]float32, p)
		for i := range shift {
			shift[i] = float32(rng.NormFloat64())
		}
		const slope = 0.03
		dots := make([]int32, p*lanes)
		Dot(dots, a, b)
		var o Overlaps
		o.Set(a, b)
		fields := make([]float32, p*lanes)
		o.Fields(fields, slope, shift)
		for i := range fields {
			if want := float64(shift[i/lanes]) + slope*float64(dots[i]); math.Abs(float64(fields[i])-want) > 1e-5 {
				t.Fatalf("%v: field %d is %v, not %v", shape, i, fields[i], want)
			}
		}
		key := stream.New(4)
		separate, together := New(p, lanes), New(p, lanes)
		o.Draw(separate, slope, shift, key)
		var fused Overlaps
		fused.SetDraw(together, a, b, slope, shift, key)
		if !separate.Equal(together) {
			t.Errorf("%v: Set and Draw give other spins than SetDraw", shape)
		}
		// The same random numbers in fields rounded otherwise: at most a few differ.
		reference := New(p, lanes)
		Draw(reference, fields, key)
		differ := 0
		for i := range p {
			for l := range lanes {
				if reference.At(i, l) != together.At(i, l) {
					differ++
				}
			}
		}
		if differ > 2 {
			t.Errorf("%v: %d of %d spins differ from those in real fields", shape, differ, p*lanes)
		}
	}
}

func TestOverlapsPanics(t *testing.T) {
	var o Overlaps
	o.Set(New(4, 2), New(4, 3))
	for name, f := range map[string]func(){
		"rows": func() { o.Set(New(4, 2), New(5, 2)) }, "long": func() { o.Set(New(1<<16, 1), New(1<<16, 1)) },
		"spins":  func() { o.Set(New(4, 2), New(4, 3)); o.Draw(New(3, 3), 1, make([]float32, 2), 0) },
		"shifts": func() { o.Set(New(4, 2), New(4, 3)); o.Draw(New(2, 3), 1, make([]float32, 3), 0) },
		"fields": func() { o.Set(New(4, 2), New(4, 3)); o.Fields(make([]float32, 5), 1, make([]float32, 2)) },
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

// Sums of columns, also of more rows than one count takes (61,440).
func TestColSums(t *testing.T) {
	for _, shape := range [][2]int{{67, 70}, {1, 1}, {30, 64}, {61440, 2}, {61441, 3}, {130000, 2}} {
		rows, cols := shape[0], shape[1]
		m := Random(rows, cols, stream.New(5).Rand())
		for i := range rows {
			m.Set(i, 0, 1) // one column of the largest sum
		}
		sums := make([]int, cols)
		m.ColSums(sums)
		for j, s := range sums {
			want := 0
			for i := range rows {
				want += int(m.At(i, j))
			}
			if s != want {
				t.Fatalf("%d x %d: column %d adds up to %d, not %d", rows, cols, j, s, want)
			}
		}
	}
}

func TestHash(t *testing.T) {
	m := Random(67, 70, stream.New(6).Rand())
	h := m.Hash()
	if c := m.Clone(); c.Hash() != h {
		t.Error("a copy has another hash")
	} else if c.Set(66, 69, -c.At(66, 69)); c.Hash() == h {
		t.Error("another matrix has the same hash")
	}
	if New(2, 3).Hash() == New(3, 2).Hash() {
		t.Error("another shape has the same hash")
	}
}

// An Overlaps that held products of other shapes gives those of a fresh one.
func TestOverlapsAgain(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	a, b := Random(70, 50, rng), Random(70, 300, rng)
	var o Overlaps
	check := func(what string, a, b *Matrix) {
		t.Helper()
		var fresh Overlaps
		fresh.Set(a, b)
		o.Set(a, b)
		for l := range b.Cols() { // what lies behind the last column is anything
			for i := range a.Cols() {
				if at := i*lanesAtOnce + l%lanesAtOnce; o.tile(l / lanesAtOnce)[at] != fresh.tile(l / lanesAtOnce)[at] {
					t.Fatalf("%s: counts of columns %d and %d differ", what, i, l)
				}
			}
		}
		want := make([]int32, a.Cols()*b.Cols())
		Dot(want, a, b)
		got := make([]float32, len(want))
		o.Fields(got, 1, make([]float32, a.Cols()))
		for k, v := range want {
			if got[k] != float32(v) {
				t.Fatalf("%s: product %d is %v, want %d", what, k, got[k], v)
			}
		}
	}
	check("first", a, b)
	check("few columns", a, Random(70, 10, rng))
	check("some columns", a, Random(70, 20, rng))
	check("many again", a, b)
	check("another shape, as many words", Random(65, 50, rng), Random(65, 300, rng))
	check("more columns", Random(70, 130, rng), b)
	check("no rows", Random(0, 130, rng), Random(0, 300, rng))
}
