package spin_test

import (
	"slices"
	"strings"
	"testing"

	"bethe/sample/sampletest"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// Matrices are states of spins, also where rows and columns fill no word and no tile.
func TestStates(t *testing.T) {
	for k, size := range [][2]int{{3, 8}, {61, 40}, {90, 65}, {31, 130}} {
		sampletest.States(t, spin.Random(size[0], size[1], stream.New(uint64(k)).Rand()))
	}
}

func TestLoad(t *testing.T) {
	m := spin.Random(3, 2, stream.New(1).Rand())
	was := m.Clone()
	for want, s := range map[string]units.Stored{
		"spins as []float32, not []int8":               {Shape: []int{3, 2}, Data: make([]float32, 6)},
		"6 spins of shape [2 3] for a matrix of 3 x 2": {Shape: []int{2, 3}, Data: make([]int8, 6)},
		"5 spins of shape [3 2] for a matrix of 3 x 2": {Shape: []int{3, 2}, Data: make([]int8, 5)},
		"spin (1, 1) is 0, not 1 or -1":                {Shape: []int{3, 2}, Data: []int8{1, -1, 1, 0, 1, 1}},
	} {
		if err := m.Load(s); err == nil || err.Error() != want || !m.Equal(was) {
			t.Errorf("error %v, not %q", err, want)
		}
	}
	if x := m.Store(); !slices.Equal(x.Shape, []int{3, 2}) || len(x.Data.([]int8)) != 6 {
		t.Errorf("stored %+v", x)
	}
}

func TestStatesPanic(t *testing.T) {
	m := spin.New(3, 4)
	for want, f := range map[string]func(){
		"spin: Put of 3 x 2 into 1 columns of 3 rows": func() { m.Put(spin.New(3, 2), []int{0}) },
		"spin: Put of column 4 of a 3 x 4 matrix":     func() { m.Put(spin.New(3, 1), []int{4}) },
		"spin: Swap of column -1 of a 3 x 4 matrix":   func() { m.Swap(spin.New(3, 4), []int{-1}) },
		"spin: Swap of 3 x 4 and 4 x 4 matrices":      func() { m.Swap(spin.New(4, 4), nil) },
		"spin: CopyUnits of 3 x 3 to 3 x 4":           func() { m.CopyUnits(spin.New(3, 3), nil) },
		"spin: CopyUnits of row 3 of 3":               func() { m.CopyUnits(spin.New(3, 4), []int{3}) },
	} {
		func() {
			defer func() {
				if got, ok := recover().(string); !ok || !strings.Contains(got, want) {
					t.Errorf("panic %q, not %q", got, want)
				}
			}()
			f()
		}()
	}
}
