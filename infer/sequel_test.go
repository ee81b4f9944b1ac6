package infer

import (
	"math"
	"testing"
)

func TestSequelLimit(t *testing.T) {
	usual := Sequel{First: 4, Second: 5, Beta: 1, Correlation: 0.5, Scale: 1, Strength: 1}
	with := func(change func(s *Sequel)) SequelLimit {
		s := usual
		change(&s)
		return s.Limit()
	}
	alone := func(alpha float64) float64 { return LargeLimit(alpha, 1).Overlap }
	near := func(what string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 4e-3 { // signs are cut by equal steps
			t.Errorf("%s: %v, not %v", what, got, want)
		}
	}
	// Without a prior the second set is learned as if alone, and the first teacher is met as far as it agrees with the second.
	free := with(func(s *Sequel) { s.Scale = 0 })
	near("first", free.Before, alone(4))
	near("no prior, new", free.New, alone(5))
	near("no prior, old", free.Old, 0.5*alone(5))
	// A prior that counts for ever learns nothing, and forgets nothing.
	firm := with(func(s *Sequel) { s.Strength = 1e9 })
	near("firm, old", firm.Old, alone(4))
	near("firm, new", firm.New, 0.5*alone(4))
	// With hardly any data likewise. The same teacher again: both are one, and better than either set.
	near("no data", with(func(s *Sequel) { s.Second = 1e-6 }).Old, alone(4))
	same := with(func(s *Sequel) { s.Correlation = 1 })
	near("the same teacher", same.Old, same.New)
	if !(same.New > alone(5)+0.02 && same.New < alone(9)) {
		t.Errorf("the same teacher twice: %v, with %v for one set and %v for all samples at once", same.New, alone(5), alone(9))
	}
	if turned := with(func(s *Sequel) { s.Correlation = -0.5 }); turned != usual.Limit() {
		t.Errorf("a teacher that is turned: %+v", turned)
	}
	// The student who knows how teachers drift has the most of the new one.
	best := with(func(s *Sequel) { s.Scale = 0.5 }).New
	for _, scale := range []float64{0, 0.3, 0.7, 1} {
		if other := with(func(s *Sequel) { s.Scale = scale }).New; other > best+1e-3 {
			t.Errorf("scale %v learns more of the new teacher, %v, than its correlation, %v", scale, other, best)
		}
	}
}
