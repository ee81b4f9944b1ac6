package dataset

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bethe/spin"
	"bethe/stream"
)

// Drawn spins have the levels as their probabilities (false alarms below 1e-6:
// five standard deviations of each of three), certain ones are certain, and equal keys draw alike.
func TestDraw(t *testing.T) {
	const samples = 20000
	content := append([]byte{0, 0, 8, 2, 0, 0, samples >> 8, samples & 0xff, 0, 0, 0, 5}, make([]byte, 5*samples)...)
	levels := []byte{0, 51, 128, 230, 255}
	for k := range 5 * samples {
		content[12+k] = levels[k%5]
	}
	path := filepath.Join(t.TempDir(), "grey.idx")
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	read := func(key uint64, white float64) *Set {
		set, err := Read(path, Options{Draw: &Draw{Key: stream.New(key), White: white}})
		if err != nil {
			t.Fatal(err)
		}
		return set
	}
	set := read(1, 0)
	sums := make([]int, 5)
	set.Samples.RowSums(sums)
	for i, s := range sums {
		p := float64(levels[i]) / 255
		up := (1 + float64(s)/samples) / 2
		if deviation := math.Sqrt(p * (1 - p) / samples); math.Abs(up-p) > 5*deviation {
			t.Errorf("level %d: +1 in %v, not %v", levels[i], up, p)
		}
	}
	if set.Source.White != 255 || set.Source.Threshold != nil {
		t.Errorf("source %+v", set.Source)
	}
	equal := func(a, b *spin.Matrix) bool { return a.Equal(b) }
	if !equal(set.Samples, read(1, 255).Samples) || equal(set.Samples, read(2, 0).Samples) {
		t.Error("the key does not name the draw")
	}
	threshold := 3.0
	for _, c := range []struct {
		opt  Options
		part string
	}{
		{Options{Draw: &Draw{White: 200}}, "the level 230 is no share of white, 200; state the level of white"},
		{Options{Draw: &Draw{White: -1}}, "the level of white is not a positive finite number"},
		{Options{Draw: &Draw{}, Threshold: &threshold}, "a threshold is given, and spins are to be drawn"},
	} {
		if _, err := Read(path, c.opt); err == nil || !strings.Contains(err.Error(), c.part) {
			t.Errorf("error %v does not say %q", err, c.part)
		}
	}
}
