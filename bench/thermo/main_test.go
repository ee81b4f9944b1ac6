package main

import (
	"path/filepath"
	"strings"
	"testing"

	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// The table of a small machine has a row for each number of temperatures, and its BAR is better than twice
// the better direction.
func TestBarTable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.npz")
	file := &rbm.File{Params: rbm.NewParams(10, 4, 0.3), Synapses: rbm.Binary(spin.Random(10, 4, stream.New(1).Rand()))}
	if err := file.Save(path); err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := barTable(t.Context(), &text, &settings{seed: 1, repeats: 3, chains: 10}, []string{path}); err != nil {
		t.Fatal(err)
	}
	if rows := strings.Count(text.String(), path); rows != 3 {
		t.Errorf("%d rows:\n%s", rows, text.String())
	}
}
