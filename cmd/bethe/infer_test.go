package main

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestInfer: messages reach the Bayes optimum above the transition and settle
// fast there; the same whatever the threads, and drawn on request.
func TestInfer(t *testing.T) {
	out := filepath.Join(t.TempDir(), "figs")
	args := []string{"infer", "--visible", "60", "--alpha", "0.3,6", "--instances", "2", "--restarts", "2", "--oracle", "--seed", "5"}
	v := object(t, append(args, "-o", out)...)
	points := v["points"].([]any)
	low, high := points[0].(map[string]any), points[1].(map[string]any)
	if high["settled"] != 2.0 || math.Abs(high["overlap"].(float64)-high["bayes_overlap"].(float64)) > 0.05 || high["means_off_rms"].(float64) > 0.1 || high["growth"].(float64) >= 1 {
		t.Errorf("far above the transition: %v", high)
	}
	if low["overlap_of_means"].(float64) > 0.05 || low["overlap_large_limit"].(float64) > 0.01 || low["entropy_per_synapse"].(float64) < 0.6 {
		t.Errorf("below the transition: %v", low)
	}
	if v["transition"] != 1.0 || len(v["files"].([]any)) != 3 {
		t.Errorf("report %v", v)
	}
	csv, err := os.ReadFile(filepath.Join(out, "infer.csv"))
	if err != nil || strings.Count(string(csv), "\n") != 3 || !strings.HasPrefix(string(csv), "alpha,samples,overlap,") {
		t.Errorf("%v\n%s", err, csv)
	}
	again := object(t, append(args, "--threads", "1")...)["points"].([]any)
	for k, p := range points {
		for _, key := range []string{"overlap", "overlap_of_means", "entropy_per_synapse", "evidence_per_sample", "iterations", "growth", "means_off_rms"} {
			if a, b := p.(map[string]any)[key], again[k].(map[string]any)[key]; a != b {
				t.Errorf("%s: %v and, on one thread, %v", key, a, b)
			}
		}
	}
	// Two hidden units, correlated: no formula for infinitely many units.
	two := object(t, "infer", "--visible", "40", "--hidden", "2", "--correlation", "0.3", "--alpha", "6", "--instances", "1")
	p := two["points"].([]any)[0].(map[string]any)
	if _, there := p["overlap_large_limit"]; there || p["overlap"].(float64) < 0.5 {
		t.Errorf("two units: %v", p)
	}
}

func TestInferWrongWords(t *testing.T) {
	for words, want := range map[string]string{
		"--hidden 3": "--hidden 3", "--alpha 1,-2": "--alpha -2", "--beta 99": "--beta 99: coupling", "--damping 1": "--damping 1",
		"--instances 0": "--instances 0", "--tolerance 0": "--tolerance 0", "--correlation 2": "--correlation 2",
	} {
		status, stdout, stderr := bethe(t, t.Context(), append([]string{"infer"}, strings.Fields(words)...)...)
		if status != exitUsage || stdout != "" || !strings.HasPrefix(stderr, "bethe: "+want) {
			t.Errorf("infer %s: status %d, %s", words, status, stderr)
		}
	}
}
