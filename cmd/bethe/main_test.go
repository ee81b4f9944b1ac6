package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/spf13/cobra"

	"bethe/internal/build"
	"bethe/rbm"
	"bethe/runs"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// bethe runs the command as main does.
func bethe(t *testing.T, ctx context.Context, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	status = run(ctx, args, &out, &errs)
	return status, out.String(), errs.String()
}

// object runs a command with --json, which must succeed and print one object.
func object(t *testing.T, args ...string) map[string]any {
	t.Helper()
	status, stdout, stderr := bethe(t, t.Context(), append(args, "--json")...)
	if status != exitDone {
		t.Fatalf("bethe %v: status %d\n%s", args, status, stderr)
	}
	var v map[string]any
	d := json.NewDecoder(strings.NewReader(stdout))
	if err := d.Decode(&v); err != nil || d.More() {
		t.Fatalf("bethe %v: not one JSON object (%v):\n%s", args, err, stdout)
	}
	return v
}

// golden compares with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; got:\n%s\nwant:\n%s", path, got, want)
	}
}

// commands calls visit for each verb.
func commands(c *cobra.Command, visit func(*cobra.Command)) {
	visit(c)
	for _, sub := range c.Commands() {
		if sub.Name() != "help" && sub.Name() != "completion" {
			commands(sub, visit)
		}
	}
}

func TestHelp(t *testing.T) {
	var text strings.Builder
	commands(newRootCommand(&console{}), func(cmd *cobra.Command) {
		status, stdout, stderr := bethe(t, t.Context(), append(strings.Fields(cmd.CommandPath())[1:], "--help")...)
		if status != exitDone || stderr != "" {
			t.Errorf("%s --help: status %d, %s", cmd.CommandPath(), status, stderr)
		}
		text.WriteString("==== " + cmd.CommandPath() + "\n" + stdout + "\n")
	})
	golden(t, "help.txt", text.String())
}

// TestExamples: each verb has examples, and every word of them is known.
func TestExamples(t *testing.T) {
	commands(newRootCommand(&console{}), func(cmd *cobra.Command) {
		if cmd.Example == "" {
			t.Errorf("%s has no example", cmd.CommandPath())
		}
		ours := 0
		for _, line := range strings.Split(cmd.Example, "\n") {
			words := shellWords(line)
			if words[0] != "bethe" {
				continue // another program, beside ours
			}
			ours++
			root := newRootCommand(&console{})
			found, rest, err := root.Find(words[1:])
			if err == nil {
				err = found.ParseFlags(rest)
			}
			if err == nil && found.Args != nil {
				err = found.Args(found, found.Flags().Args())
			}
			if err != nil {
				t.Errorf("%s: example %q: %v", cmd.CommandPath(), line, err)
			}
		}
		if ours == 0 {
			t.Errorf("%s has no example of its own", cmd.CommandPath())
		}
	})
}

// shellWords splits a line as a shell does: at blanks, but not between quotes.
func shellWords(line string) []string {
	words := regexp.MustCompile(`'[^']*'|\S+`).FindAllString(line, -1)
	for k, word := range words {
		words[k] = strings.Trim(word, "'")
	}
	return words
}

func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if status, stdout, _ := bethe(t, t.Context(), "completion", shell); status != exitDone || !strings.Contains(stdout, "bethe") {
			t.Errorf("completion %s: status %d", shell, status)
		}
	}
}

