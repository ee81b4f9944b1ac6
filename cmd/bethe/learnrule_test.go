package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestLearnRule: a rule that is learned goes on to the same bytes, has its figures, and train takes it and says so.
func TestLearnRule(t *testing.T) {
	folder := t.TempDir()
	in := func(name string) string { return filepath.Join(folder, name) }
	quick := func(out string, more ...string) []string {
		return append([]string{"learn-rule", "-o", in(out), "--pairs", "1", "--tasks", "1", "--planted", "1", "--seed", "3"}, more...)
	}
	v := object(t, quick("a.npz", "--generations", "2")...)
	object(t, quick("b.npz", "--generations", "1")...)
	object(t, quick("b.npz", "--generations", "2", "--resume")...)
	if !bytes.Equal(read(t, in("a.npz")), read(t, in("b.npz"))) {
		t.Error("resumed, another rule")
	}
	if v["generations"] != 2.0 || len(v["gains"].([]any)) != 2 {
		t.Errorf("%v", v)
	}
	for _, name := range []string{"a.png", "a.svg"} {
		if _, err := os.Stat(in(name)); err != nil {
			t.Error(err)
		}
	}
	data := small(t)
	train := func(out string, more ...string) map[string]any {
		object(t, append([]string{"train", "--data", data, "--hidden", "4", "--steps", "30", "--batch", "50", "--out", in(out)}, more...)...)
		return settingsOf(t, in(out))
	}
	learned := train("learned", "--rule", "hyperadam", "--rule-weights", in("a.npz"))
	shipped := train("shipped", "--rule", "hyperadam")
	if learned["rule_hash"] != v["rule_hash"] || shipped["rule_hash"] == learned["rule_hash"] || shipped["rule_hash"] == nil {
		t.Errorf("sums %v and %v, not %v", learned["rule_hash"], shipped["rule_hash"], v["rule_hash"])
	}
	again := train("again", "--recipe", in("learned/run.json"))
	if again["rule_hash"] != learned["rule_hash"] || !bytes.Equal(read(t, in("again/model.npz")), read(t, in("learned/model.npz"))) {
		t.Error("the recipe of a run with a learned rule learns another machine")
	}
	if other := train("other", "--recipe", in("learned/run.json"), "--rule", "adam", "--rule-weights", ""); other["rule_hash"] != nil {
		t.Errorf("adam has the sum %v", other["rule_hash"])
	}
	for want, args := range map[string][]string{
		"--resume": quick("a.npz"), "--generations 0": quick("c.npz", "--generations", "0"), "--sigma -1": quick("c.npz", "--sigma", "-1"),
		"--rule hyperadam": {"train", "--data", data, "--rule-weights", in("a.npz")}, "it is for learning from data": {"planted", "--rule", "hyperadam"},
	} {
		if status, _, stderr := bethe(t, t.Context(), args...); status != exitUsage || !strings.Contains(stderr, want) {
			t.Errorf("%v: status %d, %s", args, status, stderr)
		}
	}
	if status, _, stderr := bethe(t, t.Context(), quick("a.npz", "--resume", "--pairs", "2")...); status != exitFailed || !strings.Contains(stderr, `"pairs":2`) {
		t.Errorf("other settings: status %d, %s", status, stderr)
	}
}
