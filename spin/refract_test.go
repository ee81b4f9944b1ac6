package spin

import (
	"testing"

	"bethe/stream"
)

// TestRefract: neurons follow counters that are kept one by one.
func TestRefract(t *testing.T) {
	const rows, cols, tau, steps = 37, 21, 4, 200
	rng := stream.New(3).Rand()
	on := New(rows, cols)
	ring := make([]*Matrix, tau)
	for k := range ring {
		ring[k] = New(rows, cols)
	}
	var counter [rows][cols]int
	for step := range steps {
		candidates := Random(rows, cols, rng)
		Refract(on, ring[step%tau], candidates)
		for i := range rows {
			for a := range cols {
				spiked := counter[i][a] <= 1 && candidates.At(i, a) > 0
				switch {
				case spiked:
					counter[i][a] = tau
				case counter[i][a] > 0:
					counter[i][a]--
				}
				if (on.At(i, a) > 0) != (counter[i][a] > 0) || (ring[step%tau].At(i, a) > 0) != spiked {
					t.Fatalf("step %d, neuron %d of network %d: on %d, spiked %d, counter %d", step, i, a, on.At(i, a), ring[step%tau].At(i, a), counter[i][a])
				}
			}
		}
	}
}

func TestTally(t *testing.T) {
	const rows, cols = 61, 13
	rng, tally := stream.New(4).Rand(), NewTally(rows, cols)
	want := make([]int32, rows*cols)
	for step := range 700 {
		m := Random(rows, cols, rng)
		if step == 300 {
			tally.Counts() // may be looked at between
		}
		tally.Add(m)
		for i := range rows {
			for a := range cols {
				if m.At(i, a) > 0 {
					want[i*cols+a]++
				}
			}
		}
	}
	for k, n := range tally.Counts() {
		if n != want[k] {
			t.Fatalf("element %d was +1 %d times, not %d", k, n, want[k])
		}
	}
}