func TestWrongWords(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing.npz")
	var text strings.Builder
	for _, line := range []string{
		"trian", "data", "train extra", "train --hidden 0", "train --hiden 3", "train --beta -1", "train --rate 0", "train --epochs -1",
		"train --batch 0", "train --rule sgd", "train --estep magic", "train --partition both", "train --partition quenched", "train --chains 0",
		"train --sweeps 0", "train --draws 3", "train --restarts 0", "train --checkpoint-every -1", "train --checkpoint-every soon", "train --ais-steps 0", "train --threads -1",
		"train --data mnist:validation", "train --data mnist:train:59990-60000", "train --data MISSING:0-9", "train --data mnist --threshold 30", "train --data MISSING", "train --binarise both", "train --binarise stochastic", "train --white 3", "train --data MISSING --binarise stochastic --threshold 3", "train --data mnist --threshold high",
		"eval", "eval MISSING", "eval MISSING --ais-chains 1", "sample MISSING", "sample MISSING -n 0 --png x.png", "sample MISSING --png x.png --clamp 3",
		"sample MISSING --png x.png", "sample MISSING --png x --out x", "train --partition quenched --no-centre --estep chains", "planted --partition quenched --estep chains", "train --undecided both",
		"complete MISSING", "complete MISSING --from mnist:test:0 --clamp top", "complete MISSING --from mnist:test:0 --clamp top --png x -n 0", "denoise MISSING --flip 0.5", "denoise MISSING --sweeps 0",
		"features MISSING", "features MISSING --classifier --l2 none", "features MISSING --test mnist:test -o x", "features MISSING --gain 0 -o x", "eval MISSING --draws 1",
		"train --synapses ternary", "train --prior-strength -1", "train --field-prior 1", "train --prior-form elastic", "train --settle 2", "train --settle 0.5 --synapses real", "train --max-theta 0", "train --fall sideways", "train --final-rate 0", "train --warmup 1", "train --average 1.5", "train --coupling-rate -1", "train --final-sweeps -1", "train --synapses real --partition quenched --no-centre", "train --synapses sign --rule bayes", "train --decay 0.1", "train --synapses real --decay -1", "planted --hidden 0", "planted --alpha 0", "planted --beta 0", "planted --instances 0", "planted --rate -1",
		"planted --hidden 3 --correlation -0.5", "planted --hidden 50 --oracle", "verify", "verify MISSING", "data info MISSING", "data info",
		"export MISSING", "export MISSING --to onnx -o x", "export MISSING --to c", "export MISSING --to go -o x --name func", "export MISSING --to c -o x",
		"import MISSING", "import MISSING -o x", "sample MISSING --integers --png x.png",
		"train --hidden 5 --recognition drawn", "train --hidden 5,4 --meter", "train --hidden -3", "train --model mixture --hidden 10,5", "train --model mixture --meter",
		"planted --hidden 4 --stage 0.3", "planted --hidden 4,2 --units gauss", "planted --hidden 4 --beta 1.3,1.2", "features MISSING --layer 0 -o x", "features MISSING --classifier --labelled 3",
		"train --data mnist:test --patience 5 --meter", "train --data mnist:test --patience 5 --validation 0.1", "train --patience -1", "train --model mixture --patience 5", "train --hidden 5 --work", "train --model mixture --work",
		"thermo MISSING --most 0", "thermo MISSING --sweeps 0", "thermo MISSING --temperatures 0", "thermo MISSING --chains 0",
	} {
		status, stdout, stderr := bethe(t, t.Context(), strings.Fields(strings.ReplaceAll(line, "MISSING", missing))...)
		if line != "data" && (status == exitDone || stdout != "" || !strings.HasPrefix(stderr, "bethe: ")) {
			t.Errorf("bethe %s: status %d, output %q, error %q", line, status, stdout, stderr)
		}
		text.WriteString("$ bethe " + line + "\n" + strings.ReplaceAll(stderr, missing, "MISSING") + "status " + string(rune('0'+status)) + "\n\n")
	}
	golden(t, "errors.txt", text.String())
}

func TestDataInfo(t *testing.T) {
	_, text, _ := bethe(t, t.Context(), "data", "info", "mnist:test")
	_, object, _ := bethe(t, t.Context(), "data", "info", "mnist:test", "--json")
	golden(t, "data-info.txt", text+object)
}

