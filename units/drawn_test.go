package units_test

import (
	"math"
	"testing"

	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// Batches of an epoch are draws of the levels, the same for a sample wherever it stands; other epochs draw others.
func TestDrawn(t *testing.T) {
	const features, samples = 20, 400
	levels := units.NewLevels(features, samples)
	for a := range samples {
		for i := range features {
			levels.Of(a)[i] = uint8(i * units.White / (features - 1)) // 0 to 255
		}
	}
	once := spin.New(features, samples)
	d := units.NewDrawn[float32](once, levels, stream.New(3))
	draw := func(epoch int, places []int) *spin.Matrix {
		d.Epoch(epoch)
		return d.Batch(nil, places).(*units.Spins[float32]).Matrix()
	}
	all := make([]int, samples)
	for a := range all {
		all[a] = a
	}
	first, second := draw(0, all), draw(1, all)
	if first.Equal(second) || !first.Equal(draw(0, all)) {
		t.Error("epochs do not decide the draw")
	}
	some := draw(0, []int{7, 300, 7})
	for i := range features {
		if some.At(i, 0) != first.At(i, 7) || some.At(i, 1) != first.At(i, 300) || some.At(i, 2) != first.At(i, 7) {
			t.Fatal("the place in a batch decides the draw")
		}
	}
	sums := make([]int, features)
	first.RowSums(sums)
	for i, s := range sums { // of 18 that vary, a false alarm in 1e-5 at 5 standard deviations
		p := float64(levels.Of(0)[i]) / units.White
		got, deviation := (float64(s)/samples+1)/2, math.Sqrt(p*(1-p)/samples)
		if math.Abs(got-p) > 5*deviation {
			t.Errorf("level %v: +1 in a share of %v", p, got)
		}
	}
	if !d.Matrix().Equal(once) || d.Len() != samples {
		t.Error("other samples than the one draw")
	}
	if last := d.Batch(nil, all[:3]); d.Batch(last, all[3:6]) != last {
		t.Error("a batch is not used again")
	}
}

func TestLevels(t *testing.T) {
	l := units.NewLevels(3, 2)
	copy(l.Of(0), []uint8{1, 2, 3})
	copy(l.Of(1), []uint8{4, 5, 6})
	some := l.Choose([]int{1, 1, 0})
	some.Turn([]int{2, 0, 1})
	if x := some.Of(0); some.Len() != 3 || x[0] != 6 || x[1] != 4 || x[2] != 5 || l.Of(1)[0] != 4 {
		t.Errorf("chosen and turned: %v", x)
	}
	for name, f := range map[string]func(){
		"shape": func() { l.Draw(spin.New(3, 1), []int{0, 1}, 0) },
		"data":  func() { units.NewDrawn[float32](spin.New(3, 1), l, 0) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}
