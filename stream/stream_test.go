package stream

import (
	"math"
	"testing"
)

// Seeds in scripts and model files keep their meaning only as long as these
// numbers do not change.
func TestGolden(t *testing.T) {
	words := make([]uint64, 2)
	New(1).Sub(2).Fill(words)
	rng := New(1).Sub(2).Rand()
	for _, c := range []struct {
		name      string
		got, want uint64
	}{
		{"New(0)", uint64(New(0)), 0xe220a8397b1dcdaf},
		{"New(1)", uint64(New(1)), 0x910a2dec89025cc1},
		{"New(1).Sub(0)", uint64(New(1).Sub(0)), 0xa7ed8821dca10c0e},
		{"New(1).Sub(2)", uint64(New(1).Sub(2)), 0xf8c5b62c83f707e8},
		{"New(1).Sub(2).Sub(3)", uint64(New(1).Sub(2).Sub(3)), 0x727fc9a23039e1a},
		{"first word of Fill", words[0], 0x4515b4aba12e6182},
		{"second word of Fill", words[1], 0x4ee5a628d2bcda15},
		{"first draw of Rand", rng.Uint64(), 0xf59b1efbdddf2ad2},
		{"second draw of Rand", rng.Uint64(), 0x54a8624940040895},
	} {
		if c.got != c.want {
			t.Errorf("%s is %#x, not %#x", c.name, c.got, c.want)
		}
	}
}

// Fill is SplitMix64: the sequence from state 1234567 that many libraries test against.
func TestFillIsSplitMix64(t *testing.T) {
	want := [5]uint64{6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821}
	var got [5]uint64
	Key(1234567).Fill(got[:])
	if got != want {
		t.Errorf("%d, not %d", got, want)
	}
}

// No two of many nearby names share a key: seeds, labels, labels of labels,
// and the same numbers in another order.
func TestKeysDiffer(t *testing.T) {
	names := map[Key][3]int{}
	add := func(k Key, seed, first, second int) {
		name := [3]int{seed, first, second}
		if old, ok := names[k]; ok {
			t.Fatalf("seed and labels %v and %v have the same key", old, name)
		}
		names[k] = name
	}
	const n = 40
	for seed := range n {
		k := New(uint64(seed))
		add(k, seed, -1, -1)
		for first := range n {
			add(k.Sub(uint64(first)), seed, first, -1)
			for second := range n {
				add(k.Sub(uint64(first)).Sub(uint64(second)), seed, first, second)
			}
		}
	}
}

// The first draws of 2^16 neighbouring streams, and the draws of one stream,
// are uniform: bits fair, neighbours uncorrelated. Limits of 6 standard
// deviations give a false alarm once in some million choices of the seed.
func TestUniform(t *testing.T) {
	const n = 1 << 16
	root := New(42)
	fill := make([]uint64, n+1)
	root.Fill(fill)
	rng := root.Rand()
	for name, draw := range map[string]func(i int) uint64{
		"keys":  func(i int) uint64 { return uint64(root.Sub(uint64(i))) },
		"seeds": func(i int) uint64 { return uint64(New(uint64(i))) },
		"first": func(i int) uint64 { return root.Sub(uint64(i)).Rand().Uint64() },
		"rand":  func(int) uint64 { return rng.Uint64() },
		"fill":  func(i int) uint64 { return fill[i] },
	} {
		var ones, flips [64]int
		before := draw(n)
		for i := range n {
			x := draw(i)
			for b := range 64 {
				ones[b] += int(x >> b & 1)
				flips[b] += int((x ^ before) >> b & 1)
			}
			before = x
		}
		for b := range 64 {
			for what, count := range map[string]int{"ones": ones[b], "changes": flips[b]} {
				if z := (float64(count) - n/2) / (math.Sqrt(n) / 2); math.Abs(z) > 6 {
					t.Errorf("%s: bit %d: %d %s of %d", name, b, count, what, n)
				}
			}
		}
	}
}
