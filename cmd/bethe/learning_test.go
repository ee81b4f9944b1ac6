package main

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"bethe/rbm"
	"bethe/runs"
)

func TestTrainEvalSample(t *testing.T) {
	data, out := small(t), filepath.Join(t.TempDir(), "run")
	args := []string{"train", "--data", data, "--hidden", "5", "--steps", "300", "--batch", "50", "--chains", "20", "--seed", "3", "--out", out, "--evaluate"}
	v := object(t, args...)
	model := v["model"].(string)
	if v["steps"] != 300.0 || v["synapse_bits"] != 60.0 || v["evaluated_on"] != data || v["bound_by"] != "exact" {
		t.Errorf("report %v", v)
	}
	for _, name := range []string{runs.ModelFile, runs.CheckpointFile, runs.ResultFile, runs.SynapsesFile, runs.SamplesFile} {
		if info, err := os.Stat(filepath.Join(out, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	file, err := rbm.Load(model)
	if err != nil {
		t.Fatal(err)
	}
	if file.Info.Seed != 3 || file.Info.Steps != 300 || file.Info.Samples != 200 || !file.Centred() {
		t.Errorf("info %+v", file.Info)
	}
	e := object(t, "eval", model, "--data", data)
	l, evaluated := e["log_likelihood"].(map[string]any), v["log_likelihood"].(map[string]any)
	if l["exact"] != true || l["mean"] != evaluated["mean"] || e["samples"] != 200.0 || l["forward_ais"] != nil || l["reverse_ais"] != nil {
		t.Errorf("eval %v, train %v", l, evaluated)
	}
	if mean := l["mean"].(float64); mean < -12*math.Ln2 || mean > 0 {
		t.Errorf("log-likelihood %v of 12 spins: it should beat a coin", mean)
	}
	// The bound is one.
	if bound := v["bound_per_sample"].(float64); bound > 0 || bound < -20 {
		t.Errorf("bound %v", bound)
	}

	if status, _, stderr := bethe(t, t.Context(), args...); status != exitUsage || !strings.Contains(stderr, "--resume") {
		t.Errorf("the same folder again: status %d, %s", status, stderr)
	}
	if again := object(t, append(args, "--resume")...); again["seconds"] != v["seconds"] || again["model"] != model {
		t.Errorf("--resume of a finished run: %v", again)
	}
	if status, _, stderr := bethe(t, t.Context(), append(args, "--resume", "--hidden", "6")...); status != exitUsage || !strings.Contains(stderr, "another run") {
		t.Errorf("--resume of another run: status %d, %s", status, stderr)
	}

	png, npz := filepath.Join(out, "s.png"), filepath.Join(out, "s.npz")
	s := object(t, "sample", model, "-n", "10", "--sweeps", "20", "--png", png, "--out", npz, "--clamp", "0-3,7", "--from", data+":4")
	if s["samples"] != 10.0 || s["clamped"] != 5.0 {
		t.Errorf("sample %v", s)
	}
	if info := object(t, "data", "info", npz, "--array", "samples"); info["samples"] != 10.0 || info["visible"] != 12.0 || info["constant_spins"].(float64) < 5 {
		t.Errorf("info of samples %v", info)
	}
	for clamp, from := range map[string]string{"0-12": data + ":4", "5-3": data + ":4", "x": data + ":4", "1": data + ":200", "2": data, "3": data + ":x"} {
		if status, _, _ := bethe(t, t.Context(), "sample", model, "--png", png, "--clamp", clamp, "--from", from); status != exitUsage {
			t.Errorf("--clamp %s --from %s: status %d", clamp, from, status)
		}
	}
}

// A machine with real synapses is saved, evaluated and sampled like another.
func TestRealSynapses(t *testing.T) {
	data, out := small(t), filepath.Join(t.TempDir(), "run")
	v := object(t, "train", "--synapses", "real", "--data", data, "--hidden", "5", "--steps", "300", "--batch", "50", "--out", out, "--evaluate")
	model := v["model"].(string)
	file, err := rbm.Load(model)
	if err != nil {
		t.Fatal(err)
	}
	if file.Synapses.Bits() != 32 || v["synapse_bits"] != 32*60.0 || v["polarised"] != nil {
		t.Errorf("report %v", v)
	}
	e := object(t, "eval", model, "--data", data)
	l, evaluated := e["log_likelihood"].(map[string]any), v["log_likelihood"].(map[string]any)
	if l["mean"] != evaluated["mean"] || l["mean"].(float64) < -12*math.Ln2 || l["mean"].(float64) > 0 {
		t.Errorf("eval %v, train %v", l, evaluated)
	}
	if s := object(t, "sample", model, "-n", "10", "--sweeps", "20", "--png", filepath.Join(out, "s.png"), "--clamp", "0-3", "--from", data+":4"); s["samples"] != 10.0 {
		t.Errorf("sample %v", s)
	}
}

func TestTrainVariants(t *testing.T) {
	data := small(t)
	for _, extra := range []string{
		"--no-centre --no-fields --fixed-coupling --beta 1 --partition quenched --draws 4 --rule clipped",
		"--estep bethe", "--estep tap --chains 5", "--estep chains --chains 10 --sweeps 2", "--rule bayes --rate 0.1", "--restarts 3", "--epochs 2", "--time 50ms",
		"--synapses real --decay 0.001", "--synapses sampled", "--synapses sign",
		"--fall cosine --warmup 0.2 --average 0.5 --final-sweeps 3 --estep chains --chains 10", "--fall geometric --prior-strength 0.1 --coupling-rate 0.1",
	} {
		out := filepath.Join(t.TempDir(), "run")
		args := append([]string{"train", "--data", data, "--hidden", "3", "--batch", "100", "--out", out}, strings.Fields(extra)...)
		if !strings.Contains(extra, "--epochs") && !strings.Contains(extra, "--time") {
			args = append(args, "--steps", "10")
		}
		v := object(t, args...)
		if b, ok := v["bound_per_sample"].(float64); !ok || b > 0 {
			t.Errorf("%s: %v", extra, v)
		}
		if _, there := v["bound_annealed_per_sample"]; there != strings.Contains(extra, "quenched") {
			t.Errorf("%s: %v", extra, v)
		}
	}
}

// TestScoutsLearn: scouts change the learned machine from the hundredth sweep on, and not before.
func TestScoutsLearn(t *testing.T) {
	data := small(t)
	coupling := func(steps, scouts string) any {
		out := filepath.Join(t.TempDir(), "run")
		return object(t, "train", "--data", data, "--hidden", "3", "--batch", "100", "--estep", "chains", "--chains", "10", "--steps", steps, "--scouts", scouts, "--out", out)["coupling"]
	}
	if coupling("99", "0") != coupling("99", "5") {
		t.Error("scouts before the hundredth sweep")
	}
	if coupling("110", "0") == coupling("110", "5") {
		t.Error("nothing depends on scouts")
	}
}

// TestEvalStarts: eval begins its search for heavy states at what scouts met, at the samples of a file, or at none.
func TestEvalStarts(t *testing.T) {
	out := filepath.Join(t.TempDir(), "run")
	model := filepath.Join(out, "model.npz")
	must(t, "train --data mnist:train:0-199 --hidden 26 --batch 50 --estep chains --chains 10 --steps 110 --scouts 4 --quiet --out "+out)
	for starts, want := range map[string][2]any{
		"":                           {filepath.Join(out, "scouts.npz"), 1.0},
		"none":                       {nil, nil},
		"mnist:test:0-6":             {"mnist:test:0-6", 7.0},
		filepath.Join(out, "no.npz"): {},
	} {
		words := []string{"eval", model, "--data", "mnist:test:0-20", "--ais-steps", "5", "--ais-chains", "4", "--equilibration", "20"}
		if starts != "" {
			words = append(words, "--starts", starts)
		}
		if strings.HasSuffix(starts, "no.npz") {
			if status, _, stderr := bethe(t, t.Context(), words...); status != exitUsage || !strings.Contains(stderr, "no.npz") {
				t.Errorf("status %d: %s", status, stderr)
			}
			continue
		}
		v := object(t, words...)
		search := v["log_likelihood"].(map[string]any)["equilibrium"].(map[string]any)["search"].(map[string]any)
		if v["starts"] != want[0] || search["remembered"] != want[1] {
			t.Errorf("--starts %q: %v and %v", starts, v["starts"], search["remembered"])
		}
	}
}

// A countdown is a context that is cancelled the n-th time it is asked.
type countdown struct {
	context.Context
	left atomic.Int64
}

func (c *countdown) Err() error {
	if c.left.Add(-1) < 0 {
		return context.Canceled
	}
	return nil
}

// TestInterrupted: an interruption ends with status 75 and loses nothing,
// whatever engine and partition term keep from step to step.
func TestInterrupted(t *testing.T) {
	data := small(t)
	for _, extra := range []string{
		"--estep chains --chains 40 --steps 60 --checkpoint-every 7", "--estep tap --chains 5 --steps 60", "--estep bethe --steps 60",
		"--partition quenched --draws 4 --no-centre --estep exact --steps 60",
		"--average 0.2 --settle 0.5 --estep chains --chains 40 --steps 60", "--average 0.9 --final-sweeps 4 --warmup 0.3 --estep chains --chains 40 --steps 60", "--synapses real --estep chains --chains 40 --steps 60", "--synapses sampled --estep chains --chains 40 --steps 60", "--synapses sign --estep chains --chains 40 --steps 60",
	} {
		train := func(ctx context.Context, out string, more ...string) (int, string) {
			args := append([]string{"train", "--data", data, "--hidden", "4", "--batch", "50", "--measure-every", "30", "--out", out}, strings.Fields(extra)...)
			status, _, stderr := bethe(t, ctx, append(args, more...)...)
			return status, stderr
		}
		whole := filepath.Join(t.TempDir(), "whole")
		const plenty = 1 << 40
		counting := &countdown{Context: t.Context()}
		counting.left.Store(plenty)
		if status, stderr := train(counting, whole); status != exitDone {
			t.Fatalf("%s: status %d, %s", extra, status, stderr)
		}
		asked := plenty - counting.left.Load()
		parts, after := filepath.Join(t.TempDir(), "parts"), map[string]bool{}
		for _, left := range []int64{0, asked * 2 / 5, asked * 2 / 5} {
			ctx := &countdown{Context: t.Context()}
			ctx.left.Store(left)
			status, stderr := train(ctx, parts, "--resume")
			if status != exitInterrupted || !strings.Contains(stderr, "--resume") {
				t.Fatalf("%s: status %d, %s", extra, status, stderr)
			}
			_, text, _ := strings.Cut(stderr, "interrupted after step ")
			step, _, _ := strings.Cut(text, ";")
			after[step] = true
		}
		if len(after) != 3 || !after["0"] {
			t.Errorf("%s: interrupted after steps %v, not after 0 and two others", extra, after)
		}
		if status, stderr := train(t.Context(), parts, "--resume"); status != exitDone {
			t.Fatalf("%s: status %d, %s", extra, status, stderr)
		}
		a, errA := os.ReadFile(filepath.Join(whole, runs.ModelFile))
		b, errB := os.ReadFile(filepath.Join(parts, runs.ModelFile))
		if errA != nil || errB != nil || !bytes.Equal(a, b) {
			t.Errorf("%s: after interruptions the model has other bytes (%v, %v)", extra, errA, errB)
		}
	}
}

// TestRunFolder: files of a run are found whatever the folder's name, the user's own
// files stay, other data are an error, and missing files are made again.
func TestRunFolder(t *testing.T) {
	data, out := small(t), filepath.Join(t.TempDir(), "a[1]*")
	if err := os.MkdirAll(out, 0o755); err != nil {
		t.Fatal(err)
	}
	notes, leftover := filepath.Join(out, ".notes.tmpl"), filepath.Join(out, ".model.npz.tmp123")
	for _, name := range []string{notes, leftover} {
		if err := os.WriteFile(name, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	args := []string{"train", "--data", data, "--hidden", "3", "--steps", "20", "--batch", "50", "--out", out}
	object(t, args...)
	if _, err := os.Stat(notes); err != nil {
		t.Errorf("the user's file: %v", err)
	}
	if _, err := os.Stat(leftover); err == nil {
		t.Error("a leftover stayed")
	}
	if status, _, stderr := bethe(t, t.Context(), args...); status != exitUsage || !strings.Contains(stderr, "holds a run already") {
		t.Errorf("the same folder again: status %d, %s", status, stderr)
	}
	before, err := os.ReadFile(filepath.Join(out, runs.ModelFile))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(out, runs.ModelFile)); err != nil {
		t.Fatal(err)
	}
	if v := object(t, append(args, "--resume", "--evaluate")...); v["log_likelihood"] == nil {
		t.Errorf("--resume --evaluate of a finished run: %v", v)
	}
	if after, err := os.ReadFile(filepath.Join(out, runs.ModelFile)); err != nil || !bytes.Equal(before, after) {
		t.Errorf("a model made again has other bytes (%v)", err)
	}
	text, err := os.ReadFile(data)
	if err != nil {
		t.Fatal(err)
	}
	text[0] ^= 1 // one spin
	if err := os.WriteFile(data, text, 0o644); err != nil {
		t.Fatal(err)
	}
	if status, _, stderr := bethe(t, t.Context(), append(args, "--resume")...); status != exitUsage || !strings.Contains(stderr, "another run") {
		t.Errorf("other data: status %d, %s", status, stderr)
	}
}

// TestUnsettled: an engine that does not converge says so.
func TestUnsettled(t *testing.T) {
	args := []string{"train", "--data", small(t), "--hidden", "4", "--beta", "30", "--estep", "bethe", "--fixed-coupling", "--no-fields", "--no-centre",
		"--steps", "60", "--out", filepath.Join(t.TempDir(), "run")}
	status, _, stderr := bethe(t, t.Context(), args...)
	if status == exitDone && !strings.Contains(stderr, "had not converged") {
		t.Errorf("status %d, %s", status, stderr)
	}
}

// TestRestarts: of several starts the one with the best bound is kept. Among a
// few seeds there is one where that is not the first.
func TestRestarts(t *testing.T) {
	data, notFirst := small(t), false
	for seed := 1; seed <= 4; seed++ {
		status, stdout, stderr := bethe(t, t.Context(), "train", "--data", data, "--hidden", "3", "--steps", "40", "--batch", "50", "--restarts", "3",
			"--seed", strconv.Itoa(seed), "--out", filepath.Join(t.TempDir(), "run"), "--json")
		var v map[string]any
		if err := json.Unmarshal([]byte(stdout), &v); err != nil || status != exitDone {
			t.Fatalf("status %d, %v, %s", status, err, stderr)
		}
		bounds := regexp.MustCompile(`start \d of 3: bound (\S+)`).FindAllStringSubmatch(stderr, -1)
		if len(bounds) != 3 {
			t.Fatalf("not three starts:\n%s", stderr)
		}
		best, first := math.Inf(-1), 0.0
		for k, b := range bounds {
			x, err := strconv.ParseFloat(b[1], 64)
			if err != nil {
				t.Fatal(err)
			}
			best = max(best, x)
			if k == 0 {
				first = x
			}
		}
		if kept := v["bound_per_sample"].(float64); math.Abs(kept-best) > 1e-3 {
			t.Errorf("seed %d: kept %v, the best is %v", seed, kept, best)
		}
		notFirst = notFirst || best > first
	}
	if !notFirst {
		t.Error("the first start is the best for every seed: choose others")
	}
}

// TestCouplingIsLearned, unless it is asked to be fixed.
func TestCouplingIsLearned(t *testing.T) {
	data, start := small(t), 1.5/math.Sqrt(12)
	for _, fixed := range []bool{false, true} {
		args := []string{"train", "--data", data, "--hidden", "3", "--steps", "20", "--beta", "1.5", "--out", filepath.Join(t.TempDir(), "run")}
		if fixed {
			args = append(args, "--fixed-coupling")
		}
		if j := object(t, args...)["coupling"].(float64); (j == start) != fixed || math.IsNaN(j) {
			t.Errorf("fixed %v: the coupling went from %v to %v", fixed, start, j)
		}
	}
}

func TestUnwritableFolder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	status, _, stderr := bethe(t, t.Context(), "train", "--data", small(t), "--steps", "1", "--out", filepath.Join(file, "run"))
	if status != exitFailed || !strings.Contains(stderr, file) {
		t.Errorf("status %d, %s", status, stderr)
	}
}
