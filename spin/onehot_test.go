package spin

import (
	"math"
	"runtime"
	"testing"

	"bethe/stream"
)

// Draws have the probabilities of their fields: chi-squared over 40,000 columns, three groups,
// below its 1 - 1e-6 quantiles (27.6 and 30.7 of 2 and 3 degrees of freedom).
func TestDrawOneHot(t *testing.T) {
	const count = 40000
	base := []float64{0.5, -0.3, 1, 8, 7.5, 7, -2, -2.5, -90}
	for _, none := range []bool{false, true} {
		fields, m := make([]float32, 9*count), New(9, count)
		for i, f := range base {
			for j := range count {
				fields[i*count+j] = float32(f)
			}
		}
		DrawOneHot(m, fields, 3, none, stream.New(5))
		if g, j, ok := m.OneHot(3, none); !ok {
			t.Fatalf("group %d of column %d has none or several", g, j)
		}
		sums := make([]int, 9)
		m.RowSums(sums)
		for first := 0; first < 9; first += 3 {
			total := 0.0
			if none {
				total = 1
			}
			for _, f := range base[first : first+3] {
				total += math.Exp(2 * f)
			}
			chi, left := 0.0, float64(count)
			for i := first; i < first+3; i++ {
				on, want := float64(sums[i]+count)/2, count*math.Exp(2*base[i])/total
				left -= on
				if want > 1e-9 {
					chi += (on - want) * (on - want) / want
				} else if on != 0 {
					t.Errorf("an element of no weight was drawn %v times", on)
				}
			}
			if none {
				if want := count / total; want > 1 {
					chi += (left - want) * (left - want) / want
				}
			}
			if chi > 30.7 {
				t.Errorf("none %v, group at %d: chi-squared %v", none, first, chi)
			}
		}
		again := New(9, count)
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
		DrawOneHot(again, fields, 3, none, stream.New(5))
		if !again.Equal(m) {
			t.Error("one thread draws something else")
		}
	}
	m := New(6, 2)
	m.Set(1, 0, 1)
	m.Set(2, 1, 1)
	m.Set(3, 1, 1)
	m.Set(4, 1, 1)
	if g, j, ok := m.OneHot(3, true); ok || g != 1 || j != 1 {
		t.Errorf("two in group 1 of column 1 are answered by %d, %d, %v", g, j, ok)
	}
	if _, _, ok := m.OneHot(3, false); ok {
		t.Error("a group of none passes")
	}
}
