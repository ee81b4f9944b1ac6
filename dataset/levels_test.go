package dataset

import (
	"slices"
	"testing"

	"bethe/stream"
	"bethe/units"
)

// Levels are kept in the place of the spins that were drawn of them, however a file is laid out, and keeping them
// changes no draw.
func TestLevels(t *testing.T) {
	const samples, height, width = 4, 2, 3
	want := func(a, i, j int) byte { return byte(40*a + 20*i + 7*j) }
	var plain, fortran, table []byte
	for a := range samples {
		for i := range height {
			for j := range width {
				plain = append(plain, want(a, i, j))
			}
		}
	}
	for j := range width {
		for i := range height {
			for a := range samples {
				fortran = append(fortran, want(a, i, j))
			}
		}
	}
	for k := range height * width { // samples along the last axis
		for a := range samples {
			table = append(table, want(a, k/width, k%width))
		}
	}
	draw := func(keep bool) Options { return Options{Draw: &Draw{Key: stream.New(1), Keep: keep}} }
	transposed := draw(true)
	transposed.Transpose = true
	last := draw(true)
	last.SamplesAxis = AxisLast
	for name, c := range map[string]struct {
		content []byte
		opt     Options
		at      func(a, k int) byte
	}{
		"rows":       {npyArray("|u1", "(4, 2, 3)", plain...), draw(true), func(a, k int) byte { return want(a, k/width, k%width) }},
		"columns":    {npyBytes("{'descr': '|u1', 'fortran_order': True, 'shape': (4, 2, 3), }\n", fortran...), draw(true), func(a, k int) byte { return want(a, k/width, k%width) }},
		"last axis":  {npyArray("|u1", "(6, 4)", table...), last, func(a, k int) byte { return want(a, k/width, k%width) }},
		"transposed": {npyArray("|u1", "(4, 2, 3)", plain...), transposed, func(a, k int) byte { return want(a, k%height, k/height) }},
	} {
		set, err := decode(name, c.content, c.opt)
		if err != nil {
			t.Fatal(err)
		}
		for a := range samples {
			for k, v := range set.Levels.Of(a) {
				if v != c.at(a, k) {
					t.Errorf("%s: sample %d has the level %d at %d, not %d", name, a, v, k, c.at(a, k))
				}
			}
		}
		without := c.opt
		without.Draw = draw(false).Draw
		if other, err := decode(name, c.content, without); err != nil || other.Levels != nil || !other.Samples.Equal(set.Samples) {
			t.Errorf("%s: keeping levels changes the draw (%v)", name, err)
		}
		if some := set.Subset([]int{2}); !slices.Equal(some.Levels.Of(0), set.Levels.Of(2)) || some.Levels.Len() != 1 {
			t.Errorf("%s: a subset has other levels", name)
		}
	}
	set, err := decode("shares.csv", []byte("0.2,0.6,1\n0.4,0,0.8\n0.2,1,0.4\n"), draw(true))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(set.Levels.Of(0), []uint8{51, 153, units.White}) || !slices.Equal(set.Levels.Of(1), []uint8{102, 0, 204}) {
		t.Errorf("shares of 1: %v and %v", set.Levels.Of(0), set.Levels.Of(1))
	}
}
