package dataset

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bethe/units"
)

// Numbers in memory are the set that a table of them is read as; numbers that are no colours or not finite are errors that
// name their place.
func TestFromNumbers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "table.csv")
	if err := os.WriteFile(path, []byte("2,0,1\n0,1,1\n1,2,0\n0,0,2\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	given := func() *units.Reals[float32] {
		return units.RealsOf(3, 4, []float32{2, 0, 1, 0, 0, 1, 2, 0, 1, 1, 0, 2})
	}
	for _, kind := range []units.Kind{{Word: units.Gauss}, {Word: units.Potts}, {Word: units.Potts, States: 4}} {
		want, err := Read(path, Options{Units: kind})
		if err != nil {
			t.Fatal(err)
		}
		got, err := FromNumbers("x", given(), kind)
		if err != nil {
			t.Fatal(err)
		}
		if got.Kind != want.Kind || !got.Samples.Equal(want.Samples) || (got.Reals == nil) != (want.Reals == nil) || got.Hash() != want.Hash() {
			t.Errorf("%s: %+v, read as %+v", kind, got, want)
		}
		if got.Reals != nil && !slices.Equal(got.Reals.Values(), want.Reals.Values()) {
			t.Errorf("%v", got.Reals.Values())
		}
	}
	for _, c := range []struct {
		kind  units.Kind
		value float32
		text  string
	}{
		{units.Kind{Word: units.Potts}, 1.5, "x: sample 2, unit 1: 1.5 is not a whole number"},
		{units.Kind{Word: units.Potts}, -1, "sample 2, unit 1: -1"},
		{units.Kind{Word: units.Potts, States: 3}, 3, "3 is not one of the colours 0 to 2"},
		{units.Kind{Word: units.Gauss}, float32(math.NaN()), "sample 2, unit 1: NaN is no finite number"},
		{units.Kind{Word: units.Gauss}, float32(math.Inf(1)), "+Inf is no finite number"},
		{units.Kind{}, 1, "no spin units"},
	} {
		numbers := given()
		numbers.Row(1)[2] = c.value
		if _, err := FromNumbers("x", numbers, c.kind); err == nil || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%v of %s: %v", c.value, c.kind, err)
		}
	}
}
