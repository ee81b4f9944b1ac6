package planted

import (
	"math"
	"testing"

	"bethe/spin"
	"bethe/stream"
)

func TestTeacherOverlaps(t *testing.T) {
	const n = 40000
	for _, c := range []struct {
		hidden      int
		correlation float64
	}{{1, 0}, {1, 0.5}, {2, 0}, {2, 0.3}, {2, -0.7}, {2, 1}, {2, -1}, {3, 0}, {3, 0.3}, {5, 0.6}, {4, 1}} {
		m := teacher(t, n, c.hidden, c.correlation, stream.New(1))
		if m.HasFields() || m.Centred() || m.Coupling() != 1/math.Sqrt(n) {
			t.Errorf("%+v: fields, offsets or coupling %v", c, m.Coupling())
		}
		dot := make([]int32, c.hidden*c.hidden)
		spin.Dot(dot, m.Signs(), m.Signs())
		sums := make([]int, n)
		m.Signs().RowSums(sums)
		total := 0
		for _, s := range sums {
			total += s
		}
		// 5.2 standard deviations: false alarm 2e-7 for each of 26 numbers.
		if z := math.Abs(float64(total)) / math.Sqrt(n*float64(c.hidden*c.hidden)); z > 5.2 {
			t.Errorf("%+v: synapses sum to %d", c, total)
		}
		for mu := range c.hidden {
			for nu := range mu {
				q := float64(dot[mu*c.hidden+nu]) / n
				if math.Abs(q-c.correlation) > 5.2*math.Sqrt((1-c.correlation*c.correlation)/n) {
					t.Errorf("%+v: overlap of units %d and %d is %v", c, mu, nu, q)
				}
			}
		}
	}
}

func TestTeacherIsAFunctionOfItsKey(t *testing.T) {
	a, b := teacher(t, 50, 3, 0.2, stream.New(3)), teacher(t, 50, 3, 0.2, stream.New(3))
	if !a.Signs().Equal(b.Signs()) {
		t.Error("equal keys give different teachers")
	}
	if a.Signs().Equal(teacher(t, 50, 3, 0.2, stream.New(4)).Signs()) {
		t.Error("different keys give equal teachers")
	}
}

func TestTeacherErrors(t *testing.T) {
	for _, c := range []struct {
		hidden            int
		beta, correlation float64
	}{{2, 1, 1.1}, {2, 1, -1.1}, {3, 1, -0.1}, {3, 1, math.NaN()}, {1, 1, 2}, {2, 0, 0}, {2, math.Inf(1), 0}, {2, math.NaN(), 0}} {
		if _, err := NewTeacher(10, c.hidden, c.beta, c.correlation, stream.New(1)); err == nil {
			t.Errorf("%+v: no error", c)
		}
	}
	mustPanic(t, "no visible units", func() { NewTeacher(0, 1, 1, 0, stream.New(1)) })
	mustPanic(t, "no hidden units", func() { NewTeacher(1, 0, 1, 0, stream.New(1)) })
}

func TestSuccessor(t *testing.T) {
	const n, p = 2000, 5
	first := teacher(t, n, p, 0, stream.New(1))
	for _, correlation := range []float64{1, 0.6, 0, -1} {
		next := Successor(first, correlation, stream.New(2))
		var sum float64
		for i := range n {
			for mu := range p {
				sum += float64(first.Signs().At(i, mu) * next.Signs().At(i, mu))
			}
		}
		// Ten standard deviations of a mean of 10,000 signs.
		if sum /= n * p; math.Abs(sum-correlation) > 0.1*math.Sqrt(1-correlation*correlation) || next.Coupling() != first.Coupling() {
			t.Errorf("correlation %v, not %v", sum, correlation)
		}
	}
	mustPanic(t, "correlation", func() { Successor(first, 1.1, 0) })
}
