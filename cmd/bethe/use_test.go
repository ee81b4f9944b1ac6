package main

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bethe/internal/npy"
)

// trained is a model of the small data, and its file of samples.
func trained(t *testing.T, extra ...string) (model, data string) {
	t.Helper()
	data = small(t)
	args := []string{"train", "--data", data, "--hidden", "5", "--steps", "300", "--batch", "50", "--seed", "3", "--momentum", "0.9", "--field-momentum", "0.9", "--out", filepath.Join(t.TempDir(), "run")}
	return object(t, append(args, extra...)...)["model"].(string), data
}

// array reads an array of an archive.
func array[T int8 | float32](t *testing.T, path, name string, shape ...int) []T {
	t.Helper()
	a, err := npy.ReadArchive(path, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	x, err := npy.Get[T](a, name, shape...)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// same runs a command twice, on one thread the second time, and compares what
// it prints and the named file.
func same(t *testing.T, file string, args ...string) map[string]any {
	t.Helper()
	first := object(t, args...)
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	object(t, append(args, "--threads", "1")...)
	after, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(before) != string(after) {
		t.Errorf("bethe %v: other bytes on one thread", args)
	}
	return first
}

// TestComplete: given units stay, and the machine, which has learned that units
// three apart agree, infers the others far better than chance.
func TestComplete(t *testing.T) {
	model, data := trained(t)
	npz, png := filepath.Join(t.TempDir(), "c.npz"), filepath.Join(t.TempDir(), "c.png")
	v := same(t, npz, "complete", model, "--from", data+":0-39", "--clamp", "0-5", "-n", "3", "--sweeps", "60", "--out", npz, "--png", png)
	if v["clamped"] != 6.0 || v["completions"] != 3.0 || len(v["samples"].([]any)) != 40 || !(v["error"].(float64) < 0.25) {
		t.Errorf("report %v", v)
	}
	means, states := array[float32](t, npz, "mean", 40, 12), array[int8](t, npz, "completions", 40, 3, 12)
	if given := array[int8](t, npz, "given", 12); !slices.Equal(given, []int8{1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0}) {
		t.Errorf("given %v", given)
	}
	for a := range 40 {
		for i := range 6 {
			if m := means[a*12+i]; math.Abs(float64(m)) < 1-1e-6 || states[(a*3+1)*12+i] != int8(math.Round(float64(m))) {
				t.Fatalf("given unit %d of sample %d: mean %v, state %d", i, a, m, states[(a*3+1)*12+i])
			}
		}
	}
	if info, err := os.Stat(png); err != nil || info.Size() == 0 {
		t.Error(err)
	}
	_, text, _ := bethe(t, t.Context(), "complete", model, "--from", data+":0-39", "--clamp", "0-5", "-n", "3", "--sweeps", "60", "--out", npz)
	golden(t, "complete.txt", strings.ReplaceAll(text, npz, "FILE"))
}

// TestCompleteSettles: chains that have not settled are told from those that have.
func TestCompleteSettles(t *testing.T) {
	model, data := trained(t)
	npz := filepath.Join(t.TempDir(), "c.npz")
	complete := func(sweeps string, more ...string) (int, string, map[string]any) {
		args := append([]string{"complete", model, "--from", data + ":0-39", "--clamp", "0-5", "-n", "3", "--sweeps", sweeps, "--out", npz, "--quiet"}, more...)
		status, _, stderr := bethe(t, t.Context(), args...)
		return status, stderr, object(t, args...)
	}
	status, stderr, v := complete("400")
	if status != exitDone || stderr != "" || v["settled"] != true || v["samples_unsettled"] != 0.0 || v["samples_checked"] != 40.0 || !(v["r_hat_max"].(float64) < 1.1) {
		t.Errorf("400 sweeps: status %d, %q, %v", status, stderr, v)
	}
	status, stderr, v = complete("2")
	if status != exitDone || v["settled"] != false || v["samples_unsettled"] != 40.0 || v["r_hat_max"] != nil ||
		stderr != "NOT settled after 2 sweeps: chains of 40 of 40 samples have not forgotten where they started (with so few sweeps nothing can be told), so means may be wrong; more --sweeps\n" {
		t.Errorf("2 sweeps: status %d, %q, %v", status, stderr, v)
	}
	status, stderr, v = complete("9") // halves of three sweeps
	if status != exitDone || v["settled"] != false || !(v["r_hat_max"].(float64) > 1.1) || !strings.Contains(stderr, "R-hat is up to ") {
		t.Errorf("9 sweeps: status %d, %q, %v", status, stderr, v)
	}
}

// TestDenoise: a machine that knows its data mends them.
func TestDenoise(t *testing.T) {
	model, data := trained(t)
	npz, png := filepath.Join(t.TempDir(), "d.npz"), filepath.Join(t.TempDir(), "d.png")
	v := same(t, npz, "denoise", model, "--data", data, "--flip", "0.15", "--count", "0", "--sweeps", "60", "--out", npz, "--png", png)
	before, after := v["error_before"].(float64), v["error_after"].(float64)
	// 2400 spins flipped with probability 0.15: within five standard deviations.
	if math.Abs(before-0.15) > 5*math.Sqrt(0.15*0.85/2400) || !(after < before-0.005) || v["samples"] != 200.0 {
		t.Errorf("report %v", v)
	}
	seen := array[int8](t, npz, "seen", 200, 12)
	means, restored := array[float32](t, npz, "mean", 200, 12), array[int8](t, npz, "restored", 200, 12)
	for k, m := range means {
		if (m >= 0) != (restored[k] > 0) || seen[k]*seen[k] != 1 {
			t.Fatalf("spin %d: mean %v, restored to %d", k, m, restored[k])
		}
	}
	v = object(t, "denoise", model, "--data", data, "--noisy", "--flip", "0.1", "-n", "7", "--sweeps", "5", "--png", png)
	if v["error_before"] != nil || v["error_after"] != nil || v["samples"] != 7.0 {
		t.Errorf("report %v", v)
	}
	_, text, _ := bethe(t, t.Context(), "denoise", model, "--data", data, "--sweeps", "60")
	golden(t, "denoise.txt", strings.ReplaceAll(text, data, "DATA"))
}

// TestFeatures: the array is that of the classifier, which errs less than
// always naming the most frequent class; a real machine has features too.
func TestFeatures(t *testing.T) {
	for _, kind := range []string{"binary", "real"} {
		model, data := trained(t, "--synapses", kind)
		text, err := os.ReadFile(data)
		if err != nil {
			t.Fatal(err)
		}
		var labels strings.Builder
		for a := range strings.Split(strings.TrimSpace(string(text)), "\n") {
			labels.WriteString(string(rune('0'+a&1)) + "\n") // the bit that units 0, 3, 6 and 9 copy
		}
		file, out := filepath.Join(t.TempDir(), "labels.csv"), filepath.Join(t.TempDir(), "f.npy")
		if err := os.WriteFile(file, []byte(labels.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		v := same(t, out, "features", model, "--data", data, "--labels", file, "-o", out, "--classifier", "--raw", "--test", data, "--test-labels", file)
		for _, name := range []string{"classifier", "raw"} {
			r := v[name].(map[string]any)
			if r["classes"] != 2.0 || !(r["test_error"].(float64) < 0.2) || r["test_error"] != r["train_error"] || len(r["held_out_error"].([]any)) != 3 {
				t.Errorf("%s: %v", name, r)
			}
		}
		if info := object(t, "data", "info", out, "--threshold", "0"); info["samples"] != 200.0 || info["visible"] != 5.0 {
			t.Errorf("info of features %v", info)
		}
	}
}

// TestTemperedSamples are samples too, with units held where asked.
func TestTemperedSamples(t *testing.T) {
	model, data := trained(t)
	npz := filepath.Join(t.TempDir(), "s.npz")
	v := same(t, npz, "sample", model, "-n", "20", "--sweeps", "30", "--tempered", "--clamp", "0,5", "--from", data+":4", "--out", npz)
	if !(v["temperatures"].(float64) >= 2) || v["clamped"] != 2.0 {
		t.Errorf("report %v", v)
	}
	states := array[int8](t, npz, "samples", 20, 12)
	for a := range 20 {
		if states[a*12] != states[0] || states[a*12+5] != states[5] {
			t.Fatal("a held unit changed")
		}
	}
}

// TestDraws: machines drawn from the posterior have likelihoods of their own;
// a real machine has no posterior.
func TestDraws(t *testing.T) {
	model, data := trained(t)
	u := object(t, "eval", model, "--data", data, "--draws", "4")["uncertainty"].(map[string]any)
	values := u["values"].([]any)
	if len(values) != 4 || values[0] == values[1] || !(u["spread"].(float64) > 0) || u["signs"] == nil {
		t.Errorf("uncertainty %v", u)
	}
	_, text, _ := bethe(t, t.Context(), "eval", model, "--data", data, "--draws", "4", "--quiet")
	golden(t, "draws.txt", strings.ReplaceAll(text, data, "DATA"))
	model, data = trained(t, "--synapses", "real")
	if status, _, stderr := bethe(t, t.Context(), "eval", model, "--data", data, "--draws", "4"); status != exitUsage || !strings.Contains(stderr, "no posterior") {
		t.Errorf("status %d, %s", status, stderr)
	}
}
