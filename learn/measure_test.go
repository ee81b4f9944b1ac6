package learn

import (
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"bethe/anatomy"
	"bethe/dataset"
	"bethe/runs"
	"bethe/spin"
	"bethe/stream"
	"bethe/variational"
)

// TestPace: whatever measurements cost, they take no more than their share of the time, but
// for the first, whose cost is not known unless it is expected.
func TestPace(t *testing.T) {
	rng := stream.New(1).Rand()
	for _, expected := range []bool{false, true} {
		p := pace{share: 0.01, gap: 50 * time.Millisecond}
		if expected {
			p.expect(400 * time.Millisecond)
		}
		began := time.Now()
		now, spent, first, times := began, time.Duration(0), time.Duration(0), 0
		p.last = now
		for range 200000 {
			now = now.Add(3 * time.Millisecond) // a step
			if !p.due(now) {
				continue
			}
			cost := time.Duration(rng.IntN(int(400 * time.Millisecond)))
			now = now.Add(cost)
			p.last, p.cost, p.measured = now, cost, true
			if times++; times == 1 {
				first = cost
			}
			spent += cost
		}
		allowed := 0.011 * float64(now.Sub(began))
		if !expected {
			allowed += float64(first)
		}
		if float64(spent) > allowed || times < 10 {
			t.Errorf("expected %v: %d measurements took %v of %v", expected, times, spent, now.Sub(began))
		}
		p.expect(time.Hour)
		if p.cost == time.Hour {
			t.Error("a cost that is known is expected again")
		}
	}
}

