package trial

import (
	"math"
	"testing"

	"bethe/stream"
)

// A trace sees what learning does and does not disturb it: its end is that of the
// start that Learn climbs, the symmetry between hidden units breaks, and entropy falls.
func TestTrace(t *testing.T) {
	l := DefaultLearner(easy, 1)
	x := learned(t, easy, l, stream.New(3))
	trace, err := x.Trace(t.Context(), l, 20, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(trace.Points) != 11 {
		t.Fatalf("%d points", len(trace.Points))
	}
	first, last := trace.Points[0], trace.Points[10]
	if last.Overlap != x.OverlapBestStart || math.Abs(last.Bound()-x.Bound) > 1e-5 || math.Abs(trace.BoundAnnealed-x.Bound) > 1e-5 {
		t.Errorf("ends at overlap %v, bound %v, annealed %v; Learn at %v, %v", last.Overlap, last.Bound(), trace.BoundAnnealed, x.OverlapBestStart, x.Bound)
	}
	if last.Bound() <= first.Bound() || last.Entropy >= first.Entropy || first.Entropy > math.Ln2 || last.Polarised <= first.Polarised || len(last.Units) != 2 || last.Correlation <= 0 || last.Hidden > 1e-3 {
		t.Errorf("from %+v to %+v", first, last)
	}
	if trace.Overlaps[1] != trace.Overlaps[2] || math.Abs(math.Abs(trace.Overlaps[1])-last.Pair) > 1e-12 || last.LargestPair != last.Pair {
		t.Errorf("overlaps %v, pair %v", trace.Overlaps, last.Pair)
	}
	quenched := *l
	quenched.Draws, quenched.Steps = 16, 40
	q, err := OfData(easy, x.Data, stream.New(4)).Trace(t.Context(), &quenched, 40, nil)
	if err != nil {
		t.Fatal(err)
	}
	if p := q.Points[1]; !math.IsNaN(p.Overlap) || p.Units != nil || !math.IsNaN(p.Correlation) || !(p.Bound() > q.BoundAnnealed) {
		t.Errorf("without a teacher, quenched: %+v, annealed %v", p, q.BoundAnnealed)
	}
}