// TestSomeSamples: :LIST takes the samples named, with their labels, in order.
func TestSomeSamples(t *testing.T) {
	var all, some dataFlags
	all.register(&cobra.Command{}, "mnist")
	some.register(&cobra.Command{}, "mnist")
	test, err := all.loadNamed("mnist:test")
	if err != nil {
		t.Fatal(err)
	}
	got, err := some.loadNamed("mnist:test:7,100-102")
	if err != nil {
		t.Fatal(err)
	}
	if want := test.Subset([]int{7, 100, 101, 102}); !got.Samples.Equal(want.Samples) || !slices.Equal(got.Labels, want.Labels) || got.Width != want.Width {
		t.Errorf("%d samples, labels %v, not %v", got.Len(), got.Labels, want.Labels)
	}
	path := filepath.Join(t.TempDir(), "data:0-1") // a file of that very name is that file
	if err := os.WriteFile(path, []byte("1,-1\n-1,1\n1,1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got, err := some.loadNamed(path); err != nil || got.Len() != 3 {
		t.Errorf("a file with : in its name: %v, %v", got, err)
	}
	if got, err := some.loadNamed(path + ":2"); err != nil || got.Len() != 1 {
		t.Errorf("one of its samples: %v, %v", got, err)
	}
}

func TestVersion(t *testing.T) {
	if v := object(t, "version"); v["version"] != build.Version || v["go"] == "" {
		t.Errorf("version: %v", v)
	}
}

func TestVerify(t *testing.T) {
	oracle := filepath.Join("..", "..", "verify", "testdata", "oracle.json")
	v := object(t, "verify", oracle)
	limits := map[string]float64{"ln_z": 1e-8, "correlation": 1e-8, "ln_mean_z": 1e-8, "data_term": 1e-8, "kl": 1e-8, "elbo": 1e-8, "gradient": 2e-6, "ln_likelihood": 1e-8}
	found := v["max_relative_error"].(map[string]any)
	for q, limit := range limits {
		if e, ok := found[q].(float64); !ok || e > limit {
			t.Errorf("%s: %v", q, found[q])
		}
	}
	if v["engine"] != "exact" || v["passed"] != true || len(found) != len(limits) {
		t.Errorf("report %v", v)
	}

	text, err := os.ReadFile(oracle)
	if err != nil {
		t.Fatal(err)
	}
	place := regexp.MustCompile(`"ln_mean_z": (\d)`).FindSubmatchIndex(text)
	text[place[2]] ^= 1 // one digit of one number
	changed := filepath.Join(t.TempDir(), "changed.json")
	if err := os.WriteFile(changed, text, 0o644); err != nil {
		t.Fatal(err)
	}
	status, stdout, stderr := bethe(t, t.Context(), "verify", changed)
	if status != exitFailed || !strings.Contains(stdout, "beyond the limit") || !strings.Contains(stderr, changed) {
		t.Errorf("a changed file: status %d\n%s%s", status, stdout, stderr)
	}
	for _, engine := range []string{"bethe", "tap", "chains"} {
		v := object(t, "verify", oracle, "--estep", engine)
		e := v["max_relative_error"].(map[string]any)["correlation"].(float64)
		if v["engine"] != engine || !(e > 1e-8 && e < 0.6) {
			t.Errorf("%s: correlation off by %v", engine, e)
		}
	}
}

func TestPlanted(t *testing.T) {
	args := []string{"planted", "--visible", "40", "--hidden", "2", "--alpha", "6", "--instances", "2", "--restarts", "3", "--steps", "100", "--oracle", "--seed", "7"}
	v := object(t, args...)
	overlap, bayes := v["overlap"].(float64), v["bayes_overlap"].(float64)
	if overlap < bayes-0.1 || bayes < 0.5 || bayes > 1 || v["bayes_overlap_random_start"].(float64) > 1 || len(v["overlap_instances"].([]any)) != 2 {
		t.Errorf("report %v", v)
	}
	if _, there := v["bound_annealed_per_sample"]; there || !(v["seconds_learning"].(float64) > 0) {
		t.Errorf("report %v", v)
	}
	again := object(t, append(args, "--threads", "1")...)
	for _, key := range []string{"overlap", "bound_per_sample", "bayes_overlap", "bayes_overlap_random_start"} {
		if v[key] != again[key] {
			t.Errorf("%s: %v and, on one thread, %v", key, v[key], again[key])
		}
	}
	// The quenched term overstates the evidence.
	q := object(t, "planted", "--visible", "40", "--hidden", "2", "--alpha", "6", "--instances", "2", "--restarts", "2", "--steps", "60",
		"--partition", "quenched", "--rule", "clipped", "--rate", "0.1", "--draws", "16")
	if gap := q["bound_per_sample"].(float64) - q["bound_annealed_per_sample"].(float64); !(gap > 0 && gap < 1) {
		t.Errorf("the quenched bound is %v above the annealed one", gap)
	}
	// A machine too large for the exact engine goes through chains.
	c := object(t, "planted", "--visible", "30", "--hidden", "24", "--alpha", "2", "--instances", "1", "--restarts", "2", "--steps", "5", "--chains", "20")
	if b := c["bound_per_sample"].(float64); c["engine"] != "chains" || math.IsNaN(b) {
		t.Errorf("report %v", c)
	}
	_, text, _ := bethe(t, t.Context(), "planted", "--visible", "20", "--hidden", "2", "--alpha", "3", "--instances", "1", "--restarts", "1", "--steps", "10", "--oracle", "--quiet")
	for _, word := range []string{"overlap", "Bayes-optimal", "bound"} {
		if !strings.Contains(text, word) {
			t.Errorf("no %q in\n%s", word, text)
		}
	}
}

// small is a csv file of samples that train in no time.
func small(t *testing.T) string {
	t.Helper()
	var text strings.Builder
	for a := range 200 {
		for i := range 12 {
			if i > 0 {
				text.WriteByte(',')
			}
			bit := a >> (i % 3) & 1 // three bits, four times each, with noise
			if (a*7+i*5)%11 == 0 {
				bit ^= 1
			}
			text.WriteByte("01"[bit])
		}
		text.WriteByte('\n')
	}
	path := filepath.Join(t.TempDir(), "small.csv")
	if err := os.WriteFile(path, []byte(text.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

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

// TestEvalStarts: eval looks for heavy states at those that scouts met, at those of a file, or at none.
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
