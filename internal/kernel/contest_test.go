package kernel

import (
	"slices"
	"testing"
	"time"
)

// setForm has products take a form until the test ends.
func setForm(tb testing.TB, k int) {
	before := formTaken.Load()
	formTaken.Store(int32(k))
	tb.Cleanup(func() { formTaken.Store(before) })
}

// All forms of rounded products give the same bits, expanded or not.
func TestForms(t *testing.T) {
	const p, k, lanes = 37, 331, 129
	rng, stride := testRand(3), Stride(lanes)
	bits := randomBits(make([]uint32, Words(k)*stride), rng, k, stride, lanes)
	a, shift := fill(make([]float32, p*k), rng, 1), fill(make([]float32, p), rng, 1)
	want := make([]float32, p*lanes)
	onPortable(func() { MulBitsCoarse(want, a, p, k, bits, stride, lanes, 0.7, shift) })
	onAll(t, func(t *testing.T) {
		names := Forms()
		if len(names) == 0 || slices.Index(names, "") >= 0 {
			t.Fatalf("forms %q", names)
		}
		for number, name := range names {
			setForm(t, number)
			if Expands() != (name == tileForm) {
				t.Errorf("%s: expands %v", name, Expands())
			}
			expanded := Lines(nil, ExpandedBytes(k, lanes))
			Expand(expanded, bits, stride, k, lanes)
			for _, e := range [][]int8{nil, expanded} {
				got := make([]float32, len(want))
				MulExpandedCoarse(got, a, p, k, bits, stride, lanes, e, 0.7, shift)
				if !slices.Equal(got, want) {
					t.Errorf("%s, %d bytes expanded: other bits than the portable kernels", name, len(e))
				}
			}
		}
	})
}

// A contest takes the form that was quickest, and the first where another one is about as quick.
func TestContest(t *testing.T) {
	setTier(t, &slowTiles)
	setForm(t, 0)
	var c Contest
	pieces := 0
	for ; ; pieces++ {
		if _, ok := c.Taken(); ok {
			break
		}
		c.Do(func() { time.Sleep(time.Duration(1+4*(1-formTaken.Load())) * time.Millisecond) })
	}
	if name, _ := c.Taken(); name != floatForm || pieces != len(Forms())*(1+contestTurns) {
		t.Errorf("%s after %d pieces of work", name, pieces)
	}
	formTaken.Store(0)
	if c.Do(func() {}); formTaken.Load() != 1 {
		t.Error("the quickest form is not taken")
	}
	for want, times := range map[int][]time.Duration{0: {100, 97, 98}, 1: {100, 80, 90}, 2: {100, 80, 70}} {
		if got := quickest(times); got != want {
			t.Errorf("of %v number %d", times, got)
		}
	}
	onTiers(t, func(t *testing.T) {
		setForm(t, 0)
		if name := QuickestForm(); !slices.Contains(Forms(), name) || formTaken.Load() != 0 {
			t.Errorf("quickest form %q, then %d", name, formTaken.Load())
		}
	})
}
