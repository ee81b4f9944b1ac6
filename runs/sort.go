package runs

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"

	"bethe/setting"
)

// sortKeys are what runs can be sorted by, each with the number of a run that goes first where it is largest.
var sortKeys = map[string]func(s *Summary) float64{
	"bound": func(s *Summary) float64 { return known(s.Bound) }, "forward": func(s *Summary) float64 { return known(s.Forward) },
	"reverse": func(s *Summary) float64 { return known(s.Reverse) }, "validation": func(s *Summary) float64 { return known(s.Validation) }, "coupling": func(s *Summary) float64 { return known(s.Coupling) },
	"steps": func(s *Summary) float64 { return float64(s.Steps) }, "seconds": func(s *Summary) float64 { return float64(s.Seconds) },
	"hidden": func(s *Summary) float64 { return float64(s.Hidden) },
}

// SortKeys returns what Sort takes beside "run".
func SortKeys() []string { return slices.Sorted(maps.Keys(sortKeys)) }

// known returns a number that may not have been measured: it then goes last.
func known(x *Number) float64 {
	if x == nil || math.IsNaN(float64(*x)) {
		return math.Inf(-1)
	}
	return float64(*x)
}

// Sort sorts the runs by a key, the largest first, or by their names for "run" and "". Runs that are alike keep
// their order. The error is a *setting.Error.
func (c *Comparison) Sort(by string) error {
	of := sortKeys[by]
	switch {
	case by == "":
		return nil
	case by == "run":
		slices.SortStableFunc(c.Runs, func(a, b Summary) int { return cmp.Compare(a.Run, b.Run) })
		return nil
	case of == nil:
		return setting.Errorf("sort", by, "it is run, %s%s", strings.Join(SortKeys(), ", "), setting.Meant(by, append(SortKeys(), "run")))
	}
	slices.SortStableFunc(c.Runs, func(a, b Summary) int { return cmp.Compare(of(&b), of(&a)) })
	return nil
}
