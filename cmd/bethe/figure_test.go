package main

import (
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFigurePhase draws a sweep before, half way and after it was computed, and
// finds fault with words that make no diagram.
func TestFigurePhase(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "pd")
	object(t, "sweep", "init", sweepGridFile(t, strings.Replace(sweepGrid, "beta = 1", "beta = [0.8, 1]", 1)), "-o", folder)
	for k, run := range []string{"", "0/2", "1/2"} {
		if run != "" {
			object(t, "sweep", "run", folder, "--shard", run)
		}
		v := object(t, "figure", "phase", folder)
		if v["cells"] != 16.0 || v["done"] != float64(8*k) || v["missing"] != float64(16-8*k) {
			t.Errorf("shard %q: %v", run, v)
		}
		f, err := os.Open(filepath.Join(folder, "phase.png"))
		if err != nil {
			t.Fatal(err)
		}
		if img, err := png.Decode(f); err != nil || img.Bounds().Dx() < 2*img.Bounds().Dy() {
			t.Errorf("%v, %v: two panels side by side are wide", img.Bounds(), err)
		}
		f.Close()
		svg := filepath.Join(folder, "bound.svg")
		object(t, "figure", "phase", folder, "-o", svg, "--value", "bound_per_sample", "--x", "beta", "--y", "alpha")
		text, err := os.ReadFile(svg)
		if err != nil || !strings.Contains(string(text), "bound a sample (nats)") || strings.Contains(string(text), "missing") != (k < 2) {
			t.Errorf("shard %q: %v, no scale, or missing cells wrongly marked", run, err)
		}
	}
	for _, words := range []string{"-o x.gif", "--x colour", "--value time", "--x beta", "--panels alpha"} {
		if status, _, stderr := bethe(t, t.Context(), append([]string{"figure", "phase", folder}, strings.Fields(words)...)...); status != exitUsage {
			t.Errorf("%s: status %d, %s", words, status, stderr)
		}
	}
	if status, _, _ := bethe(t, t.Context(), "figure", "phase", t.TempDir()); status != exitUsage {
		t.Errorf("an empty folder: status %d", status)
	}
}
