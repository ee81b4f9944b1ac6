package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestContinual: tasks are learned and measured by the command, a signal ends it with nothing lost, and words that are wrong name their flag.
func TestContinual(t *testing.T) {
	data, out := small(t), filepath.Join(t.TempDir(), "out")
	args := []string{"continual", "--data", data, "--hidden", "2", "--steps", "20", "--methods", "fine-tune,prior:3", "--out", out}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if status, _, stderr := bethe(t, ctx, args...); status != exitInterrupted || !strings.Contains(stderr, "the same command goes on") {
		t.Errorf("interrupted: status %d, %s", status, stderr)
	}
	v := object(t, args...)
	methods := v["methods"].([]any)
	held := methods[1].(map[string]any)
	if len(methods) != 2 || held["method"] != "prior:3" || len(held["nats"].([]any)) != 2 || held["forgetting"] == nil || v["steps"] != 20.0 {
		t.Errorf("%v", v)
	}
	for _, name := range []string{"continual.json", "continual.png", "continual.csv", filepath.Join("task1", "model.npz"), filepath.Join("prior-3", "task2", "model.npz")} {
		if _, err := os.Stat(filepath.Join(out, name)); err != nil {
			t.Error(err)
		}
	}
	for words, want := range map[string]string{
		"--tasks shuffled:2": "--tasks shuffled:2", "--methods elastic": "--methods elastic", "--tasks split:2": "no", "--prior-scale 2": "--prior-scale 2",
		"--steps 0": "--steps", "--field-prior -1": "--field-prior -1", "--test a.csv,b.csv": "--test", "--recipe missing.json": "missing.json",
	} {
		status, stdout, stderr := bethe(t, t.Context(), append([]string{"continual", "--data", data, "--out", out + "2"}, strings.Fields(words)...)...)
		if status == exitDone || stdout != "" || !strings.Contains(stderr, want) {
			t.Errorf("%s: status %d, %s", words, status, stderr)
		}
	}
}
