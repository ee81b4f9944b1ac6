package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestReproduce with less than the full work: files and numbers are there and
// have what was published beside them.
func TestReproduce(t *testing.T) {
	for name, extra := range map[string]string{
		"alpha": "--alpha 1 --steps 10 --restarts 1 --instances 1", "mnist": "--steps 1 --samples 30 --hidden 4,18",
		"approximation": "--hidden 1,3 --copies 1,2 --steps 20 --restarts 1 --target clusters",
	} {
		out := t.TempDir()
		v := object(t, append([]string{"reproduce", name, "-o", out, "--seed", "3"}, strings.Fields(extra)...)...)
		points := v["points"].([]any)
		if v["figure"] != name || len(v["files"].([]any)) != 3 || len(points) == 0 {
			t.Errorf("report %v", v)
		}
		text, err := os.ReadFile(filepath.Join(out, name+".csv"))
		if err != nil || strings.Count(string(text), "\n") != len(points)+1 {
			t.Errorf("%s: %v, %d points\n%s", name, err, len(points), text)
		}
		picture, err := os.ReadFile(filepath.Join(out, name+".svg"))
		if err != nil || !strings.Contains(string(picture), "<svg") {
			t.Errorf("%s: %v", name, err)
		}
		if name == "alpha" {
			if p := points[2].(map[string]any); len(points) != 3 || p["alpha"] != 1.0 || p["published"] != 0.32 || p["bayes"].(float64) < 0.2 {
				t.Errorf("last point %v", points[2])
			}
		}
	}
	for _, words := range []string{"alpha --instances 0", "alpha --alpha 6", "mnist --hidden 4,0", "mnist --samples 70001", "numbers", "approximation --target disc", "approximation --copies 0"} {
		if status, stdout, _ := bethe(t, t.Context(), append([]string{"reproduce", "-o", t.TempDir()}, strings.Fields(words)...)...); status != exitUsage || stdout != "" {
			t.Errorf("reproduce %s: status %d", words, status)
		}
	}
}

func TestPlantedTrace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "learning.csv")
	v := object(t, "planted", "--visible", "20", "--hidden", "3", "--alpha", "3", "--instances", "1", "--restarts", "1", "--steps", "10", "--trace", path)
	text, err := os.ReadFile(path)
	if err != nil || len(v["trace_files"].([]any)) != 3 || strings.Count(string(text), "\n") != 12 || !strings.Contains(string(text), "overlap_unit_3") {
		t.Errorf("%v, %v\n%s", err, v["trace_files"], text)
	}
	if status, _, stderr := bethe(t, t.Context(), "planted", "--trace", "x.txt"); status != exitUsage || !strings.Contains(stderr, ".csv") {
		t.Errorf("status %d, %s", status, stderr)
	}
}