// learnerOf returns a learner of random samples before its first step.
func learnerOf(t *testing.T, visible, hidden int) *learner {
	t.Helper()
	recipe := Default()
	recipe.Hidden, recipe.Steps = hidden, 1
	run, err := Start(recipe, Job{Data: Data{Set: &dataset.Set{Samples: spin.Random(visible, 50, stream.New(1).Rand())}, Name: "random"}, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	l, err := newLearner(run, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestBoundIsANumber: a bound that is none ends the run.
func TestBoundIsANumber(t *testing.T) {
	l := learnerOf(t, 5, 2)
	for _, bound := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		if err := l.checkBound(bound); !errors.Is(err, variational.ErrDiverged) {
			t.Errorf("%v: %v", bound, err)
		}
	}
	if err := l.checkBound(-1e300); err != nil {
		t.Error(err)
	}
}

// TestOverlapsOfSome: mean and largest overlap are those of at most 512 hidden units, and
// records with singular values have the matrix of at most 64, which they name.
func TestOverlapsOfSome(t *testing.T) {
	for _, c := range []struct{ hidden, of, matrix, units int }{{20, 0, 20, 0}, {50, 0, 50, 0}, {200, 0, 64, 64}, {700, 512, 64, 64}} {
		l := learnerOf(t, 10, c.hidden)
		m, err := l.newMeasuring()
		if err != nil {
			t.Fatal(err)
		}
		var r runs.Record
		m.measureCounts(&r)
		if c.hidden > maxOverlapMatrix && r.Overlap.Matrix != nil {
			t.Errorf("%d units: a matrix in each record", c.hidden)
		}
		m.measureSpectrum(t.Context(), &r)
		if r.Overlap.Of != c.of || len(r.Overlap.Matrix) != c.matrix*c.matrix || len(r.Overlap.Units) != c.units {
			t.Errorf("%d units: of %d, a matrix of %d numbers, %d units", c.hidden, r.Overlap.Of, len(r.Overlap.Matrix), len(r.Overlap.Units))
		}
		all := anatomy.UnitOverlaps(matrixOf(&l.recipe, l.model), c.hidden)
		units := r.Overlap.Units
		if units == nil {
			units = anatomy.Spaced(c.hidden, c.hidden)
		}
		for a, mu := range units {
			for b, nu := range units {
				if got, want := float64(r.Overlap.Matrix[a*len(units)+b]), all[mu*c.hidden+nu]; math.Abs(got-want) > 1e-9 {
					t.Fatalf("%d units: the overlap of %d and %d is %v, not %v", c.hidden, mu, nu, got, want)
				}
			}
		}
		some := anatomy.Spaced(c.hidden, maxOverlaps)
		var sum, largest float64
		for a, mu := range some {
			for _, nu := range some[:a] {
				v := math.Abs(all[mu*c.hidden+nu])
				sum, largest = sum+v, max(largest, v)
			}
		}
		mean := sum / float64(len(some)*(len(some)-1)/2)
		if math.Abs(float64(r.Overlap.Mean)-mean) > 1e-9 || math.Abs(float64(r.Overlap.Max)-largest) > 1e-9 || !slices.IsSorted(some) {
			t.Errorf("%d units: mean %v and largest %v, not %v and %v", c.hidden, r.Overlap.Mean, r.Overlap.Max, mean, largest)
		}
	}
}

// TestTemperatures: the bound at the end of a large machine is annealed over fewer temperatures
// if little was learned.
func TestTemperatures(t *testing.T) {
	for _, c := range []struct {
		synapses int
		drawn    float64
		want     int
	}{{784 * 2000, 0, 1000}, {70001 * 100, 1100, 50}, {70001 * 100, 20000, 200}, {70001 * 100, 1e9, 1000}} {
		if got := temperaturesOf(c.synapses, c.drawn); got != c.want {
			t.Errorf("%d synapses, %v samples: %d temperatures, not %d", c.synapses, c.drawn, got, c.want)
		}
	}
}

func TestOverlapUnits(t *testing.T) {
	for visible, want := range map[int]int{1: 512, 784: 512, 4096: 512, 70001: 123, 1 << 24: 32} {
		if got := overlapUnits(visible); got != want {
			t.Errorf("%d visible units: %d, not %d", visible, got, want)
		}
	}
}

// TestBoundsOfRun: a short run has as many bounds as a long one, each over fewer temperatures, unless they are too dear.
func TestBoundsOfRun(t *testing.T) {
	const steps = 3000
	for _, c := range []struct {
		step, temperature time.Duration
		times, few, most  int
	}{
		{time.Second, time.Millisecond, boundsOfRun - 1, boundTemperatures, boundTemperatures}, // they cost nothing to speak of
		{time.Millisecond, 100 * time.Microsecond, boundsOfRun - 1, fewTemperatures, fewTemperatures},
		{20 * time.Millisecond, 100 * time.Microsecond, boundsOfRun - 1, fewTemperatures + 1, boundTemperatures - 1},
		{time.Millisecond, time.Millisecond, 0, 0, 0},
	} {
		m := &measuring{began: time.Now(), temperature: c.temperature, bound: pace{share: 0.009}}
		times, few, most := 0, math.MaxInt, 0
		for k := 1; k < steps; k++ {
			fraction := float64(k) / steps
			if n, due := m.fewer(fraction, m.began.Add(time.Duration(k)*c.step)); due {
				times, few, most, m.bounded = times+1, min(few, n), max(most, n), fraction
			}
		}
		if times < c.times-1 || times > c.times || times > 0 && (few < c.few || most > c.most) {
			t.Errorf("steps of %v, temperatures of %v: %d bounds of %d to %d temperatures", c.step, c.temperature, times, few, most)
		}
	}
}

// TestFirstBound: there is a bound before the first step, so that no run is too short for a curve.
func TestFirstBound(t *testing.T) {
	l := learnerOf(t, 30, 25)
	m, err := l.newMeasuring()
	if err != nil {
		t.Fatal(err)
	}
	if err := m.first(t.Context()); err != nil || m.last.Bound == nil || !(float64(m.last.Bound.Value) < 0) {
		t.Errorf("%+v, %v", m.last.Bound, err)
	}
}
