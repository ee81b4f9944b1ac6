package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"bethe/runs"
)

// TestWhole: a model or picture of a finished run that was damaged since is made
// again by --resume, to the same bytes.
func TestWhole(t *testing.T) {
	out := filepath.Join(t.TempDir(), "run")
	args := []string{"train", "--data", small(t), "--hidden", "3", "--steps", "20", "--batch", "50", "--out", out, "--resume"}
	object(t, args...)
	for _, name := range []string{runs.ModelFile, runs.SynapsesFile, runs.SamplesFile} {
		path := filepath.Join(out, name)
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		flipped := bytes.Clone(before)
		flipped[len(flipped)/2] ^= 4
		for _, damaged := range [][]byte{nil, before[:len(before)/2], flipped} {
			if err := os.WriteFile(path, damaged, 0o644); err != nil {
				t.Fatal(err)
			}
			object(t, args...)
			if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
				t.Errorf("%s, of which %d bytes were there: other bytes (%v)", name, len(damaged), err)
			}
		}
	}
}
